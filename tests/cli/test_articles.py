"""`backfile show`, `withdraw` and `reinstate`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.schema import Span
from tests.support.fakes import HARBOUR, ORCHARD, WordEmbeddings
from ui.cli import main

LATER = replace(HARBOUR, text=HARBOUR.text.replace("six weeks", "nine long weeks"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BACKFILE_EMBEDDING_MODEL", "words")  # its name is all these commands need
    monkeypatch.setenv("BACKFILE_ARCHIVE", str(tmp_path / "archive"))
    path = tmp_path / "archive"
    with Archive.open(path, mode="write", embeddings=WordEmbeddings()) as archive:
        for article in (HARBOUR, ORCHARD, LATER):
            archive.add([(article, [Span(0, len(article.text))])])
    return path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.parametrize("name", [HARBOUR.id, "https://www.courier.example/harbour?utm_source=x"])
def test_show_finds_article_by_id_and_address(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    code, out, _ = run(capsys, "show", name)
    assert code == 0
    assert out.startswith("Harbour bridge closed after storm\nThe Harbour Courier, 21 October 2024")
    assert "nine long weeks" in out
    assert "revision 2 of 2, added" in out


def test_show_accepts_a_unique_id_prefix(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "apples" in run(capsys, "show", "gaz")[1]
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        twin = ORCHARD.replace(id="gazette.example/other")
        archive.add([(twin, [Span(0, len(twin.text))])])
    code, _, err = run(capsys, "show", "gaz")
    assert (code, "gazette.example/orchard, gazette.example/other" in err) == (1, True)


def test_show_prints_an_earlier_revision(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "six weeks" in run(capsys, "show", HARBOUR.id, "--revision", "1")[1]
    code, _, err = run(capsys, "show", HARBOUR.id, "--revision", "9")
    assert (code, "It has: 1, 2" in err) == (1, True)


def test_show_revisions_marks_changed_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run(capsys, "show", HARBOUR.id, "--revisions")[1]
    assert "repairs would take [-six-] {+nine long+} weeks." in out
    assert out.count("revision ") == 2


def test_show_json_includes_all_revisions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = json.loads(run(capsys, "show", HARBOUR.id, "--json")[1])
    assert (value["article"]["text"], value["withdrawn"]) == (LATER.text, None)
    first, second = value["revisions"]
    assert (first["text"], first["ended"]) == (HARBOUR.text, second["came"])


def test_show_unknown_article_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", "nowhere.example/1")
    assert (code, out, err.count("\n")) == (1, "", 1)


def test_withdrawn_article_is_gone_and_shown_as_withdrawn(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "withdraw", HARBOUR.id, "typo.example/1", "--reason", "a letter")
    assert (code, out) == (3, f"withdrawn: {HARBOUR.id}\n")
    assert "no such article: typo.example/1" in err
    out = run(capsys, "show", HARBOUR.id)[1]
    assert out.startswith(f"{HARBOUR.id}: withdrawn on ")
    assert out.endswith(": a letter\n")
    assert "bridge" not in run(capsys, "show", HARBOUR.id, "--revisions")[1]
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert archive.count().articles == 1


def test_reinstated_article_is_shown_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "withdraw", HARBOUR.url)
    code, out, _ = run(capsys, "reinstate", HARBOUR.id, ORCHARD.id)
    assert (code, out) == (0, f"{HARBOUR.id}: reinstated\n{ORCHARD.id}: was not withdrawn\n")
    assert "nine long weeks" in run(capsys, "show", HARBOUR.id)[1]


def test_erased_article_leaves_its_id_and_reason(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "withdraw", HARBOUR.id, "--erase", "--reason", "a judge")[0] == 0
    assert ": erased on " in run(capsys, "show", HARBOUR.id)[1]
    assert not any(b"repairs" in f.read_bytes() for f in folder.rglob("*") if f.is_file())
    assert "ingest it again to add it" in run(capsys, "reinstate", HARBOUR.id)[1]
