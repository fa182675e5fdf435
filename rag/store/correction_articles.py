"""Corrections published as separate articles: the articles they correct, and their text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rag.rights import ALL_RIGHTS, Access, rights_of
from rag.schema import Article, Hit
from rag.store.database import Database
from rag.store.filters import CURRENT, readable

_HEADLINE = re.compile(
    r"(?i)\A\W*(?:corrections?(?: and clarifications?)?|clarifications?|errat(?:um|a)|retraction)\b"
)
_ADDRESS = re.compile(r"(?:https?://|urn:|tag:)[^\s<>\"'()\[\]]+")
_SPELLING = re.compile(r"(?i)\Ahttps?://(?:www\.)?")


def find_corrections(article: Article) -> Iterator[tuple[str, str]]:
    """Yield each article that a correction refers to, by id or URL, with the correction's text."""
    if not _HEADLINE.match(article.title):
        return
    for paragraph in article.text.split("\n"):
        statement = " ".join(_ADDRESS.sub(" ", paragraph).split())
        for found in _ADDRESS.findall(paragraph):
            address = found.rstrip(".,;:!?")
            yield address, statement or article.title


def save_corrections(database: Database, articles: Sequence[Article]) -> None:
    """Store the corrections that these articles make to others. Must run inside a change.

    The corrected articles need not be in the archive yet.
    """
    now = database.changed_at()
    for article in articles:
        database.connection.execute("DELETE FROM notices WHERE notice_id = ?", (article.id,))
        texts: dict[str, list[str]] = {}
        for address, text in find_corrections(article):
            for article_id in _ids(database, address):
                texts.setdefault(article_id, []).append(text)
        texts.pop(article.id, None)
        database.connection.executemany(
            "INSERT INTO notices VALUES (?, ?, ?, ?)",
            [(key, article.id, " ".join(dict.fromkeys(s)), now) for key, s in texts.items()],
        )


def correction_articles_of(
    database: Database,
    article_ids: Iterable[str],
    standing: str = CURRENT,
    access: Access = ALL_RIGHTS,
) -> dict[str, str]:
    """Return the text of current corrections of these articles, by article id.

    Args:
        database: The archive's database.
        article_ids: The corrected articles.
        standing: SQL condition for the revisions of the corrections.
        access: Access rights of the reader; a correction is an article, so they apply to it too.
    """
    rows = database.execute_for_each(
        "SELECT n.article_id, n.text, r.article_id, r.publisher, r.section, r.access "  # nosec B608 # conditions of this code, values bound
        f"FROM notices n JOIN revisions r ON r.article_id = n.notice_id AND {standing} "
        "WHERE n.article_id IN ({}) ORDER BY n.at",
        dict.fromkeys(article_ids),
    )
    rights, allowed = rights_of(access), readable(database, (row[2] for row in rows), access)
    found: dict[str, str] = {}
    for article_id, text, notice_id, publisher, section, right in rows:
        if notice_id not in allowed or not rights.allow(
            publisher=publisher, section=section, access=right
        ):
            continue
        found[article_id] = f"{found[article_id]} {text}" if article_id in found else text
    return found


def add_corrections(
    database: Database,
    hits: Sequence[Hit],
    standing: str = CURRENT,
    access: Access = ALL_RIGHTS,
) -> list[Hit]:
    """Add corrections from other articles to the metadata of the hits.

    Args:
        database: The archive's database.
        hits: The hits to complete.
        standing: SQL condition for the revisions of the corrections.
        access: Access rights of the reader.

    Returns:
        The hits, in order.
    """
    corrections = correction_articles_of(
        database, (hit.passage.article_id for hit in hits), standing, access
    )
    return [
        replace(
            hit,
            metadata=replace(
                hit.metadata, correction=f"{hit.metadata.correction} {notice}".strip()
            ),
        )
        if (notice := corrections.get(hit.passage.article_id))
        else hit
        for hit in hits
    ]


def _ids(database: Database, address: str) -> list[str]:
    """Return the ids of the articles at a URL; of an unknown one, the id it would get."""
    rows = database.connection.execute(
        "SELECT DISTINCT article_id FROM revisions WHERE article_id = :it OR url = :it",
        {"it": address},
    ).fetchall()
    if rows:
        return [str(article_id) for (article_id,) in rows]
    return [_SPELLING.sub("", address).rstrip("/")]
