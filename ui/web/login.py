"""Login page: a plain form that needs no script, and the routes that it uses."""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from rag.errors import BackfileError
from ui.accounts.accounts import LONGEST_NAME, SESSION_DAYS
from ui.accounts.throttle import LoginThrottle
from ui.i18n import Texts, error_text, preferred_language, texts_in
from ui.readers import Reader
from ui.web import routes
from ui.web.asset_files import read_asset
from ui.web.authentication import Authentication, find_cookie

if TYPE_CHECKING:
    from ui.accounts.audit import Action, AuditLog
    from ui.accounts.oidc import OidcProvider
    from ui.accounts.types import User
    from ui.web.guard.request import IncomingRequest

LONGEST_FORM = 8_192  # bytes
LONGEST_TARGET = 4_096  # characters of the address to go on to
LONGEST_KEPT_TARGET = 1_000  # of it in a cookie, which browsers limit to 4 kB
FORM_COOKIE = "backfile-form"
FLOW_COOKIE = "backfile-login"
FLOW_SECONDS = 600  # to log in at the provider

_FORM = re.compile(r"[A-Za-z0-9_-]{22}")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class LoginAnswer:
    """Response of a login route.

    Attributes:
        status: HTTP status.
        body: The page; "" for a redirect.
        headers: Further headers.
    """

    status: int
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LoginRoutes:
    """Answers `/login`, `/logout`, and the routes of an identity provider.

    Attributes:
        authentication: The users and their cookies.
        audit: Log of logins and of attempts.
        oidc: Identity provider; None for none.
        throttle: Limits on attempts.
    """

    authentication: Authentication
    audit: AuditLog
    oidc: OidcProvider | None = None
    throttle: LoginThrottle = field(default_factory=LoginThrottle)

    async def answer(
        self, request: IncomingRequest, body: bytes, base_url: str, *, secure: bool
    ) -> LoginAnswer:
        """Answer a request.

        Args:
            request: The request, which comes from this site or is a navigation.
            body: Its body.
            base_url: Address of the page, without a slash at its end.
            secure: Whether the request came by https.
        """
        query = dict(parse_qsl(request.query[:LONGEST_FORM]))
        if request.method == "POST":
            if request.path == "/logout":
                return await self._log_out(request, secure=secure)
            return await self._log_in(request, body, secure=secure)
        if request.path == "/login":
            return self._form(request, safe_target(query.get("next", "")), "", secure=secure)
        if self.oidc is None:
            return LoginAnswer(303, headers=(("location", "/login"),))
        if request.path == routes.OIDC_START:
            return await self._begin(query, base_url, request, secure=secure)
        return await self._finish(query, base_url, request, secure=secure)

    async def _log_in(self, request: IncomingRequest, body: bytes, *, secure: bool) -> LoginAnswer:
        given = dict(parse_qsl(body[:LONGEST_FORM].decode("utf-8", "replace")))
        name, target = given.get("name", "").strip(), safe_target(given.get("next", ""))
        expected = find_cookie(request.headers, _cookie(FORM_COOKIE, secure=secure))
        if not expected or not hmac.compare_digest(
            expected.encode(), given.get("form", "").encode()
        ):
            return self._form(request, target, "login_expired", secure=secure, status=403)
        # Counted before the password is checked, and for names that don't exist, too.
        wait = await asyncio.to_thread(self.throttle.take, request.client, name)
        if wait:
            # Not logged: a flood of attempts must not push other entries out of the log.
            return self._form(request, target, "login_wait", secure=secure, status=429, wait=wait)
        accounts = self.authentication.accounts
        user = await asyncio.to_thread(accounts.check_password, name, given.get("password", ""))
        if user is None:
            tried = name[:LONGEST_NAME]
            await self._record(None, "login_failed", request, name=tried)
            return self._form(request, target, "login_wrong", secure=secure, status=401)
        await asyncio.to_thread(self.throttle.remember, request.client, user.name)
        return await self._enter(user, target, request, secure=secure)

    async def _enter(
        self, user: User, target: str, request: IncomingRequest, *, secure: bool
    ) -> LoginAnswer:
        """Begin a session; its id is always new, so that nobody can know it beforehand."""
        await self._end_session(request, secure=secure)
        secret = await asyncio.to_thread(self.authentication.accounts.open_session, user)
        await self._record(user.reader, "login", request)
        name = self.authentication.session_cookie(secure=secure)
        cookie = _set_cookie(name, secret, SESSION_DAYS * 86_400, secure=secure)
        gone = _set_cookie(_cookie(FORM_COOKIE, secure=secure), "", 0, secure=secure)
        return LoginAnswer(303, headers=(("location", target), cookie, gone))

    async def _log_out(self, request: IncomingRequest, *, secure: bool) -> LoginAnswer:
        await self._end_session(request, secure=secure)
        if request.reader is not None:
            await self._record(request.reader, "logout", request)
        name = self.authentication.session_cookie(secure=secure)
        headers = (
            ("location", "/login"),
            _set_cookie(name, "", 0, secure=secure),
            ("clear-site-data", '"storage"'),  # the conversations that the page keeps there
        )
        return LoginAnswer(303, headers=headers)

    async def _end_session(self, request: IncomingRequest, *, secure: bool) -> None:
        name = self.authentication.session_cookie(secure=secure)
        if secret := find_cookie(request.headers, name):
            await asyncio.to_thread(self.authentication.accounts.end_session, secret)

    async def _begin(
        self, query: Mapping[str, str], base_url: str, request: IncomingRequest, *, secure: bool
    ) -> LoginAnswer:
        """Send the browser to the identity provider."""
        assert self.oidc is not None
        try:
            address, flow = await self.oidc.begin(f"{base_url}{routes.OIDC_END}")
        except BackfileError as error:
            return self._form(request, "/", "login_provider", secure=secure, why=error)
        target = safe_target(query.get("next", ""))
        flow |= {"next": target if len(target) <= LONGEST_KEPT_TARGET else "/"}
        value = quote(urlencode(flow), safe="")
        cookie = _set_cookie(
            _cookie(FLOW_COOKIE, secure=secure), value, FLOW_SECONDS, secure=secure
        )
        return LoginAnswer(303, headers=(("location", address), cookie))

    async def _finish(
        self, query: Mapping[str, str], base_url: str, request: IncomingRequest, *, secure: bool
    ) -> LoginAnswer:
        """Let in the user whom the identity provider sends back, in the browser that began."""
        assert self.oidc is not None
        wait = await asyncio.to_thread(self.throttle.take_address, request.client)
        if wait:
            return self._form(request, "/", "login_wait", secure=secure, status=429, wait=wait)
        name = _cookie(FLOW_COOKIE, secure=secure)
        flow = dict(parse_qsl(unquote(find_cookie(request.headers, name))))
        gone = _set_cookie(name, "", 0, secure=secure)
        try:
            found = await self.oidc.finish(flow, query, f"{base_url}{routes.OIDC_END}")
            store = self.authentication.accounts.store
            user = await asyncio.to_thread(
                store.put_external, found.subject, found.name, found.scopes, found.rights
            )
        except BackfileError as error:
            if self.oidc.is_answer(flow, query):  # else anybody could fill the log
                await self._record(None, "login_failed", request, why=str(error))
            failed = self._form(
                request, "/", "login_provider", secure=secure, status=403, why=error
            )
            return LoginAnswer(failed.status, failed.body, (*failed.headers, gone))
        target = safe_target(flow.get("next", ""))
        entered = await self._enter(user, target, request, secure=secure)
        return LoginAnswer(entered.status, entered.body, (*entered.headers, gone))

    async def _record(
        self, reader: Reader | None, action: Action, request: IncomingRequest, **details: str
    ) -> None:
        """Write to the audit log in a thread: it waits for a lock and the disk."""
        await asyncio.to_thread(self.audit.record, reader, action, client=request.client, **details)

    def _form(
        self,
        request: IncomingRequest,
        target: str,
        message: str,
        *,
        secure: bool,
        status: int = 200,
        why: BackfileError | None = None,
        wait: int = 0,
    ) -> LoginAnswer:
        """Return the login page, with a new secret in the form and in a cookie."""
        texts = _texts(request)
        cookie_name = _cookie(FORM_COOKIE, secure=secure)
        form = find_cookie(request.headers, cookie_name)  # another tab's form stays valid
        form = form if _FORM.fullmatch(form) else secrets.token_urlsafe(16)
        reason = error_text(why, texts) if why else ""
        told = " ".join(filter(None, (texts(message), reason))) if message else ""
        body = login_html(texts, form, target, told, oidc=self.oidc is not None)
        cookie = _set_cookie(cookie_name, form, 3600, secure=secure, same_site="Strict")
        headers = [cookie, ("cache-control", "no-store")]
        if wait:
            headers.append(("retry-after", str(wait)))
        return LoginAnswer(status, body, tuple(headers))


