"""HTML of the source cards: article, passage and marked quote of each citation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from rag.nlp.sentences import split_sentences
from rag.sanitize import neutralize_markers, web_address
from rag.schema import ArticleMetadata, Citation, Hit, Passage, Span
from ui.article_address import ArticleAddress
from ui.i18n import Texts
from ui.web.state import Turn
from ui.web.views.markup import escape, escape_line, paragraph

MOST_COPIES = 5  # listed on a card; a wire story can have hundreds


def card_pieces(turns: Sequence[Turn], texts: Texts) -> list[list[str]]:
    """Return the cards of all turns; those of earlier turns are collapsed.

    Returns:
        An element for each turn that has cards, as pieces of HTML; the last turn is first.
    """
    if not turns:
        return [[paragraph(escape(texts("no_sources_yet")), "bf-empty")]]
    cards = [_turn(turn, number, texts) for number, turn in enumerate(turns, start=1)]
    folded = [
        [
            f'<details class="bf-earlier" data-id="{turn.id}"><summary dir="auto">'
            f"{escape_line(turn.request.question)}</summary>",
            *pieces,
            "</details>",
        ]
        for turn, pieces in reversed(list(zip(turns[:-1], cards[:-1], strict=True)))
        if pieces
    ]
    return [['<div class="bf-now">', *cards[-1], "</div>"], *folded]


def _turn(turn: Turn, number: int, texts: Texts) -> list[str]:
    answer = turn.answer
    if turn.card_hits:
        heading = "closest_articles" if answer.refused else "passages"
        cards = [
            _hit_card(hit, number, place, texts)
            for place, hit in enumerate(turn.card_hits, start=1)
        ]
    else:
        heading = "no_related_articles" if answer.refused else "sources"
        cards = [
            _citation_card(
                card, list(citations), number, texts, _first_mention_id(turn, number, card)
            )
            for card, citations in groupby(answer.citations, key=lambda c: c.number)
        ]
    if not cards and not answer.refused:
        return []
    return [f"<h2>{escape(texts(heading))}</h2>", *cards]


def _first_mention_id(turn: Turn, number: int, card: int) -> str:
    """Return the id of the first link to the card in the chat."""
    for place, statement in enumerate(turn.answer.statements, start=1):
        if any(citation.number == card for citation in statement.citations):
            return f"turn-{number}-said-{place}-{card}"
    return ""


def _citation_card(
    number: int, citations: list[Citation], turn: int, texts: Texts, back_link: str
) -> str:
    first = citations[0]
    spans = [(c.start, c.end) for c in citations if c.passage == first.passage]
    back = escape(texts("back_to_sentence", number=number))
    link = (
        f'<a class="bf-number" href="#{back_link}" aria-label="{back}" title="{back}">{number}</a>'
    )
    card = f"turn-{turn}-card-{number}"
    copies = copies_html(first.copies, texts)
    opens = _opens(turn, number)
    doing = _actions(first.metadata, opens, texts, _collect(opens, texts))
    return _card(
        card, link, first.metadata, opens, _quote(first, spans, texts), copies + doing, texts
    )


def passage_card(citation: Citation, card: str, texts: Texts) -> str:
    """Return the card of a passage that is cited by no answer; it opens at its address.

    Args:
        citation: The passage and its quotation.
        card: Id of the card.
        texts: Language of the labels.
    """
    address = ArticleAddress.of_span(citation.passage, citation.start, citation.end)
    opens = f'data-open="{escape(address.path)}"'
    quote = _quote(citation, [(citation.start, citation.end)], texts)
    more = copies_html(citation.copies, texts) + _actions(citation.metadata, opens, texts)
    return _card(card, "", citation.metadata, opens, quote, more, texts)


def _hit_card(hit: Hit, turn: int, place: int, texts: Texts) -> str:
    card = f"turn-{turn}-hit-{place}"
    quote = passage_html(hit.passage, [])
    copies = copies_html(hit.copies, texts)
    opens = _opens(turn, place)
    doing = _actions(hit.metadata, opens, texts, _collect(opens, texts))
    return _card(card, "", hit.metadata, opens, quote, copies + doing, texts)


def _opens(turn: int, card: int) -> str:
    return f'data-turn="{turn}" data-card="{card}"'


def _card(
    card: str,
    number: str,
    metadata: ArticleMetadata,
    opens: str,
    quote: str,
    more: str,
    texts: Texts,
) -> str:
    """Return a card: number and source on a line, the headline, the quotation, and what follows.

    Args:
        card: Id of the card.
        number: Number of the citation, as a link; "" for none.
        metadata: The article.
        opens: Attributes that say what the headline opens.
        quote: The quotation.
        more: Near-duplicates and actions.
        texts: Language of the labels.
    """
    name = escape(metadata.title or metadata.article_id)
    return (
        f'<article class="bf-card" id="{card}" aria-labelledby="{card}-title">'
        f'<div class="bf-head">{number}{source_html(metadata, texts)}</div>'
        f'<h3 dir="auto" id="{card}-title"><button type="button" {opens}>'
        f"{name}</button></h3>{quote}{more}</article>"
    )


def _quote(citation: Citation, spans: Sequence[tuple[int, int]], texts: Texts) -> str:
    """Return the quotation with a sentence on either side, and the whole passage below "more"."""
    passage = citation.passage
    sentences = [
        Span(passage.start + s.start, passage.start + s.end) for s in split_sentences(passage.text)
    ]
    cited = [
        place
        for place, sentence in enumerate(sentences)
        if any(start < sentence.end and sentence.start < end for start, end in spans)
    ]
    if not cited:
        return passage_html(passage, spans)
    first, last = max(0, cited[0] - 1), min(len(sentences) - 1, cited[-1] + 1)
    near = excerpt(passage, sentences[first].start, sentences[last].end)
    short = passage_html(near, spans)
    if near.start <= passage.start and near.end >= passage.end:
        return short
    return (
        f'{short}<details class="bf-whole"><summary><span>{escape(texts("show_more"))}'
        f"</span><span>{escape(texts('show_less'))}</span></summary>"
        f"{passage_html(passage, spans)}</details>"
    )


def excerpt(passage: Passage, start: int, end: int) -> Passage:
    """Return the part of a passage between two offsets of the article."""
    text = passage.text[start - passage.start : end - passage.start]
    return Passage(passage.article_id, passage.revision, start, end, text)


def source_html(head: ArticleMetadata, texts: Texts) -> str:
    """Return publisher and date on one line."""
    return _facts_line(
        f"<bdi>{escape(head.publisher)}</bdi>" if head.publisher else "",
        time_html(head.published, texts),
    )


def time_html(moment: datetime | None, texts: Texts) -> str:
    """Return a moment, which `page.js` shows in the reader's time zone; "" for None."""
    if moment is None:
        return ""
    exact = moment.isoformat()
    return f'<time datetime="{exact}">{escape_line(texts.moment(moment))}</time>'


