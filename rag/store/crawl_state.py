"""Crawl state: ETags and dates per URL, and the file location of each article without a URL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from rag.nlp.near_duplicates import text_hash
from rag.store.database import Database, shorten_key


@dataclass(frozen=True, slots=True)
class FetchRecord:
    """The last fetch of a URL: its validators, and the id of its article if it has one."""

    url: str
    etag: str
    last_modified: str
    status: int
    at: datetime
    article_id: str = ""


class FetchHistory:
    """The last fetch of each URL."""

    def __init__(self, database: Database) -> None:
        """Read and write the fetches of a database."""
        self._database = database

    def last(self, url: str) -> FetchRecord | None:
        """Return the last fetch of a URL; None if it hasn't been fetched."""
        row = self._database.connection.execute(
            "SELECT url, etag, last_modified, status, at, article_id FROM visits WHERE url = ?",
            (shorten_key(url, self._database.longest_key),),
        ).fetchone()
        if row is None:
            return None
        url, etag, last_modified, status, at, article_id = row
        return FetchRecord(url, etag, last_modified, status, datetime.fromisoformat(at), article_id)

    def save(self, visits: Iterable[FetchRecord]) -> None:
        """Save fetches, replacing the last one of each URL."""
        longest = self._database.longest_key
        rows = [
            (
                shorten_key(v.url, longest),
                v.etag,
                v.last_modified,
                v.status,
                v.at.isoformat(),
                v.article_id,
            )
            for v in visits
        ]
        if rows:
            with self._database.transaction():
                self._database.connection.executemany(
                    "INSERT INTO visits VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (url) DO UPDATE SET "
                    "etag = excluded.etag, last_modified = excluded.last_modified, "
                    "status = excluded.status, at = excluded.at, article_id = excluded.article_id",
                    rows,
                )


_BEGIN_WITH = ("file:", "page:")
_SAME_TEXT = (
    20  # articles of the same text that are compared; if there are more, it is a form letter
)


def is_file_location(article_id: str) -> bool:
    """Return True if an article's id is a file location: a file, or a member of a packed one."""
    return article_id.startswith(_BEGIN_WITH)


class FileLocations:
    """The article last read at each file location; stored with the fetches."""

    def __init__(self, database: Database) -> None:
        """Read and write the locations of a database."""
        self._database = database
        self._visits = FetchHistory(database)

    def article_at(self, place: str) -> str:
        """Return the id of the article last read at a location; "" if the location is new."""
        last = self._visits.last(place)
        return last.article_id if last else ""

    def other_locations(self, article_id: str) -> list[str]:
        """Return the other locations at which an article was read, besides the one in its id."""
        rows = self._database.connection.execute(
            "SELECT url FROM visits WHERE article_id = ? AND "
            "((url >= 'file:' AND url < 'file;') OR (url >= 'page:' AND url < 'page;'))",
            (article_id,),
        )
        return [str(place) for (place,) in rows]

    def with_text(self, text: str) -> list[str]:
        """Return the ids of the current articles with this text whose id is a file location."""
        rows = self._database.connection.execute(
            "SELECT article_id FROM signatures WHERE text_hash = ? AND "  # nosec B608 # constants of this code, values bound
            f"(article_id LIKE 'file:%' OR article_id LIKE 'page:%') LIMIT {_SAME_TEXT}",
            (text_hash(text),),
        )
        return [str(article_id) for (article_id,) in rows]

    def withdrawn(self) -> dict[str, frozenset[str]]:
        """Return the content hashes of withdrawn articles whose id is a file location, by id."""
        rows = self._database.connection.execute(
            "SELECT w.article_id, r.fingerprint FROM withdrawals w JOIN revisions r "
            "ON r.article_id = w.article_id "
            "WHERE w.article_id LIKE 'file:%' OR w.article_id LIKE 'page:%'"
        )
        found: dict[str, frozenset[str]] = {}
        for article_id, mark in rows:
            found[article_id] = found.get(article_id, frozenset()) | {mark}
        return found

    def ids_starting_with(self, start: str, most: int = 50) -> list[str]:
        """Return the ids of current articles that begin with `start`.

        Args:
            start: The beginning of an id.
            most: The largest number of ids to return.
        """
        rows = self._database.connection.execute(
            "SELECT article_id FROM revisions WHERE until IS NULL AND article_id >= ? "
            "AND article_id < ? LIMIT ?",
            (start, f"{start}\U0010ffff", most),
        )
        return [str(article_id) for (article_id,) in rows]

    def save(self, read: Iterable[tuple[str, str]]) -> None:
        """Save the article that was read at each location."""
        now = datetime.now(UTC)
        self._visits.save(
            FetchRecord(place, "", "", 0, now, article_id) for place, article_id in read
        )
