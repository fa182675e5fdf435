"""Who may put articles in and take them out: nobody, everybody, or who sits at this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rag.settings import Feeding

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# What a proxy adds: whoever asks through one may sit anywhere.
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def may_feed(feeding: Feeding, client: str, headers: Mapping[str, str]) -> bool:
    """Return whether who sends this request may change what the archive holds.

    Another site's page that a browser has open is refused in any case. `local` is a request from
    this machine, to this machine by its own name (a name that somebody leads here is another), that
    no proxy has passed on.
    """
    if feeding == "nobody" or not _from_this_site(headers):
        return False
    if feeding == "everyone":
        return True
    host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    return (
        _is_this_machine(client)
        and _is_this_machine(host)
        and not any(name in headers for name in _PASSED_ON)
    )


def _from_this_site(headers: Mapping[str, str]) -> bool:
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host", "")


def _is_this_machine(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class OnlyFeedersUpload:
    """In front of the page's application: files are taken from those alone who may feed."""

    def __init__(self, app: ASGIApp, feeding: Feeding) -> None:
        self._app = app
        self._feeding = feeding

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer that it is forbidden."""
        if scope["type"] == "http" and scope["path"].rstrip("/").endswith("/upload"):
            from starlette.datastructures import Headers

            client = scope["client"][0] if scope.get("client") else ""
            if not may_feed(self._feeding, client, Headers(scope=scope)):
                await send({"type": "http.response.start", "status": 403, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
        await self._app(scope, receive, send)
