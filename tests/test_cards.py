"""The page's own markup: an article's text is shown, whatever it holds."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from rag.schema import Answer, Citation, Statement
from tests.test_render import ANSWER, CITATION, HEAD, HIT, PASSAGE, QUOTE, REFUSED, TEXT
from ui import cards

EVIL = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)> [link](javascript:alert(3)) "
    "**bold** `code` $x$ ${alert(4)} {{alert(5)}} &lt; \"quoted\" 'single' [1]"
)


class Page(HTMLParser):
    """The tags, the addresses and the text of a piece of markup."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, attribute: str) -> list[str | None]:
        return [value for name, value in self.attributes if name == attribute]


def test_markup_in_an_article_is_shown_as_text() -> None:
    head = replace(HEAD, title=EVIL, publisher=EVIL, url="javascript:alert(6)", authors=(EVIL,))
    passage = replace(PASSAGE, text=EVIL, end=len(EVIL))
    citation = Citation(1, EVIL, 0, len(EVIL), passage, head)
    answer = Answer(EVIL, statements=(Statement(EVIL, (citation,)),))
    for markup in (
        cards.evidence_markup([answer, answer]),
        cards.answer_markup(answer, turn=1),
        cards.hits_markup([replace(HIT, head=head, passage=passage)]),
        cards.answer_markup(Answer(EVIL, refused=True, reason=EVIL), turn=1),
    ):
        page = Page(markup)
        assert not {"script", "img"} & set(page.tags)
        assert EVIL in page.text
        assert not any(name.startswith("on") for name, _ in page.attributes)
        assert all(str(address).startswith("#turn-") for address in page.values("href"))


@given(st.text())
def test_escaped_text_holds_no_markup_and_reads_the_same(text: str) -> None:
    markup = cards.escaped(text)
    assert not re.search(r"[<>\"'`*_\[\](){}$\\|~!.:/]", markup)
    visible = cards.without_controls(text)
    if "\r" not in visible:
        assert html.unescape(markup) == visible


def test_the_quoted_span_is_marked_in_its_passage() -> None:
    markup = cards.evidence_markup([ANSWER])
    marked = re.findall(r"<mark>(.*?)</mark>", markup)
    assert [html.unescape(words) for words in marked] == [QUOTE]
    assert TEXT in Page(markup).text


def test_two_overlapping_quotes_of_a_passage_are_one_card() -> None:
    second = replace(CITATION, start=CITATION.start + 5, end=len(TEXT), quote="")
    answer = replace(ANSWER, statements=(Statement(QUOTE, (CITATION, second)),))
    page = Page(cards.evidence_markup([answer]))
    assert page.tags.count("article") == 1
    assert TEXT in page.text


def test_a_number_leads_to_the_card_of_its_own_turn() -> None:
    evidence = Page(cards.evidence_markup([ANSWER, ANSWER]))
    for turn in (1, 2):
        (address,) = Page(cards.answer_markup(ANSWER, turn=turn)).values("href")
        assert address == f"#turn-{turn}-card-1"
        assert evidence.values("id").count(f"turn-{turn}-card-1") == 1


def test_a_headline_links_to_its_article_without_telling_where_from() -> None:
    page = Page(cards.evidence_markup([ANSWER]))
    assert page.values("href") == ["https://paper.example/1"]
    assert page.values("rel") == ["noopener noreferrer"]


def test_a_refusal_says_so_and_shows_the_closest_articles() -> None:
    assert "The archive does not say." in Page(cards.answer_markup(REFUSED, turn=1)).text
    page = Page(cards.evidence_markup([REFUSED]))
    assert "Closest articles" in page.text
    assert page.tags.count("article") == 1
    assert "mark" not in page.tags


def test_an_answer_in_the_making_says_what_it_does() -> None:
    working = Answer("Who?", notice="Searching the archive …")
    assert "Searching the archive …" in Page(cards.answer_markup(working, turn=1)).text


def test_text_of_every_direction_has_its_own() -> None:
    page = Page(cards.evidence_markup([ANSWER]))
    assert set(page.values("dir")) == {"auto"}
