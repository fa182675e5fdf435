"""When articles were put in, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rag.store.database import Database


@dataclass(frozen=True, slots=True)
class Run:
    """One ingest and its figures; one that was cut short has no end."""

    id: int
    began: datetime
    ended: datetime | None
    figures: Mapping[str, Any]


class Runs:
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

    def recent(self, count: int = 10) -> list[Run]:
        """Return the last ingests, the newest first."""
        rows = self._database.connection.execute(
            "SELECT id, began, ended, figures FROM runs ORDER BY id DESC LIMIT ?", (count,)
        )
        return [
            Run(
                number,
                datetime.fromisoformat(began),
                datetime.fromisoformat(ended) if ended else None,
                json.loads(figures),
            )
            for number, began, ended, figures in rows
        ]
