"""Partial files: a file that is still being written is not read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest.readers import Reject, list_files, read
from ingest.readers.partial_files import has_writer
from rag.schema import Article
from tests.fetch.test_crawler import page

HALF = page("Crane falls").body


def can_detect_writers(folder: Path) -> bool:
    path = folder / "probe"
    with path.open("wb"), path.open("rb") as again:
        return has_writer(again)


def test_page_being_written_is_rejected_until_whole(tmp_path: Path) -> None:
    if not can_detect_writers(tmp_path):
        pytest.skip("this system does not tell who writes")
    path = tmp_path / "page.html"
    with path.open("wb") as out:
        out.write(HALF)
        out.flush()
        (found,) = read(path)
        assert isinstance(found, Reject)
        assert "still being written" in found.reason
    (found,) = read(path)
    assert isinstance(found, Article)


def test_file_that_changes_while_read_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = "".join(f"Crane {n} falls,The crane number {n} fell on the pier.\n" for n in range(9))
    path.write_text("title,text\n" + rows)

    def grow(_: int) -> None:
        if path.stat().st_size < 1000:
            with path.open("a") as out:
                out.write("Half,Half a sen" * 100)

    found = list(read(path, on_bytes=grow))
    assert [isinstance(one, Reject) for one in found] == [True]


def test_json_lines_are_read_while_more_are_written(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("w") as out:
        out.write('{"title": "Crane falls", "text": "It fell."}\n{"title": "Half", "te')
        out.flush()
        article, reject = read(path)
    assert isinstance(article, Article)
    assert isinstance(reject, Reject)


def test_named_pipe_in_a_folder_is_skipped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "page.html").write_bytes(HALF)
    assert [file.name for file in list_files(tmp_path)] == ["page.html"]


def test_partial_file_names_are_skipped(tmp_path: Path) -> None:
    names = ["a.html.part", "b.crdownload", "c.tmp", ".d.html.swp", "e.html~", "#f#", "g.html"]
    for name in names:
        (tmp_path / name).write_bytes(HALF)
    assert [file.name for file in list_files(tmp_path)] == ["g.html"]
