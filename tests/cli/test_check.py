"""`backfile check`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from tests.api.conftest import ARTICLES
from ui.cli import main

DRAFT = "# Velmora\n\nThe mine of Velmora closed on Friday. The harbour of Quell has a new crane.\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("check") / "archive"
    with Archive.open(path, mode="write") as archive:
        archive.add(ARTICLES)
    return path


@pytest.mark.model
def test_check_prints_each_sentence_with_its_outcome(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "draft.md").write_text(DRAFT, encoding="utf-8")
    assert main(["check", str(tmp_path / "draft.md"), "--archive", str(folder)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Supported 1, Not in the archive 1, No claim to check 1\n")
    assert "The mine of Velmora closed on Friday.\n    Supported\n    [1] " in out
    assert "“The mine of Velmora closed on Friday.”" in out


@pytest.mark.model
def test_check_reads_standard_input_and_prints_json(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(DRAFT))
    assert main(["check", "--json", "-", "--archive", str(folder)]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["counts"]["supported"] == 1
    assert [one["outcome"] for one in value["sentences"]] == [
        "no claim",
        "supported",
        "not in the archive",
    ]


def test_check_reports_a_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "none.txt"]) == 1
    assert "Cannot read none.txt" in capsys.readouterr().err


def test_check_reports_a_file_that_is_no_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.bin").write_bytes(b"\xff\xfe\x00")
    assert main(["check", str(tmp_path / "a.bin")]) == 1
    assert "not text in UTF-8" in capsys.readouterr().err
