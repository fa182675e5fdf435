"""ASGI middleware that checks every request before Gradio sees it.

Gradio's own middleware echoes origins and has no limits. The guard checks, in this order: the host,
the origin, the route, the token, and the size. `ui.web.gradio_calls` then validates the call.
"""

from __future__ import annotations

import asyncio
import html
import ipaddress
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from rag.errors import SettingsError
from rag.settings import Settings
from ui.api import problems
from ui.api.openai.errors import is_openai_path, of_problem
from ui.api.problems import ProblemError
from ui.article_address import ArticleAddress
from ui.i18n import preferred_language, texts_in
from ui.readers import LOCAL_VISITOR, Reader
from ui.web import routes
from ui.web.auth import is_same_origin
from ui.web.authentication import (
    CredentialsError,
    ProxyHeader,
    is_in_networks,
    parse_networks,
)
from ui.web.login import LoginRoutes, login_target, refused_html
from ui.web.quota import Bucket, client_key

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 1_000_000  # bytes of a request, except uploads
BODY_SECONDS = 30.0  # timeout for receiving such a body
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
OPEN_PATHS = ("/v1/livez", "/v1/readyz")  # for load balancers, which don't log in
WILDCARDS = ("", "0.0.0.0", "::", "*")

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
_HOST = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})))"
    r"(?::\d{1,5})?"
)


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """Request that passed the guard.

    Attributes:
        method: HTTP method.
        path: Path of the URL.
        query: Query string, without its question mark.
        headers: Headers by their names in lower case.
        kind: Kind of the route.
        peer: Address of the sender, which may be a proxy.
        client: Quota key of the client; behind a trusted proxy, of the proxy's client.
        may_write: Whether the sender may change the archive.
        reader: The sender; None if they have to log in, and the route is open to everybody.
        body: Body of a call; empty for other kinds.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    kind: routes.Kind
    peer: str
    client: str
    may_write: bool
    reader: Reader | None = LOCAL_VISITOR
    body: bytes = b""


class RejectedRequestError(Exception):
    """Request that is not answered.

    Args:
        status: HTTP status.
        message: Text for the user.
        kind: The kind of problem, for programs.
        headers: Further headers, such as `Retry-After`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "rejected",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Host names that the page answers to, and trusted proxies.

    Attributes:
        hosts: Host names and addresses, in lower case.
        proxies: Networks whose `X-Forwarded-For` headers are trusted.
    """

    hosts: frozenset[str]
    proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> AllowedHosts:
        """Return the hosts and proxies of the settings.

        Raises:
            SettingsError: A host or a proxy is malformed.
        """
        hosts = set(LOCAL_HOSTS)
        listening = settings.host.strip("[]").lower()
        if listening not in WILDCARDS:
            hosts.add(listening)
        for name in _split_list(settings.hosts):
            host = parse_host(name) or parse_host(f"[{name}]")
            if host is None:
                raise SettingsError(
                    f"BACKFILE_HOSTS is invalid: {name!r} is not a host. Write archive.example."
                )
            hosts.add(host)
        return cls(frozenset(hosts), parse_networks("PROXIES", settings.proxies))

    def is_proxy(self, address: str) -> bool:
        """Return whether the address belongs to a trusted proxy."""
        return is_in_networks(address, self.proxies)

    def client(self, peer: str, headers: Mapping[str, str]) -> str:
        """Return the client's address: the last one in `X-Forwarded-For` that is not a proxy."""
        client = peer
        forwarded = headers.get("x-forwarded-for", "")[-1000:].split(",")
        while self.is_proxy(client) and forwarded:
            address = forwarded.pop().strip()
            try:
                ipaddress.ip_address(address)
            except ValueError:
                break
            client = address
        return client


Inner = Callable[["Scope", "Receive", "Send", IncomingRequest], Awaitable[None]]


