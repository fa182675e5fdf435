"""Markup of the article that is being read: offsets, bar, revisions and their changes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.archive.archive import Archive
from rag.sanitize import neutralize_markers
from rag.schema import Article, Passage, Span
from tests.support.fakes import HARBOUR, ORCHARD, WordEmbeddings
from ui.article_address import ArticleAddress
from ui.i18n import texts_in
from ui.web.views.article import Place, Reading, article_html, missing_html, place_at, similar_html
from ui.web.views.article_text import paragraph_spans, text_html
from ui.web.views.revisions import changes_html

ENGLISH = texts_in("en")
TEXT = (
    "The ferry to Lower Pell stopped at noon, and the harbour master closed both gates of it.\n\n"
    "What the council says\n\n"
    "Mayor Ada Quill said that the gates stay shut until the wind turns, which may take a week.\n\n"
    "She was asked about the cost.\n\nThe harbour of Pell has forty berths, and six of them leak."
)
CHANGED = TEXT.replace("may take a week", "takes at least two weeks").replace("six", "nine")
FERRY = Article("tribune.example/ferry?page=1&b=2", "Ferry stops", TEXT, "Pell Tribune",
                "https://tribune.example/ferry")  # fmt: skip
QUOTE = "the gates stay shut until the wind turns"
SPAN = (TEXT.index(QUOTE), TEXT.index(QUOTE) + len(QUOTE))
NOWHERE = Span(0, 0)


class Markup(HTMLParser):
    """Tags, attributes and texts of a piece of markup."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.buttons: list[dict[str, str | None]] = []
        self.text = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("button", "article", "a"):
            self.buttons.append({"tag": tag, **dict(attrs)})

    def handle_data(self, data: str) -> None:
        self.text += data

    def first(self, **wanted: str) -> dict[str, str | None]:
        return next(
            b
            for b in self.buttons
            if all(b.get(k.replace("_", "-")) == v for k, v in wanted.items())
        )


def texts_of(tag: str, markup: str) -> list[str]:
    found = re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", markup, re.DOTALL)
    return [
        html.unescape(re.sub(r"<span class=\"bf-unseen\">.*?</span>|<[^>]+>", "", x)) for x in found
    ]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("reading") / "archive"
    board = ORCHARD.replace(id="board.example/1", access="board")
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as writer:
        for article in (
            FERRY,
            HARBOUR,
            board,
            FERRY.replace(text=CHANGED, title="Ferry stays shut"),
        ):
            writer.add([(article, [Span(0, len(article.text))])])
    with Archive.open(folder, embeddings=WordEmbeddings()) as opened:
        yield opened


def read(archive: Archive, place: Place | None, **given: Any) -> str:
    assert place is not None
    return article_html(archive, place, ENGLISH, Reading(**given))


# Text


