"""Corrections that come as articles of their own: which article each is about, and what it says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rag.schema import ALL_RIGHTS, Access, Article, Filters, Hit
from rag.store.database import Database
from rag.store.filters import CURRENT, readable

_HEADLINE = re.compile(
    r"(?i)\A\W*(?:corrections?(?: and clarifications?)?|clarifications?|errat(?:um|a)|retraction)\b"
)
_ADDRESS = re.compile(r"(?:https?://|urn:|tag:)[^\s<>\"'()\[\]]+")
_SPELLING = re.compile(r"(?i)\Ahttps?://(?:www\.)?")


def is_correction(article: Article) -> Iterator[tuple[str, str]]:
    """Yield what a notice says of which articles: their ids or addresses, and its paragraph."""
    if not _HEADLINE.match(article.title):
        return
    for paragraph in article.text.split("\n"):
        said = " ".join(_ADDRESS.sub(" ", paragraph).split())
        for found in _ADDRESS.findall(paragraph):
            address = found.rstrip(".,;:!?")
            yield address, said or article.title


def save_corrections(database: Database, articles: Sequence[Article]) -> None:
    """Write down what these articles correct in others, here or yet to come; within a change."""
    now = database.changed_at()
    for article in articles:
        database.connection.execute("DELETE FROM notices WHERE notice_id = ?", (article.id,))
        said: dict[str, list[str]] = {}
        for address, text in is_correction(article):
            for article_id in _ids(database, address):
                said.setdefault(article_id, []).append(text)
        said.pop(article.id, None)
        database.connection.executemany(
            "INSERT INTO notices VALUES (?, ?, ?, ?)",
            [(key, article.id, " ".join(dict.fromkeys(s)), now) for key, s in said.items()],
        )


def correction_articles_of(
    database: Database,
    article_ids: Iterable[str],
    standing: str = CURRENT,
    access: Access = ALL_RIGHTS,
) -> dict[str, str]:
    """Return what notices that stand, or stood, say of those of the articles, by their ids.

    A notice is an article: it is told to those who may read it.
    """
    rows = database.execute_for_each(
        "SELECT n.article_id, n.text, r.article_id, r.access FROM notices n JOIN revisions r "
        f"ON r.article_id = n.notice_id AND {standing} "
        "WHERE n.article_id IN ({}) ORDER BY n.at",
        dict.fromkeys(article_ids),
    )
    reader, told = Filters(access=access), readable(database, (row[2] for row in rows), access)
    found: dict[str, str] = {}
    for article_id, text, notice_id, right in rows:
        if notice_id not in told or not reader.may_read(right):
            continue
        found[article_id] = f"{found[article_id]} {text}" if article_id in found else text
    return found


def corrected_articles(
    database: Database,
    hits: Sequence[Hit],
    standing: str = CURRENT,
    access: Access = ALL_RIGHTS,
) -> list[Hit]:
    """Return the hits with what other articles correct, or then corrected, in theirs."""
    said = correction_articles_of(
        database, (hit.passage.article_id for hit in hits), standing, access
    )
    return [
        replace(
            hit,
            metadata=replace(
                hit.metadata, correction=f"{hit.metadata.correction} {notice}".strip()
            ),
        )
        if (notice := said.get(hit.passage.article_id))
        else hit
        for hit in hits
    ]


def _ids(database: Database, address: str) -> list[str]:
    """Return the ids of the articles at an address; of one that is not here, what it would be."""
    rows = database.connection.execute(
        "SELECT DISTINCT article_id FROM revisions WHERE article_id = :it OR url = :it",
        {"it": address},
    ).fetchall()
    if rows:
        return [str(article_id) for (article_id,) in rows]
    return [_SPELLING.sub("", address).rstrip("/")]
