"""Exchange of the token in the address that `serve` prints for a cookie."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from ui.web.guard.request import IncomingRequest, RejectedRequestError
from ui.web.guard.responses import answer

if TYPE_CHECKING:
    from starlette.types import Send

    from ui.web.auth import WriteAccess
    from ui.web.quota import Bucket


async def exchange_token(
    request: IncomingRequest,
    token: str,
    send: Send,
    *,
    access: WriteAccess,
    failed_tokens: Bucket,
    secure: bool,
) -> None:
    """Set a cookie for the token in the URL, and redirect to the URL without it."""
    rest = [(name, value) for name, value in parse_qsl(request.query) if name != "token"]
    target = f"/?{urlencode(rest)}" if rest else "/"
    if not access.is_token(token):
        if not failed_tokens.take(request.client):
            raise RejectedRequestError(
                429, "Too many invalid tokens. Wait a minute, then try again."
            )
        page = (
            "<!doctype html><html lang=en><meta charset=utf-8><title>Backfile</title>"
            "<body style='font-family: system-ui; max-width: 40em; margin: 4em auto'>"
            "<h1>This link is no longer valid</h1><p>Each start of <code>backfile serve</code> "
            "prints a new one, unless <code>BACKFILE_TOKEN</code> is set. Without it you can "
            f"ask, but not change the archive.</p><p><a href='{html.escape(target)}'>"
            "Go on to the page</a></p>"
        )
        await answer(send, 403, page.encode(), "text/html; charset=utf-8")
        return
    cookie = (
        f"{access.cookie_name}={access.cookie_value}; Path=/; HttpOnly; "
        f"SameSite=Strict{'; Secure' if secure else ''}"
    )
    extra = [
        (b"location", target.encode("latin-1")),
        (b"set-cookie", cookie.encode()),
        (b"cache-control", b"no-store"),
    ]
    await answer(send, 303, b"", "text/plain; charset=utf-8", extra)
