"""The SQLite file: connections per thread, transactions and file checks."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import (
    ArchiveDamagedError,
    ArchiveLockedError,
    ArchiveNotFoundError,
    ArchiveUnwritableError,
)
from rag.store.connection import (
    RESTORE_HINT,
    StoreConnection,
    connect_existing,
    unopened_error,
)
from rag.store.database import COPY_KEYS, Database
from rag.store.file_permissions import OWNER, make_private_folder
from rag.store.lock import writer_lock
from rag.store.migrations import (
    NEWEST,
    drop_foreign_objects,
    foreign_objects,
    migrate,
    version_of,
)

if TYPE_CHECKING:
    from filelock import FileLock

Connection = sqlite3.Connection

FILE = "archive.sqlite"
MIGRATION_WAIT = 5.0  # seconds for another process to finish its migration
POLL_INTERVAL = 0.05  # seconds between two checks for that


class SqliteDatabase(Database):
    """The archive's SQLite file; thread-safe, with one connection per thread."""

    def __init__(
        self, folder: Path, *, create: bool = False, writable: bool = False, name: str = FILE
    ) -> None:
        """Open the file in `folder`.

        Args:
            folder: The archive's folder.
            create: Create the file if there isn't one.
            writable: Open it for writing; the caller holds the write lock.
            name: The file's name.

        Raises:
            ArchiveNotFoundError: There is no file, and `create` is false.
            ArchiveDamagedError: The file is not a Backfile database, or of a newer version.
        """
        super().__init__(folder)
        self.path = folder / name
        self._writable = writable
        self._local = threading.local()
        self._connections: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._lock = threading.Lock()
        if not self.path.exists() or not self.path.stat().st_size:
            _refuse_lost_database(self.path)
            if not create:
                raise ArchiveNotFoundError(
                    f"no archive at {folder}: run `backfile ingest FOLDER --archive {folder}` first"
                )
            make_private_folder(folder)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, OWNER))
        opened = self.path.stat()
        self._file = (opened.st_dev, opened.st_ino)
        try:
            with self._map_damage():
                self._upgrade_schema(folder)
        except BaseException:
            self.close()
            raise

    def _upgrade_schema(self, folder: Path) -> None:
        """Migrate a database of an older version, even when it is opened for reading."""
        version = version_of(self.connection, folder)
        if version == NEWEST:
            return
        if self._writable:
            migrate(self.connection, version)
            return
        try:
            lock = self._lock_to_migrate(folder)
            if lock is None:  # another process has migrated it
                return
            try:
                SqliteDatabase(folder, writable=True).close()
            finally:
                lock.release()
        except (OSError, sqlite3.OperationalError, ArchiveUnwritableError) as error:
            raise ArchiveDamagedError(
                f"the archive at {folder} is of an older version (schema {version}) and cannot "
                f"be upgraded ({error}): give this user write permission, or ask the owner to "
                "open it once"
            ) from error

    def _lock_to_migrate(self, folder: Path) -> FileLock | None:
        """Take the write lock; None if its holder has migrated the database in the meantime."""
        until = time.monotonic() + MIGRATION_WAIT
        while True:
            try:
                return writer_lock(folder)
            except ArchiveLockedError:
                if version_of(self.connection, folder) == NEWEST:
                    return None
                if time.monotonic() > until:
                    raise
                time.sleep(POLL_INTERVAL)

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, opened on first use.

        Raises:
            ArchiveNotFoundError: The file has been moved, deleted or replaced.
            ArchiveDamagedError: The file is damaged.
        """
        self.check_unchanged()
        connection: StoreConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            with self._lock:
                self._close_ended()
                self._connections.append((threading.current_thread(), connection))
            self._local.connection = connection
            with self._map_damage():
                if self._writable:
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.execute("PRAGMA synchronous = FULL")
                else:
                    connection.execute("PRAGMA query_only = ON")
                connection.execute("PRAGMA trusted_schema = OFF")
                connection.execute("PRAGMA mmap_size = 1073741824")
        return connection

    @property
    def writable(self) -> bool:
        """True if the file was opened for writing."""
        return self._writable

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self.path)

    def _connect(self) -> StoreConnection:
        try:
            connection = connect_existing(self.path)
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        except (sqlite3.OperationalError, ArchiveUnwritableError) as error:
            if self._writable or "locked" in str(error):
                raise
            raise unopened_error(self.path.parent, error) from error
        return connection

    def check_unchanged(self) -> None:
        """Check that the file is still the one that was opened. 1.5 µs, at each statement.

        Open connections would otherwise go on reading a deleted file.

        Raises:
            ArchiveNotFoundError: The file has been moved, deleted or replaced.
        """
        try:
            now = self.path.stat()
        except OSError:
            now = None
        if now is None or (now.st_dev, now.st_ino) != self._file:
            raise ArchiveNotFoundError(
                f"the archive at {self.path.parent} is gone: it was moved, deleted or replaced "
                "while it was open; move it back or restore it, and start again"
            )

    @contextmanager
    def _map_damage(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise
            raise ArchiveDamagedError(
                f"the database {self.path} cannot be read ({error}): {RESTORE_HINT}"
            ) from error

    def _close_ended(self) -> None:
        """Close the connections of threads that have ended; each holds tens of megabytes."""
        for thread, connection in self._connections:
            if not thread.is_alive():
                connection.close()
        self._connections = [one for one in self._connections if one[0].is_alive()]

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for _, connection in self._connections:
                connection.close()
            self._connections.clear()
        self._local = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block in a transaction: all of its writes are committed, or none."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def next_numbers(self, table: str, count: int) -> Sequence[int]:
        """Return the numbers for new rows of a table that never reuses one, ascending."""
        (last,) = self.connection.execute(
            f"SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{table}'), 0), "  # nosec B608 # names of our schema
            f"coalesce((SELECT max(number) FROM {table}), 0))"
        ).fetchone()
        return range(last + 1, last + 1 + count)

    def empty_table(self, table: str) -> None:
        """Delete all rows of a table of vectors: dropping it is much faster."""
        self.connection.execute(f"DROP TABLE {table}")
        self.connection.execute(
            f"CREATE TABLE {table} (number INTEGER PRIMARY KEY, vector BLOB NOT NULL)"
        )

    def replace_table(self, table: str, new: str) -> None:
        """Put a table of vectors in the place of another one."""
        self.connection.execute(f"DROP TABLE {table}")
        self.connection.execute(f"ALTER TABLE {new} RENAME TO {table}")
        self.connection.execute(
            f"CREATE TABLE {new} (number INTEGER PRIMARY KEY, vector BLOB NOT NULL)"
        )

    def forget_deleted(self) -> None:
        """Have SQLite overwrite the rows that this connection deletes."""
        self.connection.execute("PRAGMA secure_delete = ON")

    def compact(self) -> bool:
        """Rewrite the file without deleted data, and empty its log.

        Returns:
            False if another process kept reading from the log for longer than the timeout.
        """
        self.connection.execute("VACUUM")
        busy, *_ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Run the block on one state of the database, unaffected by writes in the meantime."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def copy_to(self, path: Path) -> None:
        """Write one consistent state of the database to another file, without a log.

        Schema objects that Backfile didn't create are left out. The copy of a shared record becomes
        an archive of its own.

        Args:
            path: The file to create.

        Raises:
            OSError: The file can't be written.
        """
        copy = sqlite3.connect(path, isolation_level=None)
        try:
            self.connection.backup(
                copy
            )  # all pages in one step: one state, even while others write
            drop_foreign_objects(copy)
            copy.executemany("DELETE FROM meta WHERE key = ?", [(key,) for key in COPY_KEYS])
            copy.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:  # the disk is full
            raise OSError(str(error)) from error
        finally:
            copy.close()

    def find_damage(self) -> list[str]:
        """Return the problems that SQLite finds in the file's pages; empty if there are none."""
        try:
            rows = self.connection.execute("PRAGMA integrity_check(10)").fetchall()
        except (sqlite3.DatabaseError, ArchiveDamagedError) as error:
            return [str(error.__cause__ or error)]
        return [str(row[0]) for row in rows if row[0] != "ok"]

    def foreign_objects(self) -> list[tuple[str, str]]:
        """Return the kinds and names of the schema's objects that Backfile didn't create."""
        return [(kind, name) for kind, name, _ in foreign_objects(self.connection, NEWEST)]

    def drop_foreign_objects(self, kinds: Sequence[str]) -> None:
        """Drop the objects of these kinds that Backfile didn't create."""
        drop_foreign_objects(self.connection, kinds)


@contextmanager
def open_untrusted(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file of unknown origin read-only, with its triggers and functions disabled."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    try:
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON"):
            connection.execute(f"PRAGMA {pragma}")
        yield connection
    finally:
        connection.close()


def _refuse_lost_database(path: Path) -> None:
    """Refuse to create a database beside existing indexes: it must have been lost.

    Raises:
        ArchiveDamagedError: The folder has indexes.
    """
    if any(p.is_dir() for name in ("lexical*", "vectors*") for p in path.parent.glob(name)):
        raise ArchiveDamagedError(
            f"the database {path} is {'empty' if path.exists() else 'missing'}, but its indexes "
            f"are there: {RESTORE_HINT}"
        )
