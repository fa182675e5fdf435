"""ASGI middleware that checks every request before Gradio sees it.

Gradio's own middleware echoes origins and has no limits. The guard checks, in this order: the host,
the origin, the route, the token, and the size. `ui.web.gradio_calls` then validates the call.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from rag.errors import RecordUnavailableError
from ui.article_address import ArticleAddress
from ui.i18n import preferred_language, texts_in
from ui.readers import LOCAL_VISITOR
from ui.web import routes
from ui.web.guard.bodies import read_body, replay_body
from ui.web.guard.hosts import AllowedHosts
from ui.web.guard.invitation import exchange_token
from ui.web.guard.parsing import clean_scope, parse_request
from ui.web.guard.reader_checks import ReaderChecks
from ui.web.guard.request import IncomingRequest, Inner, RejectedRequestError
from ui.web.guard.responses import SecureSend, answer, redirect, send_rejection
from ui.web.login import LoginRoutes, login_target, refused_html
from ui.web.quota import Bucket

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

LOG = logging.getLogger("backfile.web")


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
        self._base_url = base_url
        self._failed_tokens = Bucket(burst=10, seconds=6.0)
        self._readers = ReaderChecks(login.authentication, hosts, login.audit, self._failed_tokens)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer why it is rejected."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        sender = SecureSend(send)
        try:
            await self._answer(scope, receive, sender)
        except RejectedRequestError as rejection:
            if not sender.started:
                await send_rejection(sender, rejection, scope["path"])
        except RecordUnavailableError as error:  # nobody is let in whose rights can't be read
            if sender.started:
                raise
            LOG.warning("request refused: %s", error)
            await send_rejection(sender, _unavailable(), scope["path"])

    async def _answer(self, scope: Scope, receive: Receive, sender: SecureSend) -> None:
        request = await self._readers.identify(scope, parse_request(scope, self._hosts))
        if request.kind == "login":
            await self._answer_login(request, receive, sender)
            return
        if request.reader is None and request.kind in ("page", "article"):
            await redirect(sender, login_target(request))
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
                await exchange_token(
                    request,
                    token,
                    sender,
                    access=self._authentication.write_access,
                    failed_tokens=self._failed_tokens,
                    secure=self._readers.is_secure(request),
                )
                return
        if request.kind == "call":
            request = replace(request, body=await read_body(receive, request.headers))
            receive = replay_body(request.body)
        cleaned = clean_scope(scope, request, self._authentication.proxy)
        await self._calls(cleaned, receive, sender, request)

    async def _answer_login(self, request: IncomingRequest, receive: Receive, send: Send) -> None:
        if not self._authentication.needs_login:
            await redirect(send, "/")
            return
        body = await read_body(receive, request.headers) if request.method == "POST" else b""
        secure = self._readers.is_secure(request)
        base_url = self._base_url or f"{'https' if secure else 'http'}://{request.headers['host']}"
        page = await self._login.answer(request, body, base_url.rstrip("/"), secure=secure)
        headers = [(name.encode(), value.encode("latin-1")) for name, value in page.headers]
        content = b"" if request.method == "HEAD" else page.body.encode()
        await answer(send, page.status, content, "text/html; charset=utf-8", headers)


def _unavailable() -> RejectedRequestError:
    return RejectedRequestError(
        503,
        "Users cannot be looked up now: the archive's record is not reachable. Try again later.",
        kind="unavailable",
        headers={"retry-after": "5"},
    )


def _may_read(request: IncomingRequest) -> bool:
    return request.reader is not None and request.reader.may("read")


async def _refuse(request: IncomingRequest, send: Send) -> None:
    """Tell somebody who is logged in that they may not read, with a way to log out."""
    texts = texts_in(preferred_language(request.headers.get("accept-language", "")[:200]))
    page = refused_html(texts, request.reader or LOCAL_VISITOR)
    await answer(send, 403, page.encode(), "text/html; charset=utf-8")


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
    await redirect(send, f"/?{address.query}")
