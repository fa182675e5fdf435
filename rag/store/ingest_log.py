"""What was refused, from where and why, until it goes in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rag.store.database import Database


@dataclass(frozen=True, slots=True)
class Refused:
    """A place whose article was refused: `source` is the file or the address that it is in."""

    place: str
    source: str
    reason: str
    at: datetime


class Rejects:
    """The rejects that an archive remembers, one a place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Refused]:
        """Return every reject, by source and place."""
        rows = self._database.connection.execute(
            "SELECT place, source, reason, at FROM rejects ORDER BY source, place"
        )
        return [
            Refused(place, source, reason, datetime.fromisoformat(at))
            for place, source, reason, at in rows
        ]

    def keep(self, refused: Iterable[Refused]) -> None:
        """Remember rejects, each in the place of the last one of its place."""
        rows = [(r.place, r.source, r.reason, r.at.isoformat()) for r in refused]
        if rows:
            with self._database.transaction():
                self._database.connection.executemany(
                    "INSERT OR REPLACE INTO rejects VALUES (?, ?, ?, ?)", rows
                )

    def forget(self, sources: Iterable[str], *, before: datetime) -> None:
        """Forget what was refused in these sources before a moment: they were read anew since."""
        with self._database.transaction():
            self._database.connection.executemany(
                "DELETE FROM rejects WHERE source = ? AND at < ?",
                [(source, before.isoformat()) for source in sources],
            )
