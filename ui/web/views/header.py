"""HTML of the bar at the top of the page, with what the archive covers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ui.i18n import Texts
from ui.web.views.archive import calendar_html
from ui.web.views.markup import escape, escape_line, paragraph

if TYPE_CHECKING:
    from rag.archive.stats import ArchiveStatus, PublisherStatus

SHORTCUTS = {
    "ask": ("/",),
    "new": ("n",),
    "sources": ("j", "k"),
    "versions": ("[", "]"),
    "export": ("e",),
    "escape": ("Esc",),
    "help": ("?",),
}
VIEWS = ("ask", "browse", "check", "saved", "archive")
CALENDAR_ROWS = 12  # publishers with most articles
MOST_PUBLISHERS = 200  # rows; a web crawl can have thousands


@dataclass(frozen=True, slots=True)
class Account:
    """Name of the reader, and the views that they see.

    Attributes:
        name: Their name; "" without users.
        may_save: Whether they may keep searches and dossiers.
        may_write: Whether they may change the archive.
    """

    name: str = ""
    may_save: bool = False
    may_write: bool = False

    def sees(self, view: str) -> bool:
        """Return whether the reader sees the way to a view."""
        allowed = {"saved": self.may_save, "archive": self.may_write}
        return allowed.get(view, True)


def header_html(
    status: ArchiveStatus,
    days: Mapping[str, Mapping[date, int]],
    texts: Texts,
    account: Account,
) -> str:
    """Return the bar at the top: name, views, what the archive covers, colours and shortcuts.

    Args:
        status: What the archive covers.
        days: Number of articles by publisher and day.
        texts: Language of the labels.
        account: Who the reader is, and which views they see.
    """
    about = "".join(
        f'<button type="button" data-do="{action}" aria-label="{escape(texts(key))}" '
        f'title="{escape(texts(key))}">{sign}</button>'
        for action, key, sign in (("theme", "theme", "◐"), ("shortcuts", "shortcuts", "?"))
    )
    rail = escape(texts("show_conversations"))
    return (
        f"<header{'' if status.articles else ' data-empty'}>"
        f'<a class="bf-skip" href="#bf-question">{escape(texts("skip"))}</a>'
        f'<button type="button" class="bf-menu-button" data-do="rail" '
        f'aria-label="{rail}">☰</button>'
        f'<h1 class="bf-wordmark">Backfile</h1>{_views(texts, account)}'
        f"{_coverage(status, days, texts)}"
        f'<div class="bf-about">{about}{_account(account, texts)}</div></header>'
        f"{_words(texts)}{_shortcuts(texts)}"
    )


def _account(account: Account, texts: Texts) -> str:
    """Return the reader's name with the way to log out; "" without users."""
    if not account.name:
        return ""
    told = escape_line(texts("logged_in_as", name=account.name))
    return (
        f'<form class="bf-account" method="post" action="/logout"><span dir="auto" title="{told}">'
        f'{escape_line(account.name)}</span><button type="submit">{escape(texts("logout"))}'
        "</button></form>"
    )


def _views(texts: Texts, account: Account) -> str:
    """Return the links to the views; `page.js` marks the current one."""
    links = "".join(
        f'<a href="{"?" if view == "ask" else f"?view={view}"}" data-view="{view}">'
        f"{escape(texts(f'view_{view}'))}</a>"
        for view in VIEWS
        if account.sees(view)
    )
    return f'<nav aria-label="{escape(texts("views"))}">{links}</nav>'


def _words(texts: Texts) -> str:
    """Return the words that `page.js` needs, as data of an element that isn't shown."""
    words = " ".join(
        f'data-{name}="{escape(texts(key))}"'
        for name, key in (
            ("rail", "show_conversations"),
            ("thread", "conversation"),
            ("reading", "sources"),
            ("close", "close"),
            ("calendar", "choose_day"),
            ("offline", "offline"),
            ("retry", "retry"),
        )
    )
    locale = str(texts.locale).replace("_", "-")
    return f'<template id="bf-words" data-locale="{locale}" {words}></template>'


def _shortcuts(texts: Texts) -> str:
    """Return the sheet of keyboard shortcuts, which `page.js` opens."""
    rows = "".join(
        f"<dt>{''.join(f'<kbd>{escape(key)}</kbd> ' for key in keys)}</dt>"
        f"<dd>{escape(texts(f'shortcut_{name}'))}</dd>"
        for name, keys in SHORTCUTS.items()
    )
    return (
        f'<dialog class="bf-dialog" id="bf-shortcuts" '
        f'aria-labelledby="bf-shortcuts-title"><h2 id="bf-shortcuts-title">'
        f"{escape(texts('shortcuts'))}</h2><dl>{rows}</dl></dialog>"
    )


def _coverage(status: ArchiveStatus, days: Mapping[str, Mapping[date, int]], texts: Texts) -> str:
    """Return what the archive covers, which expands to a calendar and the publishers."""
    if not status.articles:
        return f'<p class="bf-coverage">{escape(texts("empty_archive"))}</p>'
    ends = [texts.short_day(day) for day in (status.first, status.last) if day]
    parts = [texts("articles", count=status.articles), "–".join(dict.fromkeys(ends))]
    line = " · ".join(filter(None, parts))
    updated = (
        texts("last_ingest", day=texts.moment(status.last_ingest)) if status.last_ingest else ""
    )
    return (
        f'<details class="bf-coverage"><summary dir="auto">{escape(line)}</summary>'
        f'<div class="bf-panel" tabindex="0">{calendar_html(days, CALENDAR_ROWS, texts)}'
        f"{_table(status.publishers[:MOST_PUBLISHERS], texts)}"
        f"{paragraph(escape(updated), 'bf-quiet')}</div></details>"
    )


def _table(publishers: tuple[PublisherStatus, ...], texts: Texts) -> str:
    heads = "".join(
        f'<th scope="col">{escape(texts(key))}</th>'
        for key in ("publisher", "article_count", "first_day", "last_day")
    )
    rows = "".join(
        f'<tr><th scope="row" dir="auto">{escape(p.name or texts("no_publisher"))}</th>'
        f"<td>{escape(texts.number(p.articles))}</td>"
        f"<td>{escape_line(texts.day(p.first))}</td><td>{escape_line(texts.day(p.last))}</td></tr>"
        for p in publishers
    )
    caption = escape(texts("coverage"))
    return (
        f"<table><caption>{caption}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )
