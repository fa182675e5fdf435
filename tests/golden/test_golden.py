"""Answers, searches, commands, help and figures equal those of `expected/`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import calls
from tests.golden.cases import HELP
from tests.golden.expectations import HELP as HELP_FOLDER
from tests.golden.expectations import TOLERANCE, differences, help_file, read


def check(kind: str, found: calls.Both) -> None:
    """Compare the facts first, then the words."""
    facts, words = found
    assert differences(read(kind), facts, kind) == []
    if words:
        assert differences(read(f"{kind}.words"), words, f"{kind}.words") == []


def test_ingest_reports(sample: tuple[Path, calls.Both]) -> None:
    check("ingest", sample[1])


@pytest.mark.parametrize("kind", ["answers", "timelines", "searches", "windows", "histograms"])
def test_archive_outputs(kind: str, archive: calls.Archive) -> None:
    check(kind, getattr(calls, kind)(archive))


@pytest.mark.parametrize("kind", ["commands", "figures"])
def test_command_outputs(kind: str, folder: Path) -> None:
    check(kind, getattr(calls, kind)(folder))


def test_help_pages() -> None:
    pages = calls.help_pages()
    for name, page in pages.items():
        assert page == help_file(name).read_text(encoding="utf-8"), name or "backfile"
    assert {help_file(name).name for name in pages} == {f.name for f in HELP_FOLDER.glob("*.txt")}


def test_help_lists_every_command() -> None:
    listed = calls.command_names(help_file("").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(name for name in HELP if name and " " not in name)


def test_differences_are_found_in_every_kind_of_value() -> None:
    expected = {"text": "one", "list": [1, 2], "score": 0.5, "flag": True, "none": None}
    assert differences(expected, dict(expected, score=0.5 + TOLERANCE / 2)) == []
    for key, other in [
        ("text", "two"),
        ("list", [1]),
        ("list", [2, 1]),
        ("score", 0.5 + 2 * TOLERANCE),
        ("flag", 1),
        ("none", ""),
        ("more", 1),
    ]:
        lines = differences(expected, {**expected, key: other})
        assert lines
        assert all(line.startswith(key) for line in lines)
    assert differences(expected, {"text": "one"})
