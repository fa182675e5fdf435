"""Rate limits in the record's database, which all servers share.

The table isn't logged: nothing waits for the disk, and a crash of the server empties it. Times are
the server's, so that the clocks of the machines don't matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from rag.store.database import Connection
from rag.store.postgres.side_schema import LOCK, RecordHome, SideSchema
from rag.store.rate_windows import MOST_ENTRIES, SWEEP_SECONDS

KIND = "limits"
MIGRATIONS = (
    """
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY, key BLOB NOT NULL, at REAL NOT NULL, expires REAL NOT NULL
    );
    CREATE INDEX entries_key ON entries (key, at);
    CREATE INDEX entries_expires ON entries (expires);
    """,
)
_NOW = "SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


class SharedRateWindows:
    """Times of admitted requests by key; `rag.store.rate_windows.RateWindows` in a record.

    Threads and processes may share it. Every method raises RecordUnavailableError,
    ArchiveLockedError, ArchiveDamagedError or ArchiveUnwritableError if the record can't be used.
    """

    def __init__(self, home: RecordHome) -> None:
        """Name the schema; nothing is opened.

        Args:
            home: The record.
        """
        self._schema = SideSchema(home.pool, KIND, MIGRATIONS, unlogged=True)
        self._swept = 0.0

    def take(self, key: str, limit: int, seconds: float, amount: int = 1) -> bool:
        """Add entries unless a moving window would have more than its limit."""
        if amount > limit:
            return False
        digest = _digest(key)
        with self._holding(digest) as connection:
            now = _now(connection)
            (held,) = connection.execute(
                "SELECT count(*) FROM entries WHERE key = ? AND at > ?", (digest, now - seconds)
            ).fetchone()
            if held > limit - amount:
                return False
            _add(connection, digest, now, now + seconds, amount)
            self._sweep(connection, now)
        return True

    def window(self, key: str, seconds: float) -> tuple[float, int]:
        """Return the time of a moving window's first entry, by default now, and their number."""
        digest = _digest(key)
        with self._holding(digest) as connection:
            now = _now(connection)
            first, count = connection.execute(
                "SELECT min(at), count(*) FROM entries WHERE key = ? AND at > ?",
                (digest, now - seconds),
            ).fetchone()
        return (now if first is None else float(first)), int(count)

    def count(self, key: str, seconds: float, amount: int) -> int:
        """Add to a counter that starts again `seconds` after its first addition; return its sum."""
        digest = _digest(key)
        with self._holding(digest) as connection:
            now = _now(connection)
            ends, held = _counter(connection, digest, now)
            _add(connection, digest, now, ends if held else now + seconds, amount)
            self._sweep(connection, now)
        return held + amount

    def counter(self, key: str) -> tuple[float, int]:
        """Return when a counter starts again, by default now, and its sum."""
        digest = _digest(key)
        with self._holding(digest) as connection:
            now = _now(connection)
            ends, held = _counter(connection, digest, now)
        return (ends if held else now), held

    def clear(self, key: str | None = None) -> int:
        """Delete the entries of a key, or of all; return how many there were."""
        if key is None:
            with self._schema.write() as connection:
                return connection.execute("DELETE FROM entries").rowcount
        digest = _digest(key)
        with self._holding(digest) as connection:
            return connection.execute("DELETE FROM entries WHERE key = ?", (digest,)).rowcount

    def close(self) -> None:
        """Do nothing: the process keeps the connections for other uses."""

    @contextmanager
    def _holding(self, digest: bytes) -> Iterator[Connection]:
        """Yield a connection in a transaction that alone changes a key; others don't wait."""
        half = int.from_bytes(digest[:4], "big", signed=True)
        with self._schema.transaction(f"pg_advisory_xact_lock({LOCK + 1}, {half})") as connection:
            yield connection

    def _sweep(self, connection: Connection, now: float) -> None:
        """Delete what has expired, and what is beyond the limit on the number of entries."""
        if 0 <= now - self._swept < SWEEP_SECONDS:
            return
        self._swept = now
        delete = (
            "DELETE FROM entries WHERE id IN (SELECT id FROM entries {} FOR UPDATE SKIP LOCKED)"
        )
        connection.execute(delete.format("WHERE expires <= ?"), (now,))
        (held,) = connection.execute("SELECT count(*) FROM entries").fetchone()
        if held > MOST_ENTRIES:
            connection.execute(delete.format("ORDER BY expires LIMIT ?"), (held - MOST_ENTRIES,))


def _add(connection: Connection, digest: bytes, now: float, expires: float, amount: int) -> None:
    connection.executemany(
        "INSERT INTO entries (key, at, expires) VALUES (?, ?, ?)", [(digest, now, expires)] * amount
    )


def _counter(connection: Connection, digest: bytes, now: float) -> tuple[float, int]:
    ends, held = connection.execute(
        "SELECT min(expires), count(*) FROM entries WHERE key = ? AND expires > ?", (digest, now)
    ).fetchone()
    return float(ends or 0.0), int(held)


def _now(connection: Connection) -> float:
    return float(connection.execute(_NOW).fetchone()[0])


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()[:16]
