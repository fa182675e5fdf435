"""Checks of a request before anybody knows who sent it: its host, origin, route and length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ui.web import routes
from ui.web.auth import is_same_origin
from ui.web.guard.hosts import AllowedHosts, parse_host
from ui.web.guard.request import IncomingRequest, RejectedRequestError
from ui.web.quota import client_key

if TYPE_CHECKING:
    from starlette.types import Scope

    from ui.web.authentication import ProxyHeader


def parse_request(scope: Scope, hosts: AllowedHosts) -> IncomingRequest:
    """Return the request; raise RejectedRequestError for a wrong host, origin or route."""
    host_headers = [value for name, value in scope["headers"] if name == b"host"]
    headers = join_headers(scope["headers"])
    method, path = scope["method"], scope["path"]
    if not scope.get("raw_path", b"/").startswith(b"/") or not path.startswith("/"):
        raise RejectedRequestError(400, "Invalid request: this server is not a proxy.")
    host = parse_host(host_headers[0].decode("latin-1")) if len(host_headers) == 1 else None
    if host is None:
        raise RejectedRequestError(
            400, "Invalid request: the Host header is missing, repeated or malformed."
        )
    if host not in hosts.hosts:
        raise RejectedRequestError(
            421,
            f"Unknown host: this page does not answer to the name {host!r}. "
            f"To allow it, start the server with BACKFILE_HOSTS={host}.",
        )
    if method == "OPTIONS":
        raise RejectedRequestError(403, "Request rejected: it comes from another site.")
    if not is_same_origin(headers) and not _is_navigation(method, path, headers):
        raise RejectedRequestError(403, "Request rejected: it comes from another site.")
    kind = routes.route_kind(method, path)
    if kind is None:
        raise RejectedRequestError(404, "Not found: this address is not part of the page.")
    peer = scope["client"][0] if scope.get("client") else ""
    client = client_key(hosts.client(peer, headers))
    query = scope.get("query_string", b"").decode("latin-1")
    if len(query) > 4 * 8192:
        raise RejectedRequestError(
            414, "The address is too long: shorten the question, or use fewer filters."
        )
    return IncomingRequest(method, path, query, headers, kind, peer, client, may_write=False)


def clean_scope(scope: Scope, request: IncomingRequest, proxy: ProxyHeader) -> Scope:
    """Return the scope without headers that nobody should trust, with the guard's findings."""
    headers = [
        (name, value)
        for name, value in scope["headers"]
        if name not in (b"origin", b"x-forwarded-host")
        and not proxy.is_name(name)
        and (name != b"x-forwarded-proto" or value in (b"http", b"https"))
    ]
    port = scope["client"][1] if scope.get("client") else 0
    state = {
        **scope.get("state", {}),
        "may_write": request.may_write,
        "client": request.client,
        "reader": request.reader,
    }
    return {**scope, "headers": headers, "client": (request.client, port), "state": state}


def join_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by name, with the values of repeated headers joined."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        separator = "; " if key == "cookie" else ", "
        joined[key] = f"{joined[key]}{separator}{text}" if key in joined else text
    return joined


def _is_navigation(method: str, path: str, headers: Mapping[str, str]) -> bool:
    """Return whether the request opens the page from a link, which other sites may contain."""
    return (
        method == "GET"
        and routes.route_kind(method, path) in ("page", "article", "login")
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
        and "origin" not in headers
    )
