"""A connection to PostgreSQL: the SQLite form's statements, and this package's errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import psycopg
from psycopg import pq

from rag.errors import RecordUnavailableError
from rag.store.database import Cursor
from rag.store.postgres.dialect import replace_nul, translate
from rag.store.postgres.errors import map_error

T = TypeVar("T")


class ConnectionOwner(Protocol):
    """A database or pool that a connection belongs to."""

    @property
    def name(self) -> str:
        """The server and the database, without user and password."""

    @property
    def folder(self) -> Path:
        """The archive's folder on this machine."""

    def reconnect(self, lost: PostgresConnection, statement: str) -> PostgresConnection | None:
        """Return a new connection if a statement may run again; None if it may not."""


class _NoRows:
    """The result of a statement that returns no rows."""

    def __init__(self, rowcount: int) -> None:
        self.rowcount = rowcount

    def fetchone(self) -> None:
        """Return None."""

    def fetchmany(self, _size: int = 1, /) -> list[Any]:
        """Return no rows."""
        return []

    def fetchall(self) -> list[Any]:
        """Return no rows."""
        return []

    def __iter__(self) -> Iterator[Any]:
        """Yield no rows."""
        return iter(())


class PostgresConnection:
    """A thread's connection; statements are the SQLite form's."""

    def __init__(self, raw: psycopg.Connection, owner: ConnectionOwner, nul: str = "") -> None:
        """Wrap a connection that commits each statement outside a transaction.

        Args:
            raw: The connection.
            owner: What it belongs to.
            nul: Written in the place of U+0000, which PostgreSQL can't store.
        """
        self.raw = raw
        self._owner = owner
        self._nul = nul

    @property
    def in_transaction(self) -> bool:
        """True in a transaction."""
        return self.raw.info.transaction_status != pq.TransactionStatus.IDLE

    @property
    def is_usable(self) -> bool:
        """False once the connection is lost."""
        return not (self.raw.closed or self.raw.broken)

    def execute(self, statement: str, parameters: Any = (), /) -> Cursor:
        """Run one statement; the rows are read at once."""
        given = self._clean(parameters)
        try:
            cursor = self.run(lambda: self.raw.execute(translate(statement), given))
            return cursor if cursor.description else _NoRows(cursor.rowcount)
        except RecordUnavailableError:
            other = self._owner.reconnect(self, statement)
            if other is None:
                raise
        return other.execute(statement, parameters)

    def executemany(self, statement: str, parameters: Iterable[Any], /) -> Cursor:
        """Run one statement for each set of parameters, without waiting for each."""
        rows = [self._clean(row) for row in parameters]

        def run() -> psycopg.Cursor:
            cursor = self.raw.cursor()
            cursor.executemany(translate(statement), rows)
            return cursor

        return self.run(run)

    def run(self, run: Callable[[], T]) -> T:
        """Call a function of psycopg's, and raise its errors as this package's."""
        try:
            return run()
        except psycopg.Error as error:
            raise map_error(error, self._owner.name, self._owner.folder) from error

    def _clean(self, parameters: Any) -> Any:
        if isinstance(parameters, Mapping):
            return {name: replace_nul(value, self._nul) for name, value in parameters.items()}
        return [replace_nul(value, self._nul) for value in parameters]
