"""The login page and its cookies, by requests to the real server."""

from __future__ import annotations

import asyncio
import html
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag.errors import SettingsError
from rag.settings import Settings
from tests.accounts.conftest import PASSWORD, PROXY, Site, cookie_of, form_secret, log_in
from tests.support.fakes import HARBOUR
from ui.accounts.accounts import Accounts
from ui.accounts.audit import AuditLog
from ui.accounts.throttle import BY_NAME
from ui.readers import Reader
from ui.web.app import check_reachable, names_are_missing
from ui.web.auth import WriteAccess
from ui.web.authentication import Authentication, ProxyHeader
from ui.web.guard.request import IncomingRequest
from ui.web.login import FORM_COOKIE, LoginRoutes, safe_target

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/", "/login"),
        ("/?q=harbour&after=2024-01-01", "/login?next=%2F%3Fq%3Dharbour%26after%3D2024-01-01"),
        ("/a/x.example/1?at=2", "/login?next=%2Fa%2Fx.example%2F1%3Fat%3D2"),
        ("/?token=0123456789abcdefgh", "/login"),
    ],
)
def test_page_sends_visitors_to_the_login(site: Site, path: str, target: str) -> None:
    with site.client() as browser:
        answer = browser.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, target)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/config"),
        ("GET", "/gradio_api/info"),
        ("GET", "/theme.css"),
        ("GET", "/gradio_api/queue/data?session_hash=abc"),
        ("GET", "/gradio_api/heartbeat/abc"),
        ("POST", "/gradio_api/call/ask"),
        ("POST", "/gradio_api/run/predict"),
        ("POST", "/gradio_api/queue/join"),
        ("POST", "/gradio_api/upload"),
        ("POST", "/v1/search"),
        ("GET", "/v1/openapi.json"),
        ("POST", "/mcp"),
        ("GET", "/mcp"),
    ],
)
def test_everything_else_needs_a_login(site: Site, method: str, path: str) -> None:
    with site.client() as browser:
        answer = browser.request(method, path, json={"data": ["harbour"]})
        assert answer.status_code == 401
        if path.startswith(("/v1", "/mcp")):
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["type"].endswith(":not-authenticated")


def test_probes_of_load_balancers_need_no_login(site: Site) -> None:
    with site.client() as prober:
        assert prober.get("/v1/livez").status_code != 401


def test_login_page_is_a_plain_form_in_two_languages(site: Site) -> None:
    with site.client() as browser:
        english = browser.get("/login")
        german = browser.get("/login", headers={"Accept-Language": "de"})
    assert english.status_code == 200
    assert "<script" not in english.text
    assert english.headers["cache-control"] == "no-store"
    assert english.headers["x-frame-options"] == "DENY"
    assert '<html lang="en">' in english.text
    assert '<html lang="de">' in german.text
    assert "Anmelden" in german.text


def test_login_leads_to_the_page_with_the_name_in_its_bar(site: Site) -> None:
    with site.client() as browser:
        answer = log_in(browser, "ada", next="/?q=harbour")
        assert (answer.status_code, answer.headers["location"]) == (303, "/?q=harbour")
        cookie = next(c for c in answer.headers.get_list("set-cookie") if "session" in c)
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" not in cookie  # by http
        assert browser.get("/").status_code == 200
        assert browser.get("/config").status_code == 200


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong password"), ("nobody", PASSWORD)])
def test_wrong_name_and_wrong_password_get_the_same_answer(
    site: Site, name: str, password: str
) -> None:
    with site.client() as browser:
        answer = log_in(browser, name, password)
        assert answer.status_code == 401
        assert "The name or the password is wrong." in answer.text
        assert name not in answer.text.replace('name="name"', "").partition("<form")[0]
        assert "session" not in answer.headers.get("set-cookie", "")
        assert browser.get("/").status_code == 303


def test_logout_ends_the_session(site: Site) -> None:
    with site.client() as browser:
        stolen = cookie_of(log_in(browser, "ada"))
        answer = browser.post("/logout")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert answer.headers["clear-site-data"] == '"storage"'
        assert browser.get("/").status_code == 303
    with site.client(Cookie=stolen) as thief:
        assert thief.get("/").status_code == 303


def test_logout_needs_a_post(site: Site) -> None:
    with site.as_("ada") as browser:
        assert browser.get("/logout").status_code == 404
        assert browser.get("/").status_code == 200


