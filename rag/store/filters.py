"""Filters as SQL conditions over current revisions, or those valid at a given sequence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rag.rights import ALL, ALL_RIGHTS, Access, Rights, rights_of
from rag.schema import Filters
from rag.store.database import Database, placeholders
from rag.store.rows import to_timestamp

CURRENT = "r.until IS NULL"  # SQL condition for the current revisions, in a table `revisions r`


def valid_at(sequence: int) -> str:
    """Return an SQL condition for the revisions valid after a change, without withdrawn ones."""
    return (
        f"r.since <= {int(sequence)} AND (r.until IS NULL OR r.until > {int(sequence)}) "  # nosec B608 # constants of this code, values bound
        "AND r.article_id NOT IN (SELECT article_id FROM withdrawals)"
    )


def where_clause(
    database: Database, filters: Filters, standing: str = CURRENT
) -> tuple[str, list[object]]:
    """Translate filters into SQL.

    Args:
        database: The archive's database.
        filters: The filters.
        standing: SQL condition for the revisions to consider.

    Returns:
        A condition over a table `revisions r`, and the values of its placeholders.
    """
    clauses, values = [standing], list[object]()
    for moment, clause in (
        (filters.after, "r.published_at >= ?"),
        (filters.before, "r.published_at < ?"),
    ):
        if moment is not None:
            clauses.append(clause)
            values.append(to_timestamp(moment))
    for column, wanted in (
        ("publisher", filters.publishers),
        ("section", filters.sections),
        ("language", filters.languages),
        ("kind", filters.kinds),
    ):
        if wanted:
            rows = database.connection.execute(
                f"SELECT DISTINCT {column} FROM revisions r WHERE {standing}"  # nosec B608 # conditions of this code, values bound
            )
            names = _select_matching((name for (name,) in rows), wanted)
            clauses.append(f"r.{column} IN ({placeholders(names)})")
            values.extend(names)
    if filters.excluded_publishers:
        rows = database.connection.execute(
            f"SELECT DISTINCT publisher FROM revisions r WHERE {standing}"  # nosec B608 # conditions of this code, values bound
        )
        names = _select_matching((name for (name,) in rows), filters.excluded_publishers)
        clauses.append(f"r.publisher NOT IN ({placeholders(names)})")
        values.extend(names)
    for column, names in _allowed_values(database, filters.rights):
        clauses.append(f"r.{column} IN ({placeholders(names)})")
        values.extend(names)
        if standing != CURRENT:  # an article may have become restricted since
            latest = f"SELECT l.{column} FROM revisions l WHERE l.article_id = r.article_id "  # nosec B608 # names of our schema, values bound
            latest += "ORDER BY l.revision DESC LIMIT 1"
            clauses.append(f"({latest}) IN ({placeholders(names)})")
            values.extend(names)
    if filters.article_ids:
        clauses.append(f"r.article_id IN ({placeholders(filters.article_ids)})")
        values.extend(filters.article_ids)
    if filters.authors:
        names = _select_matching(authors(database, standing), filters.authors)
        clauses.append(
            f"r.id IN (SELECT revision_id FROM bylines WHERE author IN ({placeholders(names)}))"  # nosec B608 # question marks, values bound
        )
        values.extend(names)
    return " AND ".join(clauses), values


def restricts(database: Database, filters: Filters) -> bool:
    """Return True if the filters can exclude an article; otherwise no condition is needed."""
    return bool(filters) or restricts_readers(database, filters.access)


def restricts_readers(database: Database, access: Access) -> bool:
    """Return True if a reader with these rights may not see everything that is held."""
    rights = rights_of(access)
    return (
        rights.publishers is not ALL
        or rights.sections is not ALL
        or (rights.access is not ALL and database.holds_restricted())
    )


def rights_clause(database: Database, filters: Filters) -> Filters:
    """Return the filters with all rights if the reader sees everything: cheaper, same result."""
    if restricts_readers(database, filters.access):
        return filters
    return replace(filters, access=ALL_RIGHTS)


def readable(database: Database, article_ids: Iterable[str], access: Access) -> set[str]:
    """Return the ids of those articles that may be read with these rights.

    The latest revision decides: an article may have become restricted.

    Args:
        database: The archive's database.
        article_ids: The articles to check.
        access: Access rights of the reader.
    """
    ids = list(dict.fromkeys(article_ids))
    if not restricts_readers(database, access):
        return set(ids)
    rows = database.execute_for_each(
        "SELECT r.article_id, r.publisher, r.section, r.access FROM revisions r WHERE r.revision = "
        "(SELECT max(l.revision) FROM revisions l WHERE l.article_id = r.article_id) "
        "AND r.article_id IN ({})",
        ids,
    )
    rights = rights_of(access)
    return set(ids) - {
        article_id
        for article_id, publisher, section, right in rows
        if not rights.allow(publisher=publisher, section=section, access=right)
    }


def _allowed_values(database: Database, rights: Rights) -> Iterator[tuple[str, list[str]]]:
    """Yield each column that limits the reader, and its values that the reader may see."""
    if not restricts_readers(database, rights):
        return
    for column, allowed in (
        ("publisher", rights.publishers),
        ("section", rights.sections),
        ("access", rights.access),
    ):
        if allowed is not ALL:
            rows = database.connection.execute(f"SELECT DISTINCT {column} FROM revisions")  # nosec B608 # names of our schema, values bound
            names = _select_matching((name for (name,) in rows if name), allowed)
            yield column, ["", *names] if column == "access" else names


def unknown_names(database: Database, rights: Rights) -> dict[str, tuple[list[str], list[str]]]:
    """Return the names in rights that no article has.

    Args:
        database: The archive's database.
        rights: The rights.

    Returns:
        For "publisher", "section" and "access", where there are any: these names, and all that
        articles have.
    """
    found = {}
    for column, allowed in (
        ("publisher", rights.publishers),
        ("section", rights.sections),
        ("access", rights.access),
    ):
        if allowed is not ALL and allowed:
            rows = database.connection.execute(f"SELECT DISTINCT {column} FROM revisions")  # nosec B608 # names of our schema, values bound
            known = sorted(name for (name,) in rows if name)
            folded = {name.casefold() for name in known}
            if missing := [name for name in allowed if name not in folded]:
                found[column] = missing, known
    return found


def authors(database: Database, standing: str = CURRENT, access: Access = ALL_RIGHTS) -> list[str]:
    """Return the names of all authors of the articles that match `standing`, sorted."""
    where, values = where_clause(database, Filters(access=access), standing)
    rows = database.connection.execute(
        "SELECT DISTINCT b.author FROM bylines b JOIN revisions r ON r.id = b.revision_id "  # nosec B608 # conditions of this code, values bound
        f"WHERE {where} ORDER BY b.author",
        values,
    )
    return [str(author) for (author,) in rows]


def column_values(database: Database, column: str, access: Access = ALL_RIGHTS) -> list[str]:
    """Return the distinct sections or languages of current articles, most frequent first.

    Args:
        database: The archive's database.
        column: "section" or "language".
        access: Access rights of the reader.
    """
    assert column in ("section", "language")
    where, values = where_clause(database, Filters(access=access))
    rows = database.connection.execute(
        f"SELECT r.{column} FROM revisions r WHERE {where} AND r.{column} != '' "  # nosec B608 # conditions of this code, values bound
        f"GROUP BY r.{column} ORDER BY count(*) DESC, r.{column}",
        values,
    )
    return [str(name) for (name,) in rows]


def _select_matching(names: Iterable[str], wanted: Sequence[str]) -> list[str]:
    folded = {name.casefold() for name in wanted}
    return [name for name in names if name.casefold() in folded]