class Guard:
    """ASGI middleware that rejects requests the page must not answer.

    Args:
        app: Application for lifespan events.
        calls: Application for requests that pass.
        hosts: Allowed hosts and trusted proxies.
        login: The routes of the login, and who sends a request.
        base_url: The address at which readers reach the page; "" for that of each request.
    """

    def __init__(
        self, app: ASGIApp, calls: Inner, hosts: AllowedHosts, login: LoginRoutes, base_url: str
    ) -> None:
        self._app = app  # receives lifespan events only
        self._calls = calls
        self._hosts = hosts
        self._login = login
        self._authentication = login.authentication
        self._write_access = login.authentication.write_access
        self._base_url = base_url
        self._failed_tokens = Bucket(burst=10, seconds=6.0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer why it is rejected."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        sender = _SecureSend(send)
        try:
            request = await self._identify(scope, self._parse_request(scope))
            if request.kind == "login":
                await self._answer_login(request, receive, sender)
                return
            if request.reader is None and request.kind in ("page", "article"):
                await _redirect(sender, login_target(request))
                return
            if request.kind in ("page", "article") and not _may_read(request):
                await _refuse(request, sender)
                return
            if request.kind == "article":
                await _redirect_to_article(request, sender)
                return
            is_local = not self._authentication.needs_login
            if request.kind == "page" and is_local and "token" in request.query:
                token = dict(parse_qsl(request.query)).get("token")
                if token is not None:
                    await self._exchange_token(request, token, sender)
                    return
            if request.kind == "call":
                request = replace(request, body=await _read_body(receive, request.headers))
                receive = replay_body(request.body)
            cleaned = _clean_scope(scope, request, self._authentication.proxy)
            await self._calls(cleaned, receive, sender, request)
        except RejectedRequestError as rejection:
            if not sender.started:
                await send_rejection(sender, rejection, scope["path"])

    def _parse_request(self, scope: Scope) -> IncomingRequest:
        """Return the request; raise RejectedRequestError for a wrong host, origin or route."""
        host_headers = [value for name, value in scope["headers"] if name == b"host"]
        headers = _join_headers(scope["headers"])
        method, path = scope["method"], scope["path"]
        if not scope.get("raw_path", b"/").startswith(b"/") or not path.startswith("/"):
            raise RejectedRequestError(400, "Invalid request: this server is not a proxy.")
        host = parse_host(host_headers[0].decode("latin-1")) if len(host_headers) == 1 else None
        if host is None:
            raise RejectedRequestError(
                400, "Invalid request: the Host header is missing, repeated or malformed."
            )
        if host not in self._hosts.hosts:
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
        client = client_key(self._hosts.client(peer, headers))
        query = scope.get("query_string", b"").decode("latin-1")
        if len(query) > 4 * 8192:
            raise RejectedRequestError(
                414, "The address is too long: shorten the question, or use fewer filters."
            )
        return IncomingRequest(method, path, query, headers, kind, peer, client, may_write=False)

    async def _identify(self, scope: Scope, request: IncomingRequest) -> IncomingRequest:
        """Return the request with its reader; raise RejectedRequestError if it needs another."""
        peer, headers = request.peer, request.headers
        access, needs_login = self._write_access, self._authentication.needs_login
        if not needs_login:
            may_write = access.may_write(peer, headers)
            reader: Reader | None = access.local_reader(peer, headers)
        else:
            reader = await asyncio.to_thread(self._find_reader, scope, request)
            if reader is not None and access.writers == "none":
                reader = replace(reader, scopes=reader.scopes - {"ingest"})
            # The view of the archive names every article, so it takes the rights to all of them.
            may_write = (
                reader is not None and reader.may("ingest") and reader.rights.sees_everything
            )
            self._check_reader(request, reader)
        if request.kind == "upload" and not may_write:
            raise RejectedRequestError(403, "You do not have permission to change this archive.")
        return replace(request, may_write=may_write, reader=reader)

    def _find_reader(self, scope: Scope, request: IncomingRequest) -> Reader | None:
        """Return who sends a request to an archive with users; None if they have to log in."""
        peer, headers = request.peer, request.headers
        secure = self._is_secure(request)
        try:
            return self._authentication.reader(peer, scope["headers"], headers, secure=secure)
        except CredentialsError as error:
            if error.status == 401 and not self._failed_tokens.take(request.client):
                raise RejectedRequestError(
                    429,
                    "Too many invalid tokens. Wait a minute, then try again.",
                    kind="too-many-requests",
                    headers={"retry-after": "60"},
                ) from None
            why = {"path": request.path, "why": error.message}
            self._login.audit.record(None, "denied", client=request.client, **why)
            if error.status == 401:
                raise _unauthenticated(error.message) from None
            raise RejectedRequestError(error.status, error.message, kind="no-account") from None

    def _check_reader(self, request: IncomingRequest, reader: Reader | None) -> None:
        """Raise RejectedRequestError unless a reader may use the route, which is not of a feed."""
        if request.kind in ("login", "feed") or request.path in OPEN_PATHS:
            return
        if reader is None:
            if request.kind in ("page", "article"):
                return  # the login page
            raise _unauthenticated(
                "Log in, or send a token in the header Authorization: Bearer bf_..."
            )
        if request.kind in ("part", "stream", "call", "upload") and not reader.may("read"):
            raise RejectedRequestError(403, "You may not read this archive.", kind="scope-missing")

    def _is_secure(self, request: IncomingRequest) -> bool:
        """Return whether a browser sent the request by https, to a proxy in front of the server."""
        if self._hosts.is_proxy(request.peer) or self._authentication.proxy.is_trusted(
            request.peer
        ):
            return request.headers.get("x-forwarded-proto") == "https"
        return False

    async def _answer_login(self, request: IncomingRequest, receive: Receive, send: Send) -> None:
        if not self._authentication.needs_login:
            await _redirect(send, "/")
            return
        body = await _read_body(receive, request.headers) if request.method == "POST" else b""
        secure = self._is_secure(request)
        base_url = self._base_url or f"{'https' if secure else 'http'}://{request.headers['host']}"
        answer = await self._login.answer(request, body, base_url.rstrip("/"), secure=secure)
        headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        content = b"" if request.method == "HEAD" else answer.body.encode()
        await _answer(send, answer.status, content, "text/html; charset=utf-8", headers)

    async def _exchange_token(self, request: IncomingRequest, token: str, send: Send) -> None:
        """Set a cookie for the token in the URL, and redirect to the URL without it."""
        rest = [(name, value) for name, value in parse_qsl(request.query) if name != "token"]
        target = f"/?{urlencode(rest)}" if rest else "/"
        if not self._write_access.is_token(token):
            if not self._failed_tokens.take(request.client):
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
            await _answer(send, 403, page.encode(), "text/html; charset=utf-8")
            return
        is_secure = self._is_secure(request)
        access = self._write_access
        cookie = (
            f"{access.cookie_name}={access.cookie_value}; Path=/; HttpOnly; "
            f"SameSite=Strict{'; Secure' if is_secure else ''}"
        )
        extra = [
            (b"location", target.encode("latin-1")),
            (b"set-cookie", cookie.encode()),
            (b"cache-control", b"no-store"),
        ]
        await _answer(send, 303, b"", "text/plain; charset=utf-8", extra)


async def _redirect(send: Send, target: str) -> None:
    extra = [(b"location", target.encode("latin-1")), (b"cache-control", b"no-store")]
    await _answer(send, 303, b"", "text/plain; charset=utf-8", extra)


def _may_read(request: IncomingRequest) -> bool:
    return request.reader is not None and request.reader.may("read")


async def _refuse(request: IncomingRequest, send: Send) -> None:
    """Tell somebody who is logged in that they may not read, with a way to log out."""
    texts = texts_in(preferred_language(request.headers.get("accept-language", "")[:200]))
    page = refused_html(texts, request.reader or LOCAL_VISITOR)
    await _answer(send, 403, page.encode(), "text/html; charset=utf-8")


def _unauthenticated(message: str) -> RejectedRequestError:
    return RejectedRequestError(
        401, message, kind="not-authenticated", headers={"www-authenticate": "Bearer"}
    )


async def _redirect_to_article(request: IncomingRequest, send: Send) -> None:
    """Redirect an article's address to the page, which opens the article.

    Gradio knows one address only: its files are relative to it. `reading.js` shows the article's
    address again.
    """
    article_id = request.path.removeprefix(routes.ARTICLE)
    query = {**dict(parse_qsl(request.query)), "article": article_id}
    address = ArticleAddress.from_query(query)
    if address is None:
        raise RejectedRequestError(404, "Not found: the article's ID is too long.")
    await _redirect(send, f"/?{address.query}")


def parse_host(name: str) -> str | None:
    """Return the host of a Host header in lower case, without port; None if malformed."""
    match = _HOST.fullmatch(name)
    if match is None:
        return None
    if match["v6"]:
        try:
            return str(ipaddress.IPv6Address(match["v6"]))
        except ValueError:
            return None
    return match["name"].lower().removesuffix(".")


def _split_list(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(",") if part.strip()]


def _join_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
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


def _clean_scope(scope: Scope, request: IncomingRequest, proxy: ProxyHeader) -> Scope:
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


async def _read_body(receive: Receive, headers: Mapping[str, str]) -> bytes:
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


class _SecureSend:
    """ASGI `send` that adds security headers and removes CORS headers."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Any) -> None:
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
        await _answer(send, rejection.status, bytes(response.body), media_type, extra)
    elif path.startswith(routes.API):
        body = json.dumps({"detail": rejection.message, "error": rejection.message}).encode()
        await _answer(send, rejection.status, body, "application/json", extra)
    else:
        body = f"{rejection.message}\n".encode()
        await _answer(send, rejection.status, body, "text/plain", extra)


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    media_type: str,
    extra: list[tuple[bytes, bytes]] | None = None,
) -> None:
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        *(extra or []),
    ]
    if status in (408, 413):  # the rest of the body is not read
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
