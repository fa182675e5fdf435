"""Addresses of articles: every id and span is found again, and nothing else is read."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.schema import Passage
from ui.article_address import LONGEST_ADDRESS, LONGEST_ID, ArticleAddress

IDS = st.text(min_size=1, max_size=200)


@given(IDS, st.integers(0, 10**6), st.integers(1, 10**4), st.integers(1, 10**6))
@example("paper.example/a/b?c#d%2F&at=1-2", 3, 4, 1)
@example("../../etc/passwd", 0, 1, 2)
def test_path_and_query_round_trip(article_id: str, start: int, length: int, revision: int) -> None:
    given_id = article_id.encode("utf-8", "replace").decode()
    address = ArticleAddress(given_id, start, start + length, revision)
    parts = urlsplit(address.path)
    assert address.path.isascii()
    assert re.fullmatch(r"a/[A-Za-z0-9._~%-]+", parts.path)
    assert not parts.fragment
    assert unquote(parts.path.removeprefix("a/")) == given_id
    assert ArticleAddress.from_path(address.path) == address
    assert ArticleAddress.from_query(dict(parse_qsl(address.query))) == address


def test_span_without_revision_is_of_the_first() -> None:
    assert ArticleAddress("x", 3, 9, 1).path == "a/x?at=3-9"
    assert ArticleAddress("x", 3, 9, 2).path == "a/x?at=3-9&revision=2"
    assert ArticleAddress.from_path("a/x?at=3-9") == ArticleAddress("x", 3, 9, 1)
    assert ArticleAddress.from_path("a/x") == ArticleAddress("x", revision=None)
    assert ArticleAddress("x", revision=1).path == "a/x?revision=1"


def test_address_of_a_span_names_the_revision_of_its_passage() -> None:
    passage = Passage("x", 4, 100, 200, "-" * 100)
    assert ArticleAddress.of_span(passage, 110, 120).path == "a/x?at=110-120&revision=4"


@pytest.mark.parametrize(
    "at",
    [
        "",
        "-",
        "3",
        "3-",
        "-9",
        "9-3",
        "3-3",
        "3-9-12",
        "a-b",
        " 3-9",
        "3-9 ",
        "1e3-2e3",
        "٣-٩",
        "9" * 400 + "-" + "9" * 401,
    ],
)
def test_invalid_span_is_ignored(at: str) -> None:
    found = ArticleAddress.from_query({"article": "x", "at": at})
    assert found == ArticleAddress("x")


@pytest.mark.parametrize("revision", ["0", "-1", "1.5", "x", "９", "9" * 400, "1 "])
def test_invalid_revision_is_ignored(revision: str) -> None:
    assert ArticleAddress.from_query({"article": "x", "revision": revision}) == ArticleAddress("x")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "/a/x",
        "b/x",
        "a/",
        "https://evil.example/a/x",
        "//evil.example/a/x",
        "javascript:a/x",
        "a/" + "x" * (LONGEST_ID + 1),
        "a/x?" + "y" * LONGEST_ADDRESS,
    ],
)
def test_other_text_is_no_address(path: str) -> None:
    assert ArticleAddress.from_path(path) is None


def test_id_with_a_lone_surrogate_can_be_looked_up() -> None:
    found = ArticleAddress.from_query({"article": "x\ud800"})
    assert found is not None
    assert found.article_id.encode() == b"x?"
