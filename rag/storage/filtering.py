"""What `Filters` ask for, as a condition over the record's current revisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.schema import Filters
from rag.storage.database import Database, marks
from rag.storage.rows import seconds


def condition(database: Database, filters: Filters) -> tuple[str, list[object]]:
    """Return SQL over a table `revisions` called r, and the values for its marks."""
    clauses, values = ["r.until IS NULL"], list[object]()
    for moment, clause in (
        (filters.after, "r.published_at >= ?"),
        (filters.before, "r.published_at < ?"),
    ):
        if moment is not None:
            clauses.append(clause)
            values.append(seconds(moment))
    for column, wanted in (
        ("publisher", filters.publishers),
        ("section", filters.sections),
        ("language", filters.languages),
        ("kind", filters.kinds),
    ):
        if wanted:
            rows = database.connection.execute(
                f"SELECT DISTINCT {column} FROM revisions WHERE until IS NULL"
            )
            names = _matching((name for (name,) in rows), wanted)
            clauses.append(f"r.{column} IN ({marks(names)})")
            values.extend(names)
    if filters.access:
        rights = database.connection.execute("SELECT DISTINCT access FROM revisions").fetchall()
        names = ["", *_matching((name for (name,) in rights if name), filters.access)]
        clauses.append(f"r.access IN ({marks(names)})")
        values.extend(names)
    if filters.article_ids:
        clauses.append(f"r.article_id IN ({marks(filters.article_ids)})")
        values.extend(filters.article_ids)
    if filters.authors:
        names = _matching(authors(database), filters.authors)
        clauses.append(
            f"r.id IN (SELECT revision_id FROM bylines WHERE author IN ({marks(names)}))"
        )
        values.extend(names)
    return " AND ".join(clauses), values


def authors(database: Database) -> list[str]:
    """Return the names of all authors of current articles, sorted."""
    rows = database.connection.execute(
        "SELECT DISTINCT b.author FROM bylines b JOIN revisions r ON r.id = b.revision_id "
        "WHERE r.until IS NULL ORDER BY b.author"
    )
    return [str(author) for (author,) in rows]


def kinds_of(database: Database, column: str) -> list[str]:
    """Return what stands in a column of current articles, most frequent first: their sections."""
    assert column in ("section", "language")
    rows = database.connection.execute(
        f"SELECT {column} FROM revisions WHERE until IS NULL AND {column} != '' "
        f"GROUP BY {column} ORDER BY count(*) DESC, {column}"
    )
    return [str(name) for (name,) in rows]


def _matching(names: Iterable[str], wanted: Sequence[str]) -> list[str]:
    folded = {name.casefold() for name in wanted}
    return [name for name in names if name.casefold() in folded]
