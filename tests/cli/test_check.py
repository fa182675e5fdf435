"""`backfile check`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from tests.api.conftest import ARTICLES
from tests.archive.test_archive import WordEmbeddings
from ui.cli.main import main

MINE = "The mine of Velmora closed on Friday."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add(ARTICLES)
    monkeypatch.setattr(
        "rag.models.archive_model.open_embeddings", lambda *_: WordEmbeddings(), raising=False
    )
    return tmp_path / "a"


def test_check_reports_a_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "none.txt"]) == 1
    assert "Cannot read none.txt" in capsys.readouterr().err


def test_check_reports_a_file_that_is_no_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.bin").write_bytes(b"\xff\xfe\x00")
    assert main(["check", str(tmp_path / "a.bin")]) == 1
    assert "not text in UTF-8" in capsys.readouterr().err
