"""A SQLite connection that says of a damaged file, or a full disk, what to do about it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, NoReturn, Self

from rag.errors import ArchiveDamagedError
from rag.store.room import is_want_of_room, unwritable

WAY_BACK = "put it back with `backfile restore`, or ingest into another folder"


class RecordConnection(sqlite3.Connection):
    """Raises ArchiveDamagedError where SQLite meets a page that is none, and the like."""

    path = Path()

    def execute(self, *statement: Any) -> sqlite3.Cursor:
        return self.cursor(_Cursor).execute(*statement)

    def executemany(self, *statement: Any) -> sqlite3.Cursor:
        return self.cursor(_Cursor).executemany(*statement)


class _Cursor(sqlite3.Cursor):
    """Rows are read when they are fetched: each of these calls may be the one that meets it."""

    def execute(self, *statement: Any) -> Self:
        try:
            return super().execute(*statement)
        except sqlite3.DatabaseError as error:
            _tell(error, self.connection)

    def executemany(self, *statement: Any) -> Self:
        try:
            return super().executemany(*statement)
        except sqlite3.DatabaseError as error:
            _tell(error, self.connection)

    def fetchone(self) -> Any:
        try:
            return super().fetchone()
        except sqlite3.DatabaseError as error:
            _tell(error, self.connection)

    def fetchmany(self, *size: Any) -> list[Any]:
        try:
            return super().fetchmany(*size)
        except sqlite3.DatabaseError as error:
            _tell(error, self.connection)

    def fetchall(self) -> list[Any]:
        try:
            return super().fetchall()
        except sqlite3.DatabaseError as error:
            _tell(error, self.connection)

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except sqlite3.DatabaseError as error:
            _tell(error, self.connection)


def _tell(error: sqlite3.DatabaseError, connection: sqlite3.Connection) -> NoReturn:
    """Raise ArchiveDamagedError for a damaged file, ArchiveUnwritableError where there is no room.

    What else there is, a lock or a mistake, stays what it is.
    """
    assert isinstance(connection, RecordConnection)
    if isinstance(error, sqlite3.OperationalError) and is_want_of_room(error):
        raise unwritable(connection.path.parent, error) from error
    if type(error) is not sqlite3.DatabaseError:
        raise error
    raise ArchiveDamagedError(
        f"the record {connection.path} cannot be read ({error}): {WAY_BACK}"
    ) from error
