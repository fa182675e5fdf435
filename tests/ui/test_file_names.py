"""File names and addresses: valid everywhere, whatever the question or the id."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.sanitize import web_address
from ui.article_address import ArticleAddress
from ui.file_names import file_name
from ui.permalinks import article_address, feed_address

DEVICES = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(10))}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("What did South Korea threaten?", "what-did-south-korea-threaten.docx"),
        ("Who’s the mayor of Łódź -- and São João?", "whos-the-mayor-of-lodz-and-sao-joao.docx"),
        ("Straße, Smørbrød & Œuvre 2024", "strasse-smorbrod-oeuvre-2024.docx"),
        ("Почему закрыт мост?", "почему-закрыт-мост.docx"),
        ("港の橋", "港の橋.docx"),
        ("हिन्दी समाचार", "हिन्दी-समाचार.docx"),
        ("../../etc/passwd\x00.exe", "etc-passwd-exe.docx"),
        ("", "export.docx"),
        ("?!…", "export.docx"),
        ("CON", "export-con.docx"),
        ("com¹", "export-com1.docx"),
    ],
)
def test_file_name_is_made_from_the_question(text: str, name: str) -> None:
    assert file_name(text, "docx") == unicodedata.normalize("NFC", name)


def test_long_name_is_cut_between_words() -> None:
    name = file_name("How many of the harbour's ferries " * 20, "md")
    assert name == "how-many-of-the-harbours-ferries-how-many-of-the-harbours.md"
    assert len(file_name("x" * 500, "md")) == 63


@given(st.text(max_size=300))
@example("a\u0301" * 200)
@example("\U0001d55c" * 80)
@example("İ" * 90)
def test_file_name_is_valid_on_every_file_system(text: str) -> None:
    name = file_name(text, "md", fallback="answer")
    stem = name.removesuffix(".md")
    assert 0 < len(name.encode()) <= 140
    assert not re.search(r"[\x00-\x20\x7f/\\:*?\"<>|%$&;'`.]", stem)
    assert not stem.startswith("-")
    assert stem.casefold() not in DEVICES
    assert unicodedata.is_normalized("NFC", name)
    assert name == name.casefold() or not name.isascii()


def test_address_begins_with_the_base() -> None:
    place = ArticleAddress("courier.example/1", 3, 9)
    assert article_address(place) == "/a/courier.example%2F1?at=3-9"
    address = article_address(place, "https://x.example/news/")
    assert address == "https://x.example/news/a/courier.example%2F1?at=3-9"
    assert web_address(address) == address
    assert feed_address("ab", "c_d-e", base_url="https://x.example") == (
        "https://x.example/feed/ab/c_d-e"
    )
