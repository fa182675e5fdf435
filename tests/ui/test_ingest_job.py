"""Ingest and withdrawal from the page, without a browser: access, input, results."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastapi
import gradio as gr
import httpx
import pytest

from rag.archive.archive import Archive
from rag.errors import ArchiveLockedError
from rag.settings import Settings, Writers
from tests.support.fakes import ARTICLES, HARBOUR, QuotingChatbot, WordEmbeddings, small_archive
from ui.i18n import texts_in
from ui.ingest_job import (
    IngestResult,
    find_ids,
    ingest_upload,
    split_addresses,
    withdraw_articles,
)
from ui.web.app import start
from ui.web.auth import WriteAccess
from ui.web.page import build_page
from ui.web.reader_view import ReaderView
from ui.web.state import Session
from ui.web.views.status import ingest_html, status_html

pytestmark = pytest.mark.slow

HERE = {"host": "127.0.0.1:7860"}
TOKEN = "a-token-for-the-tests"
LINE = {"id": "ferry.example/1", "title": "Ferry sinks", "text": "The ferry sank on Tuesday."}


def may_write(writers: Writers, client: str, headers: dict[str, str], token: str = TOKEN) -> bool:
    """Return whether the holder of a token may write."""
    held = WriteAccess(writers, token)
    cookie = {"cookie": f"other=1; {held.cookie_name}={held.cookie_value}; more=2"}
    return WriteAccess(writers, TOKEN).may_write(client, {**headers, **cookie})


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with small_archive(tmp_path / "archive") as opened:
        yield opened


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        ("127.0.0.1", {"host": "127.0.0.1:7860"}),
        ("::1", {"host": "[::1]:7860", "origin": "http://[::1]:7860"}),
        ("127.0.0.1", {"host": "localhost", "sec-fetch-site": "same-origin"}),
    ],
)
def test_local_visitor_may_write(client: str, headers: dict[str, str]) -> None:
    assert may_write("local", client, headers)
    assert may_write("anyone", client, headers)
    assert not may_write("none", client, headers)
    assert not may_write("local", client, headers, token="another-token")
    assert not WriteAccess("local", TOKEN).may_write(client, headers)


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        ("192.0.2.7", HERE),
        ("127.0.0.1", {"host": "archive.example"}),
        ("127.0.0.1", {**HERE, "x-forwarded-for": "192.0.2.7"}),
        ("127.0.0.1", {**HERE, "forwarded": "for=192.0.2.7"}),
        ("127.0.0.1", {**HERE, "via": "1.1 proxy"}),
        ("", HERE),
        ("127.0.0.1", {}),
    ],
)
def test_remote_visitor_may_write_only_if_anyone_may(client: str, headers: dict[str, str]) -> None:
    assert not may_write("local", client, headers)
    assert may_write("anyone", client, headers)


@pytest.mark.parametrize(
    "headers",
    [
        {**HERE, "origin": "https://evil.example"},
        {**HERE, "origin": "null"},
        {**HERE, "sec-fetch-site": "cross-site"},
        {**HERE, "sec-fetch-site": "same-site"},
    ],
)
def test_cross_site_request_may_never_write(headers: dict[str, str]) -> None:
    assert not may_write("local", "127.0.0.1", headers)
    assert not may_write("anyone", "127.0.0.1", headers)


def test_split_addresses_rejects_paths() -> None:
    found = split_addresses(
        " https://a.example/1\n/etc/passwd file:///etc/passwd https://a.example/1"
    )
    assert found == (["https://a.example/1"], ["/etc/passwd", "file:///etc/passwd"])


def upload(archive: Archive, files: list[Path], addresses: tuple[str, ...] = ()) -> IngestResult:
    *_, last = ingest_upload(archive, Settings(), files, addresses)
    assert last.is_done
    return last


def test_uploaded_file_is_ingested_and_removed(archive: Archive, tmp_path: Path) -> None:
    dump = tmp_path / "dump.jsonl"
    for new in (1, 0):
        dump.write_text(json.dumps(LINE) + "\n{broken\n")
        last = upload(archive, [dump])
        assert last.report is not None
        assert (last.report.new, last.report.rejected, last.failed) == (new, 1, "")
    assert last.rejects[0][0] == "dump.jsonl:2"
    assert archive.search("ferry", 3, mode="bm25")[0].passage.article_id == "ferry.example/1"
    assert not dump.exists()
    assert not [path for path in (archive.path / "given").rglob("*") if path.is_file()]


def test_uploaded_text_is_identified_by_its_content(archive: Archive, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    told = []
    for text in ("The ferry sank.", "The ferry sank.", "The ferry did not sink."):
        note.write_text(f"Ferry\n\n{text * 9}\n")
        report = upload(archive, [note]).report
        assert report is not None
        told.append((report.new, report.changed, report.unchanged))
    assert told == [(1, 0, 0), (0, 0, 1), (1, 0, 0)]


def test_private_address_is_not_fetched(archive: Archive) -> None:
    last = upload(archive, [], ("http://127.0.0.1:9/secret",))
    assert last.report is not None
    assert (last.report.new, last.report.rejected) == (0, 1)
    assert "http://127.0.0.1:9/secret" in last.rejects[0][0]


def test_locked_archive_takes_no_upload(archive: Archive, tmp_path: Path) -> None:
    dump = tmp_path / "dump.jsonl"
    dump.write_text(json.dumps(LINE))
    with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()):
        assert "is being written to by process" in upload(archive, [dump]).failed
        with pytest.raises(ArchiveLockedError):
            withdraw_articles(archive, Settings(), [HARBOUR.id], "")


def test_withdrawn_article_stays_out(archive: Archive, tmp_path: Path) -> None:
    ids = find_ids(archive, f"{HARBOUR.url}?utm_source=x")
    assert ids == [HARBOUR.id]
    assert withdraw_articles(archive, Settings(), ids, "court order") == 1
    assert archive.withdrawals(ids)[HARBOUR.id].reason == "court order"
    assert find_ids(archive, HARBOUR.url) == find_ids(archive, "") == []
    dump = tmp_path / "again.jsonl"
    dump.write_text(json.dumps({**LINE, "id": HARBOUR.id, "title": HARBOUR.title}))
    upload(archive, [dump])
    assert archive.article(HARBOUR.id) is None


def test_ingest_report_is_escaped() -> None:
    evil = "<img src=x onerror=alert(1)>"
    for language in ("en", "de"):
        texts = texts_in(language)
        for intake in (
            IngestResult(failed=evil, rejects=((evil, evil),)),
            IngestResult(share=0.4),
            IngestResult(is_done=True, failed=evil),
        ):
            assert "<img" not in ingest_html(intake, texts)


def test_status_shows_what_the_archive_holds(archive: Archive) -> None:
    told = status_html(archive.status(), texts_in("en"))
    assert f"<dd>{len(ARTICLES)}</dd>" in html.unescape(told)


def test_program_without_write_access_is_rejected(archive: Archive, tmp_path: Path) -> None:
    gradio_client = pytest.importorskip("gradio_client")
    chatbot: Any = QuotingChatbot(archive)
    settings = Settings(port=0, write_access="none")
    served = start(archive, chatbot, settings)
    page, address = served.blocks, served.address
    small = tmp_path / "small.txt"
    small.write_text("x")
    try:
        client = gradio_client.Client(address, verbose=False)
        with pytest.raises(Exception, match=r"403|Forbidden"):
            client.predict(gradio_client.handle_file(small), api_name="/ask")
        for name in GUARDED:
            with pytest.raises(ValueError, match=name):
                client.predict(api_name=f"/{name}")
        found = [i for i, f in page.fns.items() if getattr(f.fn, "__name__", "") in GUARDED]
        assert len(found) == len(GUARDED) + 3  # a preview, and a feed by its button or Enter
        for index in found:
            told = call_handler(address, index, len(page.fns[index].inputs))
            assert told.status_code == 403
            assert told.json()["detail"] == "You do not have permission to change this archive."
    finally:
        served.close()
    assert archive.article(HARBOUR.id) is not None


GUARDED = ("add", "confirm", "withdraw")


def call_handler(address: str, index: int, inputs: int) -> httpx.Response:
    """Call a handler by its number, as a forged page would."""
    sent = {"data": [None] * inputs, "fn_index": index, "session_hash": f"session-{index}"}
    return httpx.post(f"{address}gradio_api/queue/join", json=sent)


def test_each_handler_checks_write_access(archive: Archive) -> None:
    chatbot: Any = QuotingChatbot(archive)
    blocks = build_page(ReaderView(archive, chatbot), Settings())
    stranger = gr.Request(fastapi.Request({"type": "http", "headers": [], "state": {}}))
    for fn in blocks.fns.values():
        if getattr(fn.fn, "__name__", "") in GUARDED:
            given = [None] * (len(fn.inputs) - 1)
            with pytest.raises(gr.Error, match="You do not have permission to change this archive"):
                list(fn.fn(Session(), *given, stranger))
