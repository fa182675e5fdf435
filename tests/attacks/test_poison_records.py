"""Records made to end an ingest run, or to break an archive for good."""

from __future__ import annotations

import io
import json
import logging
import os
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ingest.fetch.client import Client
from ingest.readers import Failure, ReaderOptions, Reject, read
from ingest.readers.file_names import path_of, printable_name
from ingest.runner import run_ingest
from rag.archive.archive import Archive
from rag.errors import ArchiveUnwritableError, ModelError
from rag.schema import Article
from rag.store.ingest_log import RejectLog
from tests.support.fakes import WordEmbeddings

pytestmark = pytest.mark.slow

STORY = "The ferry line said that its first boat had sailed from Tarn after the strike."


def line(number: int, **more: Any) -> str:
    return json.dumps({"id": f"r{number}", "title": f"Ferry {number}", "text": STORY, **more})


def read_titles(path: Path, **how: Any) -> list[str]:
    """Return the titles read from a file or folder, and a reject's reason in its place."""
    reading = ReaderOptions(**how)
    return [
        f.title if isinstance(f, Article) else getattr(f, "reason", "link")
        for f in read(path, reading=reading)
    ]


def ingest_path(
    folder: Path, source: Path, embeddings: Any = None
) -> tuple[Any, list[dict[str, str]]]:
    """Ingest as the command does; return the report and the rejects."""
    told: list[dict[str, str]] = []
    with (
        Archive.open(folder, mode="write", embeddings=embeddings or WordEmbeddings()) as archive,
        Client() as client,
    ):
        reading = ReaderOptions()
        report = run_ingest(
            archive, [source], client=client, reading=reading, on_reject=told.append
        )
    return report, told


# Exceptions of parsers


@pytest.mark.parametrize("odd", ["<!DOCTYPE <p ", "<!DOCTYPE ", "<!-- <p> -->", "<p><?php <br>"])
def test_empty_fragment_is_one_reject(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([line(1), line(2, text=odd), line(3)]))
    found = read_titles(path)
    assert found[0] == "Ferry 1"
    assert found[1].startswith(("no text", "too short"))
    assert found[2] == "Ferry 3"


def test_feed_entry_without_content_is_one_reject(tmp_path: Path) -> None:
    item = "<item><title>Ferry {0}</title><description>{1}</description></item>"
    items = [
        item.format(1, STORY),
        item.format(2, "<![CDATA[ <!DOCTYPE ]]>"),
        item.format(3, STORY),
    ]
    path = tmp_path / "feed.xml"
    path.write_text(f'<rss version="2.0"><channel>{"".join(items)}</channel></rss>')
    found = read_titles(path, links="keep")
    assert (found[0], found[2]) == ("Ferry 1", "Ferry 3")
    assert found[1].startswith("the feed has no text")


@pytest.mark.parametrize(
    "odd",
    [
        '{"id":"x","title":"x","text":' + "[" * 900 + '"a"' + "]" * 900 + "}",
        '{"id":"x","title":"x","text":' + '{"text":' * 900 + '"a"' + "}" * 900 + "}",
        '{"a":' * 5000 + "1" + "}" * 5000,
        '{"id":"x","text":"Some words.","published":1' + "0" * 4000 + "}",
        '{"id":"x","text":"Some words.","published":1' + "0" * 5000 + "}",
        '{"id":"x","text":"Some words.","urgency":1' + "0" * 400 + "}",
        '{"id":"x","text":"Some \\ud800 words.","title":"x"}',
        '{"id":"\\udce9","text":"Some words.","title":"x"}',
        '{"\\ud800":"x","te\\u0000xt":"Some words."}',
        '{"backfile":1,"id":"x","title":"\\udfff","text":"Some words."}',
        '{"backfile":1,"id":"x","text":"Some words.","authors":7}',
        '{"backfile":1,"id":"x","text":"Some words.","urgency":1' + "0" * 400 + "}",
        '{"backfile":1,"id":"x","text":"Some words.","published":[1]}',
        '{"backfile":1,"id":"x\\u0000","title":"\\u0000","text":"A zero\\u0000 byte."}',
        '{"url":"http://[","text":"Some words.","authors":{"name":{"name":[[{}]]}}}',
        '{"@graph":[{"@type":"NewsArticle","@id":"a","author":{"@id":{}}}]}',
        '{"columns":[[]],"data":[[1]]}',
    ],
)
def test_odd_json_line_costs_at_most_itself(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([line(1), odd, line(3)]))
    report, _ = ingest_path(tmp_path / "archive", path)
    assert report.new + report.rejected == 3
    with Archive.open(tmp_path / "archive", embeddings=WordEmbeddings()) as archive:
        assert {a.title for a in archive.articles()} >= {"Ferry 1", "Ferry 3"}


