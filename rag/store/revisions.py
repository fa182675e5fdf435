"""The revisions of an article, with when each came in, and the ways in which one may be named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rag.schema import Article
from rag.store.database import Database
from rag.store.rows import HEAD, HEAD_COLUMNS, row_to_article

ENOUGH = 20  # ids that begin alike: as many as one may want to choose from


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of an article: when it came in, and when another took its place, if one did."""

    article: Article
    came: datetime
    ended: datetime | None


def read_revisions(database: Database, article_id: str) -> tuple[Revision, ...]:
    """Return every version of an article, the first first; none of one that was withdrawn."""
    rows = database.connection.execute(
        f"SELECT {HEAD}, t.text, c.at, e.at FROM revisions r "
        "JOIN texts t ON t.revision_id = r.id JOIN changes c ON c.sequence = r.since "
        "LEFT JOIN changes e ON e.sequence = r.until WHERE r.article_id = ? "
        "AND r.article_id NOT IN (SELECT article_id FROM withdrawals) ORDER BY r.revision",
        (article_id,),
    )
    return tuple(
        Revision(
            row_to_article(row),
            datetime.fromisoformat(row[HEAD_COLUMNS + 1]),
            datetime.fromisoformat(row[HEAD_COLUMNS + 2]) if row[HEAD_COLUMNS + 2] else None,
        )
        for row in rows
    )


def find_ids(database: Database, name: str) -> list[str]:
    """Return the id of the article that has this id, or those of this address; withdrawn or not."""
    rows = database.connection.execute(
        "SELECT article_id FROM revisions WHERE article_id = :name "
        "UNION SELECT article_id FROM withdrawals WHERE article_id = :name",
        {"name": name},
    ).fetchall() or database.connection.execute(
        "SELECT DISTINCT article_id FROM revisions WHERE url = ? AND url != ''", (name,)
    )
    return [str(article_id) for (article_id,) in rows]


def complete_id(database: Database, beginning: str) -> list[str]:
    """Return the ids that begin so, sorted; no more than one may want to choose from."""
    bounds = {"low": beginning, "high": beginning + "\U0010ffff", "enough": ENOUGH}
    rows = database.connection.execute(
        "SELECT article_id FROM revisions WHERE article_id BETWEEN :low AND :high "
        "UNION SELECT article_id FROM withdrawals WHERE article_id BETWEEN :low AND :high "
        "ORDER BY 1 LIMIT :enough",
        bounds,
    )
    return [str(article_id) for (article_id,) in rows]