def test_user_without_the_scope_read_sees_nothing(site: Site) -> None:
    with site.as_("bot") as browser:
        refused = browser.get("/")
        assert refused.status_code == 403
        assert "Log out" in refused.text
        assert browser.get("/config").status_code == 403
        assert browser.post("/gradio_api/call/ask", json={"data": ["x"]}).status_code == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "archive.example", ""])
def test_archive_without_users_is_not_served_to_other_machines(
    host: str, accounts: Accounts
) -> None:
    with pytest.raises(SettingsError, match="backfile user add"):
        check_reachable(Settings(host=host), accounts)
    accounts.add_user("ada", "", ["read"])
    check_reachable(Settings(host=host), accounts)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.9.9.9"])
def test_archive_without_users_is_served_on_this_machine(host: str, accounts: Accounts) -> None:
    check_reachable(Settings(host=host), accounts)


# attempts


def until_refused(statuses: Iterable[int]) -> list[int]:
    """Return the statuses before the first 429; on a busy machine, more attempts are allowed."""
    before: list[int] = []
    for status in statuses:
        if status == 429:
            return before
        before.append(status)
    raise AssertionError("no attempt was refused")


def test_guesses_from_an_address_are_slowed_down(site: Site) -> None:
    with site.client() as browser:
        form = {"form": form_secret(browser.get("/login").text), "password": "x" * 10}
        guesses = (f"guess{number}" for number in range(300))
        statuses = until_refused(
            browser.post("/login", data={**form, "name": guess}).status_code for guess in guesses
        )
        assert set(statuses) == {401}
        assert len(statuses) >= 30
        last = browser.post("/login", data={**form, "name": "ada", "password": PASSWORD})
        assert last.status_code == 429
        assert int(last.headers["retry-after"]) > 0
    with site.client() as elsewhere:
        assert elsewhere.get("/login").status_code == 200


@pytest.mark.parametrize("name", ["nobody here", "dan"])
def test_guesses_of_a_name_are_slowed_down_from_any_address(site: Site, name: str) -> None:
    def guess(source: str) -> int:
        with site.client(source) as browser:
            return log_in(browser, name, "a wrong password").status_code

    here = f"127.0.6.{1 + len(name)}"
    statuses = until_refused(guess(here) for _ in range(100))
    assert set(statuses) == {401}
    assert 9 <= len(statuses) < 30  # refused for the name, before the address
    # A user whom somebody else tried to guess gets in from their own address.
    assert guess(f"127.0.7.{1 + len(name)}") == 401
    elsewhere = (f"127.0.{8 + len(name)}.{number}" for number in range(1, 200))
    statuses = until_refused(map(guess, elsewhere))
    assert set(statuses) == {401}
    assert len(statuses) >= 80


def test_invalid_tokens_are_slowed_down(site: Site) -> None:
    with site.client() as program:
        wrong = {"Authorization": f"Bearer bf_{'A' * 43}"}
        statuses = until_refused(
            program.post("/v1/search", headers=wrong, json={}).status_code for _ in range(100)
        )
    assert set(statuses) == {401}
    assert len(statuses) >= 10


