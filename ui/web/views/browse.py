"""HTML of the view for browsing: facets, matching articles, names, and the page of a name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from rag.archive.browse import BrowsePage, Facet, FacetName
from rag.archive.name_quotations import NameQuotation
from rag.archive.names import NameCount, NamePage
from rag.schema import ArticleMetadata
from ui.article_address import ArticleAddress
from ui.i18n import Texts
from ui.web.browse_request import BrowseRequest
from ui.web.views.cards import facts_html
from ui.web.views.chart import chart_html
from ui.web.views.markup import attribute, escape, escape_line, paragraph

SHOWN: tuple[FacetName, ...] = ("publisher", "author", "section", "language", "kind", "month")
MOST_SHOWN = 1000  # articles on the page; an export has all
FIRST_VALUES = 8  # of a facet, shown at once
KINDS = ("person", "place", "organisation")


def facets_html(facets: Sequence[Facet], asked: BrowseRequest, texts: Texts) -> str:
    """Return the facets with their counts, each value a button that chooses it."""
    shown = [facet for facet in facets if facet.name in SHOWN and len(facet.values) > 1]
    return "".join(_facet(facet, asked, texts) for facet in shown)


def _facet(facet: Facet, asked: BrowseRequest, texts: Texts) -> str:
    items = [
        f'<li><button type="button" data-facet="{facet.name}" '
        f'data-value="{attribute(one.value)}" '
        f'aria-pressed="{str((facet.name, one.value) in asked.chosen).lower()}" dir="auto">'
        f"<span>{escape_line(_value(facet.name, one.value, texts))}</span>"
        f"<i>{texts.number(one.articles)}</i></button></li>"
        for one in facet.values
    ]
    first, rest = items[:FIRST_VALUES], items[FIRST_VALUES:]
    more = (
        f"<details><summary>{escape(texts('show_more'))}</summary><ul>{''.join(rest)}</ul></details>"
        if rest
        else ""
    )
    heading = escape(texts(f"facet_{facet.name}"))
    return f"<section><h3>{heading}</h3><ul>{''.join(first)}</ul>{more}</section>"


def _value(facet: FacetName, value: str, texts: Texts) -> str:
    if facet in ("month", "day"):
        day = date.fromisoformat(value if facet == "day" else f"{value}-01")
        return texts.short_day(day) if facet == "day" else texts.month(day)
    return value


def results_html(page: BrowsePage, asked: BrowseRequest, texts: Texts) -> str:
    """Return the number of matching articles, what was chosen, and the first articles."""
    total = escape(texts("articles", count=page.total))
    chips = "".join(
        f'<button type="button" class="bf-chosen" data-facet="{facet}" '
        f'data-value="{attribute(value)}" dir="auto">'
        f"{escape_line(_value(facet, value, texts))} ×</button>"
        for facet, value in asked.chosen
    )
    exports = "".join(
        f'<button type="button" data-do="export" data-form="{form}">{name}</button>'
        for form, name in (("csv", "CSV"), ("jsonl", "JSONL"))
        if page.total
    )
    head = (
        f'<div class="bf-found" {_state(asked)}><h2 tabindex="-1">{total}</h2>'
        f"{chips}<span>{exports}</span></div>"
    )
    return f'{head}<ul class="bf-articles">{rows_html(page, texts)}</ul>{_more(page, texts)}'


def _state(asked: BrowseRequest) -> str:
    """Return the attributes from which scripts read what is shown: its address and facet values."""
    chosen = json.dumps(asked.chosen)
    return f'data-link="{attribute(asked.link)}" data-chosen="{attribute(chosen)}"'


def rows_html(page: BrowsePage, texts: Texts) -> str:
    """Return the articles of a page as list items."""
    return "".join(_article(head, texts) for head in page.articles)


def _more(page: BrowsePage, texts: Texts) -> str:
    if not page.cursor or len(page.articles) >= MOST_SHOWN:
        return ""
    return (
        f'<p><button type="button" class="bf-button" data-do="more">'
        f"{escape(texts('show_more'))}</button></p>"
    )


def _article(head: ArticleMetadata, texts: Texts) -> str:
    path = ArticleAddress(head.article_id).path
    title = escape_line(head.title or head.article_id)
    return (
        f'<li><a href="{escape(path)}" data-open dir="auto">{title}</a>'
        f"{facts_html(head, texts)}</li>"
    )


def names_html(names: Sequence[NameCount], prefix: str, texts: Texts, *, instead: str = "") -> str:
    """Return the most frequent people, places and organisations, each with its page.

    Args:
        names: The names.
        prefix: What they begin with.
        texts: Language of the labels.
        instead: HTML to show in place of the names.
    """
    columns = instead or "".join(_names_of(kind, names, texts) for kind in KINDS)
    field = (
        f'<input type="search" value="{escape(prefix)}" aria-label="{escape(texts("find_name"))}" '
        f'placeholder="{escape(texts("find_name"))}" maxlength="100">'
    )
    return f'<h2>{escape(texts("names"))}</h2>{field}<div class="bf-names">{columns}</div>'


def _names_of(kind: str, names: Sequence[NameCount], texts: Texts) -> str:
    items = "".join(_name(one, texts) for one in names if one.kind == kind)
    heading = escape(texts(f"kind_{kind}"))
    return f"<section><h3>{heading}</h3><ul>{items}</ul></section>" if items else ""


def _name(one: NameCount, texts: Texts) -> str:
    return (
        f'<li><button type="button" data-name="{attribute(one.name)}" data-kind="{one.kind}" '
        f'dir="auto"><span>{escape_line(one.name)}</span>'
        f"<i>{texts.number(one.articles)}</i></button></li>"
    )


def name_html(page: NamePage, asked: BrowseRequest, texts: Texts) -> str:
    """Return the page of a name: articles over time, quotations, names beside it, articles."""
    kind = texts(f"kind_of_{page.kind}")
    count = texts("articles", count=page.articles)
    also = f" · {texts('also_called')} {', '.join(page.variants)}" if page.variants else ""
    head = (
        f'<div class="bf-found" {_state(asked)}><button type="button" '
        f'data-do="back">← {escape(texts("back_to_articles"))}</button></div>'
        f'<h2 tabindex="-1" dir="auto">{escape_line(page.name)}</h2>'
        f"{paragraph(escape_line(f'{kind} · {count}{also}'), 'bf-quiet')}"
    )
    beside = "".join(_name(one, texts) for one in page.beside)
    newest = "".join(_article(one, texts) for one in page.newest)
    return (
        head
        + chart_html(page.histogram, texts)
        + _section("names_beside", f'<ul class="bf-beside">{beside}</ul>' if beside else "", texts)
        + _section("quotations_by", _quotations(page.quotations_by, texts), texts)
        + _section("quotations_about", _quotations(page.quotations_about, texts), texts)
        + _section(
            "newest_articles_of", f'<ul class="bf-articles">{newest}</ul>' if newest else "", texts
        )
    )


def _section(key: str, body: str, texts: Texts) -> str:
    return f"<section><h3>{escape(texts(key))}</h3>{body}</section>" if body else ""


def _quotations(found: Sequence[NameQuotation], texts: Texts) -> str:
    return "".join(_quotation(one, texts) for one in found)


def _quotation(one: NameQuotation, texts: Texts) -> str:
    head = one.metadata
    path = ArticleAddress(head.article_id, one.start, one.end, head.revision).path
    printed = (
        f"<span>{escape(texts('printed_in', count=one.printed))}</span>" if one.printed > 1 else ""
    )
    return (
        f'<figure class="bf-quote"><blockquote dir="auto">{escape(one.text)}</blockquote>'
        f'<figcaption><a href="{escape(path)}" data-open dir="auto">'
        f"{escape_line(head.title or head.article_id)}</a>{facts_html(head, texts)}{printed}"
        "</figcaption></figure>"
    )
