"""SQLite files beside the archive's own, which several processes may write at any time.

Every use opens the file and is one transaction. A rollback journal leaves no file between
transactions in which erased words could stay.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rag.errors import ArchiveDamagedError, ArchiveLockedError, BackfileError
from rag.store.connection import (
    StoreConnection,
    connect_empty,
    connect_existing,
    is_lock_error,
    unwritable_error,
)
from rag.store.database import Connection
from rag.store.file_permissions import OWNER

WAIT = 10.0  # seconds for another process's transaction, each of which takes milliseconds


class SideForm(Protocol):
    """A small database in one of its forms: a file of an archive's folder, or a part of its record.

    Every method raises ArchiveDamagedError, ArchiveLockedError, or RecordUnavailableError if the
    record can't be reached; changes raise ArchiveUnwritableError if the disk is full.
    """

    @property
    def name(self) -> str:
        """The file, or the server and the schema, for messages."""

    @property
    def exists(self) -> bool:
        """True if anything has been written."""

    def read(self) -> AbstractContextManager[Connection]:
        """Yield a connection on which several statements see one state."""

    def write(self) -> AbstractContextManager[Connection]:
        """Yield a connection in a transaction; no other process writes meanwhile."""

    def compact(self) -> None:
        """Rewrite what is stored without the bytes of deleted rows."""

    def find_damage(self) -> str:
        """Return the first problem of the pages on the disk; "" without one."""


class SideHome(Protocol):
    """The place of an archive's side databases."""

    @property
    def folder(self) -> Path:
        """The archive's folder."""

    def open(self, file: str, migrations: Sequence[str], damaged: str) -> SideForm:
        """Return a database; nothing is opened.

        Args:
            file: Its file's name; its name in a record is that without the suffix.
            migrations: Statements, separated by semicolons, that upgrade the schema by one version
                each; released ones never change.
            damaged: What to do if a file is damaged, for the error.
        """


@dataclass(frozen=True, slots=True)
class FolderHome:
    """Files in the archive's folder.

    Attributes:
        folder: The folder.
    """

    folder: Path

    def open(self, file: str, migrations: Sequence[str], damaged: str) -> SideForm:
        """Return a database in a file."""
        return SideFile(self.folder / file, migrations, damaged)


class SideFile:
    """A small SQLite file; created by the first change."""

    def __init__(self, path: Path, migrations: Sequence[str], damaged: str) -> None:
        """Name the file; nothing is opened.

        Args:
            path: The file.
            migrations: See `SideHome.open`.
            damaged: What to do if the file is damaged, for the error.
        """
        self.path = path
        self.wait = WAIT
        self._migrations = migrations
        self._damaged = damaged

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

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
        with self.connect() if self.exists else empty_database(self._migrations) as connection:
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
        with self.connect() as connection, transaction(connection):
            yield connection

    def compact(self) -> None:
        """Rewrite the file without the bytes of deleted rows."""
        if self.exists:
            with self.connect() as connection:
                connection.execute("VACUUM")

    def find_damage(self) -> str:
        """Return the first problem that SQLite finds in the file's pages; "" if it finds none."""
        if not self.exists:
            return ""
        try:
            with self.connect() as connection:
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
    def connect(self) -> Iterator[StoreConnection]:
        """Yield a connection to the file, at the newest version of its schema."""
        try:
            with closing(connect_existing(self.path, self._damaged, wait=self.wait)) as connection:
                prepare(connection, self._migrations)
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
def empty_database(migrations: Sequence[str]) -> Iterator[StoreConnection]:
    """Yield a connection to a database without rows, in memory."""
    with closing(connect_empty()) as connection:
        prepare(connection, migrations)
        yield connection


def prepare(connection: StoreConnection, migrations: Sequence[str]) -> None:
    """Set a connection up, and upgrade the schema if it is older.

    Raises:
        ArchiveDamagedError: A newer version of Backfile wrote the file.
    """
    for pragma in (
        *("trusted_schema = OFF", "cell_size_check = ON", "secure_delete = ON"),
        *("synchronous = EXTRA", "temp_store = MEMORY"),
    ):
        connection.execute(f"PRAGMA {pragma}")
    newest = len(migrations)
    if _version(connection, newest) == newest:
        return
    with transaction(connection):
        # read again: another process may have been faster
        for step in migrations[_version(connection, newest) :]:
            for statement in step.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {newest}")


def _version(connection: StoreConnection, newest: int) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > newest:
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
