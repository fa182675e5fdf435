"""HTML of a timeline: a rail with one heading a day and one event a source."""

from __future__ import annotations

from datetime import date
from itertools import groupby

from rag.schema import Answer, Statement
from ui.i18n import Texts
from ui.web.views.citing import citation_links
from ui.web.views.markup import escape, escape_line

Numbered = tuple[int, Statement]  # a statement and its place in the answer, from 1


def timeline_html(answer: Answer, number: int, texts: Texts) -> str:
    """Return the statements of a timeline as a list of days.

    Args:
        answer: The timeline; statements without a day stand under no heading.
        number: Number of the turn, from 1; part of the ids.
        texts: Language of the labels.

    Returns:
        HTML; "" without statements.
    """
    placed = enumerate(answer.statements, start=1)
    days = [
        _day(day, list(events), number, texts)
        for day, events in groupby(placed, key=lambda event: _day_of(event[1]))
    ]
    return f'<ol class="bf-rail">{"".join(days)}</ol>' if days else ""


def _day(day: str, events: list[Numbered], turn: int, texts: Texts) -> str:
    items = "".join(_event(place, statement, turn, texts) for place, statement in events)
    words = escape_line(texts.day(date.fromisoformat(day))) if day else ""
    heading = f'<h3><time datetime="{escape(day)}">{words}</time></h3>' if day else ""
    return f'<li class="bf-day">{heading}<ul>{items}</ul></li>'


def _event(place: int, statement: Statement, turn: int, texts: Texts) -> str:
    metadata = statement.citations[0].metadata if statement.citations else None
    facts = [f"<bdi>{escape_line(metadata.publisher)}</bdi>"] if metadata else []
    if statement.label is not None and statement.label.code == "reported":
        facts.append(escape(texts("reported_that_day")))
    source = "".join(f"<span>{fact}</span>" for fact in facts if fact != "<bdi></bdi>")
    return (
        f'<li class="bf-event"><p class="bf-statement bf-is-{statement.support.split()[-1]}" '
        f'dir="auto">{escape_line(statement.text)}{citation_links(statement, turn, place)}</p>'
        f'<p class="bf-source" dir="auto">{source}</p></li>'
    )


def _day_of(statement: Statement) -> str:
    """Return the day of an event as an ISO date; "" if its label has none."""
    known = dict(statement.label.params) if statement.label else {}
    return str(known.get("day", ""))
