"""HTML for notebooks: harmless, whatever an article contains."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.schema import NO_ANSWER, Answer, ArticleMetadata, Citation, Hit, Notice, Passage, Statement

ATTACKS = [
    "<script>alert(1)</script>",
    "</blockquote></div><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x=\'',
    "<a href='javascript:alert(1)'>x</a>",
    "&lt;script&gt;&#60;b&#62;",
    "<!-- </div> --><![CDATA[<svg onload=alert(1)>]]>",
    "$\\href{javascript:alert(1)}{x}$ \\(x\\)",
    "\x1b[31m\x1b]8;;https://evil.example\x07\u202egpj.exe\u2066\u200b",
    "```\n<style>*{display:none}</style>\n```",
]
ADDRESSES = [
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://good.example@evil.example/",
    'https://x.example/"onmouseover="alert(1)',
    "https://x.example/'><script>alert(1)</script>",
    "//evil.example/x",
    "https://x.example/\n<b>",
]
TAGS = {"div", "p", "bdi", "a", "ul", "li", "blockquote"}
ATTRIBUTES = {"class", "dir", "style", "href", "target", "rel"}


class Parsed(HTMLParser):
    """The words and links of HTML; asserts that only known tags occur, closed in turn."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.classes: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        values = dict(attrs)
        assert values.keys() <= ATTRIBUTES
        assert values.get("style", "white-space: pre-line") in (
            "white-space: pre-line", "list-style: none; padding-left: 0",
        )  # fmt: skip
        if tag == "a":
            assert values["rel"] == "noopener noreferrer"
            self.links.append(str(values["href"]))
        if not self.open:
            self.classes.append(str(values.get("class")))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        assert self.open
        self.words += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)


def values(text: str, url: str) -> tuple[Hit, Answer, Answer]:
    metadata = ArticleMetadata(text or "id", text, text, url)
    passage = Passage(metadata.article_id, 1, 0, len(text), text)
    hit = Hit(passage, metadata, 1.0)
    cited = Citation(1, text, 0, len(text), passage, metadata)
    notice = Notice("message", text=text)
    answer = Answer(text, (Statement(text, (cited,)),), hits=(hit,), notices=(notice,))
    why = Notice("error", message=text)
    return hit, answer, Answer(text, refused=True, refusal=why, nearest_hits=(hit,))


def check_html(value: Any) -> Parsed:
    html = value._repr_html_()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]", html)
    parsed = Parsed(html)
    assert parsed.classes == ["backfile tex2jax_ignore mathjax_ignore"]
    for link in parsed.links:
        assert re.match(r"https?://[^@]+\Z", link)
    return parsed


@pytest.mark.parametrize("attack", ATTACKS)
def test_notebook_html_escapes_article_text(attack: str) -> None:
    for value in values(attack, "https://x.example/1"):
        parsed = check_html(value)
        assert parsed.links == ["https://x.example/1"]
        for word in ("alert(1)", "gpj.exe", "display:none"):
            assert (word in attack) == (word in parsed.words)


@pytest.mark.parametrize("address", ADDRESSES)
def test_notebook_html_links_only_safe_addresses(address: str) -> None:
    for value in values("Ferry sinks", address):
        for link in check_html(value).links:
            assert link.startswith("https://x.example/")


@given(st.text(max_size=60), st.text(max_size=30))
def test_notebook_html_is_well_formed(text: str, url: str) -> None:
    for value in values(text, url):
        check_html(value)


def test_notebook_html_has_no_forged_citation() -> None:
    hit, answer, _ = values("The ferry [7] sank.", "")
    assert "[7]" not in check_html(hit).words
    words = check_html(answer).words
    assert "[7]" not in words
    assert "[1]" in words


def test_notebook_html_shows_text_then_sources() -> None:
    _, answer, refused = values("The ferry sank.", "https://x.example/1")
    named = replace(answer.hits[0].metadata, title="Ferry sinks", publisher="Courier")
    cited = replace(answer.statements[0].citations[0], metadata=named)
    shown = replace(answer, statements=(Statement("It sank.", (cited, cited)),), notices=())
    assert check_html(shown).words == "It sank. [1] [1][1] Ferry sinks, Courier"
    assert check_html(refused).words.startswith(f"{NO_ANSWER}error (message: The ferry sank.)")
