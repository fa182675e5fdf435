"""Layout and event handlers of the feeds, for those who may change the archive."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from ingest.feed_reading import allowed_hosts, check_url, feeds_of, log_change
from rag.errors import BackfileError
from rag.settings import Settings
from rag.store.feeds import Feed, FeedStore
from ui.i18n import Texts, error_text
from ui.ingest_job import IngestResult, ingest_upload
from ui.web import input_validation
from ui.web.asset_files import read_asset
from ui.web.components import ADMIN_EVENT, QUEUED_EVENT, FeedControls
from ui.web.events.admin import client_of, report_html, require_write_access, until_stopped
from ui.web.feed_job import read_now
from ui.web.labels import i18n
from ui.web.places import html_place
from ui.web.running_ingests import RunningIngests
from ui.web.state import Session
from ui.web.updates import PageUpdates, Updates
from ui.web.views.feeds import DAY, HOUR, INTERVALS, feeds_html
from ui.web.views.markup import escape
from ui.web.views.status import failure, ingest_html, note

CHOICES = (
    ("every_choice_hourly", HOUR),
    ("every_choice_6h", 6 * HOUR),
    ("every_choice_daily", DAY),
    ("every_by_hand", 0),
)


def lay_out_feeds() -> FeedControls:
    """Create the feeds, inside the column that is open."""
    with gr.Column(elem_id="bf-feeding"):
        heading = html_place("bf-feeds-head")
        listed = html_place("bf-feeds", read_asset("feeds.js"))
        url = gr.Textbox(
            label=i18n("feed_url"), max_length=2000, max_lines=1, elem_id="bf-feed-url"
        )
        every = gr.Radio(
            [(i18n(key), str(seconds)) for key, seconds in CHOICES],
            value=str(HOUR),
            label=i18n("feed_schedule"),
            elem_id="bf-feed-every",
        )
        with gr.Row():
            preview = gr.Button(
                i18n("feed_check"), size="sm", min_width=90, elem_id="bf-preview-feed"
            )
            add = gr.Button(
                i18n("feed_add"), size="sm", variant="primary", min_width=90, elem_id="bf-add-feed"
            )
            stop = gr.Button(
                i18n("add_stop"), size="sm", min_width=60, visible=False, elem_id="bf-stop-feed"
            )
        report = html_place("bf-feed-report")
    return FeedControls(heading, listed, url, every, preview, add, stop, report)


@dataclass(frozen=True, slots=True)
class FeedHandlers:
    """Event handlers of the feeds; each one checks authorization again.

    Attributes:
        page: The page's components and their updates.
        settings: Settings for fetching and for changes to the archive.
        running: The reads in progress.
    """

    page: PageUpdates
    settings: Settings
    running: RunningIngests = field(default_factory=RunningIngests)

    @property
    def on(self) -> FeedControls:
        """The components."""
        return self.page.on.archive.feeds

    @property
    def feeds(self) -> FeedStore:
        """The feeds of the archive."""
        return feeds_of(self.page.view.whole_archive.home)

    def add(
        self, session: Session, url: str | None, every: str | None, request: gr.Request
    ) -> Updates:
        """Add a feed; one with a schedule is read by the server within a minute."""
        texts = require_write_access(session, request)
        try:
            checked = check_url(url or "", allowed_hosts(self.settings))
            seconds = dict(zip(map(str, INTERVALS), INTERVALS, strict=True)).get(every or "", HOUR)
            feed = self.feeds.add(checked, every=seconds, creator=client_of(request))
        except BackfileError as error:
            return {
                **show_feeds(self.page, texts),
                self.on.report: failure(error_text(error, texts)),
            }
        log_change("added", feed, client_of(request))
        self.page.view.record("ingest", feed=feed.url, decision="add")
        done = texts("feed_added" if seconds else "feed_added_by_hand")
        return {**show_feeds(self.page, texts), self.on.report: note(done), self.on.url: ""}

    def preview(self, session: Session, url: str | None, request: gr.Request) -> Iterator[Updates]:
        """Show what a feed would add."""
        texts = require_write_access(session, request)
        try:
            checked = check_url(url or "", allowed_hosts(self.settings))
        except BackfileError as error:
            yield {self.on.report: failure(error_text(error, texts))}
            return
        found = ingest_upload(
            self.page.view.whole_archive, self.settings, [], [checked], preview=True
        )
        yield from self._follow(found, texts, request, preview=True)

    def read(
        self, session: Session, pressed: gr.EventData, request: gr.Request
    ) -> Iterator[Updates]:
        """Read a feed now."""
        texts = require_write_access(session, request)
        wanted = input_validation.read(input_validation.FeedAction, pressed._data)
        if wanted is None:
            yield self.page.no_change()
            return
        by = client_of(request)
        self.page.view.record("ingest", feed=wanted.id, decision="read")
        found = read_now(self.page.view.whole_archive, self.settings, wanted.id, by)
        yield from self._follow(found, texts, request, preview=False)

    def act(self, session: Session, pressed: gr.EventData, request: gr.Request) -> Updates:
        """Schedule, pause, resume or remove a feed, or undo its removal."""
        texts = require_write_access(session, request)
        wanted = input_validation.read(input_validation.FeedAction, pressed._data)
        if wanted is None:
            return self.page.no_change()
        try:
            feed = self._change(wanted)
        except BackfileError as error:
            gr.Warning(escape(error_text(error, texts)))
        else:
            log_change(wanted.action, feed, client_of(request))
            self.page.view.record("ingest", feed=feed.url, decision=wanted.action)
        return show_feeds(self.page, texts)

    def stop(self, session: Session, request: gr.Request) -> None:
        """Stop the session's read, which then shows its end itself; its articles so far stay."""
        require_write_access(session, request)
        self.running.stop(request.session_hash)

    def _change(self, wanted: input_validation.FeedAction) -> Feed:
        feeds = self.feeds
        match wanted.action:
            case "schedule":
                return feeds.schedule(wanted.id, wanted.every)
            case "remove":
                return feeds.remove(wanted.id)
            case "restore":
                return feeds.restore(wanted.id)
            case _:
                return feeds.pause(wanted.id, is_paused=wanted.action == "pause")

    def _follow(
        self,
        progress: Generator[IngestResult, None, None],
        texts: Texts,
        request: gr.Request,
        *,
        preview: bool,
    ) -> Iterator[Updates]:
        """Show the progress of a read, then what came of it."""
        result = IngestResult()
        with self.running.begin(request.session_hash) as stop:
            yield {**self._show_busy(is_busy=True), self.on.report: ingest_html(result, texts)}
            for result in until_stopped(progress, stop):
                yield {self.on.report: ingest_html(result, texts, preview=preview)}
            is_stopped = stop.is_set()
        yield {
            **show_feeds(self.page, texts),
            **self._show_busy(is_busy=False),
            **self.page.show_coverage(texts, may_write=True),
            self.on.report: report_html(result, texts, is_stopped=is_stopped, preview=preview),
        }

    def _show_busy(self, *, is_busy: bool) -> Updates:
        return {
            self.on.preview: gr.Button(interactive=not is_busy),
            self.on.stop: gr.Button(visible=is_busy),
        }


