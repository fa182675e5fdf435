"""Layout and event handlers of the table of articles, for those who may change the archive."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from rag.archive.browse import BrowsePage
from rag.errors import BackfileError
from rag.schema import ALL_RIGHTS
from rag.settings import Settings
from rag.store.withdrawals import Withdrawals
from ui.i18n import Texts, error_text
from ui.ingest_job import find_ids, reinstate_articles
from ui.web import input_validation
from ui.web.asset_files import read_asset
from ui.web.browse_request import LONGEST_WORDS
from ui.web.components import ADMIN_EVENT, ArticleTable
from ui.web.events.admin import require_write_access
from ui.web.labels import i18n
from ui.web.places import html_place
from ui.web.state import Session
from ui.web.table_request import ROWS, TableRequest
from ui.web.updates import PageUpdates, Updates
from ui.web.views.article_table import table_heading_html, table_html, withdrawn_html
from ui.web.views.markup import escape
from ui.web.views.status import failure


def lay_out_table(session_seconds: int) -> ArticleTable:
    """Create the table, inside the column that is open.

    Args:
        session_seconds: Lifetime of its state on the server.
    """
    asked = gr.State(TableRequest(), time_to_live=session_seconds)
    script = read_asset("articles.js")
    with gr.Column(elem_id="bf-table"):
        heading = html_place("bf-table-head", script)
        words = gr.Textbox(
            label=i18n("table_words"),
            show_label=False,
            container=False,
            placeholder=i18n("table_words"),
            max_length=LONGEST_WORDS,
            max_lines=1,
            elem_id="bf-table-words",
            submit_btn=str(i18n("browse_search")),
        )
        rows = html_place("bf-articles", script)
    return ArticleTable(asked, heading, words, rows)


@dataclass(frozen=True, slots=True)
class TableHandlers:
    """Event handlers of the table; each one checks authorization again.

    Attributes:
        page: The page's components and their updates.
        settings: Settings for changes to the archive.
    """

    page: PageUpdates
    settings: Settings

    def search(
        self, session: Session, asked: TableRequest, words: str | None, request: gr.Request
    ) -> Updates:
        """Show the articles that have the words, or the one with this address or id."""
        texts = require_write_access(session, request)
        return show_table(self.page, asked.search(words or ""), texts)

    def change(
        self, session: Session, asked: TableRequest, pressed: gr.EventData, request: gr.Request
    ) -> Updates:
        """Filter, sort or turn the page."""
        texts = require_write_access(session, request)
        wanted = input_validation.read(input_validation.TableAction, pressed._data)
        if wanted is None:
            return self.page.no_change()
        match wanted.action:
            case "filter":
                asked = asked.choose(wanted.facet, wanted.value)
            case "sort":
                asked = asked.sort(wanted.value)
            case "page":
                asked = asked.show_page(wanted.page)
            case "clear":
                asked = asked.clear()
            case "current" | "withdrawn":
                asked = asked.show_withdrawn(is_withdrawn=wanted.action == "withdrawn")
        return show_table(self.page, asked, texts)

    def reinstate(
        self, session: Session, asked: TableRequest, pressed: gr.EventData, request: gr.Request
    ) -> Updates:
        """Undo withdrawals: those that are named, or the last ones of this session."""
        texts = require_write_access(session, request)
        wanted = input_validation.read(input_validation.ArticleIds, pressed._data)
        ids = wanted.ids if wanted else ()
        if wanted is None or not (ids or asked.undoable):
            return self.page.no_change()
        try:
            count = reinstate_articles(
                self.page.view.whole_archive, self.settings, ids or asked.undoable
            )
        except BackfileError as error:
            gr.Warning(escape(error_text(error, texts)))
            return self.page.no_change()
        if count:
            self.page.view.record("reinstate", articles=" ".join(ids or asked.undoable))
            gr.Info(texts("reinstated_articles", count=count), duration=5)
        else:
            gr.Warning(texts("not_there_any_more"))
        return {
            **show_table(self.page, replace(asked, undoable=()), texts),
            **self.page.show_coverage(texts, may_write=True),
        }


def wire_table(page: PageUpdates, settings: Settings) -> Any:
    """Register the event handlers, but for the withdrawal's.

    Args:
        page: The page's components and their updates.
        settings: Settings for changes to the archive.

    Returns:
        The event that changes the archive.
    """
    on, table, handlers = page.on, page.on.archive.table, TableHandlers(page, settings)
    inputs = [on.session, table.asked]
    shown = [on.session, *table.parts]
    table.words.submit(handlers.search, [*inputs, table.words], shown, **ADMIN_EVENT)
    for place in (table.heading, table.rows):
        place.change_list(handlers.change, inputs, shown, **ADMIN_EVENT, trigger_mode="multiple")
    return table.rows.reinstate(
        handlers.reinstate, inputs, [*shown, *page.coverage_components], **ADMIN_EVENT
    )


def show_table(page: PageUpdates, asked: TableRequest, texts: Texts) -> Updates:
    """Show what is asked for; the last page if there are fewer than that.

    Args:
        page: The page's components and their updates.
        asked: The request.
        texts: Language of the labels.
    """
    table = page.on.archive.table
    try:
        shown = _withdrawn if asked.is_withdrawn else _current
        asked, rows = shown(page, asked, texts)
    except BackfileError as error:
        rows = failure(error_text(error, texts))
    return {
        table.asked: asked,
        table.heading: table_heading_html(asked, texts),
        table.words: asked.matching.words,
        table.rows: rows,
    }


def _current(page: PageUpdates, asked: TableRequest, texts: Texts) -> tuple[TableRequest, str]:
    found = _named(page, asked.matching.words) or _matching(page, asked)
    if asked.page and not found.articles:
        asked = replace(asked, page=max(0, (found.total - 1) // ROWS))
        found = _matching(page, asked)
    return asked, table_html(found, asked, texts)


def _named(page: PageUpdates, name: str) -> BrowsePage | None:
    """Return the articles with this address or id, if there are any."""
    if not name or len(name.split()) > 1:
        return None
    articles = [
        article.metadata
        for article_id in find_ids(page.view.whole_archive, name)[:ROWS]
        if (article := page.view.whole_archive.article(article_id, access=ALL_RIGHTS))
    ]
    return BrowsePage(tuple(articles), len(articles)) if articles else None


def _matching(page: PageUpdates, asked: TableRequest) -> BrowsePage:
    return page.view.whole_archive.browse_table(
        asked.matching.words,
        filters=replace(asked.matching.filters, access=ALL_RIGHTS),
        order=asked.order,
        offset=asked.offset,
        limit=ROWS,
    )


def _withdrawn(page: PageUpdates, asked: TableRequest, texts: Texts) -> tuple[TableRequest, str]:
    withdrawals = Withdrawals(page.view.whole_archive.store)
    words = asked.matching.words
    found, total = withdrawals.page(words, offset=asked.offset, limit=ROWS)
    if asked.page and not found:
        asked = replace(asked, page=max(0, (total - 1) // ROWS))
        found, total = withdrawals.page(words, offset=asked.offset, limit=ROWS)
    titles = withdrawals.last_titles(one.article_id for one in found if not one.erased)
    return asked, withdrawn_html(found, total, titles, asked, texts)