def login_html(texts: Texts, form: str, target: str, message: str, *, oidc: bool) -> str:
    """Return the login page.

    Args:
        texts: Language of the page.
        form: The secret that the form sends back.
        target: Address to go on to.
        message: What went wrong; "" for nothing.
        oidc: Whether there is an identity provider.
    """
    alert = f'<p role="alert">{escape(message)}</p>' if message else ""
    start = escape(f"{routes.OIDC_START}?{urlencode({'next': target})}")
    provider = f'<p><a href="{start}">{escape(texts("login_with"))}</a></p>' if oidc else ""
    return (
        f'<!doctype html><html lang="{escape(texts.language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(texts('login'))} – Backfile</title>"
        f"<style>{read_asset('login.css')}</style></head><body><main>"
        f"<h1>Backfile</h1>{alert}"
        '<form method="post" action="/login">'
        f'<input type="hidden" name="form" value="{escape(form)}">'
        f'<input type="hidden" name="next" value="{escape(target)}">'
        f'<label for="name">{escape(texts("login_name"))}</label>'
        '<input id="name" name="name" autocomplete="username" autocapitalize="none" '
        'spellcheck="false" required autofocus maxlength="100">'
        f'<label for="password">{escape(texts("login_password"))}</label>'
        '<input id="password" name="password" type="password" '
        'autocomplete="current-password" required maxlength="1024">'
        f'<button type="submit">{escape(texts("login"))}</button></form>{provider}'
        "</main></body></html>"
    )