def wire_feeds(page: PageUpdates, settings: Settings) -> list[Any]:
    """Register the event handlers.

    Returns:
        The events that change the archive.
    """
    on, session, handlers = page.on.archive.feeds, page.on.session, FeedHandlers(page, settings)
    shown = [session, on.heading, on.listed, on.report]
    ended = [*shown, on.preview, on.stop, *page.coverage_components]
    for event in (on.add.click, on.url.submit):
        event(handlers.add, [session, on.url, on.every], [*shown, on.url], **ADMIN_EVENT)
    on.listed.act(handlers.act, session, shown, **ADMIN_EVENT, trigger_mode="multiple")
    on.preview.click(handlers.preview, [session, on.url], ended, **ADMIN_EVENT)
    reading = on.listed.read(handlers.read, session, ended, **ADMIN_EVENT)
    on.stop.click(handlers.stop, session, **QUEUED_EVENT)
    return [reading]


def show_feeds(page: PageUpdates, texts: Texts) -> Updates:
    """Show the feeds.

    Args:
        page: The page's components and their updates.
        texts: Language of the labels.
    """
    on, feeds = page.on.archive.feeds, feeds_of(page.view.whole_archive.home)
    heading = f'<h2 tabindex="-1">{escape(texts("feeds"))}</h2>'
    try:
        listed = feeds_html(feeds.all(), feeds.all(deleted=True), texts)
    except BackfileError as error:
        listed = failure(error_text(error, texts))
    return {on.heading: heading, on.listed: listed}
