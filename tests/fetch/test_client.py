"""HTTP client: robots.txt, limits, retries, and public addresses only."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpcore2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.fetch.auth import Credentials, read_credentials
from ingest.fetch.client import Client, Limits
from ingest.fetch.errors import FetchError, ForbiddenError, StoppedError
from ingest.fetch.ssrf import is_public
from ingest.fetch.transport import read_body
from rag.errors import ReadError
from tests.support.fake_site import FakeSite, Page, serve_site

pytestmark = pytest.mark.slow

QUICK = Limits(bytes=100_000, seconds=5.0, delay=0.0, back_off=0.01)


@pytest.fixture
def site() -> Iterator[FakeSite]:
    with serve_site() as found:
        yield found


def make_client(limits: Limits = QUICK, **given: Any) -> Client:
    return Client(limits, **{"allowed": ("127.0.0.1",), **given})


def fetch_error(url: str, **given: Any) -> str:
    """Return why `url` isn't fetched."""
    with make_client(**given) as fetching, pytest.raises(FetchError) as refused:
        fetching.get(url)
    return str(refused.value)


# Public addresses


@pytest.mark.parametrize(
    "address",
    """127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 100.127.255.254 0.0.0.0
    224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 192.0.0.8 198.18.0.1 192.0.2.1 192.88.99.1
    ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd12::1 fec0::1 ff02::1 2001:db8::1 ::ffff:127.0.0.1
    ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1::
    2002:c0a8:101::1 2001:0:7f00:1:0:0:f5ff:fffe 100::1 5f00::1 localhost 127.1 nonsense""".split(),
)
def test_private_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    "93.184.215.14 8.8.8.8 2606:2800:21f::2 ::ffff:8.8.8.8 64:ff9b::808:808".split(),
)
def test_public_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    """127.0.0.1 2130706433 0x7f000001 0x7f.0.0.1 017700000001 0177.0.0.01 127.1 127.0.1 0 0.0.0.0
    localhost localhost. LOCALHOST [::1] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:0:0:1]
    127.0.0.1. 127。0。0。1 １２７.0.0.1 ⓛocalhost user@127.0.0.1 example.org@127.0.0.1""".split(),
)
def test_local_machine_is_rejected_in_any_spelling(site: FakeSite, host: str) -> None:
    port = site.address.rpartition(":")[2]
    fetch_error(f"http://{host}:{port}/", allowed=())
    assert site.requests == []


class FakeResolver:
    """A resolver that gives a name one address after another; the last stays."""

    def __init__(self, **names: list[str]) -> None:
        self.names = {name.replace("_", "."): list(found) for name, found in names.items()}

    def __call__(self, host: str, port: int) -> list[str]:
        found = self.names.get(host, [host])
        return [found.pop(0) if len(found) > 1 else found[0]]


