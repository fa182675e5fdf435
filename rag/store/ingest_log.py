"""Log of ingest runs and rejected inputs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rag.store.database import Database


@dataclass(frozen=True, slots=True)
class RejectedInput:
    """A place whose article was refused: `source` is the file or the address that it is in."""

    place: str
    source: str
    reason: str
    at: datetime


class RejectLog:
    """The rejects that an archive remembers, one a place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[RejectedInput]:
        """Return every reject, by source and place."""
        rows = self._database.connection.execute(
            "SELECT place, source, reason, at FROM rejects ORDER BY source, place"
        )
        return [
            RejectedInput(place, source, reason, datetime.fromisoformat(at))
            for place, source, reason, at in rows
        ]

    def save(self, refused: Iterable[RejectedInput]) -> None:
        """Remember rejects, each in the place of the last one of its place."""
        rows = [(r.place, r.source, r.reason, r.at.isoformat()) for r in refused]
        if rows:
            with self._database.transaction():
                self._database.connection.executemany(
                    "INSERT OR REPLACE INTO rejects VALUES (?, ?, ?, ?)", rows
                )

    def remove(self, sources: Iterable[str], *, before: datetime) -> None:
        """Forget what was refused in these sources before a moment: they were read anew since."""
        with self._database.transaction():
            self._database.connection.executemany(
                "DELETE FROM rejects WHERE source = ? AND at < ?",
                [(source, before.isoformat()) for source in sources],
            )


@dataclass(frozen=True, slots=True)
class IngestRun:
    """One ingest and its figures; one that was cut short has no end."""

    id: int
    began: datetime
    ended: datetime | None
    figures: Mapping[str, Any]


class RunLog:
    """The ingests that an archive remembers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, at: datetime) -> int:
        """Remember that an ingest has begun; return its number."""
        number = self._database.connection.execute(
            "INSERT INTO runs (began, figures) VALUES (?, '{}')", (at.isoformat(),)
        ).lastrowid
        return int(number or 0)

    def end(self, number: int, at: datetime, figures: Mapping[str, Any]) -> None:
        """Remember that it has ended, and its figures."""
        self._database.connection.execute(
            "UPDATE runs SET ended = ?, figures = ? WHERE id = ?",
            (at.isoformat(), json.dumps(figures, ensure_ascii=False), number),
        )

    def recent(self, count: int = 10) -> list[IngestRun]:
        """Return the last ingests, the newest first."""
        rows = self._database.connection.execute(
            "SELECT id, began, ended, figures FROM runs ORDER BY id DESC LIMIT ?", (count,)
        )
        return [
            IngestRun(
                number,
                datetime.fromisoformat(began),
                datetime.fromisoformat(ended) if ended else None,
                json.loads(figures),
            )
            for number, began, ended, figures in rows
        ]
