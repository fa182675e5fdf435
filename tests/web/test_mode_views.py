"""Timelines, comparisons and quotations as HTML: semantic, linked to their cards, and escaped."""

from __future__ import annotations

from dataclasses import replace

from rag.schema import Answer, Notice, Statement
from tests.ui.test_render import CITATION
from tests.web.test_views import EVIL, Page
from ui.i18n import texts_in
from ui.web.views.compare import compare_html
from ui.web.views.quotes import quotes_html
from ui.web.views.timeline import timeline_html

ENGLISH, GERMAN = texts_in("en"), texts_in("de")


def statement(text: str, label: Notice | None, number: int = 1) -> Statement:
    return Statement(text, (replace(CITATION, number=number),), label=label)


def timeline(*days: str) -> Answer:
    return Answer(
        "?", tuple(statement(f"Event {i}.", Notice("dated", day=day)) for i, day in enumerate(days))
    )


def compared(column: str, row: int, *, differs: bool = False) -> Notice:
    if differs:
        return Notice("compared", column=column, row=row, day="2024-10-21", differs=True)
    return Notice("compared", column=column, row=row, day="2024-10-21")


def test_timeline_has_one_heading_a_day_and_one_event_a_source() -> None:
    page = Page(timeline_html(timeline("2024-10-21", "2024-10-21", "2024-10-23"), 2, ENGLISH))
    assert page.tags.count("h3") == 2
    assert page.tags.count("ol") == 1
    assert page.values("class").count("bf-event") == 3
    assert page.values("datetime") == ["2024-10-21", "2024-10-23"]
    assert "23 October 2024" in page.text
    assert page.values("id") == [f"turn-2-said-{place}-1" for place in (1, 2, 3)]
    assert page.values("href") == ["#turn-2-card-1"] * 3


def test_timeline_says_which_days_are_those_of_the_report() -> None:
    reported = statement("It rained.", Notice("reported", day="2024-10-21"))
    assert "reported that day" in timeline_html(Answer("?", (reported,)), 1, ENGLISH)
    assert "an diesem Tag gemeldet" in timeline_html(Answer("?", (reported,)), 1, GERMAN)
    assert "reported that day" not in timeline_html(timeline("2024-10-21"), 1, ENGLISH)


def test_quotes_are_figures_with_captions() -> None:
    label = Notice(
        "quotation",
        speaker="Ada Quill",
        day="2024-10-21",
        publisher="Courier",
        articles=4,
        outlets=3,
    )
    markup = quotes_html(Answer("?", (statement("“It rained.”", label),)), 1, ENGLISH)
    page = Page(markup)
    assert [page.tags.count(tag) for tag in ("figure", "blockquote", "figcaption")] == [1, 1, 1]
    assert page.text.startswith("“It rained.”")
    for fact in ("Ada Quill", "21 October 2024", "Courier", "in 4 articles by 3 publishers"):
        assert fact in page.text
    assert page.values("id") == ["turn-1-said-1-1"]


def test_quote_of_nobody_says_so_and_a_single_printing_is_not_counted() -> None:
    label = Notice("quotation", day="2024-10-21", articles=1)
    page = Page(quotes_html(Answer("?", (statement("“It rained.”", label),)), 1, ENGLISH))
    assert "Speaker not named" in page.text
    assert "article" not in page.text


def test_quotes_restored_from_a_browser_have_the_same_counts() -> None:
    label = Notice("quotation", speaker="Ada", articles=4.0, outlets=3.0)  # as JSON stores them
    page = Page(quotes_html(Answer("?", (statement("“It rained.”", label),)), 1, ENGLISH))
    assert "in 4 articles by 3 publishers" in page.text


def test_compare_is_a_table_with_heads_of_columns_and_rows() -> None:
    answer = Answer(
        "?",
        (
            statement("12 died.", compared("Courier", 1, differs=True)),
            statement("15 died.", compared("Gazette", 1, differs=True), 2),
            statement("A road was buried.", compared("Courier", 2)),
        ),
    )
    page = Page(compare_html(answer, 3, ENGLISH))
    assert page.values("scope") == ["col", "col", "col", "row", "row"]
    assert page.tags.count("tr") == 3
    assert page.tags.count("td") == 4
    assert page.values("data-label") == ["Courier", "Gazette"] * 2
    assert page.text.count("differs") == 2
    assert page.text.count("nothing found") == 1
    assert page.values("href") == ["#turn-3-card-1", "#turn-3-card-2", "#turn-3-card-1"]


def test_mode_views_of_nothing_are_empty() -> None:
    for view in (timeline_html, quotes_html, compare_html):
        assert view(Answer("?"), 1, ENGLISH) == ""


def test_mode_views_escape_text_and_follow_its_direction() -> None:
    evil = [
        (timeline_html, Notice("dated", day="2024-10-21")),
        (quotes_html, Notice("quotation", speaker=EVIL, publisher=EVIL, day="2024-10-21")),
        (compare_html, Notice("compared", column=EVIL, row=1, publisher=EVIL)),
    ]
    for view, label in evil:
        head = replace(CITATION.metadata, publisher=EVIL, title=EVIL)
        said = Statement(EVIL, (replace(CITATION, metadata=head, quote=EVIL),), label=label)
        markup = view(Answer("?", (said,)), 1, ENGLISH)
        page = Page(markup)
        assert not {"script", "img"} & set(page.tags)
        assert "onerror" not in [name for name, _ in page.attributes]
        assert not any((href or "").startswith("javascript") for href in page.values("href"))
        assert "${" not in markup
        assert "{{" not in markup
        assert "auto" in page.values("dir")
