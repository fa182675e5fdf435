"""ASGI middleware of the API: request ids, logs and metrics; sizes and times of bodies."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from ui.api.metrics import Metrics
from ui.api.problems import ProblemError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PREFIX = "/v1"
LOG = logging.getLogger("backfile.api")
LARGEST_BODY = 1_000_000  # bytes of a request
LARGEST_INGEST = 1_000_000_000  # bytes of an upload
BODY_SECONDS = 30.0  # for receiving a body
INGEST_SECONDS = 3600.0  # for receiving an upload
PAUSE_SECONDS = 30.0  # between two parts of a body
REQUEST_ID = "X-Request-Id"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestLog:
    """Gives each request an id, and logs and counts its answer; never its words.

    An unexpected error is logged with its traceback, and answered without it.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wrap an application."""
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, sent = time.monotonic(), _Sent(send, _request_id(scope))
        scope = {**scope, "state": {**scope.get("state", {}), "request_id": sent.request_id}}
        try:
            await self._app(scope, receive, sent)
        except Exception:
            LOG.exception("request failed", extra={"figures": {"request": sent.request_id}})
            if sent.status:
                raise  # the connection is cut, so that nobody takes a part for the whole
            problem = ProblemError(
                500,
                "internal",
                f"Something went wrong; the server's log has it as {sent.request_id}.",
            )
            await problem.response()(scope, receive, sent)
        finally:
            self._log(scope, sent.status, time.monotonic() - began)

    def _log(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "")
        if route and not route.startswith(PREFIX):  # of an included router
            route = PREFIX + route
        reader = scope["state"].get("reader")
        figures = {
            "request": scope["state"]["request_id"],
            "reader": reader.id if reader else "",
            "method": scope["method"][:16],
            "route": route,
            "status": status,
            "seconds": round(seconds, 4),
        }
        LOG.info("request", extra={"figures": figures})
        self._metrics.request(scope["method"], route, status, seconds)


def _request_id(scope: Scope) -> str:
    """Return the id that the client or a proxy gave, if it is well-formed, or a new one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID.lower().encode() and _ID.fullmatch(value.decode("latin-1")):
            return str(value.decode("latin-1"))
    return secrets.token_hex(8)


class _Sent:
    """ASGI `send` that adds the headers of every answer and remembers the status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            headers.append((REQUEST_ID.lower().encode(), self.request_id.encode()))
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"private, no-store"))
            message = {**message, "headers": headers}
        await self._send(message)


class BodyLimit:
    """Limits the size of bodies, and how long they take, whatever their headers announce."""

    def __init__(self, app: ASGIApp, ingest_path: str) -> None:
        """Wrap an application; only requests to `ingest_path` may be large."""
        self._app, self._ingest_path = app, ingest_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_ingest = scope["path"] == self._ingest_path
        largest = LARGEST_INGEST if is_ingest else LARGEST_BODY
        body = _Body(receive, largest, INGEST_SECONDS if is_ingest else BODY_SECONDS)
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or len(announced) > 15 or int(announced) > largest:
            await _too_large(largest).response()(scope, receive, send)
            return
        await self._app(scope, body, send)


class _Body:
    """ASGI `receive` that raises HTTPException for a body that is too large or too slow."""

    def __init__(self, receive: Receive, largest: int, seconds: float) -> None:
        self._receive = receive
        self._largest = largest
        self._until = time.monotonic() + seconds
        self._size = 0
        self._is_complete = False

    async def __call__(self) -> Any:
        if self._is_complete:
            return await self._receive()
        left = min(PAUSE_SECONDS, self._until - time.monotonic())
        try:
            async with asyncio.timeout(left):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(
                408, "The request's body took too long.", {"Connection": "close"}
            ) from None
        self._size += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if self._size > self._largest:
            problem = _too_large(self._largest)
            raise HTTPException(problem.status, problem.detail, problem.headers)
        return message


def _too_large(largest: int) -> ProblemError:
    return ProblemError(
        413,
        "content-too-large",
        f"The request is too large: the limit is {largest // 1000:,} kB.",
        headers={"Connection": "close"},
    )
