"""SQLite file of what readers and editors keep: saved searches, dossiers and feeds.

It is a file of its own, beside the archive's: it is written to while another process ingests.
Every use opens it and is one transaction, so that any number of processes may write. A
rollback journal leaves no file between transactions in which erased words could stay.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rag.errors import ArchiveDamagedError, ArchiveLockedError, BackfileError
from rag.store.connection import (
    StoreConnection,
    connect_empty,
    connect_existing,
    is_lock_error,
    unwritable_error,
)
from rag.store.file_permissions import OWNER

FILE = "saved.sqlite3"
UNDO_DAYS = 30  # for so long a deletion can be undone; the first change after that purges it
WAIT = 10.0  # seconds for another process's transaction, each of which takes milliseconds
DAMAGED = "move this file away, or replace it by that of a backup"

# Each entry upgrades the schema by one version; released entries never change.
MIGRATIONS = (
    """
    CREATE TABLE searches (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL,
        query TEXT NOT NULL, filters TEXT NOT NULL, mode TEXT NOT NULL, created TEXT NOT NULL,
        seen INTEGER NOT NULL, seen_change TEXT NOT NULL, looked TEXT NOT NULL,
        token TEXT NOT NULL, deleted TEXT
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX searches_name ON searches (owner, key) WHERE deleted IS NULL;
    CREATE TABLE dossiers (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL,
        created TEXT NOT NULL, deleted TEXT
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX dossiers_name ON dossiers (owner, key) WHERE deleted IS NULL;
    CREATE TABLE entries (
        id TEXT PRIMARY KEY, dossier_id TEXT NOT NULL, place INTEGER NOT NULL,
        article_id TEXT NOT NULL, revision INTEGER NOT NULL,
        start INTEGER NOT NULL, "end" INTEGER NOT NULL, quote TEXT NOT NULL,
        metadata TEXT NOT NULL, note TEXT NOT NULL, added TEXT NOT NULL, deleted TEXT
    ) WITHOUT ROWID;
    CREATE INDEX entries_dossier ON entries (dossier_id, place);
    CREATE INDEX entries_article ON entries (article_id);
    """,
    """
    CREATE TABLE feeds (
        id TEXT PRIMARY KEY, url TEXT NOT NULL, every INTEGER NOT NULL, paused INTEGER NOT NULL,
        created TEXT NOT NULL, creator TEXT NOT NULL, due TEXT, read TEXT, counts TEXT NOT NULL,
        error TEXT NOT NULL, failures INTEGER NOT NULL, deleted TEXT
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX feeds_url ON feeds (url) WHERE deleted IS NULL;
    CREATE INDEX feeds_due ON feeds (due);
    """,
)
NEWEST = len(MIGRATIONS)
_TABLES = ("searches", "dossiers", "entries", "feeds")


class SavedDatabase:
    """The file of saved items of one archive; created by the first change."""

    def __init__(self, folder: Path) -> None:
        """Name the file; nothing is opened.

        Args:
            folder: The archive's folder.
        """
        self.path = folder / FILE
        self.wait = WAIT

    @property
    def exists(self) -> bool:
        """True if anything has been saved."""
        return self.path.exists() and self.path.stat().st_size > 0

    @contextmanager
    def read(self) -> Iterator[StoreConnection]:
        """Yield a connection on which several statements see one state.

        Raises:
            ArchiveDamagedError: The file is damaged, or a newer version of Backfile wrote it.
            ArchiveLockedError: Another process held it for too long.
        """
        with self._connect() if self.exists else self._empty() as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[StoreConnection]:
        """Yield a connection in a transaction: all of its changes are committed, or none.

        Raises:
            ArchiveDamagedError: The file is damaged, or a newer version of Backfile wrote it.
            ArchiveLockedError: Another process held it for too long.
            ArchiveUnwritableError: The disk is full, or the folder can't be written to.
        """
        self._create()
        with self._connect() as connection, _transaction(connection):
            _purge(connection)
            yield connection

    def compact(self) -> None:
        """Rewrite the file without the bytes of deleted rows."""
        if self.exists:
            with self._connect() as connection:
                connection.execute("VACUUM")

    def copy_to(self, path: Path) -> None:
        """Write one consistent state to another file, without the tokens of feeds.

        A token is a secret that lets its holder read a feed, and backups are passed on.

        Args:
            path: The file to create.

        Raises:
            OSError: The file can't be written.
        """
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, OWNER))
        with self._connect() as source, closing(connect_existing(path)) as copy:
            try:
                source.backup(copy)
            except Exception as error:  # sqlite3's errors: the disk is full
                raise OSError(str(error)) from error
            _prepare(copy)
            with _transaction(copy):
                copy.execute("UPDATE searches SET token = ''")
            copy.execute("VACUUM")

    def find_damage(self) -> str:
        """Return the first problem that SQLite finds in the file's pages; "" if it finds none."""
        if not self.exists:
            return ""
        try:
            with self._connect() as connection:
                (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        except ArchiveDamagedError as error:
            return str(error.__cause__ or error)
        return "" if found == "ok" else str(found)

    def _create(self) -> None:
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, OWNER))
        except OSError as error:
            raise unwritable_error(self.path.parent, error) from error

    @contextmanager
    def _connect(self) -> Iterator[StoreConnection]:
        """Yield a connection to the file, at the newest version of its schema."""
        try:
            with closing(connect_existing(self.path, DAMAGED, wait=self.wait)) as connection:
                _prepare(connection)
                yield connection
        except BackfileError:
            raise
        except Exception as error:  # sqlite3's own; those of this package are mapped already
            if is_lock_error(error):
                raise ArchiveLockedError(
                    f"{self.path} is being written to by another process: try again"
                ) from error
            raise

    @contextmanager
    def _empty(self) -> Iterator[StoreConnection]:
        with closing(connect_empty()) as connection:
            _prepare(connection)
            yield connection


def _prepare(connection: StoreConnection) -> None:
    for pragma in (
        *("trusted_schema = OFF", "cell_size_check = ON", "secure_delete = ON"),
        *("synchronous = EXTRA", "temp_store = MEMORY"),
    ):
        connection.execute(f"PRAGMA {pragma}")
    if _version(connection) == NEWEST:
        return
    with _transaction(connection):
        for step in MIGRATIONS[_version(connection) :]:  # read again: another may have been faster
            for statement in step.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {NEWEST}")


def _version(connection: StoreConnection) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > NEWEST:
        raise ArchiveDamagedError(
            f"{connection.path} was written by a newer Backfile (schema {version}): "
            "upgrade with `pip install --upgrade backfile`"
        )
    return version


@contextmanager
def _transaction(connection: StoreConnection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _purge(connection: StoreConnection) -> None:
    """Delete the rows whose deletion can't be undone any more."""
    before = to_text(datetime.now(UTC) - timedelta(days=UNDO_DAYS))
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table} WHERE deleted < ?", (before,))
    connection.execute("DELETE FROM entries WHERE dossier_id NOT IN (SELECT id FROM dossiers)")


def to_text(moment: datetime) -> str:
    """Return a moment in UTC as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
