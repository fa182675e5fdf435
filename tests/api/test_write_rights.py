"""Readers who may change the archive but don't see all of it: what each way of writing refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client as McpClient
from starlette.testclient import TestClient

from ingest.feed_reading import feeds_of
from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.rights import ALL, ALL_RIGHTS, Rights
from rag.schema import Filters
from rag.settings import Settings
from tests.accounts.conftest import PASSWORD, SECRET, Site
from tests.api.conftest import Client
from tests.archive.test_archive import WordEmbeddings
from tests.attacks.server import Visit, serve
from tests.support.fakes import ARTICLES, HARBOUR, ORCHARD, small_archive
from ui.accounts.opening import open_accounts
from ui.api.services import Services
from ui.mcp.server import create_server
from ui.readers import Reader

WRITES = frozenset({"read", "ingest"})
BRIDGE, MINE, HIDDEN = "courier.example/bridge", "post.example/mine", "post.example/secret"
# Readers who see the bridge, but not the hidden article; and one who sees nothing.
SEEING = {
    "no access": Rights(),
    "one access": Rights(access=("wire",)),
    "one publisher": Rights(publishers=("Harbour Courier",), access=ALL),
    "one section": Rights(sections=("local",), access=ALL),
}
LIMITED = {**SEEING, "nothing": Rights(publishers=(), sections=(), access=())}
NEW = {"id": "tarn.example/ferry", "title": "Ferry", "text": "The ferry of Tarn sank in May."}


@pytest.fixture
def services(archive: Archive) -> Iterator[Services]:
    """The archive, open for reading, so that the endpoints may write."""
    archive.close()
    with Archive.open(archive.path, embeddings=WordEmbeddings()) as reader:
        yield Services(reader, Chatbot(reader), Settings(archive=archive.path))


def editor(rights: Rights) -> Reader:
    return Reader("ed", WRITES, rights)


def contents(archive: Archive) -> dict[str, str]:
    """Return the texts of all articles."""
    archive.refresh()
    return {one.id: one.text for one in archive.articles(Filters(access=ALL_RIGHTS))}


@pytest.mark.parametrize("rights", LIMITED.values(), ids=LIMITED)
@pytest.mark.parametrize("article_id", [NEW["id"], BRIDGE, HIDDEN])
def test_adding_over_http_needs_every_right(
    services: Services, client_of: Client, rights: Rights, article_id: str
) -> None:
    before = contents(services.archive)
    client = client_of(editor(rights))
    answers = [
        client.post("/v1/ingest", json={"articles": [{**NEW, "id": article_id}]}),
        client.post("/v1/ingest", json={"addresses": [f"https://{article_id}"]}),
        client.post("/v1/ingest", files={"files": ("a.txt", b"Ferry\n\nThe ferry sank.\n")}),
        client.post("/v1/ingest", content=b"{"),
    ]
    assert {one.status_code for one in answers} == {403}
    assert len({one.text for one in answers}) == 1
    assert answers[0].json()["type"].endswith(":rights-missing")
    assert "--every-access" in answers[0].json()["detail"]
    assert contents(services.archive) == before


@pytest.mark.slow
def test_adding_without_reading_takes_all_rights_only(
    services: Services, client_of: Client
) -> None:
    client = client_of(Reader("bot", frozenset({"ingest"}), ALL_RIGHTS))
    assert client.post("/v1/ingest", json={"articles": [NEW]}).status_code == 202
    assert client.get(f"/v1/articles/{HIDDEN}").status_code == 403


def removed(client: TestClient, where: str, article_id: str) -> tuple[int, str]:
    answer = client.delete(f"/v1/{where}/{article_id}")
    return answer.status_code, answer.text


@pytest.mark.parametrize("rights", LIMITED.values(), ids=LIMITED)
@pytest.mark.parametrize("where", ["articles", "withdrawals"])
def test_hidden_article_is_removed_like_none(
    services: Services, client_of: Client, rights: Rights, where: str
) -> None:
    if where == "withdrawals":  # somebody else has removed it
        with Archive.open(services.archive.path, mode="write", embeddings=WordEmbeddings()) as own:
            own.withdraw([HIDDEN], reason="legal")
    before = contents(services.archive)
    client = client_of(editor(rights))
    status, body = removed(client, where, HIDDEN)
    assert (status, body) == removed(client, where, "post.example/none")
    assert status == 404
    assert contents(services.archive) == before


@pytest.mark.slow
@pytest.mark.parametrize("rights", SEEING.values(), ids=SEEING)
def test_own_article_is_removed_and_reinstated(
    services: Services, client_of: Client, rights: Rights
) -> None:
    client = client_of(editor(rights))
    assert removed(client, "articles", BRIDGE)[0] == 200
    assert BRIDGE not in contents(services.archive)
    erased = client.delete(f"/v1/articles/{BRIDGE}", params={"erase": True})
    assert erased.status_code == 403
    assert removed(client, "withdrawals", BRIDGE)[0] == 200
    assert BRIDGE in contents(services.archive)


def tools(services: Services, reader: Reader) -> tuple[set[str], list[str]]:
    """Return the tools that a reader sees, and what the tools that write tell them."""
    calls: list[tuple[str, dict[str, Any]]] = [
        ("add_articles", {"articles": [{**NEW, "id": HIDDEN}]}),
        ("remove_article", {"article_id": HIDDEN, "reason": "test"}),
        ("remove_article", {"article_id": "post.example/none", "reason": "test"}),
    ]

    async def run() -> tuple[set[str], list[str]]:
        async with McpClient(create_server(services, reader=reader)) as client:
            listed = {tool.name for tool in (await client.list_tools()).tools}
            called = [await client.call_tool(name, given) for name, given in calls]
            assert all(one.is_error for one in called)
            return listed, [getattr(one.content[0], "text", "") for one in called]

    return asyncio.run(run())


@pytest.mark.parametrize("rights", LIMITED.values(), ids=LIMITED)
def test_tools_that_write_are_limited(services: Services, rights: Rights) -> None:
    before = contents(services.archive)
    listed, (added, hidden, missing) = tools(services, editor(rights))
    assert "add_articles" not in listed
    assert "remove_article" in listed
    assert added == "not_found: There is no tool 'add_articles'."
    assert hidden == missing
    assert hidden.startswith("not_found: ")
    assert contents(services.archive) == before


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("limited")
    archive = small_archive(folder / "archive", (*ARTICLES, SECRET))
    accounts = open_accounts(Settings(archive=archive.path))
    accounts.add_user("cid", PASSWORD, WRITES, Rights(publishers=(HARBOUR.publisher,), access=ALL))
    accounts.add_user("ivy", PASSWORD, WRITES, Rights())
    with serve(folder, Chatbot, archive=archive, token="") as served:
        feed = feeds_of(archive.path).add(
            "https://board.example/feed.xml", every=0, creator="command"
        )
        assert feed.id
        yield Site(served, accounts, archive.path)


@pytest.mark.slow
@pytest.mark.parametrize("user", ["cid", "ivy"])
def test_page_changes_nothing_for_a_limited_editor(site: Site, user: str) -> None:
    archive = site.served.archive
    (feed,) = feeds_of(archive.path).all()
    before = contents(archive)
    events = [
        {"ids": [HARBOUR.id, ORCHARD.id, SECRET.id]},
        {"action": "remove", "id": feed.id},
        {"action": "schedule", "id": feed.id, "every": 3600},
        {"action": "accept", "id": "0" * 16},
        {"action": "withdrawn"},
        None,
    ]
    writing = ("confirm", "confirm_selected", "withdraw", "reinstate", "stop_adding", "stop")
    opened = Visit(site.served, site.as_(user))
    assert opened.load().status_code == 200
    tried = set()
    for index, fn in site.served.blocks.fns.items():
        if fn.concurrency_id != "admin" and fn.name not in writing:
            continue
        tried.add(fn.name)
        for event in events:
            joined = opened.join(index, event_data=event)
            told = joined.text
            if joined.status_code == 200:
                assert fn.concurrency_id != "admin", fn.name
                ended = opened.completed(joined.json()["event_id"])
                assert ended["success"] is False, fn.name
                told = str(ended)
            else:
                assert joined.status_code == 403, (fn.name, told)
            for word in ("six piers", SECRET.title, "feed.xml"):
                assert word not in told
    assert {"withdraw", "reinstate", "add", "read", "act", "stop_adding", "stop"} <= tried
    assert contents(archive) == before
    assert feeds_of(archive.path).all() == (feed,)
    assert feeds_of(archive.path).all(deleted=True) == ()
