"""Identity of articles without a URL: moved files, and numbers in dumps."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.fetch.client import Client, Limits
from ingest.identity import is_unique, is_version_of
from ingest.readers import ReaderOptions
from ingest.report import IngestReport
from ingest.runner import dry_run, run_ingest
from rag.archive.archive import Archive
from rag.schema import Article
from tests.archives.save import EightWords
from tests.fetch.test_crawler import STORY, page
from tests.ingest.test_pipeline import WordTokens

pytestmark = pytest.mark.slow

CRANE = (
    "Crane falls\n\nThe crane on the pier fell at noon. Nobody was hurt, the harbour office said."
)
FERRY = "Ferry aground\n\nThe ferry ran aground at dawn. A tug pulled her free by noon, they said."


class WordLengthEmbeddings(EightWords, WordTokens):
    """Embeddings by the lengths of words; each word is a token."""


class IngestHarness:
    """An archive on the disk, for several ingest runs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ingest(self, *sources: str | Path) -> tuple[int, int, int, int]:
        with self.open() as archive, Client(Limits()) as client:
            return counts(run_ingest(archive, sources, client=client, reading=ReaderOptions()))

    def dry_run(self, *sources: Path) -> tuple[int, int, int, int]:
        with self.open() as archive, Client(Limits()) as client:
            report, _ = dry_run(archive, sources, client=client, reading=ReaderOptions())
            return counts(report)

    def open(self) -> Archive:
        return Archive.open(self.path, mode="write", embeddings=WordLengthEmbeddings())

    def texts(self) -> list[str]:
        with self.open() as archive:
            return sorted(article.text for article in archive.articles())

    def ids(self) -> list[str]:
        with self.open() as archive:
            return sorted(article.id for article in archive.articles())


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.new, report.changed, report.unchanged, report.rejected


@pytest.fixture
def harness(tmp_path: Path) -> IngestHarness:
    return IngestHarness(tmp_path / "archive")


def write_folder(path: Path, **texts: str) -> Path:
    path.mkdir(exist_ok=True)
    for name, text in texts.items():
        (path / f"{name}.txt").write_text(text, "utf-8")
    return path


def write_dump(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), "utf-8")
    return path


# Files


def test_moved_folder_is_unchanged(harness: IngestHarness, tmp_path: Path) -> None:
    before = write_folder(tmp_path / "before", crane=CRANE, ferry=FERRY)
    (before / "page.html").write_bytes(page("Pier closed").body)
    assert harness.ingest(before) == (3, 0, 0, 0)
    ids = harness.ids()
    after = before.rename(tmp_path / "after")
    assert harness.dry_run(after) == (0, 0, 3, 0)
    assert harness.ingest(after) == harness.ingest(after) == (0, 0, 3, 0)
    assert harness.ids() == ids


def test_moved_and_edited_file_is_the_same_article(harness: IngestHarness, tmp_path: Path) -> None:
    before = write_folder(tmp_path / "before", crane=CRANE)
    harness.ingest(before)
    after = before.rename(tmp_path / "after")
    harness.ingest(after)
    write_folder(after, crane=f"{CRANE} It was old.")
    assert harness.ingest(after) == (0, 1, 0, 0)
    assert harness.ingest(after) == (0, 0, 1, 0)
    assert len(harness.ids()) == 1


def test_copied_file_is_the_same_article_until_edited(
    harness: IngestHarness, tmp_path: Path
) -> None:
    both = write_folder(tmp_path / "both", a=CRANE, b=CRANE)
    assert harness.ingest(both) == (1, 0, 1, 0)
    for edited in ("a", "b"):
        write_folder(both, **{edited: f"{CRANE} It was old, {edited} says."})
        new, changed, *_ = harness.ingest(both)
        assert new + changed == 1
        assert harness.ingest(both) == (0, 0, 2, 0)
    assert [text[-10:] for text in harness.texts()] == ["d, a says.", "d, b says."]


def test_swapped_files_lose_no_article(harness: IngestHarness, tmp_path: Path) -> None:
    texts = {"a": CRANE, "b": FERRY, "c": f"Pier closed\n\n{STORY[0]}"}
    names = write_folder(tmp_path / "in", **texts)
    harness.ingest(names)
    before = harness.texts()
    write_folder(names, a=texts["b"], b=texts["c"], c=texts["a"])
    harness.ingest(names)
    assert set(before) <= set(harness.texts())
    (names / "b.txt").rename(names / "d.txt")
    write_folder(names, b="Market open\n\nThe market opened again on Friday, the town said.")
    harness.ingest(names)
    assert {*before, "The market opened again on Friday, the town said."} <= set(harness.texts())


