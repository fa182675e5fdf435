"""HTML of the table of articles: filters, rows to select, pages; and of the withdrawn articles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from rag.archive.browse import BrowsePage, Facet, FacetName
from rag.schema import ArticleMetadata
from rag.store.withdrawals import Withdrawal
from ui.article_address import ArticleAddress
from ui.i18n import Texts
from ui.web.table_request import FILTERS, ROWS, TableRequest
from ui.web.views.markup import attribute, escape, escape_line, paragraph

SORTS = {"title": "headline", "publisher": "facet_publisher", "date": "published"}


def table_html(found: BrowsePage, asked: TableRequest, texts: Texts) -> str:
    """Return the matching articles of a page as a table, with filters and actions."""
    rows = "".join(_row(head, texts) for head in found.articles)
    heads = "".join(_sort(name, key, asked, texts) for name, key in SORTS.items())
    actions = f'<th role="columnheader" scope="col">{_unseen("actions", texts)}</th>'
    table = _table(f"{_select_all(texts)}{heads}{actions}", rows, "articles_title", texts)
    body = table if rows else paragraph(escape(texts("no_articles_match")), "bf-quiet")
    return (
        _filters(found.facets, asked, texts)
        + _undo(asked, texts)
        + _bar(found.total, asked, "withdraw", texts)
        + body
        + _pages(found.total, asked, texts)
    )


def withdrawn_html(
    found: Sequence[Withdrawal],
    total: int,
    titles: Mapping[str, str],
    asked: TableRequest,
    texts: Texts,
) -> str:
    """Return a page of the withdrawn articles as a table, with undo.

    Args:
        found: The withdrawals.
        total: The number of all.
        titles: Headlines of the articles by id, of those that still have one.
        asked: The request.
        texts: Language of the labels.
    """
    rows = "".join(
        _withdrawn_row(one, titles.get(one.article_id, one.article_id), texts) for one in found
    )
    keys = ("headline", "reason_column", "withdrawn_on")
    heads = "".join(
        f'<th role="columnheader" scope="col">{escape(texts(key))}</th>' for key in keys
    )
    actions = f'<th role="columnheader" scope="col">{_unseen("actions", texts)}</th>'
    table = _table(f"{_select_all(texts)}{heads}{actions}", rows, "withdrawn_title", texts)
    body = table if rows else paragraph(escape(texts("nothing_withdrawn")), "bf-quiet")
    return (
        _undo(asked, texts) + _bar(total, asked, "undo", texts) + body + _pages(total, asked, texts)
    )


def table_heading_html(asked: TableRequest, texts: Texts) -> str:
    """Return the heading, with the choice between current and withdrawn articles."""
    choices = {"current": False, "withdrawn": True}
    tabs = "".join(
        f'<button type="button" data-list="{name}" '
        f'aria-pressed="{str(asked.is_withdrawn is which).lower()}">'
        f"{escape(texts(f'show_{name}'))}</button>"
        for name, which in choices.items()
    )
    label = escape(texts("articles_shown"))
    return (
        f'<div class="bf-head"><h2 tabindex="-1">{escape(texts("articles_title"))}</h2>'
        f'<div role="group" class="bf-tabs" aria-label="{label}">{tabs}</div></div>'
    )


def _filters(facets: Sequence[Facet], asked: TableRequest, texts: Texts) -> str:
    of = {facet.name: facet for facet in facets}
    selects = "".join(_select(name, of.get(name), asked, texts) for name in FILTERS)
    is_narrowed = bool(asked.matching.words or asked.chosen)
    clear = f'<button type="button" data-list="clear">{escape(texts("clear"))}</button>'
    return f'<div class="bf-narrow">{selects}{clear if is_narrowed else ""}</div>'


def _select(name: FacetName, facet: Facet | None, asked: TableRequest, texts: Texts) -> str:
    """Return a list of the values of a facet; the chosen one is there even if nothing has it."""
    chosen = asked.chosen.get(name, "")
    counts = {one.value: one.articles for one in facet.values} if facet else {}
    if not chosen and len(counts) < 2:
        return ""
    counts.setdefault(chosen, 0)
    options = "".join(
        f'<option value="{attribute(value)}"{" selected" if value == chosen else ""}>'
        f"{escape_line(_value(name, value, texts))} ({texts.number(count)})</option>"
        for value, count in counts.items()
        if value
    )
    label = escape(texts(f"facet_{name}"))
    every = f'<option value="">{label}&#58; {escape(texts("any"))}</option>'
    return (
        f'<select data-filter="{name}" data-value="{attribute(chosen)}" aria-label="{label}"'
        f"{' data-on' if chosen else ''}>{every}{options}</select>"
    )


def _value(name: FacetName, value: str, texts: Texts) -> str:
    return texts.month(date.fromisoformat(f"{value}-01")) if name == "month" else value


def _undo(asked: TableRequest, texts: Texts) -> str:
    """Return the bar that undoes the last withdrawal as a whole."""
    if not asked.undoable:
        return ""
    done = texts("withdrawn_articles", count=len(asked.undoable))
    return (
        f'<div class="bf-undo" data-ids="{_ids(asked.undoable)}"><span role="status">'
        f'{escape(done)}</span><button type="button" data-undo-last>{escape(texts("undo"))}'
        "</button></div>"
    )


def _ids(ids: Sequence[str]) -> str:
    """Return ids as an attribute by which the script tells two bars apart."""
    return attribute(" ".join(ids)[:500])


def _bar(total: int, asked: TableRequest, action: str, texts: Texts) -> str:
    """Return the number of rows, and the action for those that are selected."""
    key = "withdraw_selected" if action == "withdraw" else "undo_selected"
    count = texts("articles", count=total)
    return (
        f'<div class="bf-selected"><span>{escape(count)}</span>'
        f'<button type="button" data-selected="{action}" disabled>{escape(texts(key))} '
        "<i></i></button></div>"
        if total
        else ""
    )


def _table(heads: str, rows: str, label: str, texts: Texts) -> str:
    # Roles, since a phone shows the rows as cards, and browsers then take them for no table.
    return (
        f'<table role="table" aria-label="{escape(texts(label))}"><thead role="rowgroup">'
        f'<tr role="row">{heads}</tr></thead><tbody role="rowgroup">{rows}</tbody></table>'
    )


def _select_all(texts: Texts) -> str:
    label = escape(texts("select_page"))
    return (
        '<th role="columnheader" scope="col"><label class="bf-tick"><input type="checkbox" '
        f'data-all aria-label="{label}"><span>{label}</span></label></th>'
    )


def _sort(name: str, key: str, asked: TableRequest, texts: Texts) -> str:
    """Return the heading of a column; pressed again, the dates go the other way."""
    order = "oldest" if name == "date" and asked.order == "date" else name
    state = {"date": "descending", "oldest": "ascending"}.get(asked.order, "ascending")
    is_sorted = name == asked.order or (name == "date" and asked.order == "oldest")
    sorted_ = f' aria-sort="{state}"' if is_sorted else ""
    return (
        f'<th role="columnheader" scope="col"{sorted_}><button type="button" '
        f'data-sort="{order}">{escape(texts(key))}</button></th>'
    )


def _unseen(key: str, texts: Texts) -> str:
    return f'<span class="bf-unseen">{escape(texts(key))}</span>'


def _row(head: ArticleMetadata, texts: Texts) -> str:
    title = escape_line(head.title or head.article_id)
    path = ArticleAddress(head.article_id).path
    more = " · ".join(filter(None, (", ".join(head.authors), head.section)))
    facts = paragraph(escape_line(more), "bf-quiet") if more else ""
    day = escape(texts.short_day(head.published)) if head.published else "–"
    return (
        f'<tr role="row">{_tick(head.article_id, title, texts)}'
        f'<td role="cell" dir="auto"><a href="{escape(path)}" data-open>{title}</a>{facts}</td>'
        f'<td role="cell" dir="auto">{escape_line(head.publisher) or "–"}</td>'
        f'<td role="cell">{day}</td>'
        f'<td role="cell">{_action("withdraw", head.article_id, "withdraw", title, texts)}</td>'
        "</tr>"
    )


def _withdrawn_row(one: Withdrawal, title: str, texts: Texts) -> str:
    title = escape_line(title)
    tick, action = _tick(one.article_id, title, texts), ""
    if one.erased:
        tick, action = '<td role="cell"></td>', escape(texts("erased"))
    else:
        action = _action("undo", one.article_id, "undo", title, texts)
    return (
        f'<tr role="row">{tick}<td role="cell" dir="auto"><b>{title}</b></td>'
        f'<td role="cell" dir="auto">{escape_line(one.reason) or "–"}</td>'
        f'<td role="cell">{escape(texts.moment(one.at))}</td><td role="cell">{action}</td></tr>'
    )


def _tick(article_id: str, title: str, texts: Texts) -> str:
    label = f"{escape(texts('select'))}&#58; {title}"
    return (
        '<td role="cell"><label class="bf-tick"><input type="checkbox" '
        f'data-id="{attribute(article_id)}" aria-label="{label}"></label></td>'
    )


def _action(name: str, article_id: str, key: str, title: str, texts: Texts) -> str:
    words = escape(texts(key))
    return (
        f'<button type="button" data-one="{name}" data-id="{attribute(article_id)}" '
        f'aria-label="{words}&#58; {title}">{words}</button>'
    )


def _pages(total: int, asked: TableRequest, texts: Texts) -> str:
    last = max(0, (total - 1) // ROWS)
    if not last:
        return ""
    first = min(asked.offset + 1, total)
    words = texts(
        "rows_shown",
        first=texts.number(first),
        last=texts.number(min(asked.offset + ROWS, total)),
        total=texts.number(total),
    )
    return (
        f'<nav class="bf-pages" aria-label="{escape(texts("pages"))}">'
        f"{_page(asked.page - 1, asked.page > 0, 'page_before', texts)}"
        f"<span>{escape(words)}</span>"
        f"{_page(asked.page + 1, asked.page < last, 'page_after', texts)}</nav>"
    )


def _page(number: int, is_there: bool, key: str, texts: Texts) -> str:
    off = "" if is_there else " disabled"
    return f'<button type="button" data-page="{number}"{off}>{escape(texts(key))}</button>'
