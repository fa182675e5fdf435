"""Write access from the page: nobody changes the archive without the token, behind any proxy."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rag.errors import SettingsError
from rag.settings import Settings
from tests.attacks.server import TOKEN, Visit, open_client, serve
from tests.browser.conftest import free_port
from tests.support.fakes import HARBOUR
from ui.web.app import Served
from ui.web.auth import WriteAccess

pytestmark = pytest.mark.slow

MINDING = ("add", "confirm", "confirm_selected", "withdraw", "change", "reinstate", "read")
DEFAULT_NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {address}; {more} }} }}
}}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("page")) as found:
        yield found


@pytest.fixture(scope="module")
def nginx(server: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an nginx before the page, configured with `proxy_pass` only."""
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if found is None:
        pytest.skip("no nginx: `apt-get install nginx` puts one in the path")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    config = folder / "nginx.conf"
    written = {"folder": folder, "port": port, "address": server.address, "more": ""}
    config.write_text(DEFAULT_NGINX.format(**written))
    with subprocess.Popen([found, "-p", str(folder), "-c", str(config)]) as proxy:
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for_nginx(proxy, address)
            yield address
        finally:
            proxy.terminate()


def wait_for_nginx(proxy: subprocess.Popen[bytes], address: str) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and proxy.poll() is None:
        try:
            httpx.get(f"{address}/theme.css")
        except httpx.TransportError:
            continue
        return
    raise AssertionError("nginx did not start")


def assert_read_only(visit: Visit) -> None:
    """Assert that every handler that changes the archive refuses."""
    uploaded = visit.asking.post("/gradio_api/upload", files={"files": ("x.txt", b"x")})
    assert uploaded.status_code == 403
    for name in MINDING:
        told = visit.join(visit.index(name))
        assert told.status_code == 403, name
        assert told.json()["detail"] == "You do not have permission to change this archive."


def test_local_access_is_denied_behind_plain_nginx(server: Served, nginx: str) -> None:
    with httpx.Client(base_url=nginx, timeout=60) as world:
        assert world.get("/config").status_code == 200  # as from this machine, by its own name
        assert_read_only(Visit(server, world))


def test_local_access_without_token_changes_nothing(server: Served) -> None:
    with open_client(server) as asking:
        assert_read_only(Visit(server, asking))
        wrong = {"Cookie": f"{server.write_access.cookie_name}={'0' * 64}"}
        asking.headers.update(wrong)
        assert_read_only(Visit(server, asking))


def test_token_becomes_a_cookie_and_leaves_the_address(server: Served) -> None:
    with open_client(server) as asking:
        told = asking.get("/", params={"token": TOKEN, "q": "Who & why?", "mode": "timeline"})
        assert told.status_code == 303
        assert told.headers["location"] == "/?q=Who+%26+why%3F&mode=timeline"
        cookie = told.headers["set-cookie"]
        permission = server.write_access
        assert cookie.startswith(f"{permission.cookie_name}={permission.cookie_value};")
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        assert told.headers["cache-control"] == "no-store"


def test_token_holder_may_upload_and_withdraw(tmp_path: Path) -> None:
    with serve(tmp_path) as served, open_client(served, token=True) as asking:
        assert asking.post("/gradio_api/upload", files={"files": ("x.txt", b"x")}).is_success
        visit = Visit(served, asking)
        visit.load()
        asked = visit.call(visit.index("confirm_selected"), event_data={"ids": [HARBOUR.id]})
        assert asked["success"]
        assert "Harbour bridge closed after storm" in str(asked)
        with open_client(served) as other:
            assert_read_only(Visit(served, other))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"X-Forwarded-For": "192.0.2.7"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"X-Real-IP": "127.0.0.1"},
    ],
)
def test_local_access_needs_token_and_local_machine(
    server: Served, headers: dict[str, str]
) -> None:
    with open_client(server, token=True) as asking:
        assert asking.post("/gradio_api/upload", files={"files": ("x", b"x")}).is_success
        told = asking.post("/gradio_api/upload", files={"files": ("x", b"x")}, headers=headers)
        assert told.status_code == 403


def test_anyone_access_needs_token_and_none_has_no_token(tmp_path: Path) -> None:
    with serve(tmp_path, write_access="anyone", token="") as served:
        assert f"?token={served.write_access.token}" in served.invitation
        assert len(served.write_access.token) >= 32
        elsewhere = {"X-Forwarded-For": "192.0.2.7"}
        with open_client(served) as asking:
            assert_read_only(Visit(served, asking))
        with open_client(served, token=True) as asking:
            sent = {"files": {"files": ("x", b"x")}, "headers": elsewhere}
            assert asking.post("/gradio_api/upload", **sent).is_success
    nobody = WriteAccess.of(Settings(write_access="none", token=TOKEN))
    assert nobody.token == ""
    assert not nobody.is_token("")
    assert not nobody.may_write("127.0.0.1", {"host": "localhost", "cookie": "backfile="})


def test_wrong_tokens_are_rejected_then_rate_limited(tmp_path: Path) -> None:
    with serve(tmp_path) as served, open_client(served) as asking:
        told = [asking.get("/", params={"token": f"wrong{n}"}).status_code for n in range(12)]
        assert told[0] == 403
        assert told[-1] == 429
        assert "set-cookie" not in asking.get("/", params={"token": ""}).headers
        assert asking.get("/").status_code == 200


def test_tokens_differ_per_start_and_short_ones_are_rejected() -> None:
    first, second = (WriteAccess.of(Settings()) for _ in range(2))
    assert first.token != second.token
    assert first.cookie_value != second.cookie_value
    with pytest.raises(SettingsError, match="Use at least 16"):
        WriteAccess.of(Settings(token="short"))