@given(st.text("ab[1] .\n<&", max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_paragraphs_hold_every_character_and_mark_the_span(text: str, one: int, two: int) -> None:
    start, end = sorted((min(one, len(text)), min(two, len(text))))
    markup = text_html(text, Span(0, len(text)), [Span(start, end)])
    assert "".join(Markup(markup).text.split()) == "".join(neutralize_markers(text).split())
    marked = "".join(texts_of("mark", markup))
    assert "".join(marked.split()) == "".join(neutralize_markers(text)[start:end].split())
    assert set(Markup(markup).tags) <= {"p", "h3", "span", "mark"}


@given(st.text("ab \n\r\t", max_size=60))
def test_paragraph_spans_lose_only_blank_lines(text: str) -> None:
    spans = list(paragraph_spans(text))
    inside = "".join(text[span.start : span.end] for span in spans)
    assert "".join(inside.split()) == "".join(text.split())
    assert all("\n\n" not in text[span.start : span.end] for span in spans)


def test_span_across_paragraphs_is_marked_in_both() -> None:
    end = TEXT.index("Mayor") + len("Mayor Ada")
    markup = text_html(TEXT, Span(0, len(TEXT)), [Span(TEXT.index("both"), end)])
    assert texts_of("mark", markup) == ["both gates of it.", "What the council says", "Mayor Ada"]


def test_subheading_is_a_heading_and_a_short_sentence_is_not() -> None:
    markup = text_html(TEXT, NOWHERE)
    assert texts_of("h3", markup) == ["What the council says"]
    assert len(texts_of("p", markup)) == 4


# Article


def test_article_is_marked_at_the_place_of_its_address(archive: Archive) -> None:
    place = place_at(archive, ArticleAddress(FERRY.id, *SPAN, 1))
    markup = read(archive, place)
    assert texts_of("mark", markup) == [QUOTE]
    article = Markup(markup).first(tag="article")
    assert article["data-address"] == ArticleAddress(FERRY.id, *SPAN, 1).path
    assert "This is revision 1, the one cited." in Markup(markup).text


def test_address_without_a_span_shows_the_current_revision(archive: Archive) -> None:
    markup = read(archive, place_at(archive, ArticleAddress(FERRY.id)))
    assert "Ferry stays shut" in Markup(markup).text
    assert "mark" not in Markup(markup).tags
    assert Markup(markup).first(tag="article")["data-address"] == ArticleAddress(FERRY.id).path


@pytest.mark.parametrize(
    "address",
    [ArticleAddress(FERRY.id, 0, 10**8, 1), ArticleAddress(FERRY.id, 3, 9, 77)],
    ids=["beyond the text", "no such revision"],
)
def test_impossible_place_shows_the_article_unmarked(
    archive: Archive, address: ArticleAddress
) -> None:
    markup = read(archive, place_at(archive, address))
    assert "Ferry" in Markup(markup).text
    assert "mark" not in Markup(markup).tags


@pytest.mark.parametrize("article_id", ["nowhere", "board.example/1", "../x", ""])
def test_unknown_and_restricted_ids_have_no_place(archive: Archive, article_id: str) -> None:
    assert place_at(archive, ArticleAddress(article_id)) is None


def test_missing_article_is_named_nowhere_but_in_its_address() -> None:
    evil = ArticleAddress('"><script>alert(1)</script>')
    markup = missing_html(ENGLISH("no_such_address"), evil.path, None, ENGLISH)
    assert "script" not in Markup(markup).tags
    assert "is not in the archive" in Markup(markup).text
    assert Markup(markup).first(tag="article")["data-address"] == evil.path


def test_quote_moves_with_its_passage_to_another_revision(archive: Archive) -> None:
    first = "The ferry to Lower Pell stopped at noon"
    passage = Passage(FERRY.id, 1, 0, len(first), first)
    place = Place(passage, ((4, 9),))
    assert texts_of("mark", read(archive, place, revision=2)) == ["ferry"]
    unchanged = Passage(FERRY.id, 1, *SPAN, QUOTE)
    gone = Place(replace(unchanged, text=TEXT), (SPAN,))
    assert "mark" not in Markup(read(archive, gone, revision=2)).tags


# Bar


def test_steps_lead_through_the_sources(archive: Archive) -> None:
    passage = Passage(FERRY.id, 1, *SPAN, QUOTE)
    middle = Markup(read(archive, Place(passage, (SPAN,), (2, 3), (1, 3, 4))))
    assert "2 of 3" in middle.text
    assert middle.first(data_step="-1")["data-card"] == "1"
    assert middle.first(data_step="1")["data-card"] == "4"
    last = Markup(read(archive, Place(passage, (SPAN,), (2, 4), (1, 3, 4))))
    assert "disabled" in last.first(data_step="1")
    alone = Markup(read(archive, Place(passage, (SPAN,), (2, 1), (1,))))
    assert "1 of 1" not in alone.text


def test_copied_quote_names_its_source(archive: Archive) -> None:
    copy = Markup(read(archive, place_at(archive, ArticleAddress(FERRY.id, *SPAN, 1)))).first(
        data_do="quote"
    )
    assert copy["data-quote"] == QUOTE
    assert copy["data-source"] == "Ferry stops, Pell Tribune"
    assert copy["data-url"] == FERRY.url
    assert copy["data-path"] == ArticleAddress(FERRY.id, *SPAN, 1).path


def test_only_safe_addresses_of_publishers_are_links(archive: Archive) -> None:
    article = FERRY.replace(url="javascript:alert(1)", title="<b>")

    class One:
        def article(self, *_: object) -> Article:
            return article

        def near_duplicates(self, *_: object) -> dict[str, Any]:
            return {}

        def revisions(self, *_: object) -> list[Any]:
            return []

    fake: Any = One()
    page = Markup(article_html(fake, Place(Passage(FERRY.id, 1, 0, 0, "")), ENGLISH))
    assert "a" not in page.tags
    assert page.first(data_do="quote")["data-url"] == ""


def test_remove_is_offered_only_to_those_who_may(archive: Archive) -> None:
    place = place_at(archive, ArticleAddress(FERRY.id))
    assert 'data-do="remove"' not in read(archive, place)
    assert 'data-do="remove"' in read(archive, place, rights="remove")


# Revisions


def test_revisions_can_be_shown_and_compared(archive: Archive) -> None:
    page = Markup(read(archive, place_at(archive, ArticleAddress(FERRY.id))))
    assert page.first(data_address=ArticleAddress(FERRY.id, revision=1).path)
    compare = page.first(data_since="1")
    assert compare["data-address"] == ArticleAddress(FERRY.id, revision=2).path
    assert compare["aria-label"] == "Show the changes in revision 2"


def test_changes_are_marked_and_the_rest_is_left_out(archive: Archive) -> None:
    markup = read(archive, place_at(archive, ArticleAddress(FERRY.id)), revision=2, since=1)
    assert [t.strip() for t in texts_of("del", markup)] == ["stops", "may take a week.", "six"]
    assert [t.strip() for t in texts_of("ins", markup)] == [
        "stays shut", "takes at least two weeks.", "nine",
    ]  # fmt: skip
    text = Markup(markup).text
    assert "2 unchanged paragraphs" in text
    assert "She was asked" not in text


def test_changes_of_hostile_revisions_stay_text() -> None:
    evil = "<script>alert(1)</script> <ins>x</ins> ${1} [1]"
    old = Article("x", "A <b>", evil, revision=1)
    new = Article("x", evil, f"{evil}\n\n<img src=x onerror=alert(2)>", revision=2)
    page = Markup(changes_html(old, new, ENGLISH))
    assert not {"script", "img", "b"} & set(page.tags)
    assert "onerror" in page.text
    assert "[1]" not in page.text


def test_same_text_says_so() -> None:
    old = Article("x", "Title", TEXT, revision=1)
    page = Markup(changes_html(old, old.replace(revision=2, section="Town"), ENGLISH))
    assert "Headline and text are the same" in page.text
    assert "p" in page.tags
    assert "ins" not in page.tags


def test_similar_articles_open_by_their_addresses() -> None:
    page = Markup(similar_html([FERRY.metadata, HARBOUR.metadata], ENGLISH))
    assert [b["data-address"] for b in page.buttons] == [
        ArticleAddress(FERRY.id).path,
        ArticleAddress(HARBOUR.id).path,
    ]
    assert "No similar articles" in Markup(similar_html([], ENGLISH)).text
