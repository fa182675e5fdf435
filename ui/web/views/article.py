"""HTML of the article that is being read, with the cited passage marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from rag.sanitize import neutralize_markers, strip_controls, web_address
from rag.schema import Article, ArticleMetadata, Passage, Span
from ui.article_address import ArticleAddress
from ui.i18n import Texts
from ui.web.state import Turn
from ui.web.views.article_text import text_html
from ui.web.views.cards import facts_html, source_html
from ui.web.views.markup import escape, escape_line, paragraph
from ui.web.views.revisions import changes_html, revisions_html

if TYPE_CHECKING:
    from rag.archive.reader import ArchiveReader

MOST_LISTED = 5  # near-duplicates or similar articles; a wire story can have hundreds of copies
Rights = Literal["read", "remove"]


@dataclass(frozen=True, slots=True)
class Place:
    """Passage to show within its article.

    Attributes:
        passage: The passage; empty for the whole article.
        quotes: Quoted spans, as offsets in the article's text.
        card: Numbers of the turn and the card; zeros if the article was opened by its address.
        cards: Numbers of all cards of the turn, in order.
        shown: The quote to show first; None for the first one.
    """

    passage: Passage
    quotes: tuple[tuple[int, int], ...] = ()
    card: tuple[int, int] = (0, 0)
    cards: tuple[int, ...] = ()
    shown: tuple[int, int] | None = None

    @property
    def span(self) -> tuple[int, int]:
        """The quote to show first, or the passage if nothing in it is quoted."""
        if self.shown is not None:
            return self.shown
        return self.quotes[0] if self.quotes else (self.passage.start, self.passage.end)


@dataclass(frozen=True, slots=True)
class Reading:
    """Options of showing an article.

    Attributes:
        revision: Revision to show; None for the cited one.
        since: Show what changed since this revision; 0 to show the text.
        rights: Whether the reader may remove the article.
    """

    revision: int | None = None
    since: int = 0
    rights: Rights = "read"


AS_CITED = Reading()


def find_place(
    turn: Turn, card: int, number: int = 0, span: tuple[int, int] | None = None
) -> Place | None:
    """Find the passage of a card.

    Args:
        turn: The turn.
        card: Number of the card within the turn.
        number: Number of the turn.
        span: The quote to show, if the card has several; as offsets in the article's text.

    Returns:
        The passage with its quotes; None if the turn has no such card.
    """
    on = (number, card)
    if turn.card_hits:
        found = 0 < card <= len(turn.card_hits)
        cards = tuple(range(1, len(turn.card_hits) + 1))
        return Place(turn.card_hits[card - 1].passage, (), on, cards) if found else None
    citations = turn.citations(card)
    if not citations:
        return None
    wanted = next((c for c in citations if (c.start, c.end) == span), citations[0])
    passage = wanted.passage
    quotes = tuple((c.start, c.end) for c in citations if c.passage == passage)
    cards = tuple(dict.fromkeys(c.number for c in turn.answer.citations))
    return Place(passage, quotes, on, cards, (wanted.start, wanted.end))


def place_at(archive: ArchiveReader, address: ArticleAddress) -> Place | None:
    """Find the span of an address.

    Args:
        archive: Archive to read from.
        address: The address, which may be forged.

    Returns:
        The span; an empty one if the revision or the span doesn't exist. None if there is no such
        article, or it needs a right.
    """
    article = archive.article(address.article_id, address.revision)
    if article is None:
        article = archive.article(address.article_id)
        if article is None:
            return None
        address = ArticleAddress(article.id)
    start, end = address.start, address.end
    if end > len(article.text):
        start = end = 0
    passage = Passage(article.id, article.revision, start, end, article.text[start:end])
    return Place(passage, ((start, end),) if start < end else ())


def article_html(
    archive: ArchiveReader, place: Place, texts: Texts, reading: Reading = AS_CITED
) -> str:
    """Return the article of a passage as HTML, with the passage marked.

    Args:
        archive: Archive to read from.
        place: The passage and its quotes.
        texts: Language of the labels.
        reading: Revision to show, and how.

    Returns:
        HTML. A note says if the article has changed since; a withdrawn article is not shown.
    """
    passage = place.passage
    now = archive.article(passage.article_id)
    article = archive.article(passage.article_id, reading.revision or passage.revision)
    if now is None or article is None:
        return missing_html(texts("withdrawn"), address_of(place).path, place, texts)
    before = archive.article(article.id, reading.since) if reading.since else None
    shown = Place(Passage(article.id, article.revision, 0, 0, "")) if before else None
    shown = shown or _in_revision(place, article)
    quotes = [Span(start, end) for start, end in shown.quotes]
    body = (
        changes_html(before, article, texts)
        if before
        else text_html(article.text, Span(shown.passage.start, shown.passage.end), quotes)
    )
    address = address_of(shown)
    if address.start == address.end and article.revision == now.revision:
        address = ArticleAddress(article.id)
    copies = archive.near_duplicates([article.id]).get(article.id, ())
    revisions = archive.revisions(article.id)
    since = before.revision if before else 0
    bar = _bar(
        place,
        texts,
        _copy_button(article, address, texts),
        _publisher_link(article.metadata, texts),
        _menu(len(copies), len(revisions), reading.rights, texts),
    )
    return (
        f'<article class="bf-article" data-address="{escape(address.path)}" '
        f'{_context(place)} aria-labelledby="bf-article-title">{bar}<div class="bf-page">'
        f'<h2 id="bf-article-title" tabindex="-1" dir="auto">{escape(article.title or article.id)}'
        f"</h2>{facts_html(article.metadata, texts)}{_notes(article, now, place, texts)}"
        f'<div class="bf-text" dir="auto">{body}</div>{_copies(copies, texts)}'
        f"{revisions_html(revisions, article.revision, since, _context(place), texts)}"
        "</div></article>"
    )


def missing_html(words: str, path: str, place: Place | None, texts: Texts) -> str:
    """Return what is shown instead of an article that can't be read.

    Args:
        words: Why it can't be read.
        path: Its address.
        place: Its place among the sources; None if it was opened by its address.
        texts: Language of the labels.
    """
    return (
        f'<article class="bf-article bf-missing" data-address="{escape(path)}" '
        f'aria-labelledby="bf-article-title">{_bar(place, texts)}<div class="bf-page">'
        '<h2 id="bf-article-title" tabindex="-1" class="bf-refused" dir="auto">'
        f"{escape(words)}</h2></div></article>"
    )


def similar_html(articles: Sequence[ArticleMetadata], texts: Texts) -> str:
    """Return the list of similar articles, each of which opens in place."""
    heading = escape(texts("similar_articles"))
    found = _links(articles, texts) or paragraph(escape(texts("no_similar_articles")), "bf-quiet")
    return (
        '<section class="bf-related" aria-labelledby="bf-similar-title">'
        f'<h3 id="bf-similar-title" tabindex="-1">{heading}</h3>{found}</section>'
    )


def address_of(place: Place) -> ArticleAddress:
    """Return the address of the quote that is shown first."""
    return ArticleAddress.of_span(place.passage, *place.span)


def _in_revision(place: Place, article: Article) -> Place:
    """Return the place in a revision, which may have the passage elsewhere or not at all."""
    passage = place.passage
    if article.revision == passage.revision:
        return place
    found = article.text.find(passage.text) if passage.text else -1
    if found < 0:
        return Place(Passage(article.id, article.revision, 0, 0, ""))
    moved = found - passage.start
    quotes = tuple((start + moved, end + moved) for start, end in place.quotes)
    start, end = place.span
    there = Passage(article.id, article.revision, found, passage.end + moved, passage.text)
    return replace(place, passage=there, quotes=quotes, shown=(start + moved, end + moved))


def _context(place: Place) -> str:
    """Return the data by which the page opens other revisions among the sources of an answer."""
    turn, card = place.card
    return f'data-turn="{turn}" data-card="{card}"'


def _bar(place: Place | None, texts: Texts, *actions: str) -> str:
    """Return the bar above an article, which stays in view."""
    is_source = place is not None and bool(place.card[0])
    key = "back_to_sources" if is_source else "close_article"
    steps = _steps(place, texts) if place is not None and is_source else ""
    return (
        '<div class="bf-bar"><button type="button" id="bf-close" data-do="close">'
        f'<span aria-hidden="true">←</span> <span class="bf-wide">{escape(texts(key))}</span>'
        f"</button>{steps}"
        f'<span class="bf-actions">{"".join(actions)}</span></div>'
    )


def _steps(place: Place, texts: Texts) -> str:
    """Return "2 of 3" between the buttons that open the source before it and the one after it."""
    turn, card = place.card
    if len(place.cards) < 2 or card not in place.cards:
        return ""
    at = place.cards.index(card)

    def button(key: str, sign: str, to: int) -> str:
        is_there = 0 <= to < len(place.cards)
        data = f'data-turn="{turn}" data-card="{place.cards[to]}"' if is_there else "disabled"
        label = escape(texts(key))
        return (
            f'<button type="button" data-step="{to - at}" aria-label="{label}" title="{label}" '
            f"{data}>{sign}</button>"
        )

    words = escape(texts("source_of", number=at + 1, total=len(place.cards)))
    return (
        f'<span class="bf-steps">{button("previous_source", "‹", at - 1)}'
        f"<span>{words}</span>{button('next_source', '›', at + 1)}</span>"
    )


def _copy_button(article: Article, address: ArticleAddress, texts: Texts) -> str:
    """Return the button that copies the selected words, or the quote, with where they stand."""
    metadata = article.metadata
    quote = strip_controls(neutralize_markers(article.text)[address.start : address.end])
    source = ", ".join(
        " ".join(strip_controls(neutralize_markers(part)).split())
        for part in (article.title, article.publisher, texts.day(metadata.published))
        if part
    )
    pattern = texts("quote_with_source", words="{words}", source="{source}", address="{address}")
    data = {
        "quote": " ".join(quote.split()),
        "source": source,
        "url": web_address(metadata.url),
        "path": address.path,
        "whole": ArticleAddress(article.id, revision=address.revision).path,
        "pattern": pattern,
        "done": texts("copied"),
    }
    values = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    label = escape(texts("copy_quote" if quote else "copy_reference"))
    return f'<button type="button" data-do="quote" {values}>{label}</button>'


def _publisher_link(metadata: ArticleMetadata, texts: Texts) -> str:
    """Return the link to the article's URL; "" if the URL is not a safe web address."""
    address = web_address(metadata.url)
    if not address:
        return ""
    return (
        f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">'
        f'<span class="bf-wide">{escape(texts("publisher_page"))}</span> '
        f'<span aria-hidden="true">↗</span></a>'
    )


