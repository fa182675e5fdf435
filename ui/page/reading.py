"""A whole article, opened at the place that an answer cites, which is marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rag.schema import Article, Passage
from ui.page.evidence import facts_markup, marked, original
from ui.page.markup import escaped, paragraph
from ui.page.session import Turn
from ui.page.texts import Texts


class Shelf(Protocol):
    """What is needed of an archive to open an article."""

    def article(self, article_id: str, revision: int | None = None, /) -> Article | None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """A passage, and the spans within its article that are quoted from it."""

    passage: Passage
    quotes: tuple[tuple[int, int], ...] = ()


def place_of(turn: Turn, card: int) -> Place | None:
    """Return what stands on one of the turn's own cards; None where it has no such card."""
    if turn.shown:
        return Place(turn.shown[card - 1].passage) if 0 < card <= len(turn.shown) else None
    citations = turn.citations(card)
    if not citations:
        return None
    passage = citations[0].passage
    return Place(passage, tuple((c.start, c.end) for c in citations if c.passage == passage))


def article_markup(shelf: Shelf, place: Place, texts: Texts) -> str:
    """Return the article of `place` as it was when it was cited, marked there.

    One that has been withdrawn since is not shown; one that has changed says so.
    """
    passage = place.passage
    now = shelf.article(passage.article_id)
    article = shelf.article(passage.article_id, passage.revision)
    if now is None or article is None:
        return paragraph(escaped(texts("withdrawn")), "bf-refused")
    head = article.head
    notes = []
    if now.revision != article.revision:
        notes.append(texts("changed_since", revision=article.revision, now=now.revision))
    if article.correction:
        notes.append(texts("correction", words=article.correction))
    if article.updated:
        notes.append(texts("updated", day=texts.date(article.updated)))
    said = "".join(paragraph(escaped(note), "bf-note") for note in notes)
    return (
        f'<article class="bf-article" aria-labelledby="bf-article-title">'
        f'<h2 id="bf-article-title" tabindex="-1" dir="auto">{escaped(head.title)}</h2>'
        f'{facts_markup(head, texts)}<p class="bf-doing">{original(head, texts)}</p>{said}'
        f'<div class="bf-text" dir="auto">{_text(article, place)}</div></article>'
    )


def _text(article: Article, place: Place) -> str:
    """Return the whole text; the passage stands out, and what is quoted of it is marked."""
    passage = place.passage
    start, end = passage.start, passage.end
    inside = [(s - start, e - start) for s, e in place.quotes]
    return (
        f"{escaped(article.text[:start])}"
        f'<span class="bf-place">{marked(article.text[start:end], inside)}</span>'
        f"{escaped(article.text[end:])}"
    )
