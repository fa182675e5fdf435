"""Stopping an ingest on the page: what the reader sees last, and who can stop what."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path

import fastapi
import gradio as gr
import pytest

from rag.archive.archive import Archive
from rag.settings import Settings
from tests.support.fakes import WordEmbeddings, small_archive
from tests.web.page_events import page_of, shown
from ui.web.events.admin import _add_articles, _stop_adding
from ui.web.events.feeds import FeedHandlers
from ui.web.running_ingests import RunningIngests
from ui.web.state import Session
from ui.web.updates import PageUpdates

STORY = "The ferry of Tarn was closed on Monday, its owner said. "
STOPPED = "Stopped. Articles added so far stay in the archive."


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    small_archive(tmp_path / "archive").close()
    with Archive.open(tmp_path / "archive", embeddings=WordEmbeddings()) as opened:
        yield opened


@pytest.fixture
def page(archive: Archive) -> PageUpdates:
    return page_of(archive)


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    """A file of more articles than a few batches."""
    lines = [
        {"url": f"https://ferry.example/{n}", "text": f"{n} {STORY * 3}"} for n in range(3_000)
    ]
    path = tmp_path / "many.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def editor(session: str) -> gr.Request:
    scope = {"type": "http", "headers": [], "state": {"may_write": True}}
    return gr.Request(fastapi.Request(scope), session_hash=session)


def test_stop_is_shown_last_and_keeps_the_upload(page: PageUpdates, upload: Path) -> None:
    running = RunningIngests()
    adding = _add_articles(page, Settings(), running)(Session(), [str(upload)], "", editor("one"))
    assert shown(next(adding))["bf-stop"].visible
    assert "<progress" in shown(next(adding))["bf-told"]
    stop = _stop_adding(running)
    assert stop(Session(), editor("one")) is None  # a message of its own could come too early
    *_, last = (shown(one) for one in adding)
    assert STOPPED in html.unescape(last["bf-told"])
    assert "<progress" not in last["bf-told"]
    assert not last["bf-stop"].visible
    assert "bf-files" not in last
    assert upload.exists()


def test_stop_is_for_the_session_alone(page: PageUpdates, upload: Path) -> None:
    running = RunningIngests()
    adding = _add_articles(page, Settings(), running)(Session(), [str(upload)], "", editor("one"))
    next(adding)
    for other in ("two", "", None):
        running.stop(other)
    assert "<progress" in shown(next(adding))["bf-told"]
    running.stop("one")
    *_, last = (shown(one) for one in adding)
    assert STOPPED in html.unescape(last["bf-told"])
    running.stop("one")  # nothing runs any more
    again = _add_articles(page, Settings(), running)(Session(), None, "", editor("one"))
    assert STOPPED not in str(list(again))


def test_feed_read_that_is_stopped_says_so_last(page: PageUpdates) -> None:
    handlers = FeedHandlers(page, Settings(fetch_allow="127.0.0.1", fetch_delay=30.0))
    reading = handlers.preview(Session(), "http://127.0.0.1:9/feed.xml", editor("one"))
    next(reading)
    handlers.stop(Session(), editor("one"))
    *_, last = (shown(one) for one in reading)
    assert STOPPED in html.unescape(last["bf-feed-report"])
    assert not last["bf-stop-feed"].visible
