"""The view of the archive, without a browser: decisions, the log, the calendar, previews."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from threading import Event, Thread
from typing import Any

import gradio as gr
import pytest

from rag.archive.archive import Archive
from rag.schema import Article
from rag.settings import Settings
from rag.store.held_changes import HeldChange, HeldChanges
from rag.store.ingest_log import IngestRun, RejectedInput, RejectLog, RunLog
from rag.store.withdrawals import Withdrawal
from tests.support.fakes import ARTICLES, HARBOUR, WordEmbeddings, as_json, small_archive
from tests.web.page_events import event, page_of, sender, shown
from ui import ingest_job
from ui.i18n import texts_in
from ui.ingest_job import (
    IngestResult,
    ingest_upload,
    reinstate_articles,
    settle_held_change,
    withdraw_articles,
)
from ui.web.events.archive import show_archive, wire_archive
from ui.web.state import Session
from ui.web.table_request import FIRST_PAGE
from ui.web.updates import PageUpdates
from ui.web.views.archive import coverage_html, heading_html, log_html, pending_html
from ui.web.views.status import ingest_html

pytestmark = pytest.mark.slow

NOW = datetime(2024, 11, 2, 9, 30, tzinfo=UTC)
FERRY = {"id": "ferry.example/1", "title": "Ferry sinks", "text": "The ferry sank on Tuesday."}
EVIL = "<img src=x onerror=window.pwned=1> ${window.pwned=2} {{1}} \u202egnp.exe\u2066 [1]"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with small_archive(tmp_path / "archive") as opened:
        yield opened


@pytest.fixture
def page(archive: Archive) -> PageUpdates:
    return page_of(archive)


def writer_of(archive: Archive) -> Archive:
    return Archive.open(archive.path, mode="write", embeddings=WordEmbeddings())


def hold(archive: Archive, content: dict[str, Any], **given: Any) -> str:
    """Hold an article that another host sent; return the id of the change."""
    usual: dict[str, Any] = {
        "id": "f" * 32,
        "place": "https://other.example/feed",
        "source": "https://other.example/feed",
        "reason": "another publisher's page",
        "at": NOW,
        "action": "put",
        "article_id": content["id"],
        "origin": "other.example",
        "content": json.dumps(content),
    }
    change = HeldChange(**{**usual, **given})
    with writer_of(archive) as writer:
        database = writer.store.database
        HeldChanges(database).save(change)
        rejected = RejectedInput(change.place, change.source, change.reason, NOW)
        RejectLog(database).save([rejected])
    return change.id


def act(page: PageUpdates, **data: str) -> dict[str, str]:
    """Press a button of the view, as an editor; return what is shown then."""
    updates = shown(handler(page)(Session(), FIRST_PAGE, event(**data), sender()))
    return {name: html.unescape(str(value)) for name, value in updates.items()}


def handler(page: PageUpdates) -> Any:
    with gr.Blocks(analytics_enabled=False) as blocks:
        fresh = page_of(page.archive)
        wire_archive(fresh, Settings(), [])
    (found,) = {
        fn.fn
        for fn in blocks.fns.values()
        if getattr(fn.fn, "__qualname__", "") == "wire_archive.<locals>.act"
    }
    return found


# Decisions


def test_held_article_is_let_in(archive: Archive, page: PageUpdates) -> None:
    held = hold(archive, FERRY)
    waiting = html.unescape(shown(show_archive(page, texts_in("en")))["bf-pending"])
    assert waiting.count("https://other.example/feed</b>") == 1  # not as a rejected one too
    after = act(page, action="accept", id=held)
    assert "Nothing waits for a decision." in after["bf-pending"]
    assert archive.article(FERRY["id"]) is not None
    with pytest.warns(UserWarning, match="no longer there"):
        act(page, action="accept", id=held)


def test_held_article_is_discarded(archive: Archive, page: PageUpdates) -> None:
    held = hold(archive, FERRY)
    act(page, action="discard", id=held)
    assert archive.article(FERRY["id"]) is None
    assert HeldChanges(archive.store.database).all() == []
    assert RejectLog(archive.store.database).all() == []


def test_held_article_that_is_withdrawn_stays_out(archive: Archive, page: PageUpdates) -> None:
    held = hold(archive, {**FERRY, "id": HARBOUR.id})
    withdraw_articles(archive, Settings(), [HARBOUR.id], "a ruling")
    with pytest.warns(UserWarning, match="has been withdrawn"):
        act(page, action="accept", id=held)
    assert archive.article(HARBOUR.id) is None


def test_log_names_withdrawals_without_undo(archive: Archive, page: PageUpdates) -> None:
    withdraw_articles(archive, Settings(), [HARBOUR.id], "a ruling")
    log = html.unescape(shown(show_archive(page, texts_in("en")))["bf-log"])
    assert f"<b>{HARBOUR.title}</b>: a ruling" in log
    assert "<button" not in log  # the table of articles has it, for several at once
    assert reinstate_articles(archive, Settings(), [HARBOUR.id]) == 1
    assert archive.article(HARBOUR.id) is not None
    assert reinstate_articles(archive, Settings(), [HARBOUR.id]) == 0


def test_decision_waits_for_another_writer(archive: Archive, page: PageUpdates) -> None:
    held = hold(archive, FERRY)
    with writer_of(archive), pytest.warns(UserWarning, match="is being written to by process"):
        assert act(page, action="accept", id=held) == {}
    assert settle_held_change(archive, Settings(), held, accept=True) == "done"


@pytest.mark.parametrize("data", [None, {}, {"action": "erase", "id": "x"}, {"action": "accept"}])
def test_event_of_another_shape_is_ignored(page: PageUpdates, data: Any) -> None:
    assert shown(handler(page)(Session(), FIRST_PAGE, gr.EventData(None, data), sender())) == {}


def test_decision_needs_write_access(page: PageUpdates) -> None:
    with pytest.raises(gr.Error, match="You do not have permission"):
        handler(page)(
            Session(), FIRST_PAGE, event(action="accept", id="x"), sender(may_write=False)
        )


# Previews and uploads


def dump(folder: Path, name: str, *lines: object) -> Path:
    path = folder / name
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def state(archive: Archive) -> tuple[Any, ...]:
    """Return what a preview must leave as it is."""
    database = archive.store.database
    ids = [FERRY["id"], *(article.id for article in ARTICLES)]
    log = (RejectLog(database).all(), RunLog(database).recent(9), HeldChanges(database).all())
    return database.sequence(), archive.content_hashes(ids), log


def test_preview_writes_nothing_and_keeps_the_upload(archive: Archive, tmp_path: Path) -> None:
    before = state(archive)
    changed = {**as_json(HARBOUR), "text": "The harbour bridge was opened again."}
    upload = dump(tmp_path, "new.jsonl", FERRY, changed, {"title": "no text"})
    *_, last = ingest_upload(archive, Settings(), [upload], [], preview=True)
    assert last.is_done
    assert last.report is not None
    assert (last.report.new, last.report.changed, last.report.rejected) == (1, 1, 1)
    assert [(one.is_new, one.metadata.title) for one in last.previewed] == [
        (True, "Ferry sinks"),
        (False, HARBOUR.title),
    ]
    assert state(archive) == before
    assert not [*(archive.path / "given").rglob("*.jsonl")]
    *_, added = ingest_upload(archive, Settings(), [upload], [])
    assert added.report is not None
    assert (added.report.new, added.report.changed) == (1, 1)
    assert not upload.exists()


def test_preview_takes_no_articles_of_another_writer_for_its_own(
    archive: Archive, tmp_path: Path
) -> None:
    upload = dump(tmp_path, "many.jsonl", *({**FERRY, "id": f"f/{n}"} for n in range(400)))
    told = list[int]()
    previewing = ingest_upload(
        archive,
        Settings(),
        [upload],
        [],
        preview=True,
        on_added=lambda _, count: told.append(count),
    )
    assert not any(one.is_done for one in takewhile(lambda one: not one.share, previewing))
    with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()) as writer:
        writer.add(Article(id="other", title="Other", text="Another article."))
    *_, last = previewing
    assert last.is_done
    assert told == []


def test_preview_works_beside_another_writer(archive: Archive, tmp_path: Path) -> None:
    upload = dump(tmp_path, "new.jsonl", FERRY)
    with writer_of(archive):
        *_, last = ingest_upload(archive, Settings(), [upload], [], preview=True)
    assert last.failed == ""
    assert last.report is not None
    assert last.report.new == 1


def test_upload_survives_a_locked_archive(archive: Archive, tmp_path: Path) -> None:
    upload = dump(tmp_path, "new.jsonl", FERRY)
    with writer_of(archive):
        *_, failed = ingest_upload(archive, Settings(), [upload], [])
    assert "is being written to by process" in failed.failed
    *_, last = ingest_upload(archive, Settings(), [upload], [])
    assert last.report is not None
    assert last.report.new == 1


def test_staged_file_stays_until_its_last_reader_ends(archive: Archive, tmp_path: Path) -> None:
    upload = dump(tmp_path, "new.jsonl", FERRY)
    with ingest_job._staged_files(archive.path, [upload]) as (first,):
        with ingest_job._staged_files(archive.path, [upload]) as (second,):
            assert first == second
        assert json.loads(first.read_text()) == FERRY
    assert not first.exists()
    assert upload.exists()


def test_upload_on_another_disk_is_copied(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    upload = dump(tmp_path, "new.jsonl", FERRY)
    monkeypatch.setattr(os, "link", fails)
    *_, last = ingest_upload(archive, Settings(), [upload], [], preview=True)
    assert last.report is not None
    assert (last.report.new, last.failed) == (1, "")


def test_each_file_has_a_row(archive: Archive, tmp_path: Path) -> None:
    files = [
        dump(tmp_path, "good.jsonl", FERRY),
        dump(tmp_path, "<b>odd<b>.jsonl", {"title": "no text"}, FERRY),
    ]
    *_, last = ingest_upload(archive, Settings(), files, ["http://127.0.0.1:9/secret"])
    counts = [(one.name, one.report.new, one.report.rejected) for one in last.sources]
    assert counts == [("good.jsonl", 1, 0), ("<b>odd<b>.jsonl", 0, 1), ("", 0, 1)]
    assert last.report is not None
    assert (last.report.new, last.report.unchanged, last.report.rejected) == (1, 1, 2)
    table = ingest_html(last, texts_in("en"))
    assert table.count('<th scope="row"') == 3
    assert "<b>odd" not in table


def test_progress_never_goes_back(archive: Archive, tmp_path: Path) -> None:
    files = [dump(tmp_path, f"{n}.jsonl", {**FERRY, "id": f"ferry/{n}"}) for n in range(4)]
    shares = [one.share for one in ingest_upload(archive, Settings(), files, [])]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_two_uploads_at_once_do_not_lose_one(archive: Archive, tmp_path: Path) -> None:
    """The second ends with a message, or waits its turn; its file is there to try again."""
    uploads = [tmp_path / name for name in ("a", "b")]
    for folder in uploads:
        folder.mkdir()
    files = [dump(folder, "same.jsonl", FERRY) for folder in uploads]
    ended: list[IngestResult] = []
    go = Event()

    def upload(file: Path) -> None:
        go.wait()
        ended.append([*ingest_upload(archive, Settings(), [file], [])][-1])

    threads = [Thread(target=upload, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join()
    assert archive.article(FERRY["id"]) is not None
    assert [one.failed for one in ended if one.failed] == [
        one.failed for one in ended if "is being written to" in one.failed
    ]
    assert sum(file.exists() for file in files) == sum(bool(one.failed) for one in ended)


# What is shown


@pytest.mark.parametrize("language", ["en", "de"])
def test_hostile_text_is_shown_as_text(language: str) -> None:
    texts = texts_in(language)
    held = HeldChange("<i>", EVIL, EVIL, EVIL, NOW, "put", EVIL, EVIL, "{}")
    rejected = RejectedInput(f"{EVIL}:2", EVIL, EVIL * 200, NOW)
    withdrawals = [Withdrawal("<b>'\"", NOW, EVIL), Withdrawal(EVIL, NOW, EVIL, erased=True)]
    runs = [IngestRun(1, NOW, None, {}), IngestRun(2, NOW, NOW, {"new": "7", "rejected": None})]
    pages = [
        pending_html([held], [rejected], texts),
        log_html(runs, withdrawals, {"<b>'\"": EVIL}, texts),
        coverage_html({EVIL: {date(2024, 10, 1): 3}, "": {date(2024, 10, 2): 1}}, texts),
        heading_html(texts, is_empty=True),
    ]
    for page in pages:
        assert not re.search(r"<(?:img|script)|\$\{|\{\{|\u202e|data-id=\"[^\"]*['<]", page)


def test_upload_is_named_without_its_folder_on_the_server() -> None:
    place = "/srv/archive/given/0123456789abcdef/dump.jsonl:2"
    page = html.unescape(
        pending_html([], [RejectedInput(place, place, "no text", NOW)], texts_in("en"))
    )
    assert '<b dir="auto">dump.jsonl:2</b>' in page
    assert "/srv" not in page


def test_long_lists_are_cut_and_counted() -> None:
    rejected = [RejectedInput(f"a:{n}", "a", "no text", NOW) for n in range(130)]
    page = html.unescape(pending_html([], rejected, texts_in("en"), most=100))
    assert page.count("<li>") == 100
    assert "30 more, not shown here." in page


def test_log_is_newest_first() -> None:
    later = NOW + timedelta(days=1)
    runs = [IngestRun(1, NOW, NOW, {"new": 3}), IngestRun(2, later, None, {})]
    between = Withdrawal("a", NOW + timedelta(hours=3), "a ruling")
    page = html.unescape(log_html(runs, [between], {"a": "Bridge closed"}, texts_in("en")))
    found = [page.index(w) for w in ("interrupted", "Bridge closed", "3 new, 0 changed")]
    assert found == sorted(found)


def shades(page: str, publisher: str) -> list[str]:
    row = page[page.index(f">{publisher} <i>") :].partition('role="row"')[0]
    return re.findall(r'data-shade="(\d)"', row)


def test_calendar_has_a_cell_for_each_day() -> None:
    first = date(2024, 10, 1)
    counts = {"Gull Post": {first: 4, first + timedelta(days=4): 1}, "Tide": {first: 1}}
    page = html.unescape(coverage_html(counts, texts_in("en")))
    assert shades(page, "Gull Post") == ["4", "0", "0", "0", "1"]
    assert "4 articles" in page


def test_calendar_of_years_has_a_cell_for_each_month() -> None:
    counts = {"Gull Post": {date(2023, 12, 31): 2, date(2024, 2, 1): 1, date(2024, 4, 9): 2}}
    page = html.unescape(coverage_html(counts, texts_in("en")))
    assert shades(page, "Gull Post") == ["4", "0", "2", "0", "4"]


@pytest.mark.parametrize("odd", [date(1, 1, 1), date(1970, 1, 1), date(2099, 5, 1)])
def test_calendar_is_not_emptied_by_a_wrong_date(odd: date) -> None:
    days = [date(2022, 1, 1) + timedelta(days=n) for n in range(300)]
    page = coverage_html({"Gull Post": {odd: 1, **dict.fromkeys(days, 3)}}, texts_in("en"))
    assert len([shade for shade in shades(page, "Gull Post") if shade != "0"]) == 10
    assert len(shades(page, "Gull Post")) <= 120


def test_empty_archive_invites_to_add_articles(tmp_path: Path) -> None:
    with small_archive(tmp_path / "empty", []) as empty:
        page = {
            name: html.unescape(value)
            for name, value in shown(show_archive(page_of(empty), texts_in("en"))).items()
        }
    assert "Add your first articles" in page["bf-first"]
    assert "The archive is empty." in page["bf-coverage-calendar"]
    assert "Nothing waits for a decision." in page["bf-pending"]
