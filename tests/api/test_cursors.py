"""Cursors: pages without repetition, and none that is forged, foreign or out of date."""

from __future__ import annotations

import base64
from pathlib import Path
from zipfile import ZipFile

import pytest
from starlette.testclient import TestClient

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.archive.backup import write_backup
from rag.rights import ALL_RIGHTS, Rights
from rag.schema import Article
from rag.settings import Settings
from tests.api.conftest import Client, ReaderMiddleware
from ui.api.app import create_api
from ui.api.cursor_secret import open_secret
from ui.api.cursors import LONGEST
from ui.api.search import MOST_PAGED
from ui.api.services import Services
from ui.readers import LOCAL_VISITOR, Reader

pytestmark = pytest.mark.slow

ASKED = {"query": "ferry", "mode": "bm25", "k": 2}


@pytest.fixture
def archive(archive: Archive) -> Archive:
    archive.add(
        Article(
            id=f"courier.example/ferry-{number}",
            title=f"Ferry {number}",
            text=f"The ferry number {number} left port {'late ' * number}on day {number}.",
        )
        for number in range(5)
    )
    return archive


@pytest.fixture
def services(archive: Archive) -> Services:
    return Services(archive, Chatbot(archive), Settings(archive=archive.path, search_rate=""))


def _page(client: TestClient, cursor: str = "", **changes: object) -> dict[str, object]:
    found: dict[str, object] = client.post(
        "/v1/search", json={**ASKED, **changes, "cursor": cursor}
    ).json()
    return found


def test_search_pages_have_each_passage_once(client: TestClient) -> None:
    ids, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = _page(client, cursor)
        ids += [hit["passage"]["article_id"] for hit in page["hits"]]  # type: ignore[attr-defined]
        cursor, pages = str(page["cursor"]), pages + 1
    assert len(ids) == len(set(ids)) == 5
    assert pages == 3


@pytest.mark.parametrize(("k", "mode"), [(8, "bm25"), (50, "hybrid")])
def test_search_pages_reach_as_many_hits_as_documented(
    client: TestClient, archive: Archive, k: int, mode: str
) -> None:
    archive.add(
        Article(
            id=f"courier.example/tram-{number}",
            title=f"Tram {number}",
            text=f"Tram number {number} of Velmora stood still at stop {number * 7919 % 1009}.",
        )
        for number in range(MOST_PAGED + 10)
    )
    ids: list[str] = []
    cursor = ""
    while not ids or cursor:
        page = _page(client, cursor, query="tram Velmora", k=k, mode=mode)
        ids += [hit["passage"]["article_id"] for hit in page["hits"]]  # type: ignore[attr-defined]
        cursor = str(page["cursor"])
        assert len(cursor) <= LONGEST
    assert len(ids) == len(set(ids)) == MOST_PAGED


@pytest.mark.parametrize("at", [0, 10, 20, 30, -2])
def test_altered_cursor_is_refused(client: TestClient, at: int) -> None:
    data = bytearray(base64.urlsafe_b64decode(str(_page(client)["cursor"])))
    data[at] ^= 1
    forged = base64.urlsafe_b64encode(data).decode()
    response = client.post("/v1/search", json={**ASKED, "cursor": forged})
    assert response.status_code == 422
    assert response.json()["type"] == "urn:backfile:problem:invalid-cursor"


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%%%%", "ä", "A" * 8000])
def test_invented_cursor_is_refused(client: TestClient, cursor: str) -> None:
    assert client.post("/v1/search", json={**ASKED, "cursor": cursor}).status_code == 422
    assert client.get("/v1/articles", params={"cursor": cursor}).status_code == 422


def test_cursor_belongs_to_its_query_reader_and_rights(client_of: Client) -> None:
    cursor = _page(client_of())["cursor"]
    sent = {**ASKED, "cursor": cursor}
    assert client_of().post("/v1/search", json={**sent, "query": "port"}).status_code == 422
    assert client_of().post("/v1/search", json={**sent, "k": 3}).status_code == 422
    assert client_of().get("/v1/articles", params={"cursor": cursor}).status_code == 422
    for other in (
        Reader("other", LOCAL_VISITOR.scopes, Rights()),
        Reader("local", LOCAL_VISITOR.scopes, ALL_RIGHTS),
    ):
        assert client_of(other).post("/v1/search", json=sent).status_code == 422
    assert client_of().post("/v1/search", json=sent).status_code == 200


def test_cursor_ends_when_the_archive_changes(client: TestClient, archive: Archive) -> None:
    cursor = _page(client)["cursor"]
    archive.add(Article(id="new.example/1", text="Another ferry."))
    response = client.post("/v1/search", json={**ASKED, "cursor": cursor})
    assert response.status_code == 409
    assert response.json()["type"] == "urn:backfile:problem:cursor-expired"


def test_listing_goes_on_while_articles_arrive_and_at_another_server(
    services: Services, archive: Archive
) -> None:
    listed = {"q": "ferry OR bridge", "limit": "2"}
    expected = len(archive.browse("ferry OR bridge").articles)
    ids, cursor, pages = list[str](), "", 0
    while pages == 0 or cursor:
        with TestClient(ReaderMiddleware(create_api(services), LOCAL_VISITOR)) as client:
            response = client.get("/v1/articles", params={**listed, "cursor": cursor})
            assert response.status_code == 200, response.text
            other = {**listed, "q": "ferry", "cursor": cursor}
            assert client.get("/v1/articles", params=other).status_code == (422 if cursor else 200)
        ids += [one["article_id"] for one in response.json()["articles"]]
        cursor, pages = response.json()["cursor"], pages + 1
        archive.add([Article(id=f"new.example/{pages}", text=f"Mine number {pages} closes.")])
    assert len(ids) == len(set(ids)) == expected
    assert pages == 3


def test_listing_cursor_belongs_to_its_reader_and_rights(client_of: Client) -> None:
    listed = {"limit": "2"}
    listed["cursor"] = client_of().get("/v1/articles", params=listed).json()["cursor"]
    for other in (
        Reader("other", LOCAL_VISITOR.scopes, Rights()),
        Reader("local", LOCAL_VISITOR.scopes, ALL_RIGHTS),
    ):
        assert client_of(other).get("/v1/articles", params=listed).status_code == 422
    assert client_of().get("/v1/articles", params=listed).status_code == 200


def test_backup_has_no_secret(client: TestClient, archive: Archive, tmp_path: Path) -> None:
    secret = open_secret(archive.path)
    write_backup(archive.store, tmp_path / "backup")
    with ZipFile(tmp_path / "backup") as packed:
        assert all(secret not in packed.read(name) for name in packed.namelist())
        assert not any("cursors" in name for name in packed.namelist())
