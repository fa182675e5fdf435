"""What readers and programs do at a server behind the shipped nginx.conf."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import ssl
import subprocess
import threading
from typing import Any

import httpx
import pytest

from tests.accounts.conftest import cookie_of, log_in
from tests.browser.reader import HARBOUR_QUESTION
from tests.deploy.conftest import Site
from tests.deploy.nginx import NAME, SHIPPED, Proxy, run_nginx, uncomment
from tests.deploy.upstreams import named_servers
from tests.support.chat_server import Reply
from tests.support.fakes import HARBOUR

pytestmark = pytest.mark.slow

SESSION = "__Host-backfile-session"


def events(lines: Any) -> Any:
    """Yield the name and data of server-sent events, each as soon as it has come."""
    name = ""
    for line in lines:
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield name, json.loads(line.removeprefix("data:"))


def test_reader_logs_in_and_gets_the_page(proxy: Proxy) -> None:
    with proxy.client() as browser:
        first = browser.get("/")
        assert (first.status_code, first.headers["location"]) == (303, "/login")
        entered = log_in(browser, "ada")
        assert entered.status_code == 303
        cookie = cookie_of(entered, SESSION)  # by https only, and of no other host
        (header,) = [c for c in entered.headers.get_list("set-cookie") if c.startswith(SESSION)]
        assert "; Secure" in header
    with proxy.client(Cookie=cookie) as browser:
        page = browser.get("/")
        assert page.status_code == 200
        assert "gradio" in page.text
        assert "max-age" in page.headers["strict-transport-security"]
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert "content-encoding" not in page.headers
        files = set(re.findall(r"[\"'(]\.?/((?:assets|static)/[\w./-]+\.(?:js|css))", page.text))
        assert files
        for name in [*sorted(files)[:5], "theme.css", "config"]:
            assert browser.get(f"/{name}").status_code == 200, name
        long = browser.get("/", params={"q": "harbour " * 3000})
        assert long.status_code == 200


def test_plain_http_is_sent_to_the_servers_own_name(proxy: Proxy) -> None:
    for name in (NAME, "evil.example"):
        moved = httpx.get(f"{proxy.plain}/a/x?at=0-4", headers={"Host": name})
        assert moved.status_code == 301
        assert moved.headers["location"] == f"https://{NAME}/a/x?at=0-4"


def test_program_searches_with_its_token(site: Site, proxy: Proxy) -> None:
    with proxy.client() as program:
        refused = program.post("/v1/search", json={"query": "harbour bridge"})
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
    with proxy.client(Authorization=f"Bearer {site.tokens['ada']}") as program:
        found = program.post("/v1/search", json={"query": "harbour bridge"})
        assert found.status_code == 200
        assert found.json()["hits"][0]["passage"]["article_id"] == HARBOUR.id
        assert program.get("/v1/livez").status_code == 200
        assert program.put("/v1/search").status_code == 405


def test_streamed_answer_arrives_in_pieces(site: Site, proxy: Proxy) -> None:
    first = {"evidence": [{"passage": 1, "words": "repairs would take six weeks"}]}
    sentences = [
        json.dumps(first | {"text": "The repairs would take six weeks."}),
        json.dumps(first | {"text": "Repairs would take six weeks, the council said."}),
    ]
    shown = threading.Event()
    site.chat.answer = lambda _: Reply(
        [f'{{"sentences": [{sentences[0]}, ', shown, f"{sentences[1]}]}}"]
    )
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {site.tokens['ada']}"}
    with (
        proxy.client(**headers) as program,
        program.stream("POST", "/v1/ask", json={"question": HARBOUR_QUESTION}) as answer,
    ):
        assert answer.status_code == 200
        stream = events(answer.iter_lines())
        name, _ = next(stream)
        assert name == "answer"
        shown.set()  # the model goes on only now
        assert [name for name, _ in stream][-1] == "final"
    assert site.chat.requests
    assert not site.chat.late


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_mcp_client_searches(site: Site, proxy: Proxy, mode: str) -> None:
    import httpx2
    from mcp.client.client import Client
    from mcp.client.streamable_http import streamable_http_client

    headers = {"Authorization": f"Bearer {site.tokens['ada']}", "Host": NAME}
    trust = ssl.create_default_context(cafile=str(proxy.folder / "certificate.pem"))

    async def act() -> Any:
        async with (
            httpx2.AsyncClient(headers=headers, verify=trust, timeout=60) as http,
            Client(
                streamable_http_client(f"{proxy.address}/mcp", http_client=http), mode=mode
            ) as client,
        ):
            return await client.call_tool("search_archive", {"query": "harbour bridge"})

    found = asyncio.run(act())
    assert found.structured_content["passages"][0]["source"]["article_id"] == HARBOUR.id


def test_browsers_protocol_http2_is_answered(proxy: Proxy) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("no curl")
    done = subprocess.run(
        [
            *(curl, "-sS", "--http2", "--noproxy", "*", "-w", " %{http_version} %{http_code}"),
            *("--resolve", f"{NAME}:{proxy.port}:127.0.0.1"),
            *("--cacert", str(proxy.folder / "certificate.pem")),
            f"https://{NAME}:{proxy.port}/v1/livez",
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.endswith(" 2 200"), done.stdout + done.stderr


def test_uploads_may_be_large_and_other_bodies_may_not(site: Site, proxy: Proxy) -> None:
    large = b"\n" * 14_000_000  # no article, but more than anything else may send
    with proxy.client(Authorization=f"Bearer {site.tokens['eva']}") as program:
        taken = program.post("/v1/ingest", files={"files": ("empty.jsonl", large)})
        assert taken.status_code == 202, taken.text
        assert program.post("/v1/search", content=large).status_code == 413
        assert program.post("/mcp", content=large).status_code == 413


def test_log_has_no_questions_and_no_addresses_of_feeds(proxy: Proxy) -> None:
    with proxy.client() as visitor:
        visitor.get("/v1/articles", params={"q": "zanzibarquestion"})
        visitor.get("/feed/0a1b2c/zanzibartoken")
        visitor.get("/v1/livez")
    log = (proxy.folder / "access.log").read_text()
    assert '"GET /v1/articles" 401' in log
    assert "zanzibar" not in log


def test_readers_stay_at_the_same_of_several_servers() -> None:
    name = "(?:__Host-)?backfile-session-[0-9a-f]+"
    names = ("backfile-session-0a1b2c=", "__Host-backfile-session-0a1b2c=")
    text = uncomment(
        SHIPPED.read_text(),
        "server 127.0.0.1:7861;",
        "hash $backfile_reader consistent;",
        "map $http_cookie $backfile_session {",
        rf'    "~(?:^|; )(?<session>{name}=[A-Za-z0-9_-]+)" $session;',
        '    default "$http_authorization$http_x_api_key";',
        "}",
        'map $backfile_session $backfile_reader { "" $remote_addr; default $backfile_session; }',
    )
    with (
        named_servers("a", "b") as (one, two),
        run_nginx(text, {"127.0.0.1:7860": one, "127.0.0.1:7861": two}) as proxy,
    ):

        def server_of(source: str = "127.0.3.1", **headers: str) -> str:
            with proxy.client(source, **headers) as reader:
                return reader.get("/").text

        for made in (
            lambda n: {"Cookie": f"theme=dark; {names[n % 2]}secret{n}; x={n}"},
            lambda n: {"Authorization": f"Bearer bf_{n}"},
            lambda n: {"X-Api-Key": f"bf_{n}"},
        ):
            chosen = {n: server_of(**made(n)) for n in range(12)}
            assert set(chosen.values()) == {"a", "b"}
            again = {n: server_of(f"127.0.3.{n + 2}", **made(n)) for n in chosen}
            assert again == chosen
        same = {"Cookie": f"{names[0]}secret1"}
        more = {"Cookie": f"{names[0]}secret1; other=2"}
        assert server_of(**same) == server_of(**more)
        by_address = {n: server_of(f"127.0.4.{n}") for n in range(1, 13)}
        assert set(by_address.values()) == {"a", "b"}
        assert {n: server_of(f"127.0.4.{n}") for n in by_address} == by_address
