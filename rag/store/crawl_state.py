"""Crawl state: ETags and dates per URL, and the file location of each article without a URL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from rag.nlp.near_duplicates import text_hash
from rag.store.database import Database


@dataclass(frozen=True, slots=True)
class FetchRecord:
    """One address as it was last had: its validators, and the article that it gave, if one."""

    url: str
    etag: str
    last_modified: str
    status: int
    at: datetime
    article_id: str = ""


class FetchHistory:
    """The visits that an archive remembers, one an address."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, url: str) -> FetchRecord | None:
        """Return the last visit of an address; None if there was none."""
        row = self._database.connection.execute(
            "SELECT url, etag, last_modified, status, at, article_id FROM visits WHERE url = ?",
            (url,),
        ).fetchone()
        if row is None:
            return None
        url, etag, last_modified, status, at, article_id = row
        return FetchRecord(url, etag, last_modified, status, datetime.fromisoformat(at), article_id)

    def save(self, visits: Iterable[FetchRecord]) -> None:
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


_BEGIN_WITH = ("file:", "page:")
_SAME_TEXT = 20  # articles of the same words that are looked at; more are a form letter


def is_file_location(article_id: str) -> bool:
    """Whether an article is known by where it lay: a file, or a member of a packed one."""
    return article_id.startswith(_BEGIN_WITH)


class FileLocations:
    """The places that an archive remembers, kept beside the addresses it has visited."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._visits = FetchHistory(database)

    def article_at(self, place: str) -> str:
        """Return the id of the article that was last read at a place, "" where none was."""
        last = self._visits.last(place)
        return last.article_id if last else ""

    def others_of(self, article_id: str) -> list[str]:
        """Return the places at which an article was read, beside the one that it is called by."""
        rows = self._database.connection.execute(
            "SELECT url FROM visits WHERE article_id = ? AND "
            "((url >= 'file:' AND url < 'file;') OR (url >= 'page:' AND url < 'page;'))",
            (article_id,),
        )
        return [str(place) for (place,) in rows]

    def with_text(self, text: str) -> list[str]:
        """Return the ids of the standing articles of the same words that are known by a place."""
        rows = self._database.connection.execute(
            "SELECT article_id FROM signatures WHERE text_hash = ? AND "
            f"(article_id LIKE 'file:%' OR article_id LIKE 'page:%') LIMIT {_SAME_TEXT}",
            (text_hash(text),),
        )
        return [str(article_id) for (article_id,) in rows]

    def withdrawn(self) -> dict[str, frozenset[str]]:
        """Return the fingerprints of the articles known by a place that were taken down, by id."""
        rows = self._database.connection.execute(
            "SELECT w.article_id, r.fingerprint FROM withdrawals w JOIN revisions r "
            "ON r.article_id = w.article_id "
            "WHERE w.article_id LIKE 'file:%' OR w.article_id LIKE 'page:%'"
        )
        found: dict[str, frozenset[str]] = {}
        for article_id, mark in rows:
            found[article_id] = found.get(article_id, frozenset()) | {mark}
        return found

    def beginning(self, start: str, most: int = 50) -> list[str]:
        """Return the ids of standing articles that begin so."""
        rows = self._database.connection.execute(
            "SELECT article_id FROM revisions WHERE until IS NULL AND article_id >= ? "
            "AND article_id < ? LIMIT ?",
            (start, f"{start}\U0010ffff", most),
        )
        return [str(article_id) for (article_id,) in rows]

    def save(self, read: Iterable[tuple[str, str]]) -> None:
        """Remember which article was read at which place."""
        now = datetime.now(UTC)
        self._visits.save(
            FetchRecord(place, "", "", 0, now, article_id) for place, article_id in read
        )
