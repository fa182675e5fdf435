"""`POST /v1/ask` and `GET /v1/timeline`: modes, events, deadlines, and work that stops."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from rag.answer.chatbot import Chatbot
from rag.answer.check_text import CheckedSentence
from rag.archive.archive import Archive
from rag.errors import ChatModelError
from rag.schema import Answer, Statement
from rag.settings import Settings
from tests.api.conftest import ReaderMiddleware
from ui.api.app import begin_closing, create_api
from ui.api.services import Services
from ui.readers import LOCAL_VISITOR

pytestmark = pytest.mark.slow

ASKED = {"question": "When did the bridge reopen?"}
EVENTS = {"Accept": "text/event-stream"}


def _events(text: str) -> list[tuple[str, Any]]:
    lines = [one.split("\n") for one in text.split("\n\n")[:-1]]
    events = [dict(line.split(": ", 1) for line in one) for one in lines]
    return [(one["event"], json.loads(one["data"])) for one in events]


def test_answer_is_one_that_scripts_can_rebuild(client: TestClient) -> None:
    answer = Answer.from_dict(client.post("/v1/ask", json=ASKED).json())
    assert answer.status == "answered"
    assert answer.citations[0].metadata.article_id == "courier.example/bridge"


def test_events_are_whole_answers_and_the_last_is_final(client: TestClient) -> None:
    response = client.post("/v1/ask", json=ASKED, headers=EVENTS)
    assert response.headers["content-type"].startswith("text/event-stream")
    found = _events(response.text)
    assert [name for name, _ in found] == ["answer"] * (len(found) - 1) + ["final"]
    last = Answer.from_dict(found[-1][1])
    assert last == Answer.from_dict(client.post("/v1/ask", json=ASKED).json())


def test_accept_header_chooses_the_form(client: TestClient) -> None:
    for accept, events in (
        ("application/json, text/event-stream", False),
        ("text/event-stream;q=1, application/json", True),
        ("*/*", False),
    ):
        response = client.post("/v1/ask", json=ASKED, headers={"Accept": accept})
        assert response.headers["content-type"].startswith("text/event-stream") is events


@pytest.mark.parametrize("mode", ["timeline", "compare", "quotes"])
def test_modes_lay_out_what_the_archive_says(client: TestClient, mode: str) -> None:
    asked = {"question": "What did Brandt say about the bridge?", "mode": mode}
    answer = Answer.from_dict(client.post("/v1/ask", json=asked).json())
    assert answer.refused or answer.citations


def test_timeline_is_the_mode_of_the_same_name(client: TestClient) -> None:
    found = client.get("/v1/timeline", params={"question": "bridge of Osterholt"}).json()
    asked = {"question": "bridge of Osterholt", "mode": "timeline"}
    assert found == client.post("/v1/ask", json=asked).json()
    assert found["statements"]


def test_invented_history_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/ask", json=ASKED).json()
    answer["notices"] = [{"code": "invented", "params": {}}]
    turns = [{"question": "When did the bridge reopen?", "answer": answer}]
    response = client.post("/v1/ask", json={"question": "And then?", "history": turns})
    assert response.status_code == 422
    assert "invented" in response.json()["detail"]


class PacedChatbot(Chatbot):
    """Yields an answer whenever it is let, and records that it was closed."""

    def __init__(self, archive: Any) -> None:
        super().__init__(archive)
        self.go, self.closed, self.begun = threading.Semaphore(0), threading.Event(), 0
        self.error: Exception | None = None

    def restricted_to(self, rights: Any) -> Chatbot:
        return self

    def stream(self, question: Any, **_: Any) -> Iterator[Answer]:
        self.begun += 1
        try:
            for number in range(1000):
                yield Answer("q", tuple(Statement(str(n)) for n in range(number)))
                self.go.acquire(timeout=0.05)
                if self.error:
                    raise self.error
        finally:
            self.closed.set()


@pytest.fixture
def paced(archive: Archive) -> PacedChatbot:
    return PacedChatbot(archive)


@pytest.fixture
def paced_api(paced: PacedChatbot, archive: Archive) -> Any:
    return create_api(Services(archive, paced, Settings(archive=archive.path)))


@pytest.fixture
def paced_client(paced_api: Any) -> Iterator[TestClient]:
    with TestClient(ReaderMiddleware(paced_api, LOCAL_VISITOR)) as client:
        yield client


def test_question_past_its_deadline_stops(
    paced_client: TestClient, paced_api: Any, paced: PacedChatbot
) -> None:
    paced_api.state.work.deadlines["ask"] = 0.5
    response = paced_client.post("/v1/ask", json=ASKED)
    assert response.status_code == 504
    assert paced.closed.wait(5)
    events = _events(paced_client.post("/v1/ask", json=ASKED, headers=EVENTS).text)
    assert [name for name, _ in events[-2:]] == ["answer", "problem"]
    assert events[-1][1]["status"] == 504


def test_end_of_the_server_ends_streams(
    paced_client: TestClient, paced_api: Any, paced: PacedChatbot
) -> None:
    threading.Timer(0.5, begin_closing, [paced_api]).start()
    events = _events(paced_client.post("/v1/ask", json=ASKED, headers=EVENTS).text)
    assert events[-1][0] == "problem"
    assert events[-1][1]["type"] == "urn:backfile:problem:closing"
    assert paced.closed.wait(5)
    assert paced_client.get("/v1/readyz").status_code == 503
    assert paced_client.get("/v1/livez").status_code == 200


def test_error_within_a_stream_is_its_last_event(
    paced_client: TestClient, paced: PacedChatbot
) -> None:
    paced.error = ChatModelError("The chat model is away. Ask later.")
    events = _events(paced_client.post("/v1/ask", json=ASKED, headers=EVENTS).text)
    assert [name for name, _ in events] == ["answer", "problem"]
    assert events[-1][1]["error"] == "ChatModelError"
    response = paced_client.post("/v1/ask", json=ASKED)
    assert response.status_code == 503
    assert response.json()["detail"] == "The chat model is away. Ask later."


@pytest.mark.parametrize("headers", [{}, EVENTS])
def test_client_that_leaves_stops_the_work(
    paced_api: Any, paced: PacedChatbot, headers: dict[str, str], serve_app: Callable[[Any], str]
) -> None:
    address = serve_app(ReaderMiddleware(paced_api, LOCAL_VISITOR))
    host, _, port = address.removeprefix("http://").partition(":")
    body = json.dumps(ASKED)
    head = [
        "POST /v1/ask HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(("\r\n".join(head) + "\r\n\r\n" + body).encode())
        until = time.monotonic() + 10
        while not paced.begun and time.monotonic() < until:
            time.sleep(0.01)
        assert paced.begun
        assert not paced.closed.is_set()
    assert paced.closed.wait(10)
    until = time.monotonic() + 5
    queue = paced_api.state.work.queues["ask"]
    while queue.running and time.monotonic() < until:
        time.sleep(0.01)
    assert queue.running == 0


class SearchingChatbot(PacedChatbot):
    """Searches for long before its first answer, in steps that can be closed."""

    def stream(self, question: Any, **given: Any) -> Iterator[Answer]:
        self.go.acquire(timeout=1.0)
        yield from super().stream(question, **given)

    def stream_check(self, text: str, **_: Any) -> Iterator[CheckedSentence]:
        try:
            for _ in range(1000):
                self.go.acquire(timeout=0.05)
                yield CheckedSentence("A.", 0, 2, "no claim")
        finally:
            self.closed.set()


@pytest.mark.parametrize(
    ("path", "body", "seconds"),
    [
        ("/v1/ask", ASKED, 0.4),
        ("/v1/check", {"text": "A bridge."}, 0.4),
        ("/v1/responses", {"model": "backfile", "input": "bridge"}, 1.6),
        ("/v1/responses", {"model": "backfile", "input": "bridge", "stream": True}, 0.4),
        (
            "/v1/chat/completions",
            {"model": "backfile", "messages": [{"role": "user", "content": "bridge"}]},
            1.6,
        ),
    ],
)
def test_client_that_leaves_before_the_response_ends_the_work(
    archive: Archive, path: str, body: Any, seconds: float
) -> None:
    api = create_api(Services(archive, SearchingChatbot(archive), Settings(archive=archive.path)))
    assert asyncio.run(asyncio.wait_for(_leave(api, path, body, seconds), 20)) == 400
    assert api.state.work.queues["ask"].running == 0


async def _leave(api: Any, path: str, body: Any, seconds: float) -> int:
    """Return the status of a request whose sender leaves after some seconds."""
    bodies, statuses = [json.dumps(body).encode()], list[int]()
    left = asyncio.get_running_loop().time() + seconds

    async def receive() -> Any:
        if bodies:
            return {"type": "http.request", "body": bodies.pop(), "more_body": False}
        if (wait := left - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(wait)  # cancelled by those who only look
        return {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        if event["type"] == "http.response.start":
            statuses.append(event["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"host", b"localhost")],
    }
    await ReaderMiddleware(api, LOCAL_VISITOR)(scope, receive, send)
    for _ in range(100):
        if not api.state.work.queues["ask"].running:
            break
        await asyncio.sleep(0.05)
    return statuses[0]
