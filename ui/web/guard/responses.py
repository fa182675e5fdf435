"""Responses of the guard itself, and the security headers of all responses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ui.api import problems
from ui.api.openai.errors import is_openai_path, of_problem
from ui.api.problems import ProblemError
from ui.web import routes
from ui.web.guard.request import RejectedRequestError

if TYPE_CHECKING:
    from starlette.types import Send

# Gradio needs inline scripts and eval; nothing is loaded from other origins.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-src 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_REPLACED = {name for name, _ in SECURITY_HEADERS}


class SecureSend:
    """ASGI `send` that adds security headers and removes CORS headers."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Any) -> None:
        """Send a message, with the headers changed if it starts a response."""
        if message["type"] == "http.response.start":
            self.started = True
            headers = [
                (name, value)
                for name, value in message.get("headers", ())
                if name.lower() not in _REPLACED
                and not name.lower().startswith(b"access-control-")
                and name.lower() != b"server"
            ]
            message = {**message, "headers": [*headers, *SECURITY_HEADERS]}
        await self._send(message)


async def send_rejection(send: Send, rejection: RejectedRequestError, path: str) -> None:
    """Answer that a request is rejected: as JSON for API routes, as text for others.

    Args:
        send: ASGI `send`.
        rejection: Status and message.
        path: Path of the request.
    """
    extra = [(name.encode(), value.encode()) for name, value in rejection.headers.items()]
    if routes.route_kind("", path) == "api":
        problem = ProblemError(rejection.status, rejection.kind, rejection.message)
        openai = is_openai_path(path)
        response = of_problem(problem) if openai else problem.response()
        media_type = "application/json" if openai else problems.MEDIA_TYPE
        await answer(send, rejection.status, bytes(response.body), media_type, extra)
    elif path.startswith(routes.API):
        body = json.dumps({"detail": rejection.message, "error": rejection.message}).encode()
        await answer(send, rejection.status, body, "application/json", extra)
    else:
        body = f"{rejection.message}\n".encode()
        await answer(send, rejection.status, body, "text/plain", extra)


async def answer(
    send: Send,
    status: int,
    body: bytes,
    media_type: str,
    extra: list[tuple[bytes, bytes]] | None = None,
) -> None:
    """Send a whole response.

    Args:
        send: ASGI `send`.
        status: HTTP status.
        body: Its body.
        media_type: Content-Type of the body.
        extra: Further headers.
    """
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        *(extra or []),
    ]
    if status in (408, 413):  # the rest of the body is not read
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def redirect(send: Send, target: str) -> None:
    """Send the client on to an address of this page."""
    extra = [(b"location", target.encode("latin-1")), (b"cache-control", b"no-store")]
    await answer(send, 303, b"", "text/plain; charset=utf-8", extra)
