"""The page's real server over a small archive, and the requests that an attacker sends."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from rag.archive.archive import Archive
from rag.settings import Settings
from tests.support.fakes import QuotingChatbot, small_archive
from ui.web.app import Served, start

QUESTION = "What about the harbour bridge?"
TOKEN = "a-token-for-the-tests"  # of this process's server alone


@contextmanager
def serve(
    folder: Path,
    chatbot: Callable[[Archive], Any] = QuotingChatbot,
    *,
    archive: Archive | None = None,
    **given: Any,
) -> Iterator[Served]:
    """Serve the articles of `tests.support.fakes` with the settings that are given."""
    with archive or small_archive(folder / "archive") as opened:
        settings = Settings(**{"archive": opened.path, "port": 0, "token": TOKEN, **given})
        served = start(opened, chatbot(opened), settings)
        try:
            yield served
        finally:
            served.close()


def open_client(served: Served, *, source: str | None = None, token: bool = False) -> httpx.Client:
    """Return a client of the page: with an address of its own, or with the token's cookie."""
    permission = served.write_access
    cookie = {"Cookie": f"{permission.cookie_name}={permission.cookie_value}"} if token else {}
    return httpx.Client(
        base_url=served.address,
        headers=cookie,
        timeout=60,
        transport=httpx.HTTPTransport(
            local_address=source, limits=httpx.Limits(max_keepalive_connections=0)
        ),
    )


def send_raw(
    served: Served, request: str, body: bytes = b"", *, hang_up: bool = True
) -> tuple[int, str]:
    """Send raw request lines; return the status and the response.

    With `hang_up`, the client sends its end at once, and may miss an answer that takes longer.
    """
    host, port = served.address.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    text = b"".join(parts).decode("latin-1")
    return int(text.split(" ", 2)[1]), text


class Visit:
    """A page open in a browser, as the server sees it: a session and its calls."""

    def __init__(self, served: Served, asking: httpx.Client) -> None:
        self.session = secrets.token_hex(6)
        self.asking = asking
        self._blocks = served.blocks
        self._address = served.address

    def index(self, name: str, event: str = "") -> int:
        """Return the index of the function of that name, on that kind of event."""
        return next(
            index
            for index, fn in self._blocks.fns.items()
            if fn.name == name and (not event or any(kind == event for _, kind in fn.targets))
        )

    def inputs(self, index: int) -> int:
        """Return how many values a function takes."""
        return len(self._blocks.fns[index].inputs)

    def body(self, index: int, data: list[Any] | None = None, **given: Any) -> dict[str, Any]:
        """Return the body of a call."""
        values = [None] * self.inputs(index) if data is None else data
        return {"data": values, "fn_index": index, "session_hash": self.session, **given}

    def run(self, index: int, data: list[Any] | None = None, **given: Any) -> httpx.Response:
        """Call a function that doesn't wait in the queue."""
        body = self.body(index, data, **given)
        return self.asking.post("/gradio_api/run/predict", json=body)

    def load(self, kept: object = None) -> httpx.Response:
        """Open the page, with the conversations that a browser kept."""
        return self.run(self.index("load"), [None, kept])

    def join(self, index: int, data: list[Any] | None = None, **given: Any) -> httpx.Response:
        """Add a call to the queue."""
        return self.asking.post("/gradio_api/queue/join", json=self.body(index, data, **given))

    def completed(self, event_id: str = "") -> dict[str, Any]:
        """Fetch what the session waits for, until an event has ended; return how."""
        data = f"/gradio_api/queue/data?session_hash={self.session}"
        with self.asking.stream("GET", data) as events:
            for line in events.iter_lines():
                message = json.loads(line.removeprefix("data:") or "{}")
                if message.get("msg") == "process_completed":
                    if event_id and message.get("event_id") != event_id:
                        continue
                    return dict(message)
        raise AssertionError("it did not end")

    def call(self, index: int, data: list[Any] | None = None, **given: Any) -> dict[str, Any]:
        """Call a function by the queue, and return how it ended."""
        joined = self.join(index, data, **given).raise_for_status()
        return self.completed(joined.json()["event_id"])

    def ask(self, question: object) -> dict[str, Any]:
        """Ask, as the page does: begin, then answer."""
        begin = self.index("ask", "submit")
        self.call(begin, [None, question, "answer", "relevance", "", "", "", [], [], [], [], []])
        return self.call(self.index("stream_answer"))


def ask(asking: httpx.Client, question: object = QUESTION, *more: object) -> httpx.Response:
    """Ask as a program does; return the response to the request that adds the question."""
    return asking.post("/gradio_api/call/ask", json={"data": [question, *more]})


def read_answer(asking: httpx.Client, joined: httpx.Response) -> str:
    """Return the answer that a program receives."""
    return asking.get(f"/gradio_api/call/ask/{joined.raise_for_status().json()['event_id']}").text