class FakeNetwork(httpcore2.SyncBackend):
    """Connects to one server whatever the address, and remembers the addresses."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connected: list[str] = []

    def connect_tcp(self, host: str, port: int, *given: Any, **more: Any) -> Any:
        self.connected.append(host)
        return super().connect_tcp("127.0.0.1", self.port, *given, **more)


def test_name_resolving_to_a_private_address_is_rejected(site: FakeSite) -> None:
    names = FakeResolver(inside_example=["10.0.0.7"])
    assert "private address 10.0.0.7" in fetch_error("http://inside.example/", resolve=names)


def test_one_private_address_among_public_ones_is_rejected(site: FakeSite) -> None:
    def both(host: str, port: int) -> list[str]:
        return ["93.184.215.14", "192.168.0.1"]

    assert "192.168.0.1" in fetch_error("http://two.example/", resolve=both)


def test_dns_rebinding_does_not_reach_a_private_address(site: FakeSite) -> None:
    """Rebinding: public when it is checked, private when it is connected to."""
    wire = FakeNetwork(int(site.address.rpartition(":")[2]))
    closing = {"Connection": "close"}
    site.pages = {
        "/robots.txt": Page(status=404, headers=closing),
        "/": Page(b"x", headers=closing),
    }
    names = FakeResolver(turncoat_example=["93.184.215.14", "93.184.215.15", "127.0.0.1"])
    with make_client(allowed=(), resolve=names, network=wire) as fetching:
        assert fetching.get("http://turncoat.example/").status == 200
        # Connected to the checked addresses, not to a name that would be resolved again.
        assert wire.connected == ["93.184.215.14", "93.184.215.15"]
        with pytest.raises(ForbiddenError, match=r"127\.0\.0\.1"):
            fetching.get("http://turncoat.example/")
    assert len(wire.connected) == 2


@pytest.mark.parametrize("target", ["http://localhost:{port}/", "http://[::1]:{port}/", "//0/"])
def test_redirect_to_a_private_address_is_not_followed(site: FakeSite, target: str) -> None:
    port = site.address.rpartition(":")[2]
    site.pages["/"] = Page(status=302, headers={"Location": target.format(port=port)})
    assert "private address" in fetch_error(site.url("/"))
    assert site.request_count("/") == 1


def test_robots_txt_redirect_to_a_private_address_is_rejected(site: FakeSite) -> None:
    port = site.address.rpartition(":")[2]
    to = {"Location": f"http://localhost:{port}/in"}
    site.pages["/robots.txt"] = Page(status=302, headers=to)
    assert "private address" in fetch_error(site.url("/"))
    assert site.request_count("/in") == site.request_count("/") == 0


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http:///x", "http://[x/"]
)
def test_other_schemes_are_rejected(url: str) -> None:
    assert "http or https URL" in fetch_error(url)


# robots.txt


def test_robots_txt_is_obeyed(site: FakeSite) -> None:
    site.pages["/robots.txt"] = Page(
        b"User-agent: *\nDisallow: /\n\n"
        b"User-agent: backfile\nDisallow: /private/\nAllow: /private/a\n"
    )
    site.pages |= {"/news/1": Page(b"one"), "/private/a": Page(b"two")}
    with make_client() as fetching:
        assert fetching.get(site.url("/news/1")).content == b"one"
        assert fetching.get(site.url("/private/a")).content == b"two"
        with pytest.raises(FetchError, match=r"disallowed by robots.txt"):
            fetching.get(site.url("/private/b"))
    assert (site.request_count("/robots.txt"), site.request_count("/private/b")) == (1, 0)


def test_redirect_does_not_bypass_robots_txt(site: FakeSite) -> None:
    site.pages["/robots.txt"] = Page(b"User-agent: *\nDisallow: /private/\n")
    site.pages["/"] = Page(status=301, headers={"Location": "/private/x"})
    assert "disallowed by" in fetch_error(site.url("/"))
    assert site.request_count("/private/x") == 0


@pytest.mark.parametrize(
    ("status", "allowed"), [(404, True), (403, True), (500, False), (503, False)]
)
def test_missing_robots_txt_allows_and_failing_one_forbids(
    site: FakeSite, status: int, allowed: bool
) -> None:
    site.pages |= {"/robots.txt": Page(b"Disallow: /", status), "/": Page(b"x")}
    if allowed:
        with make_client() as fetching:
            assert fetching.get(site.url("/")).content == b"x"
    else:
        assert "robots.txt could not be fetched" in fetch_error(site.url("/"))
        assert site.request_count("/") == 0


def test_crawl_delay_is_kept(site: FakeSite) -> None:
    site.pages |= {"/robots.txt": Page(b"User-agent: *\nCrawl-delay: 0.4\n"), "/": Page(b"x")}
    with make_client() as fetching:
        fetching.get(site.url("/"))
        began = time.monotonic()
        assert 0 < fetching.rate_limiter.due(site.url("/other")) <= 0.4
        fetching.get(site.url("/"))
    assert time.monotonic() - began >= 0.3  # at least; a busy machine may take longer


def test_excessive_crawl_delay_is_rejected(site: FakeSite) -> None:
    site.pages["/robots.txt"] = Page(b"User-agent: *\nCrawl-delay: 3600\n")
    assert "3600 s between requests" in fetch_error(site.url("/"))


# Bounds


def test_page_over_the_size_limit_is_rejected(
    site: FakeSite,
) -> None:
    def endless(out: Any) -> None:
        for _ in range(1000):
            out.write(b"x" * 10_000)

    site.pages |= {"/says": Page(b"x" * 100_001), "/sends": Page(slowly=endless)}
    for path in ("/says", "/sends"):
        assert "larger than 100,000 bytes" in fetch_error(site.url(path))


def test_gzip_bomb_is_rejected(site: FakeSite) -> None:
    bomb = gzip.compress(b"\x00" * 50_000_000)
    assert len(bomb) < QUICK.bytes
    site.pages["/"] = Page(bomb, headers={"Content-Encoding": "gzip"})
    assert "larger than 100,000 bytes" in fetch_error(site.url("/"))


@given(st.binary(max_size=3000), st.integers(1, 400), st.booleans())
def test_gzip_body_is_decoded(content: bytes, step: int, twice: bool) -> None:
    half = len(content) // 2
    packed = gzip.compress(content[:half]) + gzip.compress(content[half:])
    packed = packed if twice else gzip.compress(content)
    chunks = [packed[i : i + step] for i in range(0, len(packed), step)]
    assert read_body(chunks, "gzip", 3000) == content


@given(st.binary(min_size=1, max_size=3000), st.integers(1, 30))
def test_truncated_gzip_body_is_rejected(content: bytes, missing: int) -> None:
    packed = gzip.compress(content)
    with pytest.raises(FetchError, match="response is truncated"):
        read_body([packed[: max(1, len(packed) - missing)]], "gzip", 3000)


@given(st.binary(max_size=200))
def test_damaged_body_is_rejected(content: bytes) -> None:
    with pytest.raises(FetchError, match="damaged"):
        read_body([b"no gzip", content], "gzip", 1000)


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip"])
def test_unrequested_encoding_is_rejected(site: FakeSite, encoding: str) -> None:
    site.pages["/"] = Page(zlib.compress(b"x"), headers={"Content-Encoding": encoding})
    assert "unsupported content encoding" in fetch_error(site.url("/"))


@pytest.mark.parametrize("where", ["headers", "body"])
def test_slow_drip_response_times_out(site: FakeSite, where: str) -> None:
    over = threading.Event()

    def drip(out: Any) -> None:
        while not over.wait(0.05):
            out.write(b"x")
            out.flush()

    site.pages["/"] = Page(slowly=drip, status=200 if where == "body" else 0)
    try:
        assert "timed out after 0.4 s" in fetch_error(
            site.url("/"), limits=Limits(seconds=0.4, delay=0)
        )
    finally:
        over.set()


def test_stop_event_ends_a_wait(site: FakeSite) -> None:
    stop, over = threading.Event(), threading.Event()

    def stall(_: Any) -> None:
        stop.set()
        over.wait(20)

    site.pages["/"] = Page(slowly=stall)
    with (
        make_client(Limits(seconds=60, delay=0), stop=stop) as fetching,
        pytest.raises(StoppedError),
    ):
        fetching.get(site.url("/"))
    over.set()


# Retries and unchanged pages


def test_transient_failure_is_retried(site: FakeSite) -> None:
    site.pages["/"] = [Page(status=503), Page(status=429), Page(b"now")]
    with make_client() as fetching:
        assert fetching.get(site.url("/")).content == b"now"
    assert site.request_count("/") == 3


def test_permanent_failure_is_returned_after_three_attempts(site: FakeSite) -> None:
    site.pages["/"] = Page(status=500)
    with make_client() as fetching:
        assert fetching.get(site.url("/")).status == 500
    assert site.request_count("/") == 3


def test_retry_after_is_respected(site: FakeSite) -> None:
    site.pages["/"] = [Page(status=503, headers={"Retry-After": "1"}), Page(b"now")]
    began = time.monotonic()
    with make_client() as fetching:
        assert fetching.get(site.url("/")).content == b"now"
    assert time.monotonic() - began >= 1


def test_excessive_retry_after_is_rejected(site: FakeSite) -> None:
    site.pages["/"] = Page(status=429, headers={"Retry-After": "3600"})
    assert "retry after 3,600 s" in fetch_error(site.url("/"))
    assert site.request_count("/") == 1


def test_unchanged_page_is_not_sent_again(site: FakeSite) -> None:
    site.pages["/"] = Page(b"x", etag=True)
    with make_client() as fetching:
        first = fetching.get(site.url("/"))
        again = fetching.get(site.url("/"), etag=first.etag)
    assert (first.status, again.status, again.content) == (200, 304, b"")


def test_redirect_is_followed(site: FakeSite) -> None:
    site.pages |= {"/old": Page(status=308, headers={"Location": "new#top"}), "/new": Page(b"x")}
    with make_client() as fetching:
        assert fetching.get(site.url("/old")).url == site.url("/new")


def test_endless_redirects_are_rejected(site: FakeSite) -> None:
    site.pages["/"] = Page(status=302, headers={"Location": "/"})
    assert "more than 10 redirects" in fetch_error(site.url("/"))


def test_user_agent_is_sent(site: FakeSite) -> None:
    with make_client(agent="Backfile/1.0 (desk@courier.example)") as fetching:
        fetching.get(site.url("/"))
    agents = {request.headers["User-Agent"] for request in site.requests}
    assert agents == {"Backfile/1.0 (desk@courier.example)"}


# Cookies and headers


def write_cookies(folder: Path, host: str) -> Path:
    path = folder / "cookies.txt"
    line = "\t".join([host, "FALSE", "/", "FALSE", "0", "session", "s3cret"])
    path.write_text(f"# Netscape HTTP Cookie File\n{line}\n")
    return path


def test_cookies_and_headers_go_only_to_their_host(site: FakeSite, tmp_path: Path) -> None:
    with serve_site() as other:
        elsewhere = other.url("/x").replace("127.0.0.1", "localhost")
        site.pages["/"] = Page(status=302, headers={"Location": elsewhere})
        secret = tmp_path / "headers"
        secret.write_text("Authorization: Bearer s3cret\n")
        credentials = read_credentials(
            write_cookies(tmp_path, "127.0.0.1"), secret, urls=[site.url("/")]
        )
        with make_client(credentials=credentials, allowed=("127.0.0.1", "localhost")) as fetching:
            fetching.get(site.url("/"))
    first = next(r for r in site.requests if r.path == "/")
    assert (first.headers["Cookie"], first.headers["Authorization"]) == (
        "session=s3cret",
        "Bearer s3cret",
    )
    assert other.request_count("/x") == 1
    assert not any({"Cookie", "Authorization"} & set(r.headers) for r in other.requests)


def test_headers_are_bound_to_their_port(site: FakeSite, tmp_path: Path) -> None:
    secret = tmp_path / "headers"
    secret.write_text(f"[{site.address}]\nX-Key: s3cret\n[www.courier.example]\nX-Other: s3cret\n")
    credentials = read_credentials(headers=secret)
    with serve_site() as other, make_client(credentials=credentials) as fetching:
        fetching.get(site.url("/"))
        fetching.get(other.url("/"))
    assert all(r.headers.get("X-Key") == "s3cret" for r in site.requests)
    assert not any("X-Key" in r.headers for r in other.requests)
    assert credentials.headers_for("https://www.courier.example/a") == {"X-Other": "s3cret"}
    assert not credentials.headers_for("http://www.courier.example/a")


@pytest.mark.parametrize("text", ["no colon", "Bad Name: x", "[ftp://x]", "[]"])
def test_invalid_header_file_is_rejected_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "headers"
    path.write_text(f"# mine\n{text}\n")
    with pytest.raises(ReadError, match="headers:2"):
        read_credentials(headers=path)


def test_invalid_cookie_file_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "cookies"
    path.write_text("{}")
    with pytest.raises(ReadError, match="Netscape"):
        read_credentials(path)


def test_no_credentials_send_nothing() -> None:
    assert Credentials().headers_for("https://www.courier.example/") == {}
