"""The record's file: a SQLite connection a thread, and transactions under a sequence number."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from rag.errors import (
    ArchiveDamagedError,
    ArchiveLockedError,
    ArchiveNotFoundError,
    ArchiveUnwritableError,
    BackfileError,
    InvalidValueError,
    ReadError,
)
from rag.store.connection import WAY_BACK, StoreConnection, unopened_error
from rag.store.file_permissions import OWNER, make_private_folder
from rag.store.lock import writer_lock
from rag.store.migrations import NEWEST, drop_foreign_objects, migrate, version_of

Connection = sqlite3.Connection

FILE = "archive.sqlite"
MIGRATION_WAIT = 5.0  # seconds: another reader that migrates has finished by then
LOOK_EVERY = 0.05  # seconds between two looks at whether it has
CHUNK = 500  # parameters a statement: SQLite's own bound was 999 for long


class Database:
    """The archive's SQLite file; safe to use from several threads, each with its connection."""

    def __init__(
        self, folder: Path, *, create: bool = False, writable: bool = False, name: str = FILE
    ) -> None:
        """Open the file in `folder`.

        Raises ArchiveNotFoundError where there is none and it may not be created, and
        ArchiveDamagedError where the file is no record or of a newer version.
        """
        self.path = folder / name
        self._writable = writable
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._restricted: tuple[int, bool] = (-1, True)  # whether any article is, as of a sequence
        if not self.path.exists() or not self.path.stat().st_size:
            _refuse_what_was_lost(self.path)
            if not create:
                raise ArchiveNotFoundError(
                    f"no archive at {folder}: run `backfile ingest FOLDER --archive {folder}` first"
                )
            make_private_folder(folder)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, OWNER))
        opened = self.path.stat()
        self._file = (opened.st_dev, opened.st_ino)
        try:
            with self._reading():
                self._bring_up_to_date(folder)
        except BaseException:
            self.close()
            raise

    def _bring_up_to_date(self, folder: Path) -> None:
        """Migrate an older record, a reader's too: whoever opens it first after an upgrade."""
        version = version_of(self.connection, folder)
        if version == NEWEST:
            return
        if self._writable:
            migrate(self.connection, version)
            return
        try:
            lock = self._lock_to_migrate(folder)
            if lock is None:  # somebody else has brought it up to date, or is making it
                return
            try:
                Database(folder, writable=True).close()
            finally:
                lock.release()
        except (OSError, sqlite3.OperationalError, ArchiveUnwritableError) as error:
            raise ArchiveDamagedError(
                f"the archive at {folder} is of an older version (schema {version}) and cannot "
                f"be brought up to date ({error}): let this user write to it, or ask its owner "
                "to open it once"
            ) from error

    def _lock_to_migrate(self, folder: Path) -> FileLock | None:
        """Take the writers' lock; None where who holds it has meanwhile brought the record up."""
        until = time.monotonic() + MIGRATION_WAIT
        while True:
            try:
                return writer_lock(folder)
            except ArchiveLockedError:
                if version_of(self.connection, folder) == NEWEST:
                    return None
                if time.monotonic() > until:
                    raise
                time.sleep(LOOK_EVERY)

    @property
    def connection(self) -> sqlite3.Connection:
        self.refuse_if_gone()
        connection: StoreConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connected()
            with self._lock:
                self._connections.append(connection)
            self._local.connection = connection
            with self._reading():
                if self._writable:
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.execute("PRAGMA synchronous = FULL")
                else:
                    connection.execute("PRAGMA query_only = ON")
                connection.execute("PRAGMA trusted_schema = OFF")
                connection.execute("PRAGMA mmap_size = 1073741824")
        return connection

    def _connected(self) -> StoreConnection:
        """Connect to the file that is there; SQLite would make one that is not."""
        try:
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=30,
                isolation_level=None,
                check_same_thread=False,
                factory=StoreConnection,
            )
            connection.path = self.path
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        except (sqlite3.OperationalError, ArchiveUnwritableError) as error:
            if self._writable or "locked" in str(error):
                raise
            raise unopened_error(self.path.parent, error) from error
        return connection

    def refuse_if_gone(self) -> None:
        """Raise ArchiveNotFoundError where the file is not the one that was opened any more.

        Its connections would go on reading what was deleted.  1.5 µs, at each statement.
        """
        try:
            now = self.path.stat()
        except OSError:
            now = None
        if now is None or (now.st_dev, now.st_ino) != self._file:
            raise ArchiveNotFoundError(
                f"the archive at {self.path.parent} is gone: it was moved, deleted or replaced "
                "while it was open; put it back if it was a mistake, and start again"
            )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise
            raise ArchiveDamagedError(
                f"the record {self.path} cannot be read ({error}): {WAY_BACK}"
            ) from error

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
        self._local = threading.local()

    def meta(self, key: str) -> str:
        """Return what is kept under `key`, empty if nothing is."""
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def set_meta(self, key: str, value: str) -> None:
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def sequence(self) -> int:
        """Return the number of the newest change, 0 where there was none."""
        row = self.connection.execute("SELECT ifnull(max(sequence), 0) FROM changes").fetchone()
        return int(row[0])

    def holds_restricted(self) -> bool:
        """Return whether any revision asks for a right; looked up once for each change.

        Most archives hold none, and their searches need no filter by rights.
        """
        connection = self.connection
        if connection.in_transaction:  # what is not committed yet is nothing to remember
            return self._finds_restricted()
        sequence = self.sequence()
        if self._restricted[0] != sequence:
            self._restricted = (sequence, self._finds_restricted())
        return self._restricted[1]

    def _finds_restricted(self) -> bool:
        row = self.connection.execute("SELECT 1 FROM revisions WHERE access != '' LIMIT 1")
        return row.fetchone() is not None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction; all of it is written, or nothing."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def sequence_before(self, moment: datetime) -> int:
        """Return the number of the newest change made before a moment, 0 where there was none."""
        row = self.connection.execute(
            "SELECT ifnull(max(sequence), 0) FROM changes WHERE at < ?",
            (moment.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00"),),
        ).fetchone()
        return int(row[0])

    @contextmanager
    def change(self, action: str, articles: int) -> Iterator[int]:
        """Open a transaction under the next sequence number.

        Its time is never before the last change's, even if the clock has been set back.
        """
        with self.transaction():
            sequence = self.sequence() + 1
            now = max(datetime.now(UTC).isoformat(), self.changed_at())  # all in UTC: as text
            self.connection.execute(
                "INSERT INTO changes VALUES (?, ?, ?, ?)", (sequence, now, action, articles)
            )
            yield sequence

    def changed_at(self) -> str:
        """Return the time of the newest change, or of the one being made; "" if there is none."""
        row = self.connection.execute(
            "SELECT at FROM changes ORDER BY sequence DESC LIMIT 1"
        ).fetchone()
        return str(row[0]) if row else ""

    def compact(self) -> bool:
        """Write the file anew, without what was deleted from it, and empty its log.

        Returns False where another process reads from the log for longer than it is waited for.
        """
        self.connection.execute("VACUUM")
        busy, *_ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See one state of the record through several statements, whatever is written since."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def copy_to(self, path: Path) -> None:
        """Write the record as it is at one moment into another file, whole without a log.

        What somebody has added to its schema is left out.  Raises OSError where that cannot be
        written.
        """
        copy = sqlite3.connect(path, isolation_level=None)
        try:
            self.connection.backup(copy)  # all pages in one step: one state, whoever writes
            drop_foreign_objects(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:  # the disk is full
            raise OSError(str(error)) from error
        finally:
            copy.close()

    def broken(self) -> list[str]:
        """Return what SQLite finds wrong with the file, page by page; nothing where it is sound."""
        try:
            rows = self.connection.execute("PRAGMA integrity_check(10)").fetchall()
        except (sqlite3.DatabaseError, ArchiveDamagedError) as error:
            return [str(error.__cause__ or error)]
        return [str(row[0]) for row in rows if row[0] != "ok"]

    def execute_for_each(self, statement: str, keys: Iterable[object]) -> list[tuple]:  # type: ignore[type-arg]
        """Run a statement with `IN ({})` for as many keys as there are; return all rows."""
        rows, left = [], list(keys)
        for i in range(0, len(left), CHUNK):
            part = left[i : i + CHUNK]
            rows += self.connection.execute(statement.format(placeholders(part)), part).fetchall()
        return rows


@contextmanager
def untrusted(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file that may not be a record to be read only; nothing in it is run or believed."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    try:
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON"):
            connection.execute(f"PRAGMA {pragma}")
        yield connection
    finally:
        connection.close()


def _refuse_what_was_lost(path: Path) -> None:
    """Refuse to begin a record where there was one: indexes are made only after it.

    Raises ArchiveDamagedError.
    """
    if any(part.is_dir() for part in (path.parent / "lexical", *path.parent.glob("vectors*"))):
        raise ArchiveDamagedError(
            f"the record {path} is {'empty' if path.exists() else 'missing'}, though the indexes "
            f"of what it held are there: {WAY_BACK}"
        )


def is_of_the_archive(error: Exception) -> bool:
    """Whether an error is of the archive or the machine, not of what was to be stored.

    No room, locked, damaged, no embedding model: the next article would fail as well. A value that
    SQLite doesn't take, or an article that can't be split, is that article's own.
    """
    own = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.ProgrammingError)
    return isinstance(
        error, (BackfileError, OSError, MemoryError, sqlite3.DatabaseError)
    ) and not isinstance(error, (ReadError, InvalidValueError, *own))


def placeholders(values: Sequence[object]) -> str:
    """Return a mark for each of the values of an SQL list."""
    return ", ".join("?" * len(values))
