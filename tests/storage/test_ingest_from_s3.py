"""Ingest from S3 by pyarrow's client, as from a folder: report, rejects, limits and failures."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from pathlib import Path
from threading import Event

import pytest

from ingest.pipeline import ingest
from ingest.readers import Reject, read
from ingest.storage.files import StoredStream
from rag.schema import Article
from tests.ingest.test_identity import CRANE, FERRY, IngestHarness
from tests.ingest.test_pipeline import DictArchive, counts, json_line
from tests.ingest.test_runner import RunHarness
from tests.readers.test_iptc import nitf
from tests.readers.test_warc import response, warc
from tests.support.s3_server import (
    ACCESS_KEY,
    SECRET_KEY,
    S3Request,
    S3Server,
)

STORY = "The crane on the north quay fell into the basin on Monday, the harbour master said. " * 6


def page(number: int) -> str:
    return (
        f"<html><head><title>Crane {number} falls</title></head><body><article><h1>Crane {number} "
        f"falls</h1><p>Crane number {number} fell. {STORY}</p></article></body></html>"
    )


def parquet_table() -> bytes:
    import pyarrow as arrow
    from pyarrow import parquet

    written = io.BytesIO()
    columns = {"title": ["Ferry sinks"], "text": [STORY], "url": ["https://courier.example/ferry"]}
    parquet.write_table(arrow.table(columns), written)
    return written.getvalue()


def articles(source: str) -> list[Article]:
    return [found for found in read(source) if isinstance(found, Article)]


def rejects(source: str | Path) -> list[tuple[str, str]]:
    return [(found.place, found.reason) for found in read(source) if isinstance(found, Reject)]


def test_every_format_is_read_as_from_a_folder(s3: S3Server, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as written:
        written.writestr("inner/a.html", page(1))
        written.writestr("inner/b.txt", f"Quay closed\n\n{STORY}")
    files: dict[str, str | bytes] = {
        "a.jsonl": "\n".join(json_line(n) for n in range(3)) + "\n{broken\n",
        "b.jsonl.gz": gzip.compress("\n".join(json_line(n) for n in (7, 8)).encode()),
        "pages/c.html": page(2),
        "pages/deep/d.html": page(3),
        "e.zip": packed.getvalue(),
        "notes/f.txt": f"Ferry late\n\n{STORY}",
        "nitf.xml": nitf(),
        "table.parquet": parquet_table(),
        "crawl/archive/pages.warc": warc(
            "response",
            "https://harbour-courier.example/crane",
            "application/http",
            response("text/html", page(4).encode()),
        ),
        "crawl/indexes/index.cdx.gz": gzip.compress(b"example,harbour-courier)/crane"),
        "crawl/pages/pages.jsonl": json_line(99),
        "notes/.hidden.txt": STORY,
        "README.md": "about this bucket",
        "picture.png": b"\x89PNG",
        "empty.json": "",
    }
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        s3.put("press", f"news/{name}", data)
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    s3.page_size = 2
    here = list(read(tmp_path))
    there = list(read("s3://press/news/"))
    root = str(tmp_path)
    assert [one.text for one in there if isinstance(one, Article)] == [
        one.text for one in here if isinstance(one, Article)
    ]
    assert rejects("s3://press/news") == [
        (place.replace(root, "s3://press/news"), reason) for place, reason in rejects(tmp_path)
    ]
    assert any(one.id == "file:s3://press/news/notes/f.txt" for one in articles("s3://press/news"))
    assert len(here) == len(there) > 9
    assert not [one for one in s3.requests if one.method not in ("GET", "HEAD")]


def test_run_is_recorded_and_rejects_are_resolved(s3: S3Server, tmp_path: Path) -> None:
    harness = RunHarness(tmp_path / "archive")
    s3.put("press", "news/a!1.jsonl", json_line(1) + "\n{broken\n")
    s3.put("press", "news/c.html", page(1))
    assert counts(harness.run("s3://press/news/")) == (2, 0, 0, 1)
    (kept,) = harness.rejects()
    assert kept.source == "s3://press/news/a%211.jsonl"
    assert kept.place == f"{kept.source}:2"
    assert counts(harness.run("s3://press/news/")) == (0, 0, 2, 1)
    s3.put("press", "news/a!1.jsonl", json_line(1) + "\n" + json_line(2), 1.8e9)
    assert counts(harness.run(kept.source)) == (1, 0, 1, 0)
    assert harness.rejects() == []


def test_rejects_stay_while_the_storage_fails(s3: S3Server, tmp_path: Path) -> None:
    harness = RunHarness(tmp_path / "archive")
    s3.put("press", "news/old/a.jsonl", "{broken\n")
    s3.put("press", "news/b.html", page(1))
    harness.run("s3://press/news")
    assert [one.source for one in harness.rejects()] == ["s3://press/news/old/a.jsonl"]
    s3.before = lambda one: (
        (403, "AccessDenied") if one.query.get("prefix") == "news/old/" else None
    )
    report = harness.run("s3://press/news")
    assert counts(report) == (0, 0, 1, 1)
    reasons = {one.source: one.reason for one in harness.rejects()}
    assert set(reasons) == {"s3://press/news/old/a.jsonl", "s3://press/news/old"}
    assert "access denied" in reasons["s3://press/news/old"]


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "AccessDenied", "access denied"),
        (403, "SignatureDoesNotMatch", "access denied"),
        (400, "ExpiredToken", "check the region and the credentials"),
    ],
)
def test_storage_errors_are_plain(s3: S3Server, status: int, code: str, said: str) -> None:
    s3.put("press", "news/a.html", page(1))
    s3.before = lambda _: (status, code)
    ((place, reason),) = rejects("s3://press/news/a.html")
    assert place == "s3://press/news/a.html"
    assert said in reason
    assert ACCESS_KEY not in reason
    assert SECRET_KEY not in reason


def test_unreachable_and_missing_are_plain(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rejects("s3://nowhere/a") == [("s3://nowhere/a", "no such file or folder")]
    assert rejects("s3://AK:hidden@press/a")[0][0] == "s3://"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOTHER")
    s3.put("press", "a.html", page(1))
    assert "access denied" in rejects("s3://press/a.html")[0][1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    ((place, reason),) = rejects("s3://press/a.html")
    assert (place, "can't be reached" in reason) == ("s3://press/a.html", True)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://user:hidden@127.0.0.1/")
    reason = rejects("s3://press/a.html")[0][1]
    assert "AWS_ENDPOINT_URL is malformed" in reason
    assert "hidden" not in reason


def test_hostile_keys_stay_inside_the_folder(s3: S3Server) -> None:
    s3.put("secret", "k.html", page(9))
    s3.put("press", "other/k.html", page(8))
    hostile = ["..", "../../secret/k.html", "../other/k.html", "./b.html", "/abs.html", "a//b.html"]
    for key in hostile:
        s3.put("press", f"news/{key}", page(7))
    s3.put("press", "news/x\ny\x01.html", page(1))
    s3.put("press", f"news/{'k' * 900}.html", page(2))
    s3.put("press", "news/é?#!:%2e.html", page(3))
    found = list(read("s3://press/news"))
    assert sorted(one.title for one in found if isinstance(one, Article)) == [
        f"Crane {number} falls" for number in (1, 2, 3)
    ]
    assert {one.key for one in s3.requests if one.bucket == "secret"} == set()
    assert not s3.gets("other/k.html")
    refused = [one for one in found if isinstance(one, Reject)]
    assert refused
    assert all("can't be read by this name" in one.reason for one in refused)
    assert all(one.place.startswith("s3://press/news") for one in refused)
    assert all(one.place.isprintable() for one in refused)
    names = [one.id for one in found if isinstance(one, Article)]
    assert all(name.isprintable() for name in names)


def test_large_file_is_read_in_ranges(s3: S3Server) -> None:
    lines = "\n".join(json_line(n, STORY * 40) for n in range(150))
    s3.put("press", "big.jsonl", lines)
    done: list[int] = []
    found = list(read("s3://press/big.jsonl", on_bytes=done.append))
    assert len(found) == 150
    assert sum(done) == len(lines)
    ranges = [one.range for one in s3.gets("big.jsonl")]
    assert len(lines) > 2**20
    assert len(ranges) > 1
    assert ranges[0] == "bytes=0-262143"


def test_changed_file_is_left_for_the_next_time(s3: S3Server) -> None:
    s3.put("press", "a.html", page(1))

    def rewrite(request: S3Request) -> None:
        if request.method == "GET" and request.key:
            s3.put("press", "a.html", page(len(s3.requests)), 1.7e9 + len(s3.requests))

    s3.before = rewrite
    assert ["still being written" in reason for _, reason in rejects("s3://press/a.html")] == [True]


def test_failure_within_a_packed_file_is_not_damage(s3: S3Server) -> None:
    noise = random.Random(5)
    texts = (" ".join(f"{noise.getrandbits(64):x}" for _ in range(600)) for _ in range(400))
    s3.put(
        "press", "a.jsonl.gz", gzip.compress("\n".join(map(json_line, range(400), texts)).encode())
    )
    s3.before = lambda one: (403, "AccessDenied") if one.range.startswith("bytes=262144") else None
    target = DictArchive()
    read_whole: list[str] = []
    shown: list[dict[str, str]] = []
    ingest(target, ["s3://press/a.jsonl.gz"], on_reject=shown.append, on_read=read_whole.append)
    assert [one["place"] for one in shown] == ["s3://press/a.jsonl.gz"]
    assert "access denied" in shown[0]["reason"]
    assert read_whole == []


def test_stop_ends_a_large_download(s3: S3Server) -> None:
    s3.put("press", "big.parquet", b"PAR1" + bytes(24 * 2**20))
    stop = Event()

    def stop_at_third(request: S3Request) -> None:
        if len(s3.gets("big.parquet")) == 3:
            stop.set()

    s3.before = stop_at_third
    shown: list[dict[str, str]] = []
    report = ingest(DictArchive(), ["s3://press/big.parquet"], on_reject=shown.append, stop=stop)
    assert counts(report) == (0, 0, 0, 0)
    assert shown == []
    assert len(s3.gets("big.parquet")) == 3


def test_stream_can_be_read_anywhere() -> None:
    import pyarrow as arrow

    content = bytes(range(256)) * 4096
    stream = io.BufferedReader(StoredStream(arrow.BufferReader(content)))
    for position in (900_000, 5, 262_140, 0, len(content) - 3, len(content) + 9):
        stream.seek(position)
        assert stream.read(70_000) == content[position : position + 70_000]
    stream.seek(0)
    assert stream.read() == content


def test_hdfs_without_java_is_plain() -> None:
    ((place, reason),) = rejects("hdfs://node:8020/news")
    assert place == "hdfs://node:8020/news"
    assert "Hadoop's client is missing" in reason or "can't be reached" in reason


def test_progress_counts_the_bytes(s3: S3Server) -> None:
    for number in range(5):
        s3.put("press", f"p/{number}.html", page(number))
    seen: list[tuple[int, int]] = []
    ingest(
        DictArchive(), ["s3://press/p"], on_progress=lambda one: seen.append((one.done, one.total))
    )
    size = sum(len(stored.content) for stored in s3.buckets["press"].values())
    assert seen[-1] == (size, size)


@pytest.mark.slow
def test_moved_file_keeps_its_id(s3: S3Server, tmp_path: Path) -> None:
    harness = IngestHarness(tmp_path / "archive")
    s3.put("press", "in/a.txt", CRANE)
    assert harness.ingest("s3://press/in") == (1, 0, 0, 0)
    s3.buckets["press"]["out/b.txt"] = s3.buckets["press"].pop("in/a.txt")
    assert harness.ingest("s3://press/out") == (0, 0, 1, 0)
    # Another text in the old place, while the moved file is there, is another article. So it is
    # while the storage can't tell.
    s3.before = lambda one: (403, "AccessDenied") if one.key == "out/b.txt" else None
    s3.put("press", "in/a.txt", FERRY)
    assert harness.ingest("s3://press/in") == (1, 0, 0, 0)
    assert harness.texts() == sorted([CRANE.partition("\n\n")[2], FERRY.partition("\n\n")[2]])
    first, second = harness.ids()
    assert first == "file:s3://press/in/a.txt"
    assert second.startswith("file:s3://press/in/a.txt#")


def test_zip_is_read_in_place(s3: S3Server) -> None:
    packed = io.BytesIO()
    noise = random.Random(5)
    with zipfile.ZipFile(packed, "w") as written:
        for number in range(6):
            written.writestr(f"{number}.bin", noise.randbytes(2**20))
        written.writestr("a.html", page(1))
    s3.put("press", "a.zip", packed.getvalue())
    found = [one for one in read("s3://press/a.zip") if isinstance(one, Article)]
    assert [one.title for one in found] == ["Crane 1 falls"]
    asked = [one.range.removeprefix("bytes=").split("-") for one in s3.gets("a.zip")]
    sizes = [int(last) - int(first) + 1 for first, last in asked]
    assert len(packed.getvalue()) > 6 * 2**20
    assert max(sizes) <= 8 * 2**20
