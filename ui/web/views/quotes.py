"""HTML of quotations: the words, who said them, when, and how often they were printed."""

from __future__ import annotations

from datetime import date

from rag.notices import Value
from rag.schema import Answer, Statement
from ui.i18n import Texts
from ui.web.views.citing import citation_links
from ui.web.views.markup import escape, escape_line


def quotes_html(answer: Answer, number: int, texts: Texts) -> str:
    """Return the quotations of an answer, each as a figure with its caption.

    Args:
        answer: The answer of the quotes mode.
        number: Number of the turn, from 1; part of the ids.
        texts: Language of the labels.

    Returns:
        HTML; "" without statements.
    """
    figures = (
        _quote(place, statement, number, texts)
        for place, statement in enumerate(answer.statements, start=1)
    )
    return "".join(figures)


def _quote(place: int, statement: Statement, turn: int, texts: Texts) -> str:
    known = dict(statement.label.params) if statement.label else {}
    speaker = escape_line(str(known.get("speaker", "")))
    who = f"<b><bdi>{speaker}</bdi></b>" if speaker else escape(texts("speaker_unknown"))
    facts = [who, _day(known, texts), _publisher(known), escape(_printed(known, texts))]
    caption = "".join(f"<span>{fact}</span>" for fact in facts if fact)
    return (
        f'<figure class="bf-quote"><blockquote class="bf-statement" dir="auto">'
        f"{escape_line(statement.text)}{citation_links(statement, turn, place)}</blockquote>"
        f'<figcaption dir="auto">{caption}</figcaption></figure>'
    )


def _day(known: dict[str, Value], texts: Texts) -> str:
    day = str(known.get("day", ""))
    if not day:
        return ""
    return (
        f'<time datetime="{escape(day)}">{escape_line(texts.day(date.fromisoformat(day)))}</time>'
    )


def _publisher(known: dict[str, Value]) -> str:
    name = escape_line(str(known.get("publisher", "")))
    return f"<bdi>{name}</bdi>" if name else ""


def _printed(known: dict[str, Value], texts: Texts) -> str:
    """Return how often the words were printed; "" for a single time."""
    articles, outlets = _count(known, "articles"), _count(known, "outlets")
    if articles < 2:
        return ""
    if outlets < 2:
        return texts("printed_in", count=articles)
    return texts("printed_by", count=articles, outlets=texts.number(outlets))


def _count(known: dict[str, Value], name: str) -> int:
    value = known.get(name, 0)
    return int(value) if isinstance(value, int | float) else 0
