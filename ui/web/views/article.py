"""HTML of a whole article, with the cited passage marked."""

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
    """Passage to show within its article.

    Attributes:
        passage: The passage.
        quotes: Quoted spans, as offsets in the article's text.
        card: Numbers of the turn and the card, used to open other revisions.
    """

    passage: Passage
    quotes: tuple[tuple[int, int], ...] = ()
    card: tuple[int, int] = (0, 0)


def find_place(turn: Turn, card: int, number: int = 0) -> Place | None:
    """Find the passage of a card.

    Args:
        turn: The turn.
        card: Number of the card within the turn.
        number: Number of the turn.

    Returns:
        The passage with its quotes; None if the turn has no such card.
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
    """Return the article of a passage as HTML, with the passage marked.

    Args:
        archive: Archive to read from.
        place: The passage and its quotes.
        texts: Language of the labels.
        revision: Revision to show; the cited one by default.

    Returns:
        HTML. A note says if the article has changed since; a withdrawn article is not shown.
    """
    passage = place.passage
    now = archive.article(passage.article_id)
    article = archive.article(passage.article_id, revision or passage.revision)
    if now is None or article is None:
        return _bar(texts) + paragraph(escape(texts("withdrawn")), "bf-refused")
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
        f'<article class="bf-article" aria-labelledby="bf-article-title">{_bar(texts)}'
        f'<h2 id="bf-article-title" tabindex="-1" dir="auto">{escape(head.title)}</h2>'
        f'{facts_html(head, texts)}<p class="bf-doing">{original_link(head, texts)}</p>'
        f"{copies_html(archive.near_duplicates([article.id]).get(article.id, ()), texts)}{shown}"
        f"{_revisions(archive.revisions(article.id), article.revision, place, texts)}"
        f'<div class="bf-text" dir="auto">{_text(article, place)}</div></article>'
    )


def _bar(texts: Texts) -> str:
    """Return the bar above an article, which stays in view."""
    return (
        '<div class="bf-bar"><button type="button" id="bf-close" data-do="close">'
        f"← {escape(texts('back_to_sources'))}</button></div>"
    )


def _revisions(
    revisions: Sequence[Revision], shown_revision: int, place: Place, texts: Texts
) -> str:
    """Return the list of revisions, with buttons to open them; "" if there is only one."""
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
    """Return the whole text, with the passage highlighted and its quotes marked."""
    passage = place.passage
    start, end = passage.start, passage.end
    text = neutralize_markers(article.text)  # same length; before slicing, which could cut a marker
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