def _facts_line(*facts: str) -> str:
    return paragraph(" ".join(f"<span>{fact}</span>" for fact in facts if fact), "bf-facts")


def facts_html(head: ArticleMetadata, texts: Texts) -> str:
    """Return the known parts of publisher, date, authors and section on one line."""
    return _facts_line(
        f"<bdi>{escape(head.publisher)}</bdi>" if head.publisher else "",
        time_html(head.published, texts),
        f"<bdi>{escape(', '.join(head.authors))}</bdi>" if head.authors else "",
        f"<bdi>{escape(head.section)}</bdi>" if head.section else "",
    )


def copies_html(copies: Sequence[ArticleMetadata], texts: Texts) -> str:
    """Return links to the near-duplicates, with their headlines as titles."""
    if not copies:
        return ""
    links = []
    for head in copies[:MOST_COPIES]:
        name, address = escape(head.publisher or head.title), web_address(head.url)
        link = f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer"'
        title = f'title="{escape_line(head.title)}"'
        links.append(f"{link} {title}>{name}</a>" if address else f"<bdi {title}>{name}</bdi>")
    more = len(copies) - MOST_COPIES
    links += [escape(texts("more_copies", count=more))] if more > 0 else []
    return paragraph(f"{escape(texts('also_in'))} {', '.join(links)}", "bf-copies")


def _actions(head: ArticleMetadata, opens: str, texts: Texts, more: str = "") -> str:
    """Return the actions of a card: open the article here or at its URL, and more of them."""
    open_it = escape(texts("open_article"))
    title = escape_line(head.title or head.article_id)
    return (
        f'<p class="bf-doing"><button type="button" {opens} '
        f'aria-label="{open_it}&#58; {title}">{open_it}</button>{original_link(head, texts)}'
        f"{more}</p>"
    )


def _collect(opens: str, texts: Texts) -> str:
    words = escape(texts("collect"))
    return f'<button type="button" data-do="collect" {opens}>{words}</button>'


def original_link(head: ArticleMetadata, texts: Texts) -> str:
    """Return the link to the article's URL; "" if the URL is not a safe web address."""
    address = web_address(head.url)
    if not address:
        return ""
    return (
        f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">'
        f"{escape(texts('original'))}</a>"
    )


def passage_html(passage: Passage, spans: Iterable[tuple[int, int]]) -> str:
    """Return the passage with spans marked, given as offsets in the article."""
    shifted = [(start - passage.start, end - passage.start) for start, end in spans]
    return f'<blockquote dir="auto">{mark_spans(passage.text, shifted)}</blockquote>'


def mark_spans(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return `text` as HTML, with spans marked."""
    text = neutralize_markers(text)  # before slicing: a marker may cross the end of a span
    parts, reached = [], 0
    for start, end in sorted(spans):
        start, end = max(start, reached), min(end, len(text))
        if start < end:
            parts.append(f"{escape(text[reached:start])}<mark>{escape(text[start:end])}</mark>")
            reached = end
    return "".join([*parts, escape(text[reached:])])
