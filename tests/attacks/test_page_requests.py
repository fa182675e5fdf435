"""Requests from elsewhere: other hosts, other origins, other routes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from rag.errors import SettingsError
from rag.settings import Settings
from tests.attacks.server import QUESTION, ask, open_client, read_answer, send_raw, serve
from ui.web.app import Served
from ui.web.auth import is_same_origin
from ui.web.guard.bodies import LARGEST_BODY
from ui.web.guard.guard import Guard
from ui.web.guard.hosts import AllowedHosts

pytestmark = pytest.mark.slow

EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("page"), hosts="archive.example") as found:
        yield found


@pytest.fixture
def http(server: Served) -> Iterator[httpx.Client]:
    with open_client(server) as found:
        yield found


def port(served: Served) -> str:
    return served.address.rstrip("/").rpartition(":")[2]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:7860",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example.",
        "0.0.0.0",
        "2130706433",
        "127.1",
        "[::ffff:127.0.0.1]",
        "192.0.2.1",
    ],
)
def test_foreign_host_gets_421(http: httpx.Client, host: str) -> None:
    for path in ("/", "/config", "/gradio_api/info", "/assets/x.js", "/none"):
        told = http.get(path, headers={"Host": host, "X-Forwarded-Host": "localhost"})
        assert told.status_code == 421, path
    told = http.post("/gradio_api/call/ask", headers={"Host": host}, json={"data": ["x"]})
    assert told.status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "[::1]:9", "Archive.Example."])
def test_own_host_names_match_in_any_case(http: httpx.Client, host: str) -> None:
    assert http.get("/config", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "lines",
    [
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\nHost: localhost\nHost: evil.example",
        "GET / HTTP/1.1\nHost: ",
        "GET / HTTP/1.1\nHost: user@localhost",
        "GET / HTTP/1.1\nHost: localhost@evil.example",
        "GET / HTTP/1.1\nHost: localhost/evil",
        "GET / HTTP/1.1\nHost: localhost:port",
        "GET / HTTP/1.1\nHost: localhost evil.example",
        "GET http://evil.example/ HTTP/1.1\nHost: localhost",
        "GET //evil.example/config HTTP/1.0",
        "OPTIONS * HTTP/1.1\nHost: localhost",
    ],
)
def test_malformed_host_or_target_is_rejected(server: Served, lines: str) -> None:
    status, told = send_raw(server, f"{lines}\nConnection: close")
    assert status in (400, 403, 421), told
    assert "gradio" not in told.lower()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "https://127.0.0.1.evil.example"},
        {"Origin": "chrome-extension://abc"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty"},
    ],
)
def test_cross_site_requests_are_rejected(http: httpx.Client, headers: dict[str, str]) -> None:
    told = http.post("/gradio_api/call/ask", headers=headers, json={"data": [QUESTION]})
    assert told.status_code == 403
    for path in ("/", "/config", "/gradio_api/queue/data?session_hash=x", "/gradio_api/info"):
        told = http.get(path, headers=headers)
        assert told.status_code == 403, path
        assert not [name for name in told.headers if name.startswith("access-control")]


def test_two_origin_headers_are_rejected(server: Served) -> None:
    own = f"Origin: {server.address.rstrip('/')}"
    lines = f"GET /config HTTP/1.1\nHost: 127.0.0.1:{port(server)}\n{own}\nOrigin: {EVIL}"
    assert send_raw(server, f"{lines}\nConnection: close")[0] == 403


def test_preflight_is_rejected_without_cors_headers(http: httpx.Client) -> None:
    wanted = {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
    told = http.options("/gradio_api/queue/join", headers=wanted)
    assert told.status_code == 403
    own = http.get("/config", headers={"Origin": str(http.base_url).rstrip("/")})
    assert own.status_code == 200
    for answered in (told, own):
        assert not [name for name in answered.headers if name.startswith("access-control")]


def test_cross_site_link_opens_the_page_but_no_frame_does(http: httpx.Client) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    visit = http.get("/?q=Who", headers={**headers, "Sec-Fetch-Dest": "document"})
    assert visit.status_code == 200
    assert http.get("/", headers={**headers, "Sec-Fetch-Dest": "iframe"}).status_code == 403
    assert "frame-ancestors 'none'" in visit.headers["content-security-policy"]
    assert visit.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/", "/none", "/config", "/theme.css"])
def test_every_response_has_security_headers(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert "server" not in headers


def test_forwarded_host_from_a_stranger_is_ignored(http: httpx.Client) -> None:
    told = http.get("/config", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in told.text


def test_websocket_is_rejected(server: Served) -> None:
    status, told = send_raw(
        server,
        f"GET /gradio_api/queue/join HTTP/1.1\nHost: 127.0.0.1:{port(server)}\nOrigin: {EVIL}\n"
        "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    assert status == 403, told


@pytest.mark.parametrize("announced", [True, False])
def test_body_over_the_limit_is_rejected(http: httpx.Client, announced: bool) -> None:
    body = b'{"data": ["' + b"x" * LARGEST_BODY + b'"]}'
    content = body if announced else (body[at : at + 65536] for at in range(0, len(body), 65536))
    told = http.post("/gradio_api/call/ask", content=content)
    assert told.status_code == 413


def test_program_without_browser_headers_is_answered(server: Served, http: httpx.Client) -> None:
    assert "The harbour bridge was closed" in read_answer(http, ask(http))
    # In a process of its own, as it leaves its connections open.
    program = (
        "import sys, gradio_client; client = gradio_client.Client(sys.argv[1], verbose=False);"
        "print([str(client.predict(sys.argv[2], 3, api_name=n)) for n in ('/ask', '/search')])"
    )
    command = [sys.executable, "-c", program, server.address, QUESTION]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert told.stdout.count("The harbour bridge was closed") >= 2


def test_hosts_and_proxies_settings_are_validated() -> None:
    assert AllowedHosts.of(Settings(host="10.0.0.7", hosts="A.example, [2001:db8::1]")).hosts >= {
        *("10.0.0.7", "a.example", "2001:db8::1"),
        *("localhost", "127.0.0.1", "::1"),
    }
    assert "0.0.0.0" not in AllowedHosts.of(Settings(host="0.0.0.0")).hosts
    for wrong in ({"hosts": "http://a.example"}, {"hosts": "a b"}, {"proxies": "proxy.example"}):
        with pytest.raises(SettingsError, match="BACKFILE_"):
            AllowedHosts.of(Settings(**wrong))


def test_is_same_origin_compares_default_ports() -> None:
    for origin, host, same in (
        ("https://a.example", "a.example", True),
        ("https://a.example", "a.example:443", True),
        ("http://a.example:8000", "a.example:8000", True),
        ("http://a.example:8000", "a.example", False),
        ("http://A.example", "a.EXAMPLE", True),
        ("http://a.example:x", "a.example", False),
        ("", "a.example", False),
    ):
        assert is_same_origin({"origin": origin, "host": host}) == same, (origin, host)


def test_request_guard_is_the_outermost_middleware(server: Served) -> None:
    assert isinstance(server.server.config.loaded_app, Guard)
