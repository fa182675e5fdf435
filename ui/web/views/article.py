"""A whole article, opened at the place that an answer cites, which is marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.sanitize import neutralize_markers
from rag.schema import Article, Passage
from ui.i18n import Texts
from ui.web.state import Turn
from ui.web.views.cards import copies_html, facts_html, mark_spans, original_link
from ui.web.views.markup import escape, paragraph

if TYPE_CHECKING:
    from rag.archive.reader import ArchiveReader
    from rag.store.revisions import Revision


@dataclass(frozen=True, slots=True)
class Place:
    """A passage, and the spans within its article that are quoted from it.

    `card` is the turn and the card that it stands on, to open other revisions from.
    """

    passage: Passage
    quotes: tuple[tuple[int, int], ...] = ()
    card: tuple[int, int] = (0, 0)


def find_place(turn: Turn, card: int, number: int = 0) -> Place | None:
    """Return what stands on one of the turn's own cards; None where it has no such card.

    `number` is the turn's.
    """
    on = (number, card)
    if turn.card_hits:
        found = 0 < card <= len(turn.card_hits)
        return Place(turn.card_hits[card - 1].passage, card=on) if found else None
    citations = turn.citations(card)
    if not citations:
        return None
    passage = citations[0].passage
    return Place(passage, tuple((c.start, c.end) for c in citations if c.passage == passage), on)


def article_html(
    archive: ArchiveReader, place: Place, texts: Texts, revision: int | None = None
) -> str:
    """Return the article of `place` as it was when it was cited, marked there, or a revision of it.

    One that has been withdrawn since is not shown; one that has changed says so.
    """
    passage = place.passage
    now = archive.article(passage.article_id)
    article = archive.article(passage.article_id, revision or passage.revision)
    if now is None or article is None:
        return paragraph(escape(texts("withdrawn")), "bf-refused")
    head = article.metadata
    notes = []
    if now.revision != article.revision == passage.revision:
        notes.append(texts("changed_since", revision=article.revision, now=now.revision))
    if article.correction:
        notes.append(texts("correction", words=article.correction))
    if article.updated:
        notes.append(texts("updated", day=texts.moment(article.updated)))
    shown = "".join(paragraph(escape(note), "bf-note") for note in notes)
    return (
        f'<article class="bf-article" aria-labelledby="bf-article-title">'
        f'<h2 id="bf-article-title" tabindex="-1" dir="auto">{escape(head.title)}</h2>'
        f'{facts_html(head, texts)}<p class="bf-doing">{original_link(head, texts)}</p>'
        f"{copies_html(archive.near_duplicates([article.id]).get(article.id, ()), texts)}{shown}"
        f"{_revisions(archive.revisions(article.id), article.revision, place, texts)}"
        f'<div class="bf-text" dir="auto">{_text(article, place)}</div></article>'
    )


def _revisions(
    revisions: Sequence[Revision], shown_revision: int, place: Place, texts: Texts
) -> str:
    """Return the article's versions, each to be opened; nothing where there is but one."""
    if len(revisions) < 2:
        return ""
    turn, card = place.card
    items = []
    for one in revisions:
        number = one.article.revision
        text = escape(texts("revision", number=number, day=texts.moment(one.added)))
        button = (
            f'<button type="button" data-turn="{turn}" data-card="{card}" '
            f'data-revision="{number}">{text}</button>'
        )
        items.append(
            f'<li aria-current="true">{text}</li>'
            if number == shown_revision
            else f"<li>{button}</li>"
        )
    heading = escape(texts("revisions", count=len(revisions)))
    return (
        f'<details class="bf-revisions"><summary>{heading}</summary>'
        f"<ol>{''.join(items)}</ol></details>"
    )


def _text(article: Article, place: Place) -> str:
    """Return the whole text; the passage stands out, and what is quoted of it is marked."""
    passage = place.passage
    start, end = passage.start, passage.end
    text = neutralize_markers(article.text)  # of the same length; whole, for a marker may be cut
    if article.revision != passage.revision:
        start = article.text.find(passage.text)
        if start < 0:
            return escape(article.text)
        end = start + len(passage.text)
        return (
            f'{escape(text[:start])}<span class="bf-place">'
            f"{escape(text[start:end])}</span>{escape(text[end:])}"
        )
    inside = [(s - start, e - start) for s, e in place.quotes]
    return (
        f"{escape(text[:start])}"
        f'<span class="bf-place">{mark_spans(text[start:end], inside)}</span>'
        f"{escape(text[end:])}"
    )
