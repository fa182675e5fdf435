"""Bodies of requests: read up to a limit of size and time, then replayed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ui.web.guard.request import RejectedRequestError

if TYPE_CHECKING:
    from starlette.types import Message, Receive

LARGEST_BODY = 1_000_000  # bytes of a request, except uploads
BODY_SECONDS = 30.0  # timeout for receiving such a body


async def read_body(receive: Receive, headers: Mapping[str, str]) -> bytes:
    """Read a body up to `LARGEST_BODY`, whatever its Content-Length; raise if it is larger."""
    too_large = RejectedRequestError(
        413, f"Request too large: the limit is {LARGEST_BODY // 1000:,} kB."
    )
    announced = headers.get("content-length", "0")
    if not announced.isdecimal() or len(announced) > 12 or int(announced) > LARGEST_BODY:
        raise too_large
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RejectedRequestError(
                        400, "Request incomplete: the connection was closed."
                    )
                part = message.get("body", b"")
                size += len(part)
                if size > LARGEST_BODY:
                    raise too_large
                parts.append(part)
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        raise RejectedRequestError(
            408, f"Request timed out: it took more than {BODY_SECONDS:.0f} seconds."
        ) from None


def replay_body(body: bytes) -> Receive:
    """Return an ASGI `receive` that yields the body, then waits forever."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()
        raise AssertionError

    return receive