def test_unpacked_zip_holds_the_same_articles(harness: IngestHarness, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("crane.txt", CRANE)
    harness.ingest(tmp_path / "a.zip")
    (tmp_path / "a.zip").unlink()
    assert harness.ingest(write_folder(tmp_path / "a", crane=CRANE)) == (0, 0, 1, 0)


def test_withdrawn_article_stays_out_at_another_path(
    harness: IngestHarness, tmp_path: Path
) -> None:
    before = write_folder(tmp_path / "before", crane=CRANE)
    harness.ingest(before)
    with harness.open() as archive:
        archive.withdraw(article_ids(archive), reason="court order")
    shutil.move(before, tmp_path / "after")
    harness.ingest(tmp_path / "after")
    assert harness.ids() == []


def article_ids(archive: Archive) -> list[str]:
    return [article.id for article in archive.articles()]


def test_short_files_with_different_headlines_are_two_articles(
    harness: IngestHarness, tmp_path: Path
) -> None:
    notes = write_folder(
        tmp_path / "in", a="Monday\n\nNo trains ran.", b="Tuesday\n\nNo trains ran."
    )
    assert harness.ingest(notes) == (2, 0, 0, 0)


def test_page_is_identified_by_its_absolute_path(
    harness: IngestHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.html").write_bytes(page(f"Crane {name} falls").body)
        monkeypatch.chdir(tmp_path / name)
        assert harness.ingest(Path("page.html")) == (1, 0, 0, 0)
    assert len(harness.ids()) == 2


# Numbers

ONE = {"id": 1, "title": "Crane falls", "text": STORY[0], "published": "2024-10-24"}
OTHER = {"id": 1, "title": "Ferry aground", "text": STORY[1], "published": "2024-10-24"}


@pytest.mark.parametrize("publishers", [("Post", "Courier"), ("Post", "Post"), ("", "")])
def test_same_number_in_two_dumps_is_two_articles(
    harness: IngestHarness, tmp_path: Path, publishers: tuple[str, str]
) -> None:
    first, second = publishers
    a = write_dump(tmp_path / "a.jsonl", {**ONE, "publisher": first})
    b = write_dump(tmp_path / "b.jsonl", {**OTHER, "publisher": second})
    assert harness.ingest(a) == (1, 0, 0, 0)
    assert harness.ingest(b) == (1, 0, 0, 0)
    assert harness.ingest(a, b) == (0, 0, 2, 0)
    ids = harness.ids()
    assert "1" in ids
    assert harness.texts() == sorted(STORY)
    write_dump(
        tmp_path / "b.jsonl", {**OTHER, "publisher": second, "text": f"{STORY[1]} It was old."}
    )
    assert harness.ingest(a, b) == (0, 1, 1, 0)
    assert harness.ids() == ids


def test_dump_with_repeated_ids_keeps_all_articles(harness: IngestHarness, tmp_path: Path) -> None:
    texts = [FERRY, *STORY]
    records = [{"id": "news", "title": text[:11], "text": text} for text in texts]
    assert harness.ingest(write_dump(tmp_path / "a.jsonl", *records)) == (3, 0, 0, 0)
    assert harness.ingest(tmp_path / "a.jsonl") == (0, 0, 3, 0)


@pytest.mark.parametrize(
    "version",
    [
        {"text": f"{STORY[0]} More follows."},
        {"title": "Crane falls on pier", "text": f"Corrected. {STORY[0]}"},
        {"text": "The crane fell at one o’clock, not at noon."},
        {"title": "Crane fell", "text": "It is up again.", "published": "2024-10-24T10:30:00Z"},
        {"publisher": "Velsund Post", "section": "Local"},
    ],
)
def test_new_version_under_its_number_is_a_revision(
    harness: IngestHarness, tmp_path: Path, version: dict[str, str]
) -> None:
    old = {**ONE, **{key: version[key] for key in version if key == "published"}}
    harness.ingest(write_dump(tmp_path / "a.jsonl", old))
    assert harness.ingest(write_dump(tmp_path / "a.jsonl", {**old, **version})) == (0, 1, 0, 0)


@pytest.mark.parametrize("given", ["urn:newsml:v.example:1", "https://v.example/crane"])
def test_unique_id_makes_any_text_a_revision(
    harness: IngestHarness, tmp_path: Path, given: str
) -> None:
    harness.ingest(write_dump(tmp_path / "a.jsonl", {**ONE, "id": given}))
    assert harness.ingest(write_dump(tmp_path / "b.jsonl", {**OTHER, "id": given})) == (0, 1, 0, 0)


@pytest.mark.parametrize(
    ("article_id", "unique"),
    [
        ("1", False), ("crane-1", False), ("A17", False), ("2024/10/24", False), ("news", False),
        ("urn:newsml:v.example:20241024:crane", True), ("tag:v.example,2024:1", True),
        ("123e4567-e89b-42d3-a456-426614174000", True), ("velsund.example/2024/crane", True),
        ("507f1f77bcf86cd799439011", True), ("sha256:0a1b", True), ("2024-10-24-crane-falls", True),
    ],
)  # fmt: skip
def test_is_unique_detects_globally_unique_ids(article_id: str, unique: bool) -> None:
    assert is_unique(article_id) is unique


@given(st.text(), st.text(), st.text())
def test_is_version_of_accepts_the_same_text(one: str, other: str, text: str) -> None:
    assert is_version_of(Article("1", one, text, other), Article("1", other, text, one))
