"""State of a shared vector index: what it holds, kept in the archive's record.

The server only has records; the record says which collections are the index, which change they
have reached, and which numbers are still to be deleted there. The state is one JSON value in the
database's metadata, so that it is written with the record, restored with it and followed with it.

A copy or an older backup of an archive knows the same collections. Each sync therefore puts a new
token into the record and on the server, and a writer whose token isn't the server's takes the index
for another archive's: it begins one of its own.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rag.store.database import Database
from rag.store.sqlite_database import SqliteDatabase

KEY = "shared_vectors"  # in the database's metadata
PREFIX = "backfile"


@dataclass(frozen=True, slots=True)
class Build:
    """One index of vectors on the server: a collection for each publication year.

    Attributes:
        archive: Random identifier of the archive, in the names of its collections.
        name: Random identifier of the build.
        generation: Generation of its vectors: the number of switches of embedding models.
        reached: The last change that is in it.
        token: The token on the server when no sync, or the pending one, had begun.
        pending: The token of a sync that has begun; "" if none has.
        parts: The first passage number of each collection of a year, ascending; the first one is 0.
            A year has several if one has as many records as the server allows.
    """

    archive: str
    name: str
    generation: int = 0
    reached: int = 0
    token: str = ""
    pending: str = ""
    parts: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def control(self) -> str:
        """Name of the collection that has the token; it has no records."""
        return f"{self.prefix}-g{self.generation}-{self.name}"

    @property
    def prefix(self) -> str:
        """Beginning of the names of all of the archive's collections."""
        return f"{PREFIX}-{self.archive}"

    def collection(self, year: int, part: int) -> str:
        """Return the name of the collection of a year's part, counted from 0."""
        shown = f"{year:04}" if year else "undated"
        return f"{self.control}-{shown}" + (f"-{part + 1}" if part else "")

    def names(self) -> set[str]:
        """Return the names of all collections of the build."""
        years = ((int(year), range(len(starts))) for year, starts in self.parts.items())
        return {self.control, *(self.collection(y, part) for y, parts in years for part in parts)}


@dataclass(frozen=True, slots=True)
class SharedState:
    """The index that is searched, the one that is being built, and numbers to be deleted.

    Attributes:
        current: The index that is searched; None before the first one.
        next: The one that will replace it; None if none is being built.
        purge: Numbers of erased passages that the server may still have.
    """

    current: Build | None = None
    next: Build | None = None
    purge: tuple[int, ...] = ()


def new_build(generation: int, archive: str = "") -> Build:
    """Return an empty build, of an archive that has an identifier, or of a new one."""
    return Build(archive or secrets.token_hex(6), secrets.token_hex(3), generation)


def new_token() -> str:
    """Return a random token."""
    return secrets.token_hex(8)


class StateStore:
    """Reads and writes the state in an archive's record."""

    def __init__(self, database: Database) -> None:
        """Use the database that is the record.

        Args:
            database: The record; if it is open for reading, it is opened again to write, by a
                process that has the write lock.
        """
        self._database = database

    def read(self) -> SharedState:
        """Return the state; empty if it is missing or can't be read."""
        return parse_state(self._database.meta(KEY))

    def read_newest(self) -> SharedState:
        """Return the state as no other process can have changed it since, under the lock."""
        return self.read()

    def close(self) -> None:
        """Release what it holds; the database stays open."""

    def change(self, edit: Callable[[SharedState], SharedState]) -> SharedState:
        """Replace the state in one transaction; needs the write lock.

        Args:
            edit: Returns the new state for the current one.

        Returns:
            The new state.
        """
        if not isinstance(self._database, SqliteDatabase) or self._database.writable:
            return self._change(self._database, edit)
        database = SqliteDatabase(self._database.folder, writable=True)
        try:
            return self._change(database, edit)
        finally:
            database.close()

    @staticmethod
    def _change(database: Database, edit: Callable[[SharedState], SharedState]) -> SharedState:
        with database.transaction():
            state = edit(parse_state(database.meta(KEY)))
            database.set_meta(KEY, json.dumps(asdict(state)))
        return state

    def purge(self, numbers: Iterable[int]) -> None:
        """Remember numbers that have to be deleted on the server, before the record forgets them.

        Nothing is remembered by an archive that never had a shared index.
        """
        found = set(numbers)
        state = self.read_newest()
        if found - set(state.purge) and (state.current or state.next):
            self.change(lambda now: replace(now, purge=tuple(sorted(found | set(now.purge)))))


def parse_state(text: str) -> SharedState:
    """Return the state that a text has; an empty one if it has none."""
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        value = json.loads(text)
        return SharedState(
            _parse_build(value["current"]),
            _parse_build(value["next"]),
            tuple(int(number) for number in value["purge"]),
        )
    return SharedState()


def _parse_build(value: dict[str, Any] | None) -> Build | None:
    if value is None:
        return None
    parts = {str(int(y)): tuple(int(n) for n in starts) for y, starts in value["parts"].items()}
    return Build(**{**value, "parts": parts})
