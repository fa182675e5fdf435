"""Articles that name files of a storage, which only the operator may have read."""

from __future__ import annotations

import io
import json
import random
import zipfile
from pathlib import Path

import pytest

from ingest.pipeline import ingest
from ingest.readers import Article, read
from tests.cli.test_output import archive_option
from tests.ingest.test_identity import CRANE, FERRY, IngestHarness
from tests.ingest.test_pipeline import DictArchive, json_line
from tests.support.s3_server import S3Request, S3Server
from ui.cli import main


def record(article_id: str, text: str, **more: str) -> str:
    title, _, body = text.partition("\n\n")
    return json.dumps({"id": article_id, "title": title, "text": body, **more})


@pytest.mark.slow
def test_ids_of_articles_make_no_requests(s3: S3Server, tmp_path: Path) -> None:
    """An ID like a moved file's would have the storage asked whether that file exists."""
    harness = IngestHarness(tmp_path / "archive")
    s3.put("private", "payroll.txt", "none of their business")
    lines = [record("file:s3://private/payroll.txt", CRANE), record("file:z", CRANE)]
    for number, text in enumerate(["\n".join(lines), record("file:z", FERRY)]):
        source = tmp_path / f"{number}.jsonl"
        source.write_text(text, "utf-8")
        harness.ingest(source)
    assert s3.requests == []


@pytest.mark.model
@pytest.mark.parametrize("kind", ["storage", "file"])
def test_rejected_articles_lead_to_no_file(
    s3: S3Server, tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    """The URL of a rejected article must not be a source that is read when rejects are retried."""
    secret = tmp_path / "secret.jsonl"
    secret.write_text(json_line(7), "utf-8")
    s3.put("private", "secret.jsonl", json_line(7))
    address = "s3://private/secret.jsonl" if kind == "storage" else str(secret)
    one = {"id": "urn:x:1", "title": "Crane", "url": address}
    long, short = ("The crane fell. " * 40 + "It was new.", "The crane stood there. It was old.")
    lines = [json.dumps({**one, "text": text}) for text in (long, short)]
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(lines), "utf-8")
    here = [*archive_option(tmp_path / "archive")]
    assert main(["ingest", str(source), *here]) == 3
    s3.requests.clear()
    capfd.readouterr()
    main(["rejects", "--retry", *here])
    assert s3.requests == []
    main(["browse", *here])
    assert "crane-7" not in capfd.readouterr().out


@pytest.mark.model
def test_name_that_no_address_can_have_stops_no_retry(
    s3: S3Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    here = [*archive_option(tmp_path / "archive")]
    s3.put("press", "news/../a.jsonl", json_line(1))
    s3.put("press", "news/b.jsonl", json_line(2))
    s3.put("press", "news/c.jsonl", json_line(3))
    s3.before = lambda one: (403, "AccessDenied") if one.key == "news/b.jsonl" else None
    assert main(["ingest", "s3://press/news/", *here]) == 3
    s3.before = lambda _: None
    capfd.readouterr()
    main(["rejects", "--retry", *here])
    said = capfd.readouterr()
    assert said.out.startswith("1 new")
    assert "not read again" in said.err


def test_outage_within_a_zip_ends_its_reading(s3: S3Server) -> None:
    noise, held = random.Random(5), io.BytesIO()
    with zipfile.ZipFile(held, "w") as written:
        for number in range(40):
            written.writestr(f"{number}.jsonl", noise.randbytes(2**20))
    s3.put("press", "a.zip", held.getvalue())
    begun = False

    def fail(request: S3Request) -> tuple[int, str] | None:
        nonlocal begun
        begun = begun or request.range.startswith("bytes=1")
        return (403, "AccessDenied") if begun and request.range else None

    s3.before = fail
    shown: list[dict[str, str]] = []
    ingest(DictArchive(), ["s3://press/a.zip"], on_reject=shown.append)
    assert "access denied" in shown[-1]["reason"]
    assert len(s3.gets("a.zip")) < 20


def test_small_file_that_grows_is_not_read_into_memory(s3: S3Server) -> None:
    s3.put("press", "a.html", "<p>small")

    def grow(request: S3Request) -> None:
        small = len(s3.buckets["press"]["a.html"].content) < 99
        if request.method == "GET" and request.key and small:
            s3.put("press", "a.html", "<p>" + "x" * 2**22, 1.8e9)

    s3.before = grow
    found = list(read("s3://press/a.html"))
    assert not [one for one in found if isinstance(one, Article)]
    assert len(s3.gets("a.html")) == 1


def test_replaced_lines_are_left_for_the_next_time(s3: S3Server) -> None:
    text = "The crane on the quay fell. " * 400
    s3.put("press", "a.jsonl", "\n".join(json_line(n, text) for n in range(150)))

    def replace(request: S3Request) -> None:
        if request.range.startswith("bytes=262144"):
            s3.put("press", "a.jsonl", "\n".join(json_line(n, text) for n in range(160)), 1.8e9)

    s3.before = replace
    found = list(read("s3://press/a.jsonl"))
    assert "still being written" in getattr(found[-1], "reason", "")


def test_listing_failure_is_told(s3: S3Server) -> None:
    """A folder that may be a crawl's isn't taken for another one."""
    s3.put("press", "crawl/archive/a.warc", "WARC/1.0")
    s3.put("press", "crawl/pages/pages.jsonl", json_line(1))
    s3.before = lambda one: (
        (403, "AccessDenied") if "archive" in one.query.get("prefix", "") else None
    )
    found = list(read("s3://press/crawl"))
    assert not [one for one in found if isinstance(one, Article)]
    assert "could not be listed" in getattr(found[0], "reason", "")
