"""A real web server on the loopback address, with its pages in a dictionary."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Page:
    """Response of an address; `slowly` writes the body, and with status 0 the head as well."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    slowly: Callable[[Any], None] | None = None
    etag: bool = False


@dataclass
class Request:
    path: str
    headers: Mapping[str, str]


class FakeSite:
    """The server's `pages` by path, and the `requests` it received."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.pages: dict[str, Page | list[Page]] = {}
        self.requests: list[Request] = []

    def url(self, path: str) -> str:
        return self.address + path

    def request_count(self, path: str) -> int:
        return sum(request.path == path for request in self.requests)

    def page(self, path: str) -> Page:
        found = self.pages.get(path, Page(b"<h1>Not found</h1>", 404))
        if isinstance(found, list):  # one answer after another; the last stays
            return found.pop(0) if len(found) > 1 else found[0]
        return found


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Print nothing: tests hang up on purpose."""


@contextmanager
def serve_site() -> Iterator[FakeSite]:
    """Run a server until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.requests.append(Request(self.path, dict(self.headers.items())))
            page = site.page(self.path)
            if page.slowly and not page.status:
                self.close_connection = True
                with suppress(OSError):
                    page.slowly(self.wfile)
                return
            mark = f'"{hashlib.sha256(page.body).hexdigest()[:16]}"'
            unchanged = page.etag and self.headers.get("If-None-Match") == mark
            body = b"" if unchanged or page.slowly else page.body
            self.send_response(304 if unchanged else page.status)
            headers = {"Content-Type": "text/html; charset=utf-8", **page.headers}
            if page.etag:
                headers["ETag"] = mark
            if page.slowly:
                headers["Connection"] = "close"
            elif not unchanged:
                headers.setdefault("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            try:
                self.end_headers()
                self.wfile.write(body)
                if page.slowly:
                    page.slowly(self.wfile)
            except OSError:  # the client hung up
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    server = _Server(("127.0.0.1", 0), Handler)
    site = FakeSite(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
