"""Tools over HTTP, in this process: changes of clients who leave, and rates."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.settings import Settings
from tests.api.conftest import ARTICLES
from tests.archive.test_archive import WordEmbeddings
from ui.accounts.audit import AuditLog
from ui.api.app import create_api
from ui.api.services import Services
from ui.api.work import WorkScheduler
from ui.mcp.server import McpApp, create_server
from ui.readers import LOCAL_ADMINISTRATOR
from ui.writing import open_writer

FERRY = {"id": "tarn.example/ferry", "title": "Ferry", "text": "The ferry of Tarn sank in May."}
MINE = ARTICLES[1].id
CHANGES = [
    ("add_articles", {"articles": [FERRY]}, "ingest"),
    ("remove_article", {"article_id": MINE, "reason": "test"}, "withdraw"),
]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as writer:
        writer.add(ARTICLES)
    with Archive.open(tmp_path / "a", embeddings=WordEmbeddings()) as archive:
        settings = Settings(archive=archive.path, search_rate="2/hour", write_rate="2/hour")
        yield Services(archive, Chatbot(archive), settings, AuditLog(archive.path))


@pytest.fixture
def scheduler(services: Services) -> WorkScheduler:
    found: WorkScheduler = create_api(services).state.work
    return found


Post = Callable[..., Awaitable[Any]]


def visit(services: Services, scheduler: WorkScheduler, act: Callable[[Post], Any]) -> None:
    """Have a function send messages to the server."""

    async def run() -> None:
        app = McpApp(create_server(services, work=scheduler))

        async def post(method: str, params: Any, gone: asyncio.Event | None = None) -> Any:
            message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            return await send_message(app, message, gone or asyncio.Event())

        async with app.running():
            await act(post)

    asyncio.run(asyncio.wait_for(run(), 60))


async def send_message(app: McpApp, message: Any, gone: asyncio.Event) -> Any:
    """Return the answer to a message, or None; its sender leaves once `gone` is set."""
    parts: list[bytes] = []
    bodies = [json.dumps(message).encode()]
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}

    async def receive() -> Any:
        if bodies:
            return {"type": "http.request", "body": bodies.pop(), "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        parts.append(event.get("body", b""))

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/mcp",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "state": {"reader": LOCAL_ADMINISTRATOR, "client": "::1"},
    }
    await app(scope, receive, send)
    body = b"".join(parts)
    return json.loads(body) if body else None


async def until(found: Callable[[], Any]) -> bool:
    """Return whether something becomes true within 15 seconds."""
    for _ in range(300):
        if found():
            return True
        await asyncio.sleep(0.05)
    return False


@pytest.mark.parametrize(("tool", "given", "action"), CHANGES)
def test_change_of_a_client_who_left_is_logged(
    services: Services, scheduler: WorkScheduler, tool: str, given: Any, action: str
) -> None:
    archive = services.archive

    def is_changed() -> bool:
        archive.refresh()
        if action == "ingest":
            return archive.article(str(FERRY["id"])) is not None
        return archive.article(MINE) is None

    async def act(post: Post) -> None:
        gone = asyncio.Event()
        with open_writer(archive, services.settings):
            call = post("tools/call", {"name": tool, "arguments": given}, gone)
            task = asyncio.ensure_future(call)
            await asyncio.sleep(0.5)  # it waits for the writer
            assert not task.done()
            assert scheduler.queues["search"].running == 0
            gone.set()
            await asyncio.sleep(0.5)
        assert await until(is_changed)
        await task
        logged = [one["action"] for one in services.audit.read()]
        assert logged == [action]

    visit(services, scheduler, act)


def test_changes_have_the_rate_of_changes(services: Services, scheduler: WorkScheduler) -> None:
    async def act(post: Post) -> None:
        params = {"name": "remove_article", "arguments": {"article_id": "none", "reason": "test"}}
        texts = [
            (await post("tools/call", params))["result"]["content"][0]["text"] for _ in range(3)
        ]
        assert [text.partition(":")[0] for text in texts] == [
            "not_found",
            "not_found",
            "rate_limited",
        ]

    visit(services, scheduler, act)


def test_lists_of_resources_have_the_rate_of_searches(
    services: Services, scheduler: WorkScheduler
) -> None:
    async def act(post: Post) -> None:
        answers = [await post("resources/list", {}) for _ in range(3)]
        assert len(answers[0]["result"]["resources"]) == len(ARTICLES)
        assert "error" not in answers[1]
        assert answers[2]["error"]["message"].startswith("rate_limited: ")
        assert len(list(services.audit.read())) == 2

    visit(services, scheduler, act)
