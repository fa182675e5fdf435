"""Text and Markdown files: title, date, byline and story, in any layout."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers import Reject, read
from ingest.readers.text import read_text
from rag.schema import Article

SEED = Path(__file__).parents[3] / "shared" / "data" / "seed"
STORY = "A crane fell on the pier of Velsund on Tuesday.\n\n“Nobody was hurt,” Ida Lund said."
DAY = datetime(2024, 10, 24, tzinfo=UTC)


def read_article(text: str) -> Article:
    found = read_text(text.encode(), place="crane.txt")
    assert isinstance(found, Article), found
    return found


@pytest.mark.parametrize(
    "head",
    [
        "Crane falls\n\nBy Ida Lund, Velsund Post\nDate: 24 October 2024\n\n",
        "Crane falls\nOctober 24, 2024\nBy Ida Lund\nPublisher: Velsund Post\n\n",
        "Title: Crane falls\nAuthor: Ida Lund\nSource: Velsund Post\nPublished: 2024-10-24\n\n",
        '---\ntitle: "Crane falls"\nauthor: Ida Lund\npublisher: Velsund Post\n'
        "date: 2024-10-24\n---\n",
        "---\ntitle: Crane falls\nauthors:\n  - Ida Lund\npublisher: Velsund Post\n"
        "pubDate: 24 Oct 2024\n---\n\n",
        "---\nauthors: [Ida Lund]\nsite: Velsund Post\n"
        "date: 2024-10-24 # the day\n---\n# Crane falls\n\n",
    ],
)
def test_header_above_the_story_is_read(head: str) -> None:
    found = read_article(head + STORY)
    assert (found.title, found.publisher) == ("Crane falls", "Velsund Post")
    assert found.authors == ("Ida Lund",)
    assert found.published == DAY
    assert found.text == STORY


def test_dateline_with_a_year_gives_the_date() -> None:
    found = read_article(
        "Crane falls\n\nVELSUND, Oct. 24, 2024 (FNW) — A crane fell. Nobody was hurt."
    )
    assert found.published == DAY
    assert found.text.startswith("VELSUND, Oct. 24")


def test_date_within_a_headline_is_ignored() -> None:
    for line in ("Trade at its lowest since 6 March 2002", "What the law of 6 March 2002 says"):
        found = read_text(f"Crane falls\n{line}\n\nNobody was hurt.".encode(), place="a.txt")
        assert isinstance(found, Article)
        assert found.published is None


def test_dateline_without_a_year_gives_no_date() -> None:
    assert read_article("Crane falls\n\nVELSUND, Oct. 24 (FNW) — A crane fell.").published is None


def test_markdown_becomes_plain_text() -> None:
    marked = (
        "# Crane falls\n\nA **crane** fell on the [pier](https://a.example/b_(c)).\n\n"
        "![x](y.png)\n\n## What next\n\n> “Nobody was *hurt*,” she said.\n\n- one\n- two\n"
    )
    assert read_article(marked).text == (
        "A crane fell on the pier.\n\nWhat next\n\n“Nobody was hurt,” she said.\n\n- one\n- two"
    )


def test_one_line_story_is_kept() -> None:
    found = read_article("A crane fell on the pier of Velsund on Tuesday and nobody was hurt.")
    assert found.text == "A crane fell on the pier of Velsund on Tuesday and nobody was hurt."
    assert found.title


def test_line_with_a_colon_in_the_story_is_kept() -> None:
    found = read_article(
        "Crane falls\n\nThe minister: nobody was hurt.\n\nThe date: unknown so far."
    )
    assert found.text.startswith("The minister: nobody was hurt.")


def test_file_path_is_the_article_id(tmp_path: Path) -> None:
    path = tmp_path / "crane.txt"
    ids = []
    for text in (STORY, STORY + "\n\nIt was old."):
        path.write_text("Crane falls\n\n" + text, "utf-8")
        (found,) = read(path)
        assert isinstance(found, Article)
        ids.append(found.id)
    assert ids[0] == ids[1] == f"file:{path.resolve().as_posix()}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"Crane falls\n\nNo\xff\xfeb\xf0dy was hurt.", "invalid UTF-8 in line 3"),
        (b"Share\nTweet\nSubscribe\n", "no text"),
    ],
)
def test_unreadable_text_says_why(content: bytes, reason: str) -> None:
    found = read_text(content, place="crane.txt")
    assert isinstance(found, Reject)
    assert reason in found.reason


def test_legacy_encoding_is_detected_in_long_text() -> None:
    text = (
        "Kran fällt um\n\n"
        + "Der Kran ist am Dienstag im Hafen über die Mauer gestürzt, früh um fünf. " * 8
    )
    found = read_text(text.encode("latin-1"), place="kran.txt")
    assert isinstance(found, Article)
    assert "fünf" in found.text
    assert found.language == "de"


def test_byte_order_mark_is_respected() -> None:
    found = read_text(("Crane falls\n\n" + STORY).encode("utf-16"), place="crane.txt")
    assert isinstance(found, Article)
    assert found.text == STORY


def test_empty_file_and_folder_without_articles_say_so(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "nothing").mkdir()
    reasons = [
        found.reason
        for path in (tmp_path / "empty.txt", tmp_path / "nothing", tmp_path / "missing")
        for found in read(path)
        if isinstance(found, Reject)
    ]
    assert reasons == [
        "an empty file",
        "no file in this folder could contain articles",
        "no such file or folder",
    ]


def test_folder_is_read_in_order_without_pictures(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a/picture.png", ".hidden", "README.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"Crane falls\n\n{STORY}", "utf-8")
    ids = [found.id.rpartition("/")[2] for found in read(tmp_path) if isinstance(found, Article)]
    assert ids == ["b.txt", "z.txt"]


@pytest.mark.parametrize(
    ("magic", "why"),
    [
        (b"PK\x03\x04", "not a zip file"),
        (b"\x89PNG", "a picture: unsupported format"),
        (b"\x7fELF", "a program: unsupported format"),
        (b"a\x00b", "not a text file"),
    ],
)
def test_other_format_is_named(tmp_path: Path, magic: bytes, why: str) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(magic + b" some more bytes")
    (found,) = read(path)
    assert isinstance(found, Reject)
    assert why in found.reason


def test_damaged_gzip_file_is_a_reject(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03broken")
    assert [type(found) for found in read(path)] == [Reject]


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_raise_nothing(content: bytes) -> None:
    assert isinstance(read_text(content, place="x"), Article | Reject)


@pytest.mark.skipif(not SEED.exists(), reason="needs ../shared/data")
def test_scraped_page_is_titled_by_its_first_line() -> None:
    (found,) = read(next(SEED.glob("000_*.txt")))
    assert isinstance(found, Article)
    assert found.title.startswith("North Korea in Ukraine?")
    assert found.published is None
    assert found.text.startswith("Is the war of aggression")
    assert found.language == "en"
