"""Attacks through the shipped nginx.conf, and around it."""

from __future__ import annotations

import httpx
import pytest

from tests.accounts.conftest import cookie_of, log_in
from tests.deploy.conftest import PROXY_PASSWORDS, Site
from tests.deploy.nginx import NAME, Proxy
from tests.deploy.test_nginx import SESSION

pytestmark = pytest.mark.slow

FOR_ADMINS = "/v1/metrics"  # eva may read it, ada may not
SPELLINGS = ("X-Remote-User", "x-remote-user", "X_Remote_User", "X-Remote_User")
EVERY_LOCATION = (
    *("/", "/login", "/mcp", "/v1/livez", "/v1/metrics", "/v1/ingest", "/gradio_api/upload"),
    *("/gradio_api/info", "/feed/0a1b2c/token", "/assets/index.js", "/a/x"),
)


def test_server_believes_the_proxys_header(site: Site) -> None:
    """Without this, the tests below could not fail."""
    with site.client("127.0.0.1", **{"X-Remote-User": "eva"}) as trusted:
        assert trusted.get(FOR_ADMINS).status_code == 200


@pytest.mark.parametrize("header", SPELLINGS)
def test_clients_header_is_removed(proxy: Proxy, header: str) -> None:
    for source in ("127.0.3.1", "127.0.0.1"):
        with proxy.client(source, **{header: "eva"}) as forger:
            assert forger.get(FOR_ADMINS).status_code == 401


def test_header_around_the_proxy_is_ignored(site: Site) -> None:
    headers = {"X-Remote-User": "eva", "X-Forwarded-For": "127.0.0.1"}
    for source in ("127.0.0.2", "127.0.3.1"):
        with site.client(source, **headers) as forger:
            assert forger.get(FOR_ADMINS).status_code == 401
            assert forger.get("/").headers["location"] == "/login"


def test_clients_header_does_not_weaken_a_token(site: Site, proxy: Proxy) -> None:
    token = f"Bearer {site.tokens['ada']}"
    with proxy.client(Authorization=token, **{"X-Remote-User": "eva"}) as forger:
        assert forger.get("/v1/status").status_code == 200
        assert forger.get(FOR_ADMINS).status_code == 403


def test_proxy_that_checks_passwords_names_the_user(checking_proxy: Proxy) -> None:
    for name, status in (("ada", 403), ("eva", 200)):
        with checking_proxy.client() as reader:
            reader.auth = (name, PROXY_PASSWORDS[name])
            assert reader.get("/v1/status").status_code == 200
            assert reader.get(FOR_ADMINS).status_code == status
            assert reader.get("/").status_code == 200


@pytest.mark.parametrize("header", SPELLINGS)
def test_clients_header_is_replaced(checking_proxy: Proxy, header: str) -> None:
    with checking_proxy.client(**{header: "eva"}) as forger:
        forger.auth = ("ada", PROXY_PASSWORDS["ada"])
        assert forger.get("/v1/status").status_code == 200
        assert forger.get(FOR_ADMINS).status_code == 403


@pytest.mark.parametrize("path", EVERY_LOCATION)
def test_every_location_checks_the_password(checking_proxy: Proxy, path: str) -> None:
    """Where nginx checked none, it would take the name from the request all the same."""
    for credentials in (None, ("eva", "wrong"), ("eva", ""), ("mallory", "wrong")):
        with checking_proxy.client() as forger:
            told = forger.get(path, auth=credentials)
            assert told.status_code == 401
            assert told.headers["server"].startswith("nginx")
            assert "Basic" in told.headers["www-authenticate"]


def test_token_of_a_program_counts_at_a_proxy_that_checks(
    site: Site, checking_proxy: Proxy
) -> None:
    with checking_proxy.client(**{"X-Api-Key": site.tokens["ada"]}) as program:
        assert program.get("/v1/status").status_code == 401
        program.auth = ("eva", PROXY_PASSWORDS["eva"])
        assert program.get("/v1/status").status_code == 200
        assert program.get(FOR_ADMINS).status_code == 403


def test_forged_addresses_do_not_evade_the_login_throttle(site: Site, proxy: Proxy) -> None:
    def attempt(number: int, source: str, **headers: str) -> httpx.Response:
        with proxy.client(source, **headers) as guesser:
            return log_in(guesser, f"nobody {number}", "a wrong password")  # by address only

    statuses = []
    for number in range(90):
        forged = f"198.51.100.{number}"
        headers = {"X-Forwarded-For": f"{forged}, 127.0.0.1", "Forwarded": f"for={forged}"}
        told = attempt(number, "127.0.5.1", **headers, **{"X-Real-IP": forged})
        statuses.append(told.status_code)
        if told.status_code == 429:
            break
    assert statuses[:5] == [401] * 5
    assert statuses[-1] == 429
    assert attempt(100, "127.0.5.2").status_code == 401  # another address isn't locked


def test_audit_log_names_the_clients_own_address(site: Site, proxy: Proxy) -> None:
    with proxy.client("127.0.5.9", **{"X-Forwarded-For": "198.51.100.7"}) as guesser:
        assert log_in(guesser, "a name of its own", "a wrong password").status_code == 401
    log = (site.folder / "audit.jsonl").read_text()
    (entry,) = [line for line in log.splitlines() if "a name of its own" in line]
    assert "127.0.5.9" in entry
    assert "198.51.100.7" not in entry


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "archive.example.evil"])
def test_foreign_host_is_refused(site: Site, proxy: Proxy, host: str) -> None:
    headers = {"Host": host, "Authorization": f"Bearer {site.tokens['eva']}"}
    with proxy.client(**headers) as forger:
        for path in ("/", "/login", "/v1/status", "/mcp"):
            assert forger.get(path).status_code == 421
    with proxy.client(Host=NAME, **{"X-Forwarded-Host": host}) as forger:
        assert host not in forger.get("/login").text


def test_clients_word_about_https_is_ignored(proxy: Proxy) -> None:
    with proxy.client(**{"X-Forwarded-Proto": "http"}) as browser:
        entered = log_in(browser, "ada")
        assert cookie_of(entered, SESSION)


def test_websockets_are_not_opened(site: Site, proxy: Proxy) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version": "13",
        "Authorization": f"Bearer {site.tokens['eva']}",
    }
    with proxy.client(**upgrade) as visitor:
        assert visitor.get("/gradio_api/queue/join").status_code in (404, 405)
