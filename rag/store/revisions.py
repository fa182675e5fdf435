"""Revision history of an article, and article lookup by id, URL or start of an id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rag.schema import Article
from rag.store.database import Database
from rag.store.rows import METADATA, METADATA_WIDTH, row_to_article

MAX_IDS = 20  # matching ids to choose from


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of an article, when it was added, and when it was replaced or removed."""

    article: Article
    added: datetime
    ended: datetime | None


def read_revisions(database: Database, article_id: str) -> tuple[Revision, ...]:
    """Return every revision of an article, oldest first; none of a withdrawn one."""
    rows = database.connection.execute(
        f"SELECT {METADATA}, t.text, c.at, e.at FROM revisions r "  # nosec B608 # constants of this code, values bound
        "JOIN texts t ON t.revision_id = r.id JOIN changes c ON c.sequence = r.since "
        "LEFT JOIN changes e ON e.sequence = r.until WHERE r.article_id = ? "
        "AND r.article_id NOT IN (SELECT article_id FROM withdrawals) ORDER BY r.revision",
        (article_id,),
    )
    return tuple(
        Revision(
            row_to_article(row),
            datetime.fromisoformat(row[METADATA_WIDTH + 1]),
            datetime.fromisoformat(row[METADATA_WIDTH + 2]) if row[METADATA_WIDTH + 2] else None,
        )
        for row in rows
    )


def find_ids(database: Database, name: str) -> list[str]:
    """Return the ids of the articles with this id or URL, withdrawn or not."""
    rows = database.connection.execute(
        "SELECT article_id FROM revisions WHERE article_id = :name "
        "UNION SELECT article_id FROM withdrawals WHERE article_id = :name",
        {"name": name},
    ).fetchall() or database.connection.execute(
        "SELECT DISTINCT article_id FROM revisions WHERE url = ? AND url != ''", (name,)
    )
    return [str(article_id) for (article_id,) in rows]


def complete_id(database: Database, beginning: str) -> list[str]:
    """Return the ids that start with `beginning`, sorted; at most MAX_IDS."""
    bounds = {"low": beginning, "high": beginning + "\U0010ffff", "enough": MAX_IDS}
    rows = database.connection.execute(
        "SELECT article_id FROM revisions WHERE article_id BETWEEN :low AND :high "
        "UNION SELECT article_id FROM withdrawals WHERE article_id BETWEEN :low AND :high "
        "ORDER BY 1 LIMIT :enough",
        bounds,
    )
    return [str(article_id) for (article_id,) in rows]