def test_odd_parquet_cells_cost_at_most_their_row(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    far = [0, 253402300800 + 10**9, 0]  # seconds: of 1970, and of the year 10001
    bad = pa.Array.from_buffers(
        pa.string(),
        3,
        [None, pa.py_buffer(struct.pack("<4i", 0, 1, 2, 3)), pa.py_buffer(b"a\xffc")],
    )
    table = pa.table(
        {
            "title": ["Ferry 1", "Ferry 2", "Ferry 3"],
            "text": [STORY] * 3,
            "published": pa.array([s * 1000 for s in far], pa.timestamp("ms")),
            "day": pa.array([0, 2**31 - 1, 0], pa.date32()),
            "note": bad,
            "length": pa.array([1, 2, 3], pa.duration("s")),
            "price": pa.array([None, 1, 2], pa.decimal128(38, 2)),
        }
    )
    path = tmp_path / "a.parquet"
    parquet.write_table(table, path)
    found = read_titles(path)
    assert (found[0], found[2]) == ("Ferry 1", "Ferry 3")
    assert "UTF-8" in found[1]


# Names that aren't UTF-8


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_file_name_that_is_not_utf8_is_ingested(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "good.txt").write_text(f"A good headline\n\n{STORY}")
    Path(os.fsdecode(os.fsencode(pages) + b"/caf\xe9.txt")).write_text(
        f"An odd name\n\n{STORY} So."
    )
    report, told = ingest_path(tmp_path / "archive", pages)
    assert (report.new, told) == (2, [])
    assert ingest_path(tmp_path / "archive", pages)[0].unchanged == 2
    with Archive.open(tmp_path / "archive", embeddings=WordEmbeddings()) as archive:
        ids = {a.title: a.id for a in archive.articles()}
    assert ids["An odd name"].endswith("/caf\\xe9.txt")


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_reject_with_odd_file_name_is_kept_and_retried(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    odd = Path(os.fsdecode(os.fsencode(pages) + b"/caf\xe9.jsonl"))
    odd.write_text('{"id":"a"}')
    archive = tmp_path / "archive"
    _, told = ingest_path(archive, pages)
    assert [reject["place"] for reject in told] == [f"{pages}/caf\\xe9.jsonl:1"]
    json.dumps(told).encode()
    with Archive.open(archive, embeddings=WordEmbeddings()) as opened:
        (kept,) = RejectLog(opened.store.database).all()
    assert kept.source == f"{pages}/caf\\xe9.jsonl"
    assert path_of(kept.source) == odd
    odd.write_text(line(1))
    report, _ = ingest_path(archive, path_of(kept.source))
    assert report.new == 1
    with Archive.open(archive, embeddings=WordEmbeddings()) as opened:
        assert RejectLog(opened.store.database).all() == []


def test_printable_name_is_stable() -> None:
    assert printable_name("plain é.txt") == "plain é.txt"
    assert printable_name(os.fsdecode(b"caf\xe9.txt")) == "caf\\xe9.txt"
    assert printable_name("lone \ud800") == "lone \\ud800"
    assert path_of("no such \\xe9") == Path("no such \\xe9")


def _zip_with_false_utf8_name() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("a-é.txt", f"Odd name\n\n{STORY}")
        packed.writestr("good.txt", f"Good name\n\n{STORY}")
    return out.getvalue().replace("é".encode(), b"\xe9\xe9")


def _tar_with_latin_name() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT, encoding="latin-1") as tar:
        for name, title in (("a-é.txt", "Odd name"), ("good.txt", "Good name")):
            content = f"{title}\n\n{STORY}".encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.parametrize("made", [_zip_with_false_utf8_name, _tar_with_latin_name])
def test_archive_members_with_odd_names_are_ingested(tmp_path: Path, made: Any) -> None:
    path = tmp_path / "a.packed"
    path.write_bytes(made())
    report, told = ingest_path(tmp_path / "archive", path)
    assert (report.new, told) == (2, [])


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_moved_file_with_odd_name_stays_the_same_article(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    (pages / "old").mkdir(parents=True)
    odd = Path(os.fsdecode(os.fsencode(pages) + b"/old/caf\xe9.txt"))
    odd.write_text(f"An odd name\n\n{STORY}")
    assert ingest_path(tmp_path / "archive", pages)[0].new == 1
    odd.rename(Path(os.fsdecode(os.fsencode(pages) + b"/th\xe9.txt")))
    assert ingest_path(tmp_path / "archive", pages)[0].unchanged == 1
    odd.write_text(f"An odd name\n\n{STORY}")  # a copy in its old place
    assert ingest_path(tmp_path / "archive", pages)[0].rejected == 0


def test_reject_name_with_many_colons_is_kept_fast(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(":" * 60_000, "Hello")
        packed.writestr("good.txt", f"A good headline\n\n{STORY}")
    path = tmp_path / "a.zip"
    path.write_bytes(out.getvalue())
    report, told = ingest_path(tmp_path / "archive", path)
    assert (report.new, report.rejected) == (1, 1)
    assert len(told[0]["place"]) < 20_000
    with Archive.open(tmp_path / "archive", embeddings=WordEmbeddings()) as archive:
        assert RejectLog(archive.store.database).all()[0].source == str(path)


# Unexpected exceptions


def test_unexpected_exception_is_a_reject_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from ingest.readers import fields

    def explode(text: str, *_: object) -> str:
        if "poison" in text:
            raise KeyError("a fault of a reader")
        return "en"

    monkeypatch.setattr(fields, "language_of", explode)
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([line(1), line(2, text="A poison text."), line(3)]))
    with caplog.at_level(logging.ERROR, "backfile.ingest"):
        report, told = ingest_path(tmp_path / "archive", path)
    assert (report.new, report.rejected) == (2, 1)
    assert told[0]["place"] == f"{path}:2"
    assert "KeyError" in told[0]["reason"]
    assert "\n" not in told[0]["reason"]
    (record,) = [r for r in caplog.records if r.getMessage() == "reader failed"]
    assert "in explode" in record.figures["traceback"]  # type: ignore[attr-defined]


def test_traceback_stays_off_the_screen(tmp_path: Path) -> None:
    """Python prints the errors of a logger without a handler on stderr."""
    (tmp_path / "a.txt").write_text("Pier\n\nThe pier at Pellworth opened again on Monday.\n")
    script = (
        "import sys\n"
        "from ingest.pipeline import ingest\n"
        "class Broken:\n"
        "    def article(self, article_id, *, access): raise TypeError('broken')\n"
        "    def content_hashes(self, article_ids): raise TypeError('broken')\n"
        "rejected = []\n"
        "ingest(Broken(), [sys.argv[1]], on_reject=rejected.append)\n"
        "assert 'broken' in rejected[0]['reason'], rejected\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.txt")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


class _Brittle(WordEmbeddings):
    """Embeddings that fail on a word, as a model may on a text; `broken` fails on everything."""

    def __init__(self, error: Exception, broken: bool = False) -> None:
        self.error = error
        self.broken = broken

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:  # type: ignore[override]
        if self.broken or any("poison" in text for text in texts):
            raise self.error
        return super().embed_documents(list(texts))


def test_article_that_cannot_be_embedded_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([line(1), line(2, text="A poison text."), line(3)]))
    report, told = ingest_path(tmp_path / "archive", path, _Brittle(IndexError("of a tokenizer")))
    assert (report.new, report.rejected) == (2, 1)
    assert "IndexError" in told[0]["reason"]
    with Archive.open(tmp_path / "archive", embeddings=WordEmbeddings()) as archive:
        assert sorted(a.id for a in archive.articles()) == ["r1", "r3"]
        assert archive.search("ferry")


@pytest.mark.parametrize(
    ("error", "broken", "raised"),
    [
        (ConnectionError("the model's server is away"), True, ConnectionError),
        (IndexError("nothing works"), True, ModelError),
        (ArchiveUnwritableError("no room"), False, ArchiveUnwritableError),
    ],
)
def test_archive_or_model_error_ends_the_run(
    tmp_path: Path, error: Exception, broken: bool, raised: type[Exception]
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([line(1), line(2, text="A poison text."), line(3)]))
    with pytest.raises(raised):
        ingest_path(tmp_path / "archive", path, _Brittle(error, broken))


def test_failure_in_a_worker_process_is_a_reject(tmp_path: Path) -> None:
    from ingest.readers.parallel import PARALLEL_FROM, read_in_parallel

    pages = tmp_path / "pages"
    pages.mkdir()
    page = "<html><title>Ferry</title><body><article>{}</article></body></html>"
    body = "".join(f"<p>{STORY} Number {n} of them came home.</p>" for n in range(6))
    for number in range(PARALLEL_FROM):
        (pages / f"{number:03}.html").write_text(page.format(body))
    (pages / "000.html").write_text("<html>" + "<div>" * 40_000 + STORY)
    found = list(read_in_parallel(sorted(pages.iterdir()), None, ReaderOptions(workers=2)))
    assert len(found) == PARALLEL_FROM
    assert sum(isinstance(one, Article) for one in found) >= PARALLEL_FROM - 1


def test_failure_can_be_pickled() -> None:
    import pickle

    sent = Failure("a:1", "cannot be read", "Traceback ...")
    assert pickle.loads(pickle.dumps(sent)) == sent


def test_failing_fetched_content_is_a_reject(monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest.readers import dispatch

    def explode(*_: object, **__: object) -> Article:
        raise KeyError("a fault of a reader")

    monkeypatch.setattr("ingest.readers.html.reader.read_html", explode)
    page = b"<html><body><p>Anything</p></body></html>"
    (found,) = dispatch.read_content(page, "https://velsund.example/a", ReaderOptions())
    assert isinstance(found, Reject)
    assert "KeyError" in found.reason