def _menu(copies: int, revisions: int, rights: Rights, texts: Texts) -> str:
    """Return the menu of what leads on from the article."""
    items = [("similar", "", texts("similar_articles"))]
    if copies:
        items.append(("jump", "bf-copies", texts("near_duplicates", count=copies)))
    if revisions > 1:
        items.append(("jump", "bf-revisions", texts("revisions", count=revisions)))
    if rights == "remove":
        items.append(("remove", "", texts("remove_article")))
    buttons = "".join(
        f'<li><button type="button" data-do="{action}" data-to="{to}">{escape(words)}</button></li>'
        for action, to, words in items
    )
    more = escape(texts("more_actions"))
    return (
        f'<details class="bf-menu"><summary aria-label="{more}" title="{more}">⋯</summary>'
        f"<ul>{buttons}</ul></details>"
    )


def _notes(article: Article, now: Article, place: Place, texts: Texts) -> str:
    """Return the notes on changes: since it was cited, corrections, updates."""
    notes = []
    if now.revision != article.revision:
        is_cited = article.revision == place.passage.revision and place.passage.text
        key = "changed_since" if is_cited else "not_current"
        words = escape(texts(key, revision=article.revision, now=now.revision))
        path = ArticleAddress(article.id, revision=now.revision).path
        notes.append(
            f'{words} <button type="button" data-address="{escape(path)}" {_context(place)} '
            f'data-since="{article.revision}">{escape(texts("show_changes"))}</button>'
        )
    if article.correction:
        notes.append(escape(texts("correction", words=article.correction)))
    if article.updated:
        notes.append(escape(texts("updated", day=texts.moment(article.updated))))
    return "".join(paragraph(note, "bf-note") for note in notes)


def _copies(copies: Sequence[ArticleMetadata], texts: Texts) -> str:
    """Return the list of near-duplicates, each of which opens in place; "" if there are none."""
    if not copies:
        return ""
    heading = escape(texts("near_duplicates", count=len(copies)))
    more = len(copies) - MOST_LISTED
    rest = paragraph(escape(texts("more_copies", count=more)), "bf-quiet") if more > 0 else ""
    return (
        '<section class="bf-related" id="bf-copies" aria-labelledby="bf-copies-title">'
        f'<h3 id="bf-copies-title" tabindex="-1">{heading}</h3>{_links(copies, texts)}{rest}'
        "</section>"
    )


def _links(articles: Iterable[ArticleMetadata], texts: Texts) -> str:
    """Return a list of articles, each with its headline as a button, publisher and date."""
    items = [
        f'<li><button type="button" data-address="{escape(ArticleAddress(one.article_id).path)}" '
        f'dir="auto">{escape_line(one.title or one.article_id)}</button>'
        f"{source_html(one, texts)}</li>"
        for one in list(articles)[:MOST_LISTED]
    ]
    return f"<ul>{''.join(items)}</ul>" if items else ""
