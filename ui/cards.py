"""The page's own markup: an answer and the cards of what it cites, every word of them escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rag.schema import Answer, ArticleHead, Citation, Hit, Passage, Statement
from ui.render import (
    REFUSAL,
    one_of_each_article,
    period,
    spoken_date,
    spoken_day,
    web_address,
    without_controls,
)

if TYPE_CHECKING:
    from rag.archive import Status

# Each is written as a number, so that neither HTML, nor Markdown, nor the page's templates
# (`${value}`, `{{value}}`) or a formula ($$) see anything in an article's text but text.
_MARKUP = re.compile(r"[!-+\--:<-@\[-`{-~]")  # punctuation but , and ;

SUPPORT_LABELS = {
    "partly": "partly borne out",
    "not supported": "not borne out",
    "contradicted": "contradicted",
}


def escaped(text: str) -> str:
    """Return `text` as HTML, or on one line as Markdown, that shows it and nothing else."""
    return _MARKUP.sub(lambda found: f"&#{ord(found.group())};", without_controls(text))


def escaped_line(text: str) -> str:
    """Return `text` escaped and on one line, so that a blank one ends no block of Markdown."""
    return escaped(" ".join(text.split()))


# The answer, for the chat


def answer_markup(answer: Answer, *, turn: int) -> str:
    """Return `answer` as HTML whose citation numbers lead to the cards of the same `turn`."""
    if answer.refused:
        body = [_paragraph(escaped_line(answer.reason or REFUSAL), "bf-refused")]
        if answer.closest:
            body.append(_paragraph("The closest articles stand beside this.", "bf-note"))
    else:
        body = [_statement(statement, turn) for statement in answer.statements]
        if answer.as_of:
            body.append(_paragraph(f"As of {escaped_line(spoken_day(answer.as_of))}", "bf-note"))
    for text in (answer.notice, answer.understood):
        if text:
            body.append(_paragraph(escaped_line(text), "bf-note"))
    return "".join(body)


def _statement(statement: Statement, turn: int) -> str:
    parts = [escaped_line(statement.text)]
    for number in dict.fromkeys(citation.number for citation in statement.citations):
        parts.append(f'<a class="bf-cite" href="#{card_id(turn, number)}">&#91;{number}&#93;</a>')
    label = SUPPORT_LABELS.get(statement.support)
    if label:
        parts.append(f'<span class="bf-doubt">{label}</span>')
    return _paragraph(" ".join(parts), "bf-statement")


def _paragraph(markup: str, name: str) -> str:
    return f'<p class="{name}" dir="auto">{markup}</p>'


# The evidence, beside it


def card_id(turn: int, number: int) -> str:
    """Return the id of a card; the turn keeps `[1]` of one answer from leading to another's."""
    return f"turn-{turn}-card-{number}"


def evidence_markup(answers: Sequence[Answer]) -> str:
    """Return the cards of a conversation's answers, the last one open, the others folded."""
    turns = [_turn(answer, turn) for turn, answer in enumerate(answers, start=1)]
    if not turns:
        return _paragraph("The passages that an answer rests on are shown here.", "bf-empty")
    *earlier, (_, last) = turns
    folded = "".join(
        f'<details class="bf-earlier"><summary dir="auto">{summary}</summary>{cards}</details>'
        for summary, cards in reversed(earlier)
    )
    return f'<div class="bf-now">{last}</div>{folded}'


def _turn(answer: Answer, turn: int) -> tuple[str, str]:
    if answer.refused:
        hits = list(one_of_each_article(answer.closest))
        heading = "Closest articles" if hits else "Nothing near it in the archive"
        cards = [_hit_card(hit) for hit in hits]
    else:
        heading = "What the answer rests on"
        cards = [
            _citation_card(number, list(citations), turn)
            for number, citations in groupby(answer.citations, key=lambda c: c.number)
        ]
    heading = "" if answer.notice and not cards else f"<h2>{heading}</h2>"
    return escaped_line(answer.question), f"{heading}{''.join(cards)}"


def hits_markup(hits: Iterable[Hit]) -> str:
    """Return a card for each hit, best first."""
    return "".join(_hit_card(hit) for hit in hits)


def _citation_card(number: int, citations: list[Citation], turn: int) -> str:
    first = citations[0]
    spans = [(c.start, c.end) for c in citations if c.passage == first.passage]
    return (
        f'<article class="bf-card" id="{card_id(turn, number)}">'
        f'<span class="bf-number" aria-hidden="true">{number}</span>'
        f"{_headline(first.head)}{_passage(first.passage, spans)}</article>"
    )


def _hit_card(hit: Hit) -> str:
    return f'<article class="bf-card">{_headline(hit.head)}{_passage(hit.passage, [])}</article>'


def _headline(head: ArticleHead) -> str:
    title = escaped(head.title or head.article_id)
    address = web_address(head.url)
    if address:
        title = (
            f'<a href="{escaped(address)}" target="_blank" rel="noopener noreferrer">{title}</a>'
        )
    facts = [
        f"<span>{fact}</span>"
        for fact in (
            f"<bdi>{escaped(head.publisher)}</bdi>" if head.publisher else "",
            escaped_line(spoken_date(head.published)),
            f"<bdi>{escaped(', '.join(head.authors))}</bdi>" if head.authors else "",
        )
        if fact
    ]
    return f'<h3 dir="auto">{title}</h3><p class="bf-facts">{"".join(facts)}</p>'


def _passage(passage: Passage, spans: Iterable[tuple[int, int]]) -> str:
    """Return the passage with what lies in `spans`, counted in the article, marked."""
    parts, reached = [], 0
    for start, end in sorted((s - passage.start, e - passage.start) for s, e in spans):
        start, end = max(start, reached), min(end, len(passage.text))
        if start < end:
            parts.append(escaped(passage.text[reached:start]))
            parts.append(f"<mark>{escaped(passage.text[start:end])}</mark>")
            reached = end
    parts.append(escaped(passage.text[reached:]))
    return f'<blockquote dir="auto">{"".join(parts)}</blockquote>'


# The banner


def banner_markup(status: Status) -> str:
    """Return one line that says what the archive covers."""
    names = [publisher.name for publisher in status.publishers if publisher.name]
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    parts = [f"{status.articles:,} articles", shown, period(status.first, status.last)]
    told = (f'<span dir="auto">{escaped(part)}</span>' for part in parts if part)
    return f"<strong>Backfile</strong>{''.join(told)}"
