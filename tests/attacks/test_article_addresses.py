"""Addresses of articles: they lead to the page and nowhere else, whatever the id."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import pytest

from tests.attacks.server import TOKEN, Visit, open_client, send_raw, serve
from tests.support.fakes import HARBOUR, HOSTILE
from ui.article_address import LONGEST_ID, ArticleAddress
from ui.web.app import Served
from ui.web.routes import route_kind

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("addresses")) as found:
        yield found


@pytest.fixture
def http(server: Served) -> Iterator[httpx.Client]:
    with open_client(server) as client:
        yield client


HOSTILE_IDS = [
    "../gradio_api/monitoring",
    "../../etc/passwd",
    "//evil.example/",
    "https://evil.example/x",
    "javascript:alert(1)",
    "<script>alert(1)</script>",
    "x?q=1&token=y#z",
    "x%2e%2e%2f",
    "' OR 1=1 --",
    "${7*7}{{7*7}}",
    "\u202efile",
    "x" * LONGEST_ID,
]


@pytest.mark.parametrize("article_id", HOSTILE_IDS)
def test_any_id_leads_to_the_page_alone(http: httpx.Client, article_id: str) -> None:
    told = http.get(f"/a/{quote(article_id, safe='')}?at=3-9")
    assert told.status_code == 303
    target = urlsplit(told.headers["location"])
    assert (target.scheme, target.netloc, target.path, target.fragment) == ("", "", "/", "")
    assert dict(parse_qsl(target.query)) == {"article": article_id, "at": "3-9"}
    assert told.content == b""
    assert "set-cookie" not in told.headers
    assert told.headers["cache-control"] == "no-store"
    assert told.headers["x-frame-options"] == "DENY"
    assert http.get(told.headers["location"]).status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "/a/",
        "/a",
        "/A/x",
        "/a/%00",
        "/a/x%0d%0aset-cookie:%20a=b",
        "/a/x%0aLocation:%20https://evil.example",
        "/a/%7f",
        f"/a/{'x' * (LONGEST_ID + 1)}",
        f"/a/{'x' * 10_000}",
        f"/a/{'%F0%9F%8C%8A' * 2500}",
    ],
)
def test_malformed_address_is_not_found(server: Served, target: str) -> None:
    host = urlsplit(server.address).netloc
    status, text = send_raw(server, f"GET {target} HTTP/1.1\nHost: {host}\nConnection: close")
    assert status == 404
    head = text.partition("\r\n\r\n")[0].lower()
    assert "location:" not in head
    assert "set-cookie" not in head
    assert "Not found" in text


@pytest.mark.parametrize(
    "target",
    [
        "/a/../gradio_api/monitoring",
        "/a/..%2fgradio_api%2fmonitoring",
        "/a/%2e%2e/gradio_api/runs",
        "/a//",
        "/a/x/y",
        "/a/%2f%2fevil.example",
        "/a/%ff%fe",
        "/a/%",
    ],
)
def test_raw_paths_never_reach_gradio(server: Served, target: str) -> None:
    host = urlsplit(server.address).netloc
    status, text = send_raw(server, f"GET {target} HTTP/1.1\nHost: {host}\nConnection: close")
    assert status == 303
    (location,) = [line for line in text.split("\r\n") if line.lower().startswith("location:")]
    assert location.partition(": ")[2].startswith("/?article=")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_addresses_can_only_be_read(http: httpx.Client, method: str) -> None:
    assert http.request(method, "/a/x", content=b"{}").status_code in (403, 404)
    assert http.head("/a/x").status_code == 303


def test_no_other_route_opens() -> None:
    for path in ("/b/x", "/a", "/aa/x", "/x/a/y", "//a/x", "/gradio_api/a/x"):
        assert route_kind("GET", path) is None, path
    for path in ("/assets/a/x", "/static/a/x"):
        assert route_kind("GET", path) == "part", path


def test_address_carries_only_its_own_parameters(http: httpx.Client) -> None:
    told = http.get(f"/a/x?at=3-9&revision=2&q=who&token={TOKEN}&article=y&view=archive&at=1-2")
    query = parse_qsl(urlsplit(told.headers["location"]).query)
    assert query == [("article", "x"), ("at", "1-2"), ("revision", "2")]


def test_links_of_other_sites_open_articles_but_frames_do_not(http: httpx.Client) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    address = "/a/x?at=3-9"
    assert http.get(address, headers={**link, "Sec-Fetch-Dest": "document"}).status_code == 303
    for dest in ("iframe", "image", "script"):
        assert http.get(address, headers={**link, "Sec-Fetch-Dest": dest}).status_code == 403
    assert http.get(address, headers={"Origin": "https://evil.example"}).status_code == 403
    assert http.get(address, headers={"Host": "evil.example"}).status_code == 421


# What the page shows


def opened(server: Served, path: str, **more: object) -> str:
    with open_client(server) as asking:
        visit = Visit(server, asking)
        visit.load()
        told = visit.run(visit.index("open_"), event_data={"address": path, **more})
        assert told.status_code == 200
        return told.text


def test_page_opens_an_article_by_its_address(server: Served) -> None:
    shown = opened(server, ArticleAddress(HARBOUR.id, 4, 11, 1).path)
    assert HARBOUR.title in shown
    assert f"<mark>{HARBOUR.text[4:11]}</mark>" in shown
    assert 'data-do=\\"remove\\"' not in shown


@pytest.mark.parametrize("article_id", HOSTILE_IDS)
def test_unknown_id_says_so_and_shows_nothing_of_it(server: Served, article_id: str) -> None:
    shown = opened(server, ArticleAddress(article_id).path)
    assert "This article is not in the archive" in shown
    assert "alert(1)" not in shown
    assert "<script" not in shown


def test_hostile_article_is_shown_as_text(server: Served) -> None:
    shown = opened(server, ArticleAddress(HOSTILE.id, 0, len(HOSTILE.text), 1).path)
    assert "bf-article-title" in shown
    for piece in ("<script", "<img", "${window", "javascript:"):
        assert piece not in shown


@pytest.mark.parametrize(
    "event",
    [
        {"address": "a/x" + "y" * 10_000},
        {"address": ["a/x"]},
        {"address": "a/%ED%A0%80%00"},
        {"address": "", "turn": 1, "card": 1},
        {"address": "a/x", "since": 2**80},
        {"address": "a/x", "turn": [1]},
        {"address": "a/x", "turn": 10**9},
    ],
)
def test_forged_address_changes_nothing(server: Served, event: dict[str, object]) -> None:
    with open_client(server) as asking:
        visit = Visit(server, asking)
        visit.load()
        told = visit.run(visit.index("open_"), event_data=event)
        assert told.status_code in (200, 400)
        assert HARBOUR.title not in told.text


def test_card_of_another_article_does_not_lend_its_place(server: Served) -> None:
    with open_client(server) as asking:
        visit = Visit(server, asking)
        visit.load()
        visit.ask("What about the harbour bridge?")
        path = ArticleAddress(HOSTILE.id).path
        event = {"turn": 1, "card": 1, "address": path}
        shown = visit.run(visit.index("open_"), event_data=event).text
        assert HARBOUR.title not in shown
        assert "bf-steps" not in shown
