"""An API over a small archive, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.schema import Article
from rag.settings import Settings
from tests.archive.test_archive import WordEmbeddings
from ui.api.app import create_api
from ui.api.services import Services
from ui.readers import LOCAL_VISITOR, Reader
from ui.web.server import Server, listen

Client = Callable[..., TestClient]

ARTICLES = (
    Article(
        id="courier.example/bridge",
        title="Bridge of Osterholt reopens",
        text=(
            "The bridge of Osterholt reopened on Monday after two years of repairs. "
            '"It will stand for a century," said engineer Odile Brandt. It cost 40 million crowns.'
        ),
        publisher="Harbour Courier",
        section="local",
        authors=("Ann Writer",),
        url="https://courier.example/bridge",
        published=datetime(2024, 3, 4, tzinfo=UTC),
    ),
    Article(
        id="post.example/mine",
        title="Mine of Velmora closes",
        text="The mine of Velmora closed on Friday. About 300 miners lost their work.",
        publisher="Inland Post",
        section="money",
        url="https://post.example/mine",
        published=datetime(2024, 3, 9, tzinfo=UTC),
    ),
    Article(
        id="post.example/secret",
        title="Velmora seeks a buyer",
        text="Velmora seeks a buyer for its mine, a paper for subscribers says.",
        publisher="Inland Post",
        access="press",
        published=datetime(2024, 3, 10, tzinfo=UTC),
    ),
)


class ReaderMiddleware:
    """Stand-in for the guard: says who sends each request."""

    def __init__(self, app: Any, reader: Reader | None) -> None:
        self._app, self._reader = app, reader

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["state"] = {**scope.get("state", {}), "reader": self._reader, "client": "::1"}
        await self._app(scope, receive, send)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add(ARTICLES)
        yield opened


@pytest.fixture
def services(archive: Archive) -> Services:
    return Services(archive, Chatbot(archive), Settings(archive=archive.path))


@pytest.fixture
def client_of(services: Services) -> Iterator[Client]:
    api = create_api(services)
    opened: list[TestClient] = []

    def of(reader: Reader | None = LOCAL_VISITOR) -> TestClient:
        client = TestClient(ReaderMiddleware(api, reader))
        client.__enter__()
        opened.append(client)
        return client

    yield of
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(client_of: Client) -> TestClient:
    return client_of()


@pytest.fixture
def serve_app() -> Iterator[Callable[[Any], str]]:
    """Serve applications on the loopback address, by the server of `backfile serve`."""
    opened: list[Server] = []

    def serve(app: Any) -> str:
        listening = listen("127.0.0.1", 0)
        opened.append(Server(app, listening, lambda: None))
        opened[-1].start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield serve
    for server in opened:
        server.close()