class SlowLog(AuditLog):
    """Audit log on a disk that stays busy until the event loop has done something else."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked, self.free = threading.Event(), threading.Event()
        self.waited_in_vain = False

    def record(self, *given: Any, **details: Any) -> None:
        self.asked.set()
        self.waited_in_vain |= not self.free.wait(5)
        super().record(*given, **details)


def routes_of(accounts: Accounts, folder: Path, log: AuditLog) -> LoginRoutes:
    settings = Settings(archive=folder)
    return LoginRoutes(Authentication.of(settings, accounts, WriteAccess("none")), log)


def sent_form(client: str, path: str = "/login", reader: Reader | None = None) -> IncomingRequest:
    cookie = {"cookie": f"{FORM_COOKIE}=abc"}
    return IncomingRequest(
        "POST", path, "", cookie, "login", client, client, may_write=False, reader=reader
    )


def test_login_keeps_its_address_open_while_a_name_is_guessed(
    accounts: Accounts, tmp_path: Path
) -> None:
    accounts.add_user("ada", PASSWORD, ["read"])
    login = routes_of(accounts, tmp_path, AuditLog(tmp_path))

    def status(client: str, password: str = PASSWORD) -> int:
        body = f"form=abc&name=Ada&password={password}".encode()
        answered = login.answer(sent_form(client), body, "http://x", secure=False)
        return asyncio.run(answered).status

    assert status("192.0.2.1") == 303
    assert status("192.0.2.2", "a wrong password") == 401  # no login: the address stays unknown
    for number in range(BY_NAME.amount):
        login.throttle.take(f"198.51.100.{number}", "ada")
    assert [status(f"192.0.2.{number}") for number in (1, 2, 3)] == [303, 429, 429]


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_busy_audit_log_does_not_hold_up_other_requests(
    accounts: Accounts, tmp_path: Path, path: str
) -> None:
    user = accounts.add_user("ada", "", ["read"])
    log = SlowLog(tmp_path)
    login = routes_of(accounts, tmp_path, log)
    request = sent_form("127.0.0.1", path, user.reader)

    async def answer() -> None:
        body = b"form=abc&name=ada&password=a wrong password"
        answering = asyncio.create_task(login.answer(request, body, "http://x", secure=False))
        await asyncio.to_thread(log.asked.wait, 30)
        log.free.set()
        await answering

    asyncio.run(answer())
    assert not log.waited_in_vain
    assert [entry["action"] for entry in log.read()] in (["login_failed"], ["logout"])


# attacks on the form


def test_form_of_another_site_cannot_log_anybody_in(site: Site) -> None:
    with site.client() as browser:
        form = {
            "name": "ada",
            "password": PASSWORD,
            "form": form_secret(browser.get("/login").text),
        }
        for header in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            answer = browser.post("/login", data=form, headers=header)
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers
            assert browser.post("/logout", headers=header).status_code == 403


def test_form_counts_only_with_its_cookie(site: Site) -> None:
    with site.client() as attacker, site.client() as victim:
        known = form_secret(attacker.get("/login").text)
        form = {"name": "ada", "password": PASSWORD, "form": known}
        assert victim.post("/login", data=form).status_code == 403  # no cookie
        victim.get("/login")
        assert victim.post("/login", data=form).status_code == 403  # another one
        assert victim.post("/login", data={**form, "form": ""}).status_code == 403
        twice = {"Cookie": f"backfile-form={known}; backfile-form=x"}
        assert victim.post("/login", data=form, headers=twice).status_code == 403


def test_session_id_is_never_taken_from_the_browser(site: Site) -> None:
    fixed = "A" * 43
    with site.client() as browser:
        name = cookie_of(log_in(browser, "ada")).partition("=")[0]
    with site.client(Cookie=f"{name}={fixed}") as browser:
        page = browser.get("/login")
        form = {"name": "ada", "password": PASSWORD, "form": form_secret(page.text)}
        form_cookie = cookie_of(page, "backfile-form")
        answer = browser.post(
            "/login", data=form, headers={"Cookie": f"{name}={fixed}; {form_cookie}"}
        )
        assert answer.status_code == 303
        assert fixed not in cookie_of(answer)
    with site.client(Cookie=f"{name}={fixed}") as attacker:
        assert attacker.get("/").status_code == 303


def test_second_login_ends_the_first_session(site: Site) -> None:
    with site.client() as browser:
        first = cookie_of(log_in(browser, "ada"))
        second = cookie_of(log_in(browser, "ada"))
    assert first != second
    with site.client(Cookie=first) as old:
        assert old.get("/").status_code == 303


def test_two_session_cookies_count_as_none(site: Site) -> None:
    own, other = site.session("ada"), site.session("eva")
    with site.client(Cookie=f"{other}; {own}") as browser:
        assert browser.get("/").status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/%2f/evil.example",
        "/%5cevil.example",
        "/\tevil.example",
        "/\n/evil.example",
        "/%09//evil.example",
        "javascript:alert(1)",
        "/login",
        "/logout",
        "/gradio_api/info",
        "/v1/search",
        "evil.example",
        "",
        "/?a=\r\nSet-Cookie: x=y",
        "/a/" + "x" * 5000,
        "http:/evil.example",
        "/[evil",
        "//[evil",
    ],
)
def test_login_leads_to_this_page_only(target: str) -> None:
    assert safe_target(target) in ("/", "/%5Bevil")


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/?q=a%20b&k=1",
        "/a/courier.example/harbour?at=2&from=1-5",
        "/a/%C3%BC",
        "/?view=browse",
    ],
)
def test_login_leads_back_to_addresses_of_the_page(target: str) -> None:
    assert safe_target(target) == target


def test_form_shows_what_was_sent_as_text(site: Site) -> None:
    hostile = '/?q="><script>alert(1)</script>'
    with site.client() as browser:
        page = browser.get("/login", params={"next": hostile}).text
    assert "<script" not in page
    assert "<script" not in html.unescape(page).replace(hostile, "")


# tokens


def test_token_names_its_user_in_either_header(site: Site) -> None:
    secret = site.token("ada")
    with site.client() as program:
        for header in (
            {"Authorization": f"Bearer {secret}"},
            {"authorization": f"bearer {secret}"},
            {"X-Api-Key": secret},
        ):
            answer = program.post("/v1/search", json={"query": "harbour bridge"}, headers=header)
            assert answer.status_code == 200
            assert HARBOUR.id in answer.text


def test_wrong_token_counts_even_with_a_right_session(site: Site) -> None:
    with site.as_("ada") as browser:
        wrong = {"X-Api-Key": f"bf_{'B' * 43}"}
        assert browser.get("/config", headers=wrong).status_code == 401


# the trusted proxy


def test_trusted_proxy_names_the_user(site: Site) -> None:
    with site.client(PROXY) as proxy:
        answer = proxy.get("/config", headers={"X-Remote-User": "ada"})
        assert answer.status_code == 200
        assert proxy.get("/config").status_code == 401
        unknown = proxy.get("/config", headers={"X-Remote-User": "stranger"})
        assert unknown.status_code == 403


@pytest.mark.parametrize("name", ["X-Remote-User", "x-remote-user", "X_Remote_User"])
def test_header_of_anybody_else_is_ignored(site: Site, name: str) -> None:
    with site.client() as attacker:
        forged = {name: "eva", "X-Forwarded-For": PROXY, "Forwarded": f"for={PROXY}"}
        assert attacker.get("/config", headers=forged).status_code == 401
    with site.as_("ben") as browser:
        answer = browser.post("/v1/search", json={"query": "harbour bridge"}, headers={name: "eva"})
        assert HARBOUR.id not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Remote-User", "ada"), ("X-Remote-User", "eva")],
        [("X-Remote-User", "ada"), ("X_Remote_User", "eva")],
        [("X_Remote_User", "eva")],
        [("X-Remote_User", "eva")],
    ],
)
def test_header_that_a_client_sent_through_the_proxy_is_refused(
    site: Site, headers: list[tuple[str, str]]
) -> None:
    with site.client(PROXY) as proxy:
        assert proxy.get("/config", headers=httpx.Headers(headers)).status_code == 400


def test_session_cannot_override_the_proxy(site: Site) -> None:
    with site.client(PROXY, Cookie=site.session("eva")) as proxy:
        answer = proxy.post(
            "/v1/search", json={"query": "harbour bridge"}, headers={"X-Remote-User": "ben"}
        )
        assert HARBOUR.id not in answer.text
        refused = proxy.get("/config", headers={"X-Remote-User": "stranger"})
        assert refused.status_code == 403


def test_cookie_is_secure_behind_https(site: Site) -> None:
    with site.client(PROXY) as proxy:
        secure = {"X-Forwarded-Proto": "https"}
        page = proxy.get("/login", headers=secure)
        form_cookie = cookie_of(page, "__Host-backfile-form")
        form = {"name": "ada", "password": PASSWORD, "form": form_secret(page.text)}
        answer = proxy.post("/login", data=form, headers={**secure, "Cookie": form_cookie})
        cookie = next(c for c in answer.headers.get_list("set-cookie") if "session" in c)
        assert cookie.startswith("__Host-")
        assert "; Secure" in cookie
        sent = {"Cookie": cookie.partition(";")[0]}
        assert proxy.get("/config", headers={**secure, **sent}).status_code == 200
        assert proxy.get("/config", headers=sent).status_code == 401
    with site.client() as browser:  # nobody else says by which scheme they came
        assert "Secure" not in browser.get("/login", headers=secure).headers["set-cookie"]


@pytest.mark.parametrize("name", ["", "Authorization", "Cookie", "X Remote", "X-User:", "Host"])
def test_header_that_means_something_else_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="PROXY_HEADER"):
        ProxyHeader.of(Settings(proxy_header=name))


def test_malformed_proxy_address_is_refused() -> None:
    with pytest.raises(SettingsError, match="PROXY_FROM"):
        ProxyHeader.of(Settings(proxy_from="everybody"))


@pytest.mark.parametrize(
    ("host", "hosts", "expected"),
    [
        ("0.0.0.0", "", True),
        ("::", " ", True),
        ("0.0.0.0", "archive.example", False),
        ("127.0.0.1", "", False),
        ("192.0.2.17", "", False),  # a request may ask for this address
    ],
)
def test_missing_names_of_a_reachable_server_are_noticed(
    host: str, hosts: str, expected: bool
) -> None:
    assert names_are_missing(Settings(host=host, hosts=hosts)) is expected
