"""Log of ingest runs and rejected inputs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rag.store.database import Database, shorten_key


@dataclass(frozen=True, slots=True)
class RejectedInput:
    """An input that was not added: its location, the file or URL it is in, and the reason."""

    place: str
    source: str
    reason: str
    at: datetime


class RejectLog:
    """Rejected inputs, one for each location."""

    def __init__(self, database: Database) -> None:
        """Read and write the rejected inputs of a database."""
        self._database = database

    def all(self) -> list[RejectedInput]:
        """Return every rejected input, by source and location."""
        rows = self._database.connection.execute(
            "SELECT place, source, reason, at FROM rejects ORDER BY source, place"
        )
        return [
            RejectedInput(place, source, reason, datetime.fromisoformat(at))
            for place, source, reason, at in rows
        ]

    def save(self, refused: Iterable[RejectedInput]) -> None:
        """Save rejected inputs, replacing the last one of each location."""
        longest = self._database.longest_key
        rows = [
            (shorten_key(r.place, longest), r.source, r.reason, r.at.isoformat()) for r in refused
        ]
        if rows:
            with self._database.transaction():
                self._database.connection.executemany(
                    "INSERT INTO rejects VALUES (?, ?, ?, ?) ON CONFLICT (place) DO UPDATE SET "
                    "source = excluded.source, reason = excluded.reason, at = excluded.at",
                    rows,
                )

    def remove(self, sources: Iterable[str], *, before: datetime) -> None:
        """Delete older rejects of sources that have been read again.

        Args:
            sources: Files and URLs.
            before: The time that they were read again.
        """
        with self._database.transaction():
            self._database.connection.executemany(
                "DELETE FROM rejects WHERE source = ? AND at < ?",
                [(source, before.isoformat()) for source in sources],
            )


@dataclass(frozen=True, slots=True)
class IngestRun:
    """One ingest run and its figures; `ended` is None for an interrupted one."""

    id: int
    began: datetime
    ended: datetime | None
    figures: Mapping[str, Any]


class RunLog:
    """The ingest runs of an archive."""

    def __init__(self, database: Database) -> None:
        """Read and write the runs of a database."""
        self._database = database

    def begin(self, at: datetime) -> int:
        """Save the start of a run; return its number."""
        ((number,),) = self._database.connection.execute(
            "INSERT INTO runs (began, figures) VALUES (?, '{}') RETURNING id", (at.isoformat(),)
        )
        return int(number)

    def end(self, number: int, at: datetime, figures: Mapping[str, Any]) -> None:
        """Save the end of a run and its figures."""
        self._database.connection.execute(
            "UPDATE runs SET ended = ?, figures = ? WHERE id = ?",
            (at.isoformat(), json.dumps(figures, ensure_ascii=False), number),
        )

    def recent(self, count: int = 10) -> list[IngestRun]:
        """Return the last `count` runs, newest first."""
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
