"""The archive's database: what SQLite and PostgreSQL have in common.

SQL is written once, in a form that both understand.
"""

from __future__ import annotations

import hashlib
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from rag.errors import BackfileError, InvalidValueError, ReadError

# Keys of `meta` in the copy of a shared record, and not in an archive of its own. The last one is
# the record's too.
COPY_KEYS = COPY_MARK, COPY_AS_OF, COPY_ERASING, RECORD_ID = (
    *("follower_position", "follower_as_of", "follower_erasing"),
    "record_id",
)
# Bytes of a text that identifies a row of a shared record: an entry of its indexes has up to 2,704,
# and the longest has two ids.
LONGEST_KEY = 1_300
CHUNK = 500  # parameters per statement; older versions of SQLite allow 999


class Cursor(Protocol):
    """The rows of a statement."""

    @property
    def rowcount(self) -> int:
        """The number of rows that the statement changed."""
        ...

    def fetchone(self) -> Any:
        """Return the next row; None if there are no more."""
        ...

    def fetchmany(self, size: int = 1, /) -> list[Any]:
        """Return up to `size` more rows."""
        ...

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows that are left."""
        ...


class Connection(Protocol):
    """A connection of one thread; parameters are `?` for a sequence, `:name` for a mapping."""

    @property
    def in_transaction(self) -> bool:
        """True in a transaction."""
        ...

    def execute(self, statement: str, parameters: Any = ..., /) -> Cursor:
        """Run one statement."""
        ...

    def executemany(self, statement: str, parameters: Iterable[Any], /) -> Cursor:
        """Run one statement for each set of parameters."""
        ...


class Database(ABC):
    """The articles' database; thread-safe, with one connection per thread.

    Attributes:
        longest_key: The most bytes of a text that identifies a row; None for any number.
    """

    longest_key: int | None = None

    def __init__(self, folder: Path) -> None:
        """Prepare what both forms keep.

        Args:
            folder: The archive's folder on this machine.
        """
        self.folder = folder
        self._restricted: tuple[int, bool] = (-1, True)  # (sequence, result) of the last look

    @property
    @abstractmethod
    def connection(self) -> Connection:
        """This thread's connection, opened on first use."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The file or the server, for messages; never with a password."""

    @abstractmethod
    def close(self) -> None:
        """Close every thread's connection."""

    @abstractmethod
    def check_unchanged(self) -> None:
        """Check that the database is still the one that was opened."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Run the block in a transaction: all of its writes are committed, or none.

        No other process writes in the meantime: what the block reads stays true.
        """

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """Run the block on one state of the database, unaffected by writes in the meantime."""

    def hold_writers(self) -> AbstractContextManager[None]:
        """Keep every other process from writing during the block, over several transactions.

        The holder of an archive's write lock does so already.
        """
        return nullcontext()

    def hold_reembedding(self) -> AbstractContextManager[None]:
        """Keep every other process from switching the model of a shared record."""
        return nullcontext()

    @abstractmethod
    def next_numbers(self, table: str, count: int) -> Sequence[int]:
        """Return the numbers for new rows of a table that never reuses one, ascending.

        Must run inside a transaction, which also writes the rows.

        Args:
            table: "passages" or "names".
            count: The number of rows.
        """

    @abstractmethod
    def empty_table(self, table: str) -> None:
        """Delete all rows of a table, faster than one by one. Must run inside a transaction."""

    @abstractmethod
    def replace_table(self, table: str, new: str) -> None:
        """Put the rows of `new` in the place of a table's, and empty `new`; in a transaction."""

    @abstractmethod
    def forget_deleted(self) -> None:
        """Have the rows that are deleted from now on overwritten, where that is possible."""

    @abstractmethod
    def compact(self) -> bool:
        """Rewrite the files without deleted data.

        Returns:
            False if another process kept them from being rewritten.
        """

    @abstractmethod
    def find_damage(self) -> list[str]:
        """Return the problems that the database finds in its pages; empty if there are none."""

    @abstractmethod
    def foreign_objects(self) -> list[tuple[str, str]]:
        """Return the kinds and names of the schema's objects that Backfile didn't create."""

    @abstractmethod
    def drop_foreign_objects(self, kinds: Sequence[str]) -> None:
        """Drop the objects of these kinds that Backfile didn't create."""

    def meta(self, key: str) -> str:
        """Return the stored setting `key`; "" if it isn't set."""
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def set_meta(self, key: str, value: str) -> None:
        """Store the setting `key`."""
        self.connection.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    def sequence(self) -> int:
        """Return the number of the newest change; 0 if there are none."""
        row = self.connection.execute("SELECT coalesce(max(sequence), 0) FROM changes").fetchone()
        return int(row[0])

    def holds_restricted(self) -> bool:
        """Return True if any revision requires an access right; cached until the next change.

        Most archives have none, and their searches need no filter by rights.
        """
        if self.connection.in_transaction:  # never cache uncommitted state
            return self._find_restricted()
        sequence = self.sequence()
        if self._restricted[0] != sequence:
            self._restricted = (sequence, self._find_restricted())
        return self._restricted[1]

    def _find_restricted(self) -> bool:
        row = self.connection.execute("SELECT 1 FROM revisions WHERE access != '' LIMIT 1")
        return row.fetchone() is not None

    def sequence_before(self, moment: datetime) -> int:
        """Return the number of the newest change made before a time; 0 if there are none."""
        row = self.connection.execute(
            "SELECT coalesce(max(sequence), 0) FROM changes WHERE at < ?",
            (moment.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00"),),
        ).fetchone()
        return int(row[0])

    @contextmanager
    def change(self, action: str, articles: int) -> Iterator[int]:
        """Run the block in a transaction under the next sequence number.

        Its time is never before the last change's, even if the clock has been set back.

        Args:
            action: The kind of change, for the log.
            articles: The number of articles that it concerns.

        Yields:
            The sequence number.
        """
        with self.transaction():
            sequence = self.sequence() + 1
            now = max(
                datetime.now(UTC).isoformat(), self.changed_at()
            )  # all in UTC, so they compare as text
            self.connection.execute(
                "INSERT INTO changes VALUES (?, ?, ?, ?)", (sequence, now, action, articles)
            )
            yield sequence

    def count_change(self, sequence: int, articles: int) -> None:
        """Set the number of articles that the current change concerns, once it is known."""
        self.connection.execute(
            "UPDATE changes SET articles = ? WHERE sequence = ?", (articles, sequence)
        )

    def changed_at(self) -> str:
        """Return the time of the newest change, or of the current one; "" if there are none."""
        row = self.connection.execute(
            "SELECT at FROM changes ORDER BY sequence DESC LIMIT 1"
        ).fetchone()
        return str(row[0]) if row else ""

    def execute_for_each(self, statement: str, keys: Iterable[object]) -> list[tuple]:  # type: ignore[type-arg]
        """Run a statement with `IN ({})` for any number of keys; return all rows.

        Args:
            statement: SQL with `{}` in the place of the keys.
            keys: The keys; they are bound in chunks.
        """
        rows, left = [], list(keys)
        for i in range(0, len(left), CHUNK):
            part = left[i : i + CHUNK]
            rows += self.connection.execute(statement.format(placeholders(part)), part).fetchall()
        return rows


def shorten_key(key: str, longest: int | None) -> str:
    """Return a key of at most `longest` bytes: of a longer one, its beginning and its hash."""
    encoded = key.encode(errors="replace")
    if longest is None or len(encoded) <= longest:
        return key
    digest = hashlib.sha256(encoded).hexdigest()
    return f"{encoded[: longest - len(digest) - 1].decode(errors='ignore')}#{digest}"


def is_archive_error(error: Exception) -> bool:
    """Return True if an error concerns the archive or the machine, not one article.

    A full disk, a lock, damage or a missing embedding model would fail the next article as well. A
    value that SQLite rejects, or an article that can't be split, concerns that article alone.
    """
    own = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.ProgrammingError)
    return isinstance(
        error, (BackfileError, OSError, MemoryError, sqlite3.DatabaseError)
    ) and not isinstance(error, (ReadError, InvalidValueError, *own))


def placeholders(values: Sequence[object]) -> str:
    """Return one SQL placeholder for each of the values."""
    return ", ".join("?" * len(values))
