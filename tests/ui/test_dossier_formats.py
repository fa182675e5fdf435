"""Exports of dossiers: every passage with its source, and nothing that may not be shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.dossiers import DossierPassage
from rag.schema import Article, Span
from tests.support.fakes import HARBOUR, HOSTILE, ORCHARD, WordEmbeddings, small_archive
from tests.ui.pdf_reader import read_pdf
from tests.ui.word_reader import read_word
from ui.dossier_formats import DOSSIER_FORMATS, ExportedDossier, export_dossier
from ui.i18n import texts_in

pytestmark = pytest.mark.slow

ENGLISH, GERMAN = texts_in("en"), texts_in("de")
FERRY = Article(id="notes/ferry 1", title="Ferry notes", text="The ferry is late. It is full.")
NOW = datetime(2024, 11, 2, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    articles = (HARBOUR, ORCHARD, HOSTILE, FERRY)
    with small_archive(tmp_path / "archive", articles) as archive:
        dossiers = archive.saved.dossiers
        dossiers.create("The bridge, & the <b>ferry</b>")
        (name,) = (one.id for one in dossiers.list())
        dossiers.add(name, HARBOUR.id, 0, 56, note="First *this*.\n\nThen <i>ask</i> [her](x).")
        dossiers.add(name, FERRY.id, 0, 18)
        dossiers.add(name, HOSTILE.id, 0, len(HOSTILE.text), note=HOSTILE.text)
        dossiers.add(name, ORCHARD.id, 0, 54, note="Apples.")
    return tmp_path / "archive"


def exported(folder: Path, **given: str) -> ExportedDossier:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        (dossier,) = archive.saved.dossiers.list()
        passages = archive.saved.dossiers.passages(dossier.id)
        return ExportedDossier(dossier.name, passages, archive.version, NOW, **given)


def content(dossier: ExportedDossier, form: str, texts: object = ENGLISH) -> str:
    file = export_dossier(dossier, form, texts)  # type: ignore[arg-type]
    if form == "word":
        return "\n".join(one.text for one in read_word(file.content))
    if form == "pdf":
        return read_pdf(file.content).text
    return file.content.decode().replace("\\\\", "\\")


def write(folder: Path) -> Archive:
    return Archive.open(folder, mode="write", embeddings=WordEmbeddings())


@pytest.mark.parametrize("form", DOSSIER_FORMATS)
def test_every_format_has_passages_and_sources_in_order(folder: Path, form: str) -> None:
    text = content(exported(folder), form).replace("\\", "")
    quotes = [HARBOUR.text[:56], FERRY.text[:18], "The lighthouse", ORCHARD.text[:54]]
    places = [text.index(quote) for quote in quotes]
    assert places == sorted(places)
    assert HARBOUR.url in text
    assert "/a/notes%2Fferry%201?at=0-18" in text
    file = export_dossier(exported(folder), form, ENGLISH)
    suffix = {"word": "docx", "markdown": "md", "ris": "ris", "csl": "json", "pdf": "pdf"}[form]
    assert file.name == f"the-bridge-the-b-ferry-b.{suffix}"


def test_word_has_notes_before_their_quotes_and_links(folder: Path) -> None:
    dossier = exported(folder, base_url="https://x.example")
    found = read_word(export_dossier(dossier, "word", ENGLISH).content)
    assert [(one.style, one.text) for one in found[:4]] == [
        ("Title", "The bridge, & the <b>ferry</b>"),
        ("Normal", "First *this*."),
        ("Normal", "Then <i>ask</i> [her](x)."),
        ("Quote", HARBOUR.text[:56]),
    ]
    source = (
        "[1] Harbour bridge closed after storm, The Harbour Courier, 21 October 2024. Noor Haan. "
    )
    assert found[4].text == source + HARBOUR.url
    targets = [target for one in found for _, target in one.links]
    assert targets == [
        HARBOUR.url,
        "https://x.example/a/notes%2Fferry%201?at=0-18",
        f"https://x.example/a/evil.example%2F1?at=0-{len(HOSTILE.text)}",
        ORCHARD.url,
    ]
    assert found[-1].text.endswith("exported on 2 November 2024.")


def test_markdown_shows_markup_of_articles_and_notes_as_text(folder: Path) -> None:
    text = export_dossier(exported(folder), "markdown", ENGLISH).content.decode()
    for markup in ("<script", "<img", "<i>", "<b>", "*this*", "](x)", "**loudly"):
        assert markup not in text.replace(f"\\{markup}", "")
    assert text.startswith("# The bridge, \\& the \\<b\\>ferry")


@pytest.mark.parametrize("form", ["word", "pdf", "markdown"])
def test_passages_that_changed_or_are_gone_say_so(folder: Path, form: str) -> None:
    changed = HARBOUR.replace(text="The bridge is open.")
    with write(folder) as archive:
        archive.add([(changed, [Span(0, len(changed.text))])])
        archive.delete(FERRY.id)
        archive.withdraw(HOSTILE.id)
        archive.erase(ORCHARD.id)
    text = content(exported(folder), form).replace("\\", "")
    assert "[1] The article has changed since, and no longer has these words." in text
    assert HARBOUR.text[:56] in text
    assert "[2] The archive no longer has this article." in text
    assert "[3] This article has been withdrawn." in text
    assert "[4] This article has been erased." in text
    assert "Lighthouse" not in text
    assert "Growers" not in text
    assert "Apples." not in text
    assert "zurückgezogen" in content(exported(folder), form, GERMAN)
    for other in ("ris", "csl"):
        assert content(exported(folder), other).count("Orchard") == 0
    assert len(json.loads(content(exported(folder), "csl"))) == 2


def test_permalink_leads_to_where_the_words_are_now(folder: Path) -> None:
    later = FERRY.replace(text=f"Update. {FERRY.text}")
    with write(folder) as archive:
        archive.add([(later, [Span(0, len(later.text))])])
    assert "/a/notes%2Fferry%201?at=8-26" in content(exported(folder), "markdown").replace("\\", "")


def test_empty_dossier_is_exported(folder: Path) -> None:
    empty = ExportedDossier("?", tuple[DossierPassage, ...](), 1, NOW)
    for form in DOSSIER_FORMATS:
        assert export_dossier(empty, form, ENGLISH).name.startswith("dossier.")
    assert content(empty, "word").startswith("?")
