"""Articles that came in, or changed, after a change of the archive.

Articles are told apart by the number of the change that brought them and not by their dates: a
back-dated article is new, and an article that was added again as it had been is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rag.schema import ArticleMetadata, Filters
from rag.store.database import Database
from rag.store.filters import where_clause
from rag.store.rows import METADATA, METADATA_WIDTH, row_to_metadata

_STANDING = (
    "FROM revisions o WHERE o.article_id = r.article_id AND o.since <= ? "
    "AND (o.until IS NULL OR o.until > ?)"
)
_OF_IT = "(SELECT {}(p.number) FROM passages p WHERE p.revision_id = r.id)"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A current revision that came in after a change.

    Attributes:
        revision_id: The row of the revision.
        first: The number of its first passage; 0 if it has none.
        last: The number of its last passage.
        is_changed: True if another revision of the article was current at that change.
    """

    revision_id: int
    first: int
    last: int
    is_changed: bool


def read_arrivals(database: Database, filters: Filters, *, after: int, up_to: int) -> list[Arrival]:
    """Return the current revisions that came in between two changes, in their order.

    A revision is left out if one with the same content was current at the first change.

    Args:
        database: The archive's database.
        filters: The filters that the articles must pass.
        after: The sequence number of the first change, exclusive.
        up_to: That of the last change, inclusive.
    """
    where, values = where_clause(database, filters)
    # Sorted here: ordered by SQL, the whole table was scanned instead of the index on `since`.
    rows = database.connection.execute(
        f"SELECT r.id, coalesce({_OF_IT.format('min')}, 0), coalesce({_OF_IT.format('max')}, 0), "  # nosec B608 # conditions of this code, values bound
        f"EXISTS (SELECT 1 {_STANDING}) FROM revisions r WHERE r.since > ? AND r.since <= ? "
        f"AND NOT EXISTS (SELECT 1 {_STANDING} AND o.fingerprint = r.fingerprint) AND {where}",
        (after, after, after, up_to, after, after, *values),
    ).fetchall()
    rows.sort()
    return [Arrival(key, first, last, bool(changed)) for key, first, last, changed in rows]


def read_arrived_ids(
    database: Database, *, after: int, up_to: int, most: int
) -> tuple[list[str], int]:
    """Return the first ids of articles that got a revision between two changes, and their number.

    Args:
        database: The archive's database.
        after: The sequence number of the first change, exclusive.
        up_to: That of the last change, inclusive.
        most: The most ids to return.
    """
    since = "FROM revisions WHERE since > ? AND since <= ?"
    rows = database.connection.execute(
        f"SELECT article_id {since} GROUP BY article_id ORDER BY min(since), min(id) LIMIT ?",  # nosec B608 # constants of this code, values bound
        (after, up_to, most),
    ).fetchall()
    (count,) = database.connection.execute(
        f"SELECT count(DISTINCT article_id) {since}",  # nosec B608 # constants of this code, values bound
        (after, up_to),
    ).fetchone()
    return [row[0] for row in rows], count


def read_arrived(
    database: Database, revision_ids: Sequence[int]
) -> dict[int, tuple[ArticleMetadata, int, datetime]]:
    """Return revisions' metadata with the number and the time of the change that brought them.

    Args:
        database: The archive's database.
        revision_ids: Rows of revisions.
    """
    rows = database.execute_for_each(
        f"SELECT {METADATA}, r.id, c.sequence, c.at FROM revisions r "  # nosec B608 # constants of this code, values bound
        "JOIN changes c ON c.sequence = r.since WHERE r.id IN ({})",
        revision_ids,
    )
    return {
        row[METADATA_WIDTH]: (
            row_to_metadata(row),
            row[METADATA_WIDTH + 1],
            datetime.fromisoformat(row[METADATA_WIDTH + 2]),
        )
        for row in rows
    }


def change_time(database: Database, sequence: int) -> str:
    """Return the time of a change as it is stored; "" if there is no such change."""
    row = database.connection.execute(
        "SELECT at FROM changes WHERE sequence = ?", (sequence,)
    ).fetchone()
    return str(row[0]) if row else ""
