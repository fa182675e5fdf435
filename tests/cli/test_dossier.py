"""`backfile dossier`: collect, annotate, order and export passages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rag.archive.archive import Archive
from tests.support.commands import Result, run
from tests.support.fakes import HARBOUR, HOSTILE, ORCHARD, WordEmbeddings, small_archive
from tests.ui.word_reader import read_word

pytestmark = pytest.mark.slow

QUOTE = "repairs would take six weeks"
START = HARBOUR.text.index(QUOTE)
SHOWN = f"Harbour bridge closed after storm, The Harbour Courier, 21 October 2024\n    “{QUOTE}”\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_archive(tmp_path / "archive").close()
    dossier(tmp_path / "archive", "create", "Bridge")
    return tmp_path / "archive"


def dossier(folder: Path, *words: object, **settings: str) -> Result:
    return run(
        "dossier",
        *words,
        folder=folder.parent,
        BACKFILE_ARCHIVE=str(folder),
        BACKFILE_EMBEDDING_MODEL="words",
        **settings,
    )


def parsed(folder: Path, *words: object) -> Any:
    return json.loads(dossier(folder, *words, "--json").stdout)


@pytest.fixture
def filled(folder: Path) -> Path:
    dossier(folder, "add", "Bridge", HARBOUR.url, "--quote", QUOTE, "--note", "Who says so?")
    dossier(folder, "add", "Bridge", ORCHARD.id, "--at", "0-7")
    return folder


def test_dossiers_are_listed(folder: Path, tmp_path: Path) -> None:
    assert dossier(folder).stdout.startswith("Bridge (")
    assert [one["name"] for one in parsed(folder, "list")] == ["Bridge"]
    small_archive(tmp_path / "other").close()
    assert dossier(tmp_path / "other").stdout == "No dossiers.\n"


def test_quotation_is_added_and_shown_with_its_note(folder: Path) -> None:
    done = dossier(
        folder, "add", "bridge", HARBOUR.url, "--quote", QUOTE, "--note", "Who?\nAsk [1]."
    )
    assert done.stdout == f"Bridge: 1 passage\nadded: {SHOWN}    Who?\n    Ask (1).\n"
    (passage,) = parsed(folder, "show", "Bridge")["passages"]
    assert (passage["start"], passage["end"]) == (START, START + len(QUOTE))
    assert (passage["state"], passage["title"]) == ("current", HARBOUR.title)


def test_passages_are_moved_annotated_removed_and_restored(filled: Path) -> None:
    printed = dossier(filled, "move", "Bridge", 2, 1).stdout
    assert printed.index("Orchards expect") < printed.index("Harbour bridge")
    assert "    Confirmed." in dossier(filled, "note", "Bridge", 1, "Confirmed.").stdout
    before = dossier(filled, "show", "Bridge").stdout
    assert dossier(filled, "remove", "Bridge", 1).stdout.startswith("removed: Bridge: 1 passage")
    assert "Orchards" not in dossier(filled, "show", "Bridge").stdout
    assert dossier(filled, "restore", "Bridge", "--passage").stdout == before


def test_dossier_is_renamed_removed_and_restored(filled: Path) -> None:
    dossier_id = parsed(filled, "rename", "Bridge", "Old bridge")["id"]
    assert dossier(filled, "remove", "old bridge").code == 0
    assert dossier(filled).stdout == "No dossiers.\n"
    assert dossier_id in dossier(filled, "restore").stdout
    assert dossier(filled, "restore", dossier_id).stdout == (
        f"restored: Old bridge, ID {dossier_id}\n"
    )
    assert len(parsed(filled, "show", "Old bridge")["passages"]) == 2


def test_erased_passage_says_so(filled: Path) -> None:
    with Archive.open(filled, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.erase(HARBOUR.id)
    printed = dossier(filled, "show", "Bridge").stdout
    assert "[1] courier.example/harbour (erased)\n[2] " in printed
    assert "six weeks" not in printed
    assert "Who says so?" not in printed


def test_export_is_named_after_the_dossier(filled: Path) -> None:
    assert dossier(filled, "export", "Bridge").stdout == "exported: bridge.docx, 2 passages\n"
    found = read_word((filled.parent / "bridge.docx").read_bytes())
    assert found[0].text == "Bridge"
    assert HARBOUR.url in [target for one in found for _, target in one.links]
    done = dossier(filled, "export", "Bridge")
    assert (done.code, "exists already" in done.stderr) == (1, True)


@pytest.mark.parametrize("name", ["out.md", "out.RIS", "out.json", "-"])
def test_export_format_follows_the_file_name(filled: Path, name: str) -> None:
    done = dossier(filled, "export", "Bridge", name, "--language", "de")
    assert done.code == 0
    text = done.stdout if name == "-" else (filled.parent / name).read_text()
    opening = {"out.RIS": "TY  - NEWS", "out.json": "["}.get(name, "# Bridge")
    assert text.startswith(opening)
    assert HARBOUR.title in text
    assert not list(filled.parent.glob("*.part"))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "Road"), 1, "No dossier 'Road'"),
        (("create", "BRIDGE"), 1, "already one named 'BRIDGE'"),
        (("add", "Bridge", HARBOUR.id), 2, "either --quote or --at"),
        (("add", "Bridge", HARBOUR.id, "--quote", "never said"), 1, "no such words"),
        (("add", "Bridge", HARBOUR.id, "--at", "5-4000"), 1, "is not in the text"),
        (("add", "Bridge", HARBOUR.id, "--at", "x"), 2, "write it as 120-260"),
        (("add", "Bridge", HARBOUR.id, "--at", "0-3", "--revision", "7"), 1, "of that revision"),
        (("add", "Bridge", "nowhere", "--at", "0-3"), 1, "No article 'nowhere'"),
        (("note", "Bridge", "9", "x"), 1, "No passage 9"),
        (("restore", "Bridge", "--passage"), 1, "No passage to restore"),
        (("export", "Bridge", "out.txt"), 2, "must end in"),
        (("export", "Bridge", "out"), 2, "must end in"),
        (("export", "Bridge", "none/out.md"), 1, "Cannot write"),
    ],
)
def test_mistakes_are_one_line(folder: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = dossier(folder, *words)
    assert (done.code, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert said in done.stderr
    assert dossier(folder, "show", "Bridge").stdout == "Bridge: 0 passages\n"


def test_markup_and_controls_are_harmless(folder: Path) -> None:
    quote = HOSTILE.text[:30]
    done = dossier(
        folder, "add", "Bridge", HOSTILE.id, "--quote", quote, "--note", "\x1b[31mred\x1b[0m"
    )
    assert "\x1b" not in done.stdout
    assert "    red" in done.stdout
