"""HTML of a comparison: publishers or sides as columns, claims as rows, differences marked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rag.schema import Answer, Statement
from ui.i18n import Texts
from ui.web.views.citing import citation_links
from ui.web.views.markup import escape, escape_line


@dataclass(frozen=True, slots=True)
class _Cell:
    """A statement with its place in the answer and what its label says."""

    place: int
    statement: Statement
    column: str
    row: int
    day: str
    publisher: str
    differs: bool


def compare_html(answer: Answer, number: int, texts: Texts) -> str:
    """Return a comparison as a table.

    Each cell carries its column's name, which a narrow page shows instead of the header row.

    Args:
        answer: The answer of the compare mode.
        number: Number of the turn, from 1; part of the ids.
        texts: Language of the labels.

    Returns:
        HTML; "" without statements.
    """
    cells = [
        cell
        for place, statement in enumerate(answer.statements, start=1)
        if (cell := _cell(place, statement)) is not None
    ]
    if not cells:
        return ""
    columns = list(dict.fromkeys(cell.column for cell in cells))
    rows = sorted({cell.row for cell in cells})
    by_place = {(cell.row, cell.column): cell for cell in cells}
    heads = "".join(
        f'<th scope="col" dir="auto"><bdi>{escape_line(column)}</bdi></th>' for column in columns
    )
    body = "".join(
        _row(row, [by_place.get((row, column)) for column in columns], columns, number, texts)
        for row in rows
    )
    caption = escape(texts("compare_caption"))
    return (
        f'<div class="bf-compared" role="region" aria-label="{caption}" tabindex="0">'
        f'<table class="bf-compare"><caption class="bf-unseen">{caption}</caption>'
        f'<thead><tr><th scope="col">{escape(texts("claim"))}</th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(place: int, statement: Statement) -> _Cell | None:
    if statement.label is None or statement.label.code != "compared":
        return None
    known = dict(statement.label.params)
    row = known["row"]
    return _Cell(
        place,
        statement,
        str(known["column"]),
        int(row) if isinstance(row, int | float) else 0,
        str(known.get("day", "")),
        str(known.get("publisher", "")),
        bool(known.get("differs")),
    )


def _row(row: int, cells: list[_Cell | None], columns: list[str], turn: int, texts: Texts) -> str:
    marked = any(cell is not None and cell.differs for cell in cells)
    head = f'<th scope="row">{row}</th>'
    data = "".join(
        _data(cell, column, turn, texts) for cell, column in zip(cells, columns, strict=True)
    )
    opened = '<tr class="bf-differing">' if marked else "<tr>"
    return f"{opened}{head}{data}</tr>"


def _data(cell: _Cell | None, column: str, turn: int, texts: Texts) -> str:
    label = f'data-label="{escape_line(column)}"'
    if cell is None:
        words = escape(texts("no_claim"))
        return (
            f'<td class="bf-nothing" {label}><span aria-hidden="true">–</span>'
            f'<span class="bf-unseen">{words}</span></td>'
        )
    day = escape_line(texts.day(date.fromisoformat(cell.day))) if cell.day else ""
    facts = [f'<time datetime="{escape(cell.day)}">{day}</time>'] if cell.day else []
    facts += [f"<bdi>{escape_line(cell.publisher)}</bdi>"] if cell.publisher else []
    if cell.differs:
        facts.append(f'<b class="bf-differs">{escape(texts("differs"))}</b>')
    source = "".join(f"<span>{fact}</span>" for fact in facts)
    return (
        f'<td {label}><p class="bf-statement" dir="auto">{escape_line(cell.statement.text)}'
        f"{citation_links(cell.statement, turn, cell.place)}</p>"
        f'<p class="bf-source" dir="auto">{source}</p></td>'
    )
