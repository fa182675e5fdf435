"""The audit log of programs: what they did, for whom and how, and nothing that was refused."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client as McpClient
from mcp.client.streamable_http import streamable_http_client

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.rights import ALL_RIGHTS, Rights
from rag.settings import Settings
from rag.store.ingest_log import RunLog
from tests.accounts.conftest import PASSWORD, SECRET, Site
from tests.api.conftest import Client
from tests.attacks.server import serve
from tests.support.fakes import ARTICLES, HARBOUR, ORCHARD, small_archive
from ui.accounts.audit import LONGEST, AuditLog, name_articles
from ui.accounts.opening import open_accounts
from ui.api.services import Services
from ui.cli.main import main
from ui.mcp.server import create_server
from ui.readers import LOCAL_ADMINISTRATOR, SCOPES

QUESTION = "Which bridge was closed after the storm?"
FERRY = {"id": "tarn.example/ferry", "title": "Ferry", "text": "The ferry of Tarn sank in May."}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("audited")
    archive = small_archive(folder / "archive", (*ARTICLES, SECRET))
    accounts = open_accounts(Settings(archive=archive.path))
    accounts.add_user("ada", PASSWORD, ["read"])
    accounts.add_user("cid", PASSWORD, ["read", "ingest"], Rights(publishers=(HARBOUR.publisher,)))
    accounts.add_user("eva", PASSWORD, SCOPES, ALL_RIGHTS)
    with serve(folder, Chatbot, archive=archive, token="", audit="questions") as served:
        yield Site(served, accounts, archive.path)


@pytest.fixture
def logged(site: Site) -> Callable[[], list[dict[str, Any]]]:
    """Return the entries that the test adds, without their times."""
    log = AuditLog(site.folder)
    before = len(list(log.read()))

    def entries() -> list[dict[str, Any]]:
        found = list(log.read())[before:]
        return [{key: value for key, value in one.items() if key != "at"} for one in found]

    return entries


def program(site: Site, user: str, source: str | None = None) -> Any:
    return site.client(source, Authorization=f"Bearer {site.token(user)}")


# method, address, body, and the entry: its action, question and details
READING = [
    ("POST", "search", {"query": QUESTION}, "search", QUESTION, {"mode": "hybrid"}),
    ("POST", "ask", {"question": QUESTION}, "ask", QUESTION, {"mode": "answer"}),
    ("POST", "ask", {"question": QUESTION, "mode": "quotes"}, "ask", QUESTION, {"mode": "quotes"}),
    ("POST", "check", {"text": HARBOUR.text}, "check", HARBOUR.text, {}),
    ("GET", f"articles/{HARBOUR.id}", None, "read", None, {"article": HARBOUR.id}),
    ("GET", "articles?q=bridge", None, "browse", "bridge", {"what": "articles"}),
    ("GET", "articles", None, "browse", None, {"what": "articles"}),
    ("GET", "names?prefix=Ada", None, "browse", "Ada", {"what": "names"}),
    ("GET", "names/Ada%20Quill", None, "browse", "Ada Quill", {"what": "name"}),
    ("GET", "timeline?question=bridge", None, "browse", "bridge", {"what": "timeline"}),
]


@pytest.mark.slow
def test_reading_over_http_is_logged(site: Site, logged: Any) -> None:
    with program(site, "ada", "127.0.5.1") as client:
        for method, path, body, *_ in READING:
            client.request(method, f"/v1/{path}", json=body).raise_for_status()
    ada = site.accounts.store.user("ada").id
    common = {"who": ada, "name": "ada", "client": "127.0.5.1", "via": "api"}
    wanted = [
        {**common, "action": action, **({"question": question} if question else {}), **details}
        for *_, action, question, details in READING
    ]
    assert logged() == wanted


@pytest.mark.slow
def test_streams_and_openai_endpoints_are_logged_once(site: Site, logged: Any) -> None:
    messages = [{"role": "user", "content": QUESTION}]
    with program(site, "ada") as client:
        for path, body, headers in (
            ("ask", {"question": QUESTION}, {"Accept": "text/event-stream"}),
            ("responses", {"model": "backfile", "input": QUESTION, "stream": True}, {}),
            ("chat/completions", {"model": "backfile", "messages": messages}, {}),
        ):
            client.post(f"/v1/{path}", json=body, headers=headers).raise_for_status()
    found = [(one["action"], one["via"], one["question"], one["name"]) for one in logged()]
    assert found == [("ask", via, QUESTION, "ada") for via in ("api", "openai", "openai")]


@pytest.mark.slow
def test_changes_over_http_are_logged(site: Site, logged: Any) -> None:
    with program(site, "eva", "127.0.5.2") as client:
        key = {"Idempotency-Key": "once"}
        sent = [client.post("/v1/ingest", json={"articles": [FERRY]}, headers=key) for _ in "12"]
        job = sent[0].json()["id"]
        assert sent[1].json()["id"] == job
        assert ended(client, job)["state"] == "done"
        for method, path in (
            ("DELETE", f"articles/{FERRY['id']}"),
            ("DELETE", f"withdrawals/{FERRY['id']}"),
            ("DELETE", f"articles/{FERRY['id']}?erase=true"),
        ):
            client.request(method, f"/v1/{path}").raise_for_status()
    found = logged()
    assert {(one["name"], one["client"], one["via"]) for one in found} == {
        ("eva", "127.0.5.2", "api")
    }
    actions = [one["action"] for one in found]
    assert actions[-1] == "erase"
    assert "ingest" in actions
    assert all(FERRY["id"] not in json.dumps(one) for one in found)  # it is erased here, too


@pytest.mark.slow
def test_ingest_is_logged_with_its_articles(site: Site, logged: Any) -> None:
    ids = [f"tarn.example/log-{number}" for number in range(23)]
    articles = [
        {"id": one, "title": f"Boat {number}", "text": f"Boat {number} of Tarn sank in May."}
        for number, one in enumerate(ids)
    ]
    with program(site, "eva") as client:
        for _ in "12":  # the second time, nothing is new
            job = client.post("/v1/ingest", json={"articles": articles}).json()["id"]
            assert ended(client, job)["state"] == "done"
    named = [one for one in logged() if "articles" in one]
    assert [(one["action"], one["via"], one["count"]) for one in named] == [("ingest", "api", 23)]
    assert named[0]["articles"].split() == ids[:20]


def test_named_articles_are_whole_ids() -> None:
    ids = [f"tarn.example/{'x' * 300}/{number}" for number in range(20)]
    named = name_articles(ids, 20)
    assert named["count"] == 20
    assert named["articles"] == " ".join(ids[:6])
    assert len(str(named["articles"])) <= LONGEST


def ended(client: Any, job: str) -> dict[str, Any]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found: dict[str, Any] = client.get(f"/v1/jobs/{job}").json()
        if found["state"] not in ("waiting", "running"):
            return found
        time.sleep(0.02)
    raise AssertionError(found)


@pytest.mark.slow
def test_ingest_and_withdrawal_name_what_they_change(site: Site, logged: Any) -> None:
    with program(site, "eva") as client:
        article = {**FERRY, "id": "tarn.example/pier"}
        job = client.post("/v1/ingest", json={"articles": [article]}).json()["id"]
        ended(client, job)
        client.delete(f"/v1/articles/{article['id']}").raise_for_status()
        client.delete(f"/v1/withdrawals/{article['id']}").raise_for_status()
    begun, added, withdrawn, reinstated = logged()
    assert (begun["action"], begun["job"], begun["files"]) == ("ingest", job, 1)
    assert (added["action"], added["job"]) == ("ingest", job)
    assert (added["count"], added["articles"]) == (1, article["id"])
    assert (withdrawn["action"], withdrawn["articles"]) == ("withdraw", article["id"])
    assert (reinstated["action"], reinstated["articles"]) == ("reinstate", article["id"])


@pytest.mark.slow
def test_refused_requests_are_not_logged_as_done(site: Site, logged: Any) -> None:
    with program(site, "ada") as client:
        for method, path, body, status in (
            ("GET", f"articles/{SECRET.id}", None, 404),
            ("GET", "articles/none", None, 404),
            ("POST", "search", {"query": ""}, 422),
            ("POST", "search", {"query": QUESTION, "cursor": "forged"}, 422),
            ("POST", "ask", {"question": ""}, 422),
            ("POST", "ingest", {"articles": [FERRY]}, 403),
            ("DELETE", f"articles/{HARBOUR.id}", None, 403),
            ("POST", "responses", {"model": "none", "input": QUESTION}, 404),
        ):
            sent = client.request(method, f"/v1/{path}", json=body)
            assert sent.status_code == status, (path, sent.text)
    with program(site, "cid") as client:
        for path in (f"articles/{ORCHARD.id}", f"articles/{SECRET.id}", "withdrawals/none"):
            assert client.delete(f"/v1/{path}").status_code == 404
        erase = client.delete(f"/v1/articles/{HARBOUR.id}?erase=true")
        assert erase.status_code == 403
    assert logged() == []
    with site.client(Authorization="Bearer bf_" + "x" * 43) as stranger:
        assert stranger.post("/v1/search", json={"query": QUESTION}).status_code == 401
    assert [one["action"] for one in logged()] == ["denied"]


def mcp_calls(site: Site, user: str, calls: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """Return what the SDK's client gets from tools, over HTTP with a user's token."""

    async def run() -> list[Any]:
        headers = {"Authorization": f"Bearer {site.token(user)}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(f"{site.served.address}mcp", http_client=http)
            async with McpClient(transport) as client:
                done = [await client.call_tool(name, given) for name, given in calls]
                await client.list_resources()
                return done

    return asyncio.run(run())


@pytest.mark.slow
def test_tools_over_http_are_logged(site: Site, logged: Any) -> None:
    article = {**FERRY, "id": "tarn.example/quay", "title": "Quay"}
    calls = [
        ("search_archive", {"query": QUESTION}),
        ("ask_archive", {"question": QUESTION}),
        ("read_article", {"article_id": HARBOUR.id}),
        ("read_article", {"article_id": "none"}),
        ("timeline", {"topic": "bridge"}),
        ("check_claim", {"text": HARBOUR.text}),
        ("add_articles", {"articles": [article]}),
        ("remove_article", {"article_id": article["id"], "reason": "test"}),
        ("remove_article", {"article_id": "none", "reason": "test"}),
    ]
    results = mcp_calls(site, "eva", calls)
    assert [one.is_error for one in results] == [False] * 3 + [True] + [False] * 4 + [True]
    eva = site.accounts.store.user("eva").id
    found = logged()
    assert [(one["action"], one.get("question")) for one in found] == [
        ("search", QUESTION),
        ("ask", QUESTION),
        ("read", None),
        ("browse", "bridge"),
        ("check", HARBOUR.text),
        ("ingest", None),
        ("withdraw", None),
        ("browse", None),
    ]
    assert {(one["who"], one["client"], one["via"]) for one in found} == {(eva, "127.0.0.1", "mcp")}
    assert (found[2]["article"], found[6]["articles"]) == (HARBOUR.id, article["id"])
    run, *_ = RunLog(site.served.archive.store.database).recent(1)
    assert run.figures["by"] == eva


@pytest.mark.slow
def test_refused_tools_are_not_logged(site: Site, logged: Any) -> None:
    calls = [
        ("add_articles", {"articles": [FERRY]}),
        ("remove_article", {"article_id": HARBOUR.id, "reason": "test"}),
        ("search_archive", {"query": ""}),
        ("read_article", {"article_id": SECRET.id}),
    ]
    assert all(one.is_error for one in mcp_calls(site, "ada", calls))
    assert [one["action"] for one in logged()] == ["browse"]  # the list of resources


@pytest.mark.slow
def test_command_prints_how_requests_came(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    with program(site, "ada", "127.0.5.9") as client:
        client.get(f"/v1/articles/{HARBOUR.id}").raise_for_status()
    assert main(["audit", "--archive", str(site.folder), "--who", "ada"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.split()[1:] == ["read", "ada", "127.0.5.9", "via=api", f"article={HARBOUR.id}"]


@pytest.mark.parametrize(("mode", "count"), [("on", 3), ("off", 0)])
def test_question_texts_need_their_setting(
    archive: Archive, client_of: Client, services: Services, mode: Any, count: int
) -> None:
    object.__setattr__(services, "audit", AuditLog(archive.path, mode))
    client = client_of()
    client.post("/v1/search", json={"query": "bridge of Osterholt"}).raise_for_status()
    client.get("/v1/names", params={"prefix": "Osterholt"}).raise_for_status()
    client.post("/v1/check", json={"text": "Osterholt has a bridge."}).raise_for_status()
    kept = "".join(path.read_text() for path in archive.path.glob("audit*.jsonl"))
    assert kept.count("\n") == count
    assert "Osterholt" not in kept


def test_local_server_logs_its_operator(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive") as archive:
        log = AuditLog(archive.path)
        services = Services(archive, Chatbot(archive), Settings(archive=archive.path), log)

        async def run() -> None:
            server = create_server(services, reader=LOCAL_ADMINISTRATOR)
            async with McpClient(server) as client:
                await client.call_tool("add_articles", {"articles": [FERRY]})

        asyncio.run(run())
        (entry,) = log.read()
        del entry["at"]
        assert entry == {"action": "ingest", "who": "local", "via": "mcp", "count": 1} | {
            "articles": FERRY["id"]
        }
        (run_of_it,) = RunLog(archive.store.database).recent(1)
        assert run_of_it.figures["by"] == "command"
