"""Markup of the page: an article's text is escaped, whatever it contains."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from rag.schema import Answer, Article, ArticleMetadata, Citation, Notice, Statement
from rag.store.revisions import Revision
from tests.ui.test_render import ANSWER, CITATION, HEAD, HIT, PASSAGE, QUOTE, REFUSED, TEXT
from ui.article_address import ArticleAddress
from ui.i18n import texts_in
from ui.render import strip_controls
from ui.web.state import AskRequest, Turn
from ui.web.views import article as article_view
from ui.web.views import cards, thread
from ui.web.views.markup import escape, plain_line, unescape

ENGLISH = texts_in("en")
FAR = datetime(2090, 1, 1, tzinfo=UTC)


def make_turn(answer: Answer, **given: object) -> Turn:
    return Turn(AskRequest(answer.question), answer, **given)  # type: ignore[arg-type]


def evidence_markup(answers: list[Answer]) -> str:
    turns = [make_turn(answer) for answer in answers]
    return "".join(chain(*cards.card_pieces(turns, ENGLISH)))


def answer_markup(answer: Answer, number: int = 1, **given: object) -> str:
    return "".join(thread.answer_pieces(make_turn(answer, **given), number, ENGLISH))


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


class FakeArticles:
    """Two revisions of one article."""

    def __init__(self, *articles: Article) -> None:
        self.articles = articles

    def article(self, article_id: str, revision: int | None = None, /) -> Article | None:
        found = [a for a in self.articles if revision in (None, a.revision)]
        return found[-1] if found else None

    def revisions(self, article_id: str, /) -> list[Revision]:
        return [Revision(a, FAR.replace(day=a.revision), None) for a in self.articles]

    def near_duplicates(
        self, article_ids: Iterable[str], /
    ) -> dict[str, tuple[ArticleMetadata, ...]]:
        return {}


def test_markup_in_an_article_is_shown_as_text() -> None:
    head = replace(HEAD, title=EVIL, publisher=EVIL, url="javascript:alert(6)", authors=(EVIL,))
    passage = replace(PASSAGE, text=EVIL, start=0, end=len(EVIL), revision=1)
    citation = Citation(1, EVIL, 0, len(EVIL), passage, head, copies=(head,))
    answer = Answer(EVIL, statements=(Statement(EVIL, (citation,)),))
    closest = (replace(HIT, metadata=head, passage=passage),)
    article = Article(passage.article_id, EVIL, EVIL, EVIL, "javascript:alert(6)", (EVIL,))
    corrected = article.replace(correction=EVIL)
    for markup in (
        evidence_markup([answer, answer]),
        answer_markup(answer),
        evidence_markup([Answer(EVIL, refused=True, nearest_hits=closest)]),
        article_view.article_html(FakeArticles(corrected), article_view.Place(passage), ENGLISH),
        answer_markup(Answer(EVIL, refused=True, refusal=Notice("error", message=EVIL))),
    ):
        page = Page(markup)
        assert not {"script", "img"} & set(page.tags)
        assert EVIL.replace("[1]", "(1)") in page.text  # doesn't look like a citation
        assert not any(name.startswith("on") for name, _ in page.attributes)
        assert all(str(address).startswith("#turn-") for address in page.values("href"))


@given(st.text())
def test_escape_leaves_no_markup_and_keeps_the_text(text: str) -> None:
    markup = escape(text)
    assert not re.search(r"[<>\"'`*_\[\](){}$\\|~!.:/]", markup)
    visible = strip_controls(text)
    if "\r" not in visible:
        assert html.unescape(markup) == visible


@given(st.text())
def test_plain_line_escapes_only_what_it_must(text: str) -> None:
    markup = plain_line(text)
    assert not re.search(r"[<>*_`\[\]{}$\\|~@]", markup)
    assert unescape(markup) == " ".join(strip_controls(text).split())


def test_plain_line_keeps_an_ordinary_question() -> None:
    question = "Who said, on 5 May, that it “won’t sit idle”? (And why!)"
    assert plain_line(question) == question


def test_quoted_span_is_marked_in_its_passage() -> None:
    markup = evidence_markup([ANSWER])
    marked = re.findall(r"<mark>(.*?)</mark>", markup)
    assert [html.unescape(words) for words in marked] == [QUOTE]
    assert TEXT in Page(markup).text


def test_overlapping_quotes_of_a_passage_are_one_card() -> None:
    second = replace(CITATION, start=CITATION.start + 5, end=len(TEXT), quote="")
    answer = replace(ANSWER, statements=(Statement(QUOTE, (CITATION, second)),))
    page = Page(evidence_markup([answer]))
    assert page.tags.count("article") == 1
    assert TEXT in page.text


def test_citation_links_to_the_card_of_its_own_turn() -> None:
    cards = Page(evidence_markup([ANSWER, ANSWER]))
    for number in (1, 2):
        said = Page(answer_markup(ANSWER, number))
        assert said.values("href") == [f"#turn-{number}-card-1"]
        assert cards.values("id").count(f"turn-{number}-card-1") == 1
        assert f"#{said.values('id')[0]}" in cards.values("href")


def test_headline_links_to_its_article_without_referrer() -> None:
    page = Page(evidence_markup([ANSWER]))
    assert page.values("href")[-1] == "https://paper.example/1"
    assert page.values("rel") == ["noopener noreferrer"]


def test_refusal_shows_the_closest_articles() -> None:
    assert "No answer found in the archive." in Page(answer_markup(REFUSED, 1)).text
    page = Page(evidence_markup([REFUSED]))
    assert "Closest articles" in page.text
    assert page.tags.count("article") == 1
    assert "mark" not in page.tags


def test_growing_answer_says_what_it_does() -> None:
    said = Page(answer_markup(Answer("Who?"), progress="growing")).text
    assert "Searching the archive …" in said


def test_card_names_other_publishers_of_the_story() -> None:
    copy = replace(HEAD, publisher="The Other Paper", title="Another headline")
    answer = replace(ANSWER, statements=(Statement(QUOTE, (replace(CITATION, copies=(copy,)),)),))
    text = Page(evidence_markup([answer])).text
    assert "Also in" in text
    assert "The Other Paper" in text


def test_changed_article_is_shown_as_it_was_cited() -> None:
    old = Article(PASSAGE.article_id, "Old headline", TEXT, revision=PASSAGE.revision)
    new = old.replace(title="New headline", revision=PASSAGE.revision + 1)
    place = article_view.Place(PASSAGE, ((CITATION.start, CITATION.end),), (2, 3))
    page = Page(article_view.article_html(FakeArticles(old, new), place, ENGLISH))
    assert "Old headline" in page.text
    assert "The article has since changed (revision 2)" in page.text
    assert TEXT in page.text
    number = old.revision
    assert f"Revision {number}, added {number} January 2090" in page.text
    address = ArticleAddress(new.id, revision=new.revision)
    assert address.path in page.values("data-address")
    assert set(page.values("data-card")) == {"3"}
    reading = article_view.Reading(new.revision)
    later = Page(article_view.article_html(FakeArticles(old, new), place, ENGLISH, reading))
    assert "New headline" in later.text
    assert f"This is revision {number}" not in later.text


def test_withdrawn_article_is_not_shown() -> None:
    page = Page(article_view.article_html(FakeArticles(), article_view.Place(PASSAGE), ENGLISH))
    assert "no longer in the archive" in page.text
    assert TEXT not in page.text


def test_card_of_another_answer_cannot_be_opened() -> None:
    assert article_view.find_place(make_turn(ANSWER), 1) is not None
    assert article_view.find_place(make_turn(ANSWER), 2) is None
    assert article_view.find_place(make_turn(REFUSED), 0) is None


def test_text_has_automatic_direction() -> None:
    page = Page(evidence_markup([ANSWER]))
    assert set(page.values("dir")) == {"auto"}


def test_number_names_the_place_of_its_own_quotation() -> None:
    later = replace(CITATION, start=CITATION.start + 5, quote="")
    answer = replace(ANSWER, statements=(Statement(QUOTE, (CITATION,)), Statement(QUOTE, (later,))))
    page = Page(answer_markup(answer))
    places = [(CITATION.start, CITATION.end), (later.start, later.end)]
    assert page.values("data-address") == [
        ArticleAddress.of_span(PASSAGE, start, end).path for start, end in places
    ]
    place = article_view.find_place(make_turn(answer), 1, 1, places[1])
    assert place is not None
    assert place.span == places[1]
    assert place.quotes == tuple(places)
