"""`--as KIND`: files have the format that the user names."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from ingest.readers import KINDS, ReaderOptions, Reject, read
from rag.schema import Article
from tests.fuzz.inputs import undamaged_inputs
from tests.readers.test_html import BODY
from ui import cli

pytestmark = pytest.mark.slow

RECORD = json.dumps({"title": "Crane falls", "text": "A crane fell on the pier. Nobody was hurt."})


def read_one(path: Path, content: bytes, kind: str) -> Article | Reject:
    path.write_bytes(content)
    (found,) = read(path, reading=ReaderOptions(kind=kind))
    assert isinstance(found, Article | Reject)
    return found


def test_page_that_begins_with_a_sentence_is_read_as_html(tmp_path: Path) -> None:
    content = f"Saved on Monday. <html><body><h1>Crane falls here</h1>{BODY}</body></html>".encode()
    found = read_one(tmp_path / "a", content, "html")
    assert isinstance(found, Article)
    assert found.title == "Crane falls here"
    assert "<p>" not in found.text


def test_json_is_read_as_text_on_request(tmp_path: Path) -> None:
    found = read_one(tmp_path / "a", RECORD.encode(), "text")
    assert isinstance(found, Article)
    assert "{" in found.title + found.text


def test_compression_is_undone_first(tmp_path: Path) -> None:
    found = read_one(tmp_path / "a.gz", gzip.compress(RECORD.encode()), "jsonl")
    assert isinstance(found, Article)
    assert found.title == "Crane falls"


@pytest.mark.parametrize("kind", KINDS)
def test_file_of_another_kind_raises_nothing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\x00\x01 nothing of the kind")
    assert all(
        isinstance(one, Article | Reject) for one in read(path, reading=ReaderOptions(kind=kind))
    )


def test_unknown_kind_is_rejected_and_known_ones_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["ingest", "x", "--as", "word", "--archive", str(tmp_path)])
    assert ended.value.code == 2
    assert ", ".join(KINDS) in capsys.readouterr().err


def test_help_names_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["ingest", "--help"])
    said = capsys.readouterr().out
    assert all(kind in said for kind in KINDS)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_utf_16_and_utf_32_files_are_read_alike(tmp_path: Path, encoding: str) -> None:
    for kind, content in undamaged_inputs().items():
        if kind in ("parquet", "pdf", "warc", "arc", "zip", "tar", "gz"):
            continue
        path = tmp_path / "input"
        path.write_bytes(content)
        before = list(read(path))
        path.write_bytes(content.decode().encode(encoding))
        assert list(read(path)) == before, kind


def test_false_utf_16_mark_is_a_reject(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(b"\xff\xfe" + b"\x00\xdc\x00\xd8" * 400)
    (found,) = read(path)
    assert isinstance(found, Reject)
    assert "begins like UTF-16 but isn't" in found.reason
