"""SQLite files beside the archive's own, which several processes may write at any time.

Every use opens the file and is one transaction. A rollback journal leaves no file between
transactions in which erased words could stay.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
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

WAIT = 10.0  # seconds for another process's transaction, each of which takes milliseconds


class SideDatabase:
    """A small SQLite file; created by the first change."""

    def __init__(self, path: Path, migrations: Sequence[str], damaged: str) -> None:
        """Name the file; nothing is opened.

        Args:
            path: The file.
            migrations: Statements, separated by semicolons, that upgrade the schema by one version
                each; released ones never change.
            damaged: What to do if the file is damaged, for the error.
        """
        self.path = path
        self.wait = WAIT
        self._migrations = migrations
        self._damaged = damaged

    @property
    def exists(self) -> bool:
        """True if anything has been written."""
        try:
            return self.path.stat().st_size > 0
        except FileNotFoundError:
            return False

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
        with self._connect() as connection, transaction(connection):
            self._purge(connection)
            yield connection

    def compact(self) -> None:
        """Rewrite the file without the bytes of deleted rows."""
        if self.exists:
            with self._connect() as connection:
                connection.execute("VACUUM")

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

    def _purge(self, connection: StoreConnection) -> None:
        """Delete what is no longer needed; called by each change."""

    def _create(self) -> None:
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, OWNER))
        except OSError as error:
            raise unwritable_error(self.path.parent, error) from error

    @contextmanager
    def _connect(self) -> Iterator[StoreConnection]:
        """Yield a connection to the file, at the newest version of its schema."""
        try:
            with closing(connect_existing(self.path, self._damaged, wait=self.wait)) as connection:
                self._prepare(connection)
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
            self._prepare(connection)
            yield connection

    def _prepare(self, connection: StoreConnection) -> None:
        for pragma in (
            *("trusted_schema = OFF", "cell_size_check = ON", "secure_delete = ON"),
            *("synchronous = EXTRA", "temp_store = MEMORY"),
        ):
            connection.execute(f"PRAGMA {pragma}")
        newest = len(self._migrations)
        if self._version(connection) == newest:
            return
        with transaction(connection):
            # read again: another process may have been faster
            for step in self._migrations[self._version(connection) :]:
                for statement in step.split(";"):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {newest}")

    def _version(self, connection: StoreConnection) -> int:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(self._migrations):
            raise ArchiveDamagedError(
                f"{connection.path} was written by a newer Backfile (schema {version}): "
                "upgrade with `pip install --upgrade backfile`"
            )
        return version


@contextmanager
def transaction(connection: StoreConnection) -> Iterator[None]:
    """Commit all changes of the block, or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def to_text(moment: datetime) -> str:
    """Return a moment in UTC as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
