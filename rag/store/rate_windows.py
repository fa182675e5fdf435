"""Entries of rate limits in limits.sqlite3, which all servers of an archive share.

Most last for minutes, so nothing waits for the disk: the file has a write-ahead log, which survives
the end of a process, and is never synced. A power cut may lose it.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.errors import ArchiveDamagedError
from rag.store.connection import (
    StoreConnection,
    connect_existing,
    is_lock_error,
    unwritable_error,
)
from rag.store.file_permissions import OWNER
from rag.store.side_file import transaction

FILE = "limits.sqlite3"
DAMAGED = "move this file away: it has the rate limits of the last minutes only"
SCHEMA = 1
WAIT = 5.0  # seconds for other processes' transactions, each of which takes 0.1 ms
RETRY = 0.01  # seconds between two attempts to open a file that others open, too
MOST_ENTRIES = 200_000  # about 25 MB; those that expire first are dropped
SWEEP_SECONDS = 10.0  # between two removals of what has expired
CLOCK_STEP = 5.0  # seconds; an entry further in the future was made by a wrong clock

_TABLES = (
    "CREATE TABLE IF NOT EXISTS entries "
    "(id INTEGER PRIMARY KEY, key BLOB NOT NULL, at REAL NOT NULL, expires REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS entries_key ON entries (key, at)",
    "CREATE INDEX IF NOT EXISTS entries_expires ON entries (expires)",
)


class RateWindows:
    """Times of admitted requests by key, in a file that the first one creates.

    Threads and processes may share it. Keys are hashed: somebody may have typed a password as
    their name. Every method raises ArchiveDamagedError, ArchiveUnwritableError or sqlite3's errors
    if the file can't be used.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """Name the file; nothing is opened.

        Args:
            folder: The archive's folder.
            clock: Seconds since the epoch, the same in all processes.
        """
        self.path = folder / FILE
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: StoreConnection | None = None
        self._opened = (0, 0)  # process, and number of the file
        self._swept = 0.0

    def __del__(self) -> None:
        """Close the connection, which would warn."""
        self.close()

    def take(self, key: str, limit: int, seconds: float, amount: int = 1) -> bool:
        """Add entries unless a moving window would have more than its limit.

        Args:
            key: What is limited, and for whom.
            limit: The most entries in a window.
            seconds: The window's length.
            amount: How many entries to add.

        Returns:
            Whether they were added.
        """
        if amount > limit:
            return False
        digest = _digest(key)
        with self._open() as connection:
            if self._is_full(connection, digest, limit - amount, seconds):
                return False  # without a lock on the file: a flood of refusals delays nobody
            with transaction(connection):
                if self._is_full(connection, digest, limit - amount, seconds):
                    return False
                now = self._clock()
                row = (digest, now, now + seconds)
                connection.executemany(
                    "INSERT INTO entries (key, at, expires) VALUES (?, ?, ?)", [row] * amount
                )
                self._sweep(connection, now)
        return True

    def window(self, key: str, seconds: float) -> tuple[float, int]:
        """Return the time of a moving window's first entry, by default now, and their number."""
        now = self._clock()
        with self._open() as connection:
            first, count = connection.execute(
                "SELECT MIN(at), COUNT(*) FROM entries WHERE key = ? AND at > ? AND at <= ?",
                (_digest(key), now - seconds, now + CLOCK_STEP),
            ).fetchone()
        return (now if first is None else float(first)), int(count)

    def count(self, key: str, seconds: float, amount: int) -> int:
        """Add to a counter that starts again `seconds` after its first addition.

        Args:
            key: The counter's name.
            seconds: How long it lasts.
            amount: What is added.

        Returns:
            The sum.
        """
        digest, now = _digest(key), self._clock()
        with self._open() as connection, transaction(connection):
            ends, held = _counter(connection, digest, now)
            row = (digest, now, ends if held else now + seconds)
            connection.executemany(
                "INSERT INTO entries (key, at, expires) VALUES (?, ?, ?)", [row] * amount
            )
            self._sweep(connection, now)
        return held + amount

    def counter(self, key: str) -> tuple[float, int]:
        """Return when a counter starts again, by default now, and its sum."""
        now = self._clock()
        with self._open() as connection:
            ends, held = _counter(connection, _digest(key), now)
        return (ends if held else now), held

    def clear(self, key: str | None = None) -> int:
        """Delete the entries of a key, or of all; return how many there were."""
        with self._open() as connection, transaction(connection):
            if key is None:
                return connection.execute("DELETE FROM entries").rowcount
            return connection.execute("DELETE FROM entries WHERE key = ?", (_digest(key),)).rowcount

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and self._opened[0] == os.getpid():
            connection.close()

    def _is_full(
        self, connection: StoreConnection, digest: bytes, free: int, seconds: float
    ) -> bool:
        """Return whether a window has more than `free` entries."""
        now = self._clock()
        return (
            connection.execute(
                "SELECT 1 FROM entries WHERE key = ? AND at > ? AND at <= ? LIMIT 1 OFFSET ?",
                (digest, now - seconds, now + CLOCK_STEP, free),
            ).fetchone()
            is not None
        )

    def _sweep(self, connection: StoreConnection, now: float) -> None:
        """Delete what has expired, and what is beyond the limit on the file's size."""
        if 0 <= now - self._swept < SWEEP_SECONDS:
            return
        self._swept = now
        connection.execute("DELETE FROM entries WHERE expires <= ?", (now,))
        (held,) = connection.execute("SELECT COUNT(*) FROM entries").fetchone()
        if held > MOST_ENTRIES:
            connection.execute(
                "DELETE FROM entries WHERE id IN (SELECT id FROM entries "
                "ORDER BY at > ? DESC, expires LIMIT ?)",
                (now + CLOCK_STEP, held - MOST_ENTRIES),
            )

    @contextmanager
    def _open(self) -> Iterator[StoreConnection]:
        """Yield the connection, which one thread uses at a time."""
        with self._lock:
            here = os.getpid(), _file_number(self.path)
            if self._connection is None or here != self._opened:
                self._close()  # the file was deleted or replaced, or this process is a fork
                self._connection = self._connect()
                self._opened = os.getpid(), _file_number(self.path)
            try:
                yield self._connection
            except BaseException:
                self._close()
                raise

    def _connect(self) -> StoreConnection:
        """Open the file, and create it; waits if other processes do the same."""
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, OWNER))
        except OSError as error:
            raise unwritable_error(self.path.parent, error) from error
        until = time.monotonic() + WAIT
        connection = connect_existing(self.path, DAMAGED, wait=WAIT)
        try:
            while True:
                try:
                    self._prepare(connection)
                    return connection
                except Exception as error:
                    # SQLite doesn't wait for others when it changes the kind of journal.
                    if not is_lock_error(error) or time.monotonic() > until:
                        raise
                    time.sleep(RETRY)
        except BaseException:
            connection.close()
            raise

    def _prepare(self, connection: StoreConnection) -> None:
        for pragma in (
            *("trusted_schema = OFF", "cell_size_check = ON", "temp_store = MEMORY"),
            *("synchronous = OFF", "journal_mode = WAL"),
        ):
            connection.execute(f"PRAGMA {pragma}").fetchone()
        with transaction(connection):
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, SCHEMA):
                raise ArchiveDamagedError(f"{self.path} has another schema ({version}): {DAMAGED}")
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA}")


def _counter(connection: StoreConnection, digest: bytes, now: float) -> tuple[float, int]:
    ends, held = connection.execute(
        "SELECT MIN(expires), COUNT(*) FROM entries WHERE key = ? AND expires > ?", (digest, now)
    ).fetchone()
    return float(ends or 0.0), int(held)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()[:16]


def _file_number(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_ino
    return 0
