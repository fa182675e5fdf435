"""Feeds on the page, without a browser: adding, previews, schedules, reading, access."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from ingest.feed_reading import feeds_of
from rag.archive.archive import Archive
from rag.settings import Settings
from rag.store.feeds import Feed
from rag.store.ingest_log import IngestRun
from tests.support.fakes import WordEmbeddings, small_archive
from tests.web.page_events import event, page_of, sender, shown
from ui.i18n import texts_in
from ui.web.events.feeds import FeedHandlers
from ui.web.state import Session
from ui.web.updates import PageUpdates
from ui.web.views.archive import log_html
from ui.web.views.feeds import feeds_html, interval_text

pytestmark = pytest.mark.slow

URL = "https://203.0.113.9/feed"  # an address, so that no name is looked up
EVIL = "<img src=x onerror=window.pwned=1> ${window.pwned=2} {{1}} \u202egnp.exe\u2066 [1]"
NOW = datetime(2024, 11, 2, 9, 30, tzinfo=UTC)
ALLOWED = Settings(fetch_allow="203.0.113.9")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with small_archive(tmp_path / "archive") as opened:
        yield opened


@pytest.fixture
def page(archive: Archive) -> PageUpdates:
    return page_of(archive)


def add(page: PageUpdates, url: str, every: str = "3600", settings: Settings = ALLOWED) -> str:
    updates = FeedHandlers(page, settings).add(Session(), url, every, sender())
    return html.unescape(str(shown(updates)["bf-feed-report"]))


def act(page: PageUpdates, **data: Any) -> dict[str, str]:
    updates = shown(FeedHandlers(page, ALLOWED).act(Session(), event(**data), sender()))
    return {name: html.unescape(str(value)) for name, value in updates.items()}


def test_feed_is_added_with_a_schedule(archive: Archive, page: PageUpdates) -> None:
    assert "within a minute" in add(page, URL, "21600")
    (feed,) = feeds_of(archive.path).all()
    assert (feed.url, feed.every) == (URL, 21_600)
    assert "already among the feeds" in add(page, URL)
    assert "Read now" in add(page, f"{URL}2", "0")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        *(("", "not an address"), ("gull.example", "needs http:// or https://")),
        *(("http://127.0.0.1/", "private address"), ("http://user:x@203.0.113.9/", "password")),
        ("http://[::1]:8000/feed", "private address"),
    ],
)
def test_address_that_may_not_be_fetched_is_refused(
    archive: Archive, page: PageUpdates, url: str, why: str
) -> None:
    assert why in add(page, url)
    assert feeds_of(archive.path).all() == ()
    (report,) = FeedHandlers(page, ALLOWED).preview(Session(), url, sender())
    assert why in html.unescape(str(shown(report)["bf-feed-report"]))


def test_interval_that_the_page_does_not_offer_is_hourly(
    archive: Archive, page: PageUpdates
) -> None:
    add(page, URL, "1")
    assert feeds_of(archive.path).get(URL).every == 3600


def test_feed_is_scheduled_paused_removed_and_restored(archive: Archive, page: PageUpdates) -> None:
    add(page, URL)
    feeds = feeds_of(archive.path)
    (feed,) = feeds.all()
    act(page, action="schedule", id=feed.id, every=86_400)
    assert feeds.get(URL).every == 86_400
    assert "Paused." in act(page, action="pause", id=feed.id)["bf-feeds"]
    assert "Next read" in act(page, action="resume", id=feed.id)["bf-feeds"]
    assert f"Removed: {URL}" in act(page, action="remove", id=feed.id)["bf-feeds"]
    assert feeds.all() == ()
    act(page, action="restore", id=feed.id)
    assert feeds.get(URL).every == 86_400
    with pytest.warns(UserWarning, match="interval"):
        act(page, action="schedule", id=feed.id, every=5)
    with pytest.warns(UserWarning, match="No feed"):
        act(page, action="pause", id="f" * 16)


def test_reading_now_says_what_failed(archive: Archive, page: PageUpdates) -> None:
    add(page, URL)
    (feed,) = feeds_of(archive.path).all()
    with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()):
        *_, last = FeedHandlers(page, ALLOWED).read(
            Session(), event(action="read", id=feed.id), sender()
        )
    assert "is being written to by process" in html.unescape(shown(last)["bf-feed-report"])
    assert feeds_of(archive.path).get(feed.id).failures == 0  # it was not asked


@pytest.mark.parametrize(
    "data", [None, {}, {"action": "erase", "id": "x"}, {"action": "read", "id": "../x"}]
)
def test_event_of_another_shape_is_ignored(page: PageUpdates, data: Any) -> None:
    handlers, sent = FeedHandlers(page, ALLOWED), gr.EventData(None, data)
    assert shown(handlers.act(Session(), sent, sender())) == {}
    assert [shown(one) for one in handlers.read(Session(), sent, sender())] == [{}]


def test_every_handler_needs_write_access(archive: Archive, page: PageUpdates) -> None:
    handlers, nobody = FeedHandlers(page, ALLOWED), sender(may_write=False)
    sent = event(action="remove", id="f" * 16)
    for handle in (
        lambda: handlers.add(Session(), URL, "3600", nobody),
        lambda: next(handlers.preview(Session(), URL, nobody)),
        lambda: next(handlers.read(Session(), sent, nobody)),
        lambda: handlers.act(Session(), sent, nobody),
        lambda: handlers.stop(Session(), nobody),
    ):
        with pytest.raises(gr.Error, match="You do not have permission"):
            handle()
    assert feeds_of(archive.path).all() == ()


@pytest.mark.parametrize("language", ["en", "de"])
def test_hostile_text_is_shown_as_text(language: str) -> None:
    texts = texts_in(language)
    feed = Feed("f" * 16, EVIL, 300, False, NOW, EVIL, NOW, NOW, {"new": 1}, EVIL, 3)
    page = feeds_html([feed], [feed], texts)
    run = IngestRun(1, NOW, NOW, {"by": EVIL, "sources": [f"https://x.example/{EVIL}"]})
    for found in (page, log_html([run], [], {}, texts)):
        assert not re.search(r"<(?:img|script)|\$\{|\{\{|\u202e|data-id=\"[^\"]*['<]", found)


def test_feed_says_what_came_of_it() -> None:
    counts = {"new": 3, "changed": 0, "unchanged": 4, "rejected": 1}
    feed = Feed("f" * 16, URL, 5400, False, NOW, "command", NOW, NOW, counts, "", 0)
    english = texts_in("en")
    read = html.unescape(feeds_html([feed], [], english))
    assert "3 new, 0 changed, 4 unchanged, 1 rejected" in read
    assert "Every 90 minutes" in read
    failed = html.unescape(feeds_html([replace(feed, error="HTTP 503", failures=2)], [], english))
    assert "Could not be read 2 times in a row: HTTP 503" in failed


def test_intervals_are_words_in_each_language() -> None:
    for language, expected in (("en", "Every 6 hours"), ("de", "Alle 6 Stunden")):
        assert interval_text(21_600, texts_in(language)) == expected


def test_log_says_who_started_a_run() -> None:
    runs = [
        IngestRun(n, NOW, NOW, {"new": 1, "by": by, "sources": [URL]})
        for n, by in enumerate(("schedule", "command", "192.0.2.7"))
    ]
    page = html.unescape(log_html(runs, [], {}, texts_in("en")))
    for words in (f"schedule · {URL}", "command line", "from 192.0.2.7"):
        assert words in page
