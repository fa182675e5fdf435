"""A chat model's server on the loopback address, with OpenAI's protocol and with Ollama's."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = (90, 10)  # tokens that each reply reports


@dataclass
class Reply:
    """A reply: the pieces to stream, then its end; or an error.

    An event among the pieces is waited for. `ending` "cut" leaves out the end of the protocol, and
    "broken" breaks the connection.
    """

    pieces: list[str | threading.Event] = field(default_factory=list)
    status: int = 200
    error: str = ""
    ending: str = "stop"


class ChatServer:
    """The `requests` that came, and `answer`, which makes the reply to each."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.requests: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], Reply] = lambda _: Reply()
        self.late = False  # an event didn't come

    def schemas(self) -> list[bool]:
        """Return of each request whether it asked for JSON by a schema."""
        return [asks_for_json(request) for request in self.requests]


def asks_for_json(request: dict[str, Any]) -> bool:
    return "response_format" in request or "format" in request


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Print nothing: clients hang up on purpose."""


@contextmanager
def serve_chat() -> Iterator[ChatServer]:
    """Run a server until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = json.loads(body)
            chat.requests.append(request)
            reply = chat.answer(request)
            if reply.status != 200:
                self._fail(reply)
                return
            ollama = self.path == "/api/chat"
            self.send_response(200)
            kind = "application/x-ndjson" if ollama else "text/event-stream"
            self.send_header("Content-Type", kind)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            stream = _ollama_lines(reply) if ollama else _openai_lines(reply)
            for line in stream:
                if isinstance(line, threading.Event):
                    chat.late |= not line.wait(5)
                    continue
                self.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))
            if reply.ending == "broken":
                self.close_connection = True
                return
            self.wfile.write(b"0\r\n\r\n")

        def _fail(self, reply: Reply) -> None:
            error: Any = {"message": reply.error, "type": "invalid_request_error"}
            body = json.dumps({"error": reply.error if "/api/" in self.path else error}).encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = _Server(("127.0.0.1", 0), Handler)
    chat = ChatServer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _openai_lines(reply: Reply) -> Iterator[bytes | threading.Event]:
    def event(**fields: Any) -> bytes:
        head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "tiny"}
        return f"data: {json.dumps({**head, **fields})}\n\n".encode()

    def choice(delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        return {"index": 0, "delta": delta, "finish_reason": reason}

    yield event(choices=[choice({"role": "assistant", "content": ""})])
    for piece in reply.pieces:
        yield event(choices=[choice({"content": piece})]) if isinstance(piece, str) else piece
    if reply.ending in ("cut", "broken"):
        return
    yield event(choices=[choice({}, reply.ending)])
    given, written = USAGE
    usage = {
        "prompt_tokens": given,
        "completion_tokens": written,
        "total_tokens": given + written,
    }
    yield event(choices=[], usage=usage)
    yield b"data: [DONE]\n\n"


def _ollama_lines(reply: Reply) -> Iterator[bytes | threading.Event]:
    def line(content: str, **fields: Any) -> bytes:
        head = {"model": "tiny", "created_at": "2026-01-01T00:00:00Z"}
        message = {"role": "assistant", "content": content}
        return json.dumps({**head, "message": message, **fields}).encode() + b"\n"

    for piece in reply.pieces:
        yield line(piece, done=False) if isinstance(piece, str) else piece
    if reply.ending in ("cut", "broken"):
        return
    given, written = USAGE
    yield line("", done=True, done_reason=reply.ending, prompt_eval_count=given, eval_count=written)
