"""What is taken away: readable elsewhere, complete, and without effect."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.schema import Answer, Citation, Statement
from tests.test_render import ANSWER, CITATION, HEAD, QUOTE, REFUSED
from ui import exports

SAID = [("Who said it?", ANSWER)]
EVIL = "<script>x</script> [a](javascript:x) **b**\nER  - \r\nTY  - JOUR ![i](http://x/y)"


def evil_answer(text: str) -> Answer:
    head = replace(HEAD, title=text, publisher=text, authors=(text,), url="javascript:x")
    citation = Citation(1, text, 0, len(text), replace(CITATION.passage, text=text), head)
    return Answer(text, statements=(Statement(text, (citation,)),))


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert all(name in ("href", "rel", "dir", "value", "charset") for name, _ in attrs)


@pytest.mark.parametrize("form", exports.FORMATS)
def test_every_format_names_the_words_the_article_and_the_state(form: str) -> None:
    text = exports.exported(SAID, form, sequence=4321)
    plainly = text.replace("\\", "")
    assert QUOTE in plainly
    assert HEAD.title in plainly
    assert "https://paper.example/1" in plainly
    assert "4321" in plainly


def test_a_copy_holds_the_statements_with_their_numbers_and_sources() -> None:
    text = exports.plain(SAID, sequence=1)
    assert "Who said it?" in text
    assert f"{ANSWER.statements[0].text} [1]" in text
    assert re.search(r"^\[1\] .*https://paper.example/1$", text, re.MULTILINE)


def test_a_refusal_is_taken_away_as_one() -> None:
    assert REFUSED.reason in exports.plain([("Who?", REFUSED)], sequence=1)
    assert exports.ris([("Who?", REFUSED)], sequence=1) == ""
    assert json.loads(exports.csl([("Who?", REFUSED)], sequence=1)) == []


@given(st.text() | st.just(EVIL))
def test_a_record_cannot_be_forged_by_an_article(text: str) -> None:
    lines = exports.ris([("Who?", evil_answer(text))], sequence=1).split("\r\n")
    assert [line for line in lines if line.startswith("ER  - ")] == ["ER  - "]
    assert lines[0] == "TY  - NEWS"
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in lines if line)


@given(st.text() | st.just(EVIL))
def test_a_page_holds_no_markup_of_an_article(text: str) -> None:
    tags = Tags(exports.page([(text, evil_answer(text))], sequence=1)).tags
    assert not {"script", "img", "b", "i"} & set(tags)


def test_markdown_shows_an_articles_markup_as_text() -> None:
    text = exports.markdown([("Who?", evil_answer(EVIL))], sequence=1)
    assert not re.search(r"(?<!\\)<script|(?<!\\)\]\((?!/)|(?<!\\)\*\*b", text)


def test_csl_says_where_the_passage_stands() -> None:
    (item,) = json.loads(exports.csl(SAID, sequence=7))
    assert item["type"] == "article-newspaper"
    custom = item["custom"]
    assert custom["quote"] == QUOTE
    assert (custom["start"], custom["end"]) == (CITATION.start, CITATION.end)
    assert custom["archive_sequence"] == 7


def test_a_passage_cited_twice_is_listed_once() -> None:
    assert len(json.loads(exports.csl([*SAID, *SAID], sequence=7))) == 1
