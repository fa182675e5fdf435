"""Layout and event handlers of the view of the archive, for those who may change it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gradio as gr

from rag.archive.stats import daily_counts
from rag.errors import BackfileError
from rag.settings import Settings
from rag.store.held_changes import HeldChanges
from rag.store.ingest_log import RejectLog, RunLog
from rag.store.withdrawals import Withdrawals
from ui.i18n import Texts, error_text, texts_in
from ui.ingest_job import settle_held_change
from ui.web import input_validation
from ui.web.asset_files import read_asset
from ui.web.components import ADMIN_EVENT, ArchiveView
from ui.web.events.admin import lay_out_ingest, may_write, require_write_access
from ui.web.events.article_table import lay_out_table, show_table, wire_table
from ui.web.events.feeds import lay_out_feeds, show_feeds, wire_feeds
from ui.web.places import html_place
from ui.web.state import Session
from ui.web.table_request import FIRST_PAGE, TableRequest
from ui.web.updates import PageUpdates, Updates
from ui.web.views.archive import coverage_html, heading_html, log_html, pending_html
from ui.web.views.markup import escape

MOST_ENTRIES = 100  # of the log, and of rejected inputs
ACT_JS = read_asset("archive.js")


def lay_out_archive(session_seconds: int) -> ArchiveView:
    """Create the view, inside the column that is open.

    Args:
        session_seconds: Lifetime of its state on the server.
    """
    with gr.Column(elem_id="bf-archive", elem_classes="bf-view"):
        heading = html_place("bf-first")
        ingest = lay_out_ingest()
        feeds = lay_out_feeds()
        table = lay_out_table(session_seconds)
        pending = html_place("bf-pending", ACT_JS)
        coverage = html_place("bf-coverage-calendar")
        log = html_place("bf-log")
    return ArchiveView(heading, ingest, feeds, table, pending, coverage, log)


def wire_archive(page: PageUpdates, settings: Settings, changes: Iterable[Any]) -> None:
    """Register the event handlers; each one checks authorization again.

    Args:
        page: The page's components and their updates.
        settings: Settings for changes to the archive.
        changes: The events that change the archive, after which the view is shown again.
    """
    view = page.on.archive

    def act(
        session: Session, asked: TableRequest, pressed: gr.EventData, request: gr.Request
    ) -> Updates:
        texts = require_write_access(session, request)
        wanted = input_validation.read(input_validation.ArchiveAction, pressed._data)
        if wanted is None:
            return page.no_change()
        try:
            warning = _settle(page, settings, wanted)
        except BackfileError as error:
            gr.Warning(escape(error_text(error, texts)))
            return page.no_change()
        page.view.record("ingest", articles=wanted.id, decision=wanted.action)
        if warning:
            gr.Warning(texts(warning))
        return {**show_archive(page, texts, asked), **page.show_coverage(texts, may_write=True)}

    table, feeds = view.table, view.feeds
    shown: list[Any] = [view.heading, view.pending, view.coverage, view.log]
    shown += [*table.parts, feeds.heading, feeds.listed]
    inputs = [page.on.session, table.asked]
    view.pending.act(
        act,
        inputs,
        [page.on.session, *shown, *page.coverage_components],
        **ADMIN_EVENT,
        trigger_mode="multiple",
    )

    def open_view(session: Session, asked: TableRequest, request: gr.Request) -> Updates:
        if not may_write(request):
            return page.no_change()
        return show_archive(page, texts_in(session.language), asked)

    outputs = [page.on.session, *shown]
    page.on.banner.archive(open_view, inputs, outputs, **ADMIN_EVENT)
    changing = [*changes, *wire_feeds(page, settings), wire_table(page, settings)]
    for changed in changing:
        changed.then(open_view, inputs, outputs, **ADMIN_EVENT)


def _settle(
    page: PageUpdates, settings: Settings, wanted: input_validation.ArchiveAction
) -> str | None:
    """Decide about a held change; return the key of a warning, if any."""
    accept = wanted.action == "accept"
    settled = settle_held_change(page.view.whole_archive, settings, wanted.id, accept=accept)
    return {"done": None, "gone": "not_there_any_more", "kept out": "kept_out"}[settled]


def show_archive(page: PageUpdates, texts: Texts, asked: TableRequest = FIRST_PAGE) -> Updates:
    """Show the feeds, the articles, what waits, what was done, and what the archive covers.

    Args:
        page: The page's components and their updates.
        texts: Language of the labels.
        asked: What the table of articles shows.
    """
    view, database = page.on.archive, page.view.whole_archive.store.database
    withdrawals = Withdrawals(page.view.whole_archive.store)
    recent = withdrawals.recent(MOST_ENTRIES)
    titles = withdrawals.last_titles(one.article_id for one in recent if not one.erased)
    held = sorted(HeldChanges(database).all(), key=lambda one: one.at, reverse=True)
    rejected = sorted(RejectLog(database).all(), key=lambda one: one.at, reverse=True)
    runs = RunLog(database).recent(MOST_ENTRIES)
    is_empty = not page.summary.status.articles
    return {
        **show_feeds(page, texts),
        **show_table(page, asked, texts),
        view.heading: heading_html(texts, is_empty=is_empty),
        view.pending: pending_html(held, rejected, texts, most=MOST_ENTRIES),
        view.coverage: coverage_html(daily_counts(database), texts),
        view.log: log_html(runs, recent, titles, texts),
    }