def refused_html(texts: Texts, reader: Reader) -> str:
    """Return the page for somebody who is logged in, but may not read."""
    told = texts("login_no_reading", name=reader.name)
    return (
        f'<!doctype html><html lang="{escape(texts.language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Backfile</title><style>{read_asset('login.css')}</style></head><body><main>"
        f'<h1>Backfile</h1><p role="alert">{escape(told)}</p>'
        '<form method="post" action="/logout">'
        f'<button type="submit">{escape(texts("logout"))}</button></form></main></body></html>'
    )


def safe_target(target: str) -> str:
    """Return an address of this page to go on to after the login; "/" for any other one."""
    if not target.startswith("/") or target.startswith("//") or len(target) > LONGEST_TARGET:
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    path = unquote(parts.path)
    if parts.scheme or parts.netloc or path.startswith("//") or _UNSAFE.search(target):
        return "/"
    if routes.route_kind("GET", path) not in ("page", "article"):
        return "/"
    query = f"?{parts.query}" if parts.query else ""
    return quote(f"{parts.path}{query}", safe="/?&=%+:@!$'()*,;~-._")


def login_target(request: IncomingRequest) -> str:
    """Return the address of the login page that leads back to what was asked for."""
    query = urlencode([(k, v) for k, v in parse_qsl(request.query) if k != "token"])
    target = quote(request.path) + (f"?{query}" if query else "")
    return "/login" if target == "/" else f"/login?{urlencode({'next': target})}"


def _texts(request: IncomingRequest) -> Texts:
    return texts_in(preferred_language(request.headers.get("accept-language", "")[:200]))


def _cookie(name: str, *, secure: bool) -> str:
    return f"__Host-{name}" if secure else name


def _set_cookie(
    name: str, value: str, seconds: int, *, secure: bool, same_site: str = "Lax"
) -> tuple[str, str]:
    flags = f"Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}"
    return "set-cookie", f"{name}={value}; {flags}{'; Secure' if secure else ''}"
