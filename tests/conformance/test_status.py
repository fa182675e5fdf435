"""How old a server's copy of a shared record is, wherever a reader or an operator looks."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import ANY

import pytest
from starlette.testclient import TestClient

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.archive.follower_state import FollowerState
from rag.archive.stats import ArchiveStatus
from rag.remote.archive import RemoteArchive
from rag.rights import Rights
from rag.schema import ALL_RIGHTS
from rag.settings import Settings
from tests.api.conftest import ReaderMiddleware
from tests.archive.test_archive import make_article
from tests.conformance.conftest import Place, wait_until
from tests.support.fakes import small_archive
from tests.support.postgres import PASSWORD, PostgresServer
from ui.api.app import create_api
from ui.api.services import Services
from ui.cli.format import status_text
from ui.i18n import texts_in
from ui.readers import LOCAL_ADMINISTRATOR, Reader
from ui.web.archive_summary import SummaryCache
from ui.web.views.status import status_html

pytestmark = pytest.mark.slow

NOON = datetime(2024, 5, 2, 12, tzinfo=UTC)


@pytest.fixture
def archive_status(tmp_path: Path) -> Iterator[ArchiveStatus]:
    with small_archive(tmp_path / "archive") as archive:
        yield archive.status(access=ALL_RIGHTS)


def lag_of(archive: Archive) -> FollowerState:
    state = archive.record_state(access=ALL_RIGHTS)
    assert state is not None
    return state


def lines(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


def test_lag_is_shown(stoppable: PostgresServer, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    place = Place(folder, Settings(archive=folder, record=stoppable.create_database()))
    with place.open() as writer:
        writer.add(make_article(1))
    with place.open("read") as reader:
        services = Services(reader, Chatbot(reader), place.settings)
        summaries = SummaryCache(reader)
        api = create_api(services)
        client = TestClient(ReaderMiddleware(api, LOCAL_ADMINISTRATOR))
        record = client.get("/v1/status").json()["record"]
        assert (record["reachable"], record["lag_changes"], record["problem"]) == (True, 0, "")
        assert "up to date" in status_text(reader.status(access=ALL_RIGHTS))
        assert "up to date as of" in status_html(summaries.current().status, texts_in("en"))
        stoppable.stop()
        wait_until(lambda: not lag_of(reader).reachable)
        *gauges, lag = lines(client.get("/v1/metrics").text, "backfile_record")
        assert gauges == ["backfile_record_reachable 0.0", "backfile_record_lag_changes 0.0"]
        assert float(lag.removeprefix("backfile_record_lag_seconds ")) > 0
        record = client.get("/v1/status").json()["record"]
        assert not record["reachable"]
        assert PASSWORD not in str(record)
        assert "cannot be reached" in record["problem"]
        assert "cannot be reached" in status_text(reader.status(access=ALL_RIGHTS))
        page = status_html(summaries.current().status, texts_in("en"))
        assert "the record is not reachable" in page
        kim = Reader("kim", frozenset({"read"}), Rights(publishers=("Harbour Courier",)))
        theirs = TestClient(ReaderMiddleware(api, kim)).get("/v1/status").json()["record"]
        assert (theirs["server"], theirs["problem"], theirs["reachable"]) == ("", "", False)
        remote = RemoteArchive("http://testserver", transport=client._transport)
        assert remote.status().record == replace(lag_of(reader), as_of=ANY, lag_seconds=ANY)


@pytest.mark.parametrize(
    ("state", "text", "english", "german"),
    [
        (
            FollowerState("db/x", True, NOON, 1, 3.4),
            "db/x: 1 change behind, by 3 s, as of 2 May 2024, 12:00 UTC",
            "1 change behind, by 3 s; as of 2 May 2024, 12:00 UTC",
            "1 Änderung zurück",
        ),
        (
            FollowerState("db/x", True, NOON, 1200, 60, "upgrade\x1b<b>"),
            "as of 2 May 2024, 12:00 UTC: upgrade",
            "the record is not followed: upgrade",
            "wird nicht gefolgt",
        ),
        (FollowerState("db/x", False, None, 0, 0.0, "gone"), "gone", "as of never", "nicht err"),
    ],
)
def test_lag_in_words(
    archive_status: ArchiveStatus, state: FollowerState, text: str, english: str, german: str
) -> None:
    status = replace(archive_status, record=state)
    assert text in status_text(status)
    assert "\x1b" not in status_text(status)
    assert english in html.unescape(status_html(status, texts_in("en")))
    page = status_html(status, texts_in("de"))
    assert german in html.unescape(page)
    assert "<b>" not in page
