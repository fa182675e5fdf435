"""What is remembered of the addresses that were fetched: enough to ask whether they changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rag.store.database import Database


@dataclass(frozen=True, slots=True)
class Visit:
    """One address as it was last had: its validators, and the article that it gave, if one."""

    url: str
    etag: str
    last_modified: str
    status: int
    at: datetime
    article_id: str = ""


class Visits:
    """The visits that an archive remembers, one an address."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, url: str) -> Visit | None:
        """Return the last visit of an address; None if there was none."""
        row = self._database.connection.execute(
            "SELECT url, etag, last_modified, status, at, article_id FROM visits WHERE url = ?",
            (url,),
        ).fetchone()
        if row is None:
            return None
        url, etag, last_modified, status, at, article_id = row
        return Visit(url, etag, last_modified, status, datetime.fromisoformat(at), article_id)

    def keep(self, visits: Iterable[Visit]) -> None:
        """Remember visits, each in the place of the last one of its address."""
        rows = [
            (v.url, v.etag, v.last_modified, v.status, v.at.isoformat(), v.article_id)
            for v in visits
        ]
        if rows:
            with self._database.transaction():
                self._database.connection.executemany(
                    "INSERT OR REPLACE INTO visits VALUES (?, ?, ?, ?, ?, ?)", rows
                )
