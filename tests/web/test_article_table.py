"""The table of articles, without a browser: search, order, pages, withdrawal and undo."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from rag.archive.archive import Archive
from rag.archive.browse import BrowsePage
from rag.schema import Article, ArticleMetadata
from rag.settings import Settings
from rag.store.withdrawals import Withdrawal, Withdrawals
from tests.support.fakes import HARBOUR, WordEmbeddings, small_archive
from tests.web.page_events import event, page_of, sender, shown
from ui.i18n import texts_in
from ui.ingest_job import reinstate_articles, withdraw_articles
from ui.web.events.article_table import TableHandlers, show_table
from ui.web.state import Session
from ui.web.table_request import FIRST_PAGE, ROWS, TableRequest
from ui.web.updates import PageUpdates
from ui.web.views.article_table import table_html, withdrawn_html

pytestmark = pytest.mark.slow

EVIL = "<img src=x onerror=window.pwned=1> ${window.pwned=2} {{1}} \u202egnp.exe\u2066 [1]"
START = datetime(2024, 10, 1, 12, tzinfo=UTC)


def story(n: int) -> Article:
    return Article(
        id=f"gull.example/{n:03}",
        title=f"Ferry {n:03} leaves Skelhaven",
        text=f"The ferry number {n} left the pier on time.",
        url=f"https://gull.example/{n:03}",
        publisher="Gull Post" if n % 3 else "Tide",
        published=START + timedelta(days=n),
        section="Sea" if n % 2 else "Land",
    )


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with small_archive(tmp_path / "archive", [story(n) for n in range(60)]) as opened:
        yield opened


@pytest.fixture
def page(archive: Archive) -> PageUpdates:
    return page_of(archive)


def titles(page: PageUpdates, asked: TableRequest) -> list[int]:
    """Return the numbers of the stories on a page of the table."""
    rows = shown(show_table(page, asked, texts_in("en")))["bf-articles"]
    return [int(n) for n in re.findall(r"<a [^>]*>Ferry (\d+)", html.unescape(rows))]


def act(page: PageUpdates, name: str, asked: TableRequest, **data: Any) -> dict[Any, Any]:
    handlers = TableHandlers(page, Settings())
    updates: dict[Any, Any] = getattr(handlers, name)(Session(), asked, event(**data), sender())
    return updates


def asked_of(page: PageUpdates, updates: dict[Any, Any]) -> TableRequest:
    found: TableRequest = updates[page.on.archive.table.asked]
    return found


def test_pages_follow_each_other_in_each_order(page: PageUpdates) -> None:
    for order, first in (("date", 59), ("oldest", 0), ("title", 0), ("publisher", 59)):
        asked = FIRST_PAGE.sort(order)
        pages = [titles(page, asked.show_page(n)) for n in range(3)]
        assert [len(one) for one in pages] == [ROWS, ROWS, 60 - 2 * ROWS]
        assert sorted(n for one in pages for n in one) == list(range(60))
        assert pages[0][0] == first


def test_page_after_the_last_is_the_last(page: PageUpdates) -> None:
    assert titles(page, FIRST_PAGE.show_page(900)) == titles(page, FIRST_PAGE.show_page(2))


def test_search_and_filters_narrow_the_table(page: PageUpdates) -> None:
    assert titles(page, FIRST_PAGE.search('"number 7"')) == [7]
    tide = FIRST_PAGE.choose("publisher", "Tide")
    assert all(n % 3 == 0 for n in titles(page, tide))
    sea = tide.choose("section", "Sea")
    assert titles(page, sea.choose("month", "2024-10")) == [27, 21, 15, 9, 3]
    assert titles(page, sea.choose("publisher", "Gull Post").choose("section", "")) != []
    assert len(sea.choose("publisher", "Gull Post").chosen) == 2
    assert titles(page, sea.clear()) == titles(page, FIRST_PAGE)


@pytest.mark.parametrize(
    "name", ["https://gull.example/041", "gull.example/041", "http://www.gull.example/041?utm_id=2"]
)
def test_address_or_id_finds_its_article(page: PageUpdates, name: str) -> None:
    assert titles(page, FIRST_PAGE.search(name)) == [41]


def test_restricted_articles_are_listed(tmp_path: Path) -> None:
    secret = Article(id="s", title="Ferry 007", text="A ferry left.", access="staff")
    with small_archive(tmp_path / "archive", [secret]) as archive:
        assert titles(page_of(archive), FIRST_PAGE) == [7]


def test_too_long_words_are_an_error_in_the_table(page: PageUpdates) -> None:
    rows = shown(show_table(page, FIRST_PAGE.search("a OR " * 390), texts_in("en")))
    assert "bf-articles" in rows


def test_selection_is_withdrawn_and_brought_back_as_a_whole(
    archive: Archive, page: PageUpdates, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [story(n).id for n in (3, 5, 8)]
    assert withdraw_articles(archive, Settings(), ids, "a ruling") == 3
    asked = TableRequest(undoable=tuple(ids))
    rows = html.unescape(shown(show_table(page, asked, texts_in("en")))["bf-articles"])
    assert "3 articles withdrawn." in rows
    assert "data-undo-last" in rows
    after = act(page, "reinstate", asked, ids=[])
    assert "3 articles are back" in capsys.readouterr().out
    assert asked_of(page, after).undoable == ()
    assert all(archive.article(one) for one in ids)


def test_withdrawn_articles_are_listed_searched_and_undone(
    archive: Archive, page: PageUpdates, capsys: pytest.CaptureFixture[str]
) -> None:
    withdraw_articles(archive, Settings(), [story(n).id for n in range(40)], "100% wrong")
    withdraw_articles(archive, Settings(), [story(50).id], "a_ruling")
    asked = FIRST_PAGE.show_withdrawn(is_withdrawn=True)
    rows = html.unescape(shown(show_table(page, asked, texts_in("en")))["bf-articles"])
    assert "41 articles" in rows
    assert "1 to 25 of 41" in rows
    withdrawals = Withdrawals(archive.store)
    for words, total in (
        ("100%", 40),
        ("a_r", 1),
        ("a%", 0),
        ("ferry 05", 1),
        ("GULL.example", 41),
    ):
        assert withdrawals.page(words, offset=0, limit=5)[1] == total, words
    act(page, "reinstate", asked, ids=[story(0).id, story(1).id, "unknown"])
    assert "2 articles are back" in capsys.readouterr().out
    assert withdrawals.page("", offset=0, limit=5)[1] == 39


def test_erased_articles_are_listed_without_undo(archive: Archive, page: PageUpdates) -> None:
    with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()) as writer:
        writer.erase([story(4).id])
    asked = FIRST_PAGE.show_withdrawn(is_withdrawn=True)
    rows = shown(show_table(page, asked, texts_in("en")))["bf-articles"]
    assert "Erased" in rows
    assert "data-one" not in rows
    assert reinstate_articles(archive, Settings(), [story(4).id]) == 0


@pytest.mark.parametrize(
    "data",
    [
        *(None, {}, {"action": "erase"}, {"action": "filter", "facet": "text"}),
        *({"action": "page", "page": -1}, {"action": "page", "page": 2**70}, {"ids": ["x"] * 26}),
        {"action": "filter", "facet": "publisher", "value": "x" * 501},
    ],
)
def test_event_of_another_shape_changes_nothing(page: PageUpdates, data: Any) -> None:
    handlers = TableHandlers(page, Settings())
    for handle in (handlers.change, handlers.reinstate):
        assert shown(handle(Session(), FIRST_PAGE, gr.EventData(None, data), sender())) == {}


def test_every_handler_needs_write_access(page: PageUpdates) -> None:
    handlers, nobody = TableHandlers(page, Settings()), sender(may_write=False)
    sent = event(action="page", ids=["x"])
    for act_ in (
        lambda: handlers.search(Session(), FIRST_PAGE, "ferry", nobody),
        lambda: handlers.change(Session(), FIRST_PAGE, sent, nobody),
        lambda: handlers.reinstate(Session(), FIRST_PAGE, sent, nobody),
    ):
        with pytest.raises(gr.Error, match="You do not have permission"):
            act_()


@pytest.mark.parametrize("language", ["en", "de"])
def test_hostile_text_is_shown_as_text(language: str) -> None:
    texts = texts_in(language)
    head = ArticleMetadata(EVIL, title=EVIL, publisher=EVIL, authors=(EVIL,), section=EVIL)
    asked = TableRequest(undoable=(EVIL,)).search(EVIL).choose("publisher", EVIL)
    found = [
        table_html(BrowsePage((head,), 900), asked, texts),
        withdrawn_html([Withdrawal(EVIL, START, EVIL)], 900, {EVIL: EVIL}, asked, texts),
    ]
    for page in found:
        assert not re.search(r"<(?:img|script)|\$\{|\{\{|\u202e|data-id=\"[^\"]*['<]", page)


def test_harbour_is_not_in_this_archive(page: PageUpdates) -> None:
    assert titles(page, FIRST_PAGE.search(HARBOUR.url)) == []
