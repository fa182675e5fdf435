"""Web archives: pages become articles; damaged records are named and skipped."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ingest.readers import Reject, read
from rag.schema import Article

FILES = Path(__file__).parents[3] / "shared" / "data" / "warc"
STORY = (
    "<p>A crane fell on the eastern pier of the harbour of Velsund on Tuesday morning, and two "
    "ships that were being loaded with timber were hit by its arm.</p><p>Nobody was hurt, harbour "
    "master Ida Lund said, but the pier – the largest – will be shut for at least a week.</p>"
)
PAGE = f"<!DOCTYPE html><html><head><title>Crane falls</title></head><body><article><h1>Crane falls</h1>{STORY}</article></body></html>"  # noqa: E501


def response(
    url: str, body: bytes, *, status: str = "200 OK", headers: str = "Content-Type: text/html"
) -> bytes:
    http = f"HTTP/1.1 {status}\r\n{headers}\r\n\r\n".encode() + body
    return warc("response", url, "application/http; msgtype=response", http)


def warc(kind: str, url: str, content_type: str, block: bytes) -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def arc(url: str, body: bytes) -> bytes:
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + body
    return f"{url} 192.0.2.1 20241024103000 text/html {len(http)}\n".encode() + http + b"\n"


ABOUT = b"1 0 Backfile\nURL IP-address Archive-date Content-type Archive-length\n\n"
ARC_HEAD = b"filedesc://a.arc 192.0.2.1 20241024103000 text/plain %d\n%s" % (len(ABOUT), ABOUT)
URL = "https://www.velsundpost.example/2024/crane"
WHOLE = response(URL, PAGE.encode()) + response(URL + "2", PAGE.encode())


def read_content(path: Path, content: bytes) -> list[Article | Reject]:
    path.write_bytes(content)
    return list(read(path))


def article_ids(found: list[Article | Reject]) -> list[str]:
    return [one.id for one in found if isinstance(one, Article)]


@pytest.mark.parametrize(
    "content",
    [
        WHOLE,
        gzip.compress(WHOLE),
        gzip.compress(WHOLE[: len(WHOLE) // 2]) + gzip.compress(WHOLE[len(WHOLE) // 2 :]),
        zstandard.ZstdCompressor().compress(WHOLE),
        ARC_HEAD + arc(URL, PAGE.encode()) + arc(URL + "2", PAGE.encode()),
        gzip.compress(ARC_HEAD + arc(URL, PAGE.encode()) + arc(URL + "2", PAGE.encode())),
    ],
)
def test_every_page_is_an_article_with_its_records_address(tmp_path: Path, content: bytes) -> None:
    found = read_content(tmp_path / "crawl", content)
    assert article_ids(found) == [
        "velsundpost.example/2024/crane",
        "velsundpost.example/2024/crane2",
    ]
    assert len(found) == 2
    assert isinstance(found[0], Article)
    assert "the largest – will" in found[0].text


def test_zstd_crawl_may_include_its_dictionary(tmp_path: Path) -> None:
    samples = [response(f"{URL}{i}", PAGE.encode()[: 60 + i % 300]) for i in range(2000)]
    dictionary = zstandard.train_dictionary(4096, samples)
    compressor = zstandard.ZstdCompressor(dict_data=dictionary)
    for raw in (dictionary.as_bytes(), zstandard.ZstdCompressor().compress(dictionary.as_bytes())):
        frame = b"\x5d\x2a\x4d\x18" + struct.pack("<L", len(raw)) + raw
        content = frame + compressor.compress(WHOLE) + compressor.compress(WHOLE)
        assert len(article_ids(read_content(tmp_path / "crawl", content))) == 4


def test_only_successfully_fetched_pages_are_read(tmp_path: Path) -> None:
    content = (
        warc("warcinfo", "", "application/warc-fields", b"software: x\r\n")
        + warc("request", URL, "application/http; msgtype=request", b"GET / HTTP/1.1\r\n\r\n")
        + response(URL + "/404", PAGE.encode(), status="404 Not Found")
        + response(URL + "/a.png", b"\x89PNG", headers="Content-Type: image/png")
        + warc("resource", URL, "text/html", PAGE.encode())
    )
    assert article_ids(read_content(tmp_path / "crawl", content)) == [
        "velsundpost.example/2024/crane"
    ]
    assert len(list(read(tmp_path / "crawl"))) == 1


def test_chunked_compressed_response_is_decoded(tmp_path: Path) -> None:
    packed = gzip.compress(PAGE.encode("cp1252"))
    body = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (20, packed[:20], len(packed) - 20, packed[20:])
    headers = (
        "Content-Type: text/html; charset=windows-1252\r\nContent-Encoding: gzip\r\n"
        "Transfer-Encoding: chunked"
    )
    (found,) = read_content(tmp_path / "crawl", response(URL, body, headers=headers))
    assert isinstance(found, Article)
    assert "the largest – will" in found.text


def test_reading_continues_after_a_wrong_record_length(tmp_path: Path) -> None:
    first = response(URL, PAGE.encode())
    length = len(first.split(b"\r\n\r\n", 1)[1]) - 4
    for wrong in (length - 100, length + 60):
        broken = first.replace(
            f"Content-Length: {length}".encode(), f"Content-Length: {wrong}".encode()
        )
        assert broken != first
        found = read_content(tmp_path / "crawl", broken + WHOLE)
        assert article_ids(found)[-1:] == ["velsundpost.example/2024/crane2"]
        assert any(isinstance(one, Reject) and "damaged" in one.reason for one in found)


def test_endless_header_is_a_reject(tmp_path: Path) -> None:
    content = b"WARC/1.0\r\nWARC-Type: " + b"a" * 2**24 + b"\r\n\r\n" + WHOLE
    found = read_content(tmp_path / "crawl", content)
    assert isinstance(found[0], Reject)
    assert "larger than 1 MB" in found[0].reason
    assert len(article_ids(found)) == 2


def test_crawl_without_pages_says_so(tmp_path: Path) -> None:
    (found,) = read_content(tmp_path / "crawl", warc("warcinfo", "", "text/plain", b"x"))
    assert isinstance(found, Reject)
    assert "without HTML pages" in found.reason


@given(st.data())
def test_damaged_warc_raises_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    page = b"<html><body><p>Short.</p></body></html>"
    whole = data.draw(
        st.sampled_from([response(URL, page) * 2, ARC_HEAD + arc(URL, page) + arc(URL, page)])
    )
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    path = tmp_path_factory.getbasetemp() / "fuzzed.warc"
    assert all(
        isinstance(one, Article | Reject) for one in read_content(path, bytes(damaged[:cut]))
    )


@pytest.mark.skipif(not FILES.exists(), reason="needs ../shared/data")
@pytest.mark.parametrize("path", sorted(FILES.glob("*")), ids=lambda path: path.name)
def test_real_warc_files_are_read(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = list(read(path))
    assert found
    assert all(
        one.place.startswith(str(path)) and one.reason for one in found if isinstance(one, Reject)
    )
    assert capfd.readouterr() == ("", "")
