"""The view for browsing: links, filters, escaping and exports."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.archive.archive import Archive
from tests.support.fakes import ARTICLES, HARBOUR, small_archive
from ui.i18n import texts_in
from ui.web.browse_request import BrowseRequest, browse_from_link
from ui.web.events.browse import export_articles
from ui.web.views.browse import facets_html, name_html, results_html

ENGLISH = texts_in("en")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    odd = HARBOUR.replace(
        id="odd/1", title="<img src=x onerror=alert(1)> ${x}", publisher="Daily [1]  <b>News</b>"
    )
    folder = tmp_path_factory.mktemp("browse") / "archive"
    with small_archive(folder, [*ARTICLES, odd]) as opened:
        yield opened


def read(link: str) -> BrowseRequest:
    return browse_from_link(parse_qsl(link.lstrip("?")))


def values_of(markup: str) -> list[str]:
    return [html.unescape(value) for value in re.findall('data-value="([^"]*)"', markup)]


def exported(archive: Archive, asked: BrowseRequest, form: str) -> str:
    page: Any = SimpleNamespace(archive=archive)
    return export_articles(page, asked, form).content.decode()


@given(
    st.text(max_size=40),
    st.lists(st.tuples(st.sampled_from(["publisher", "author"]), st.text("aÄ&=<", min_size=1))),
)
def test_link_shows_the_same_again(words: str, chosen: list[Any]) -> None:
    words = words.encode(errors="ignore").decode()
    asked = BrowseRequest(words, tuple(dict.fromkeys(chosen))[:5], "relevance")
    assert read(asked.link) == asked


@pytest.mark.parametrize(
    "value", ["abc", "2024", "2024-13", "9999-12", "2024-10-24", "", "0000-01"]
)
def test_month_outside_the_calendar_is_ignored(archive: Archive, value: str) -> None:
    asked = read(f"?view=browse&month={value}")
    assert asked.chosen == ()
    assert BrowseRequest().choose([("month", value)]) == BrowseRequest()
    found = archive.browse(asked.words, filters=asked.filters)
    assert results_html(found, asked, ENGLISH)


def test_month_and_day_limit_the_dates() -> None:
    month = BrowseRequest().choose([("month", "2024-12")]).filters
    assert (month.after, month.before) == (
        datetime(2024, 12, 1, tzinfo=UTC),
        datetime(2025, 1, 1, tzinfo=UTC),
    )
    both = BrowseRequest().choose([("month", "2024-12"), ("day", "2024-10-24")])
    assert both.chosen == (("day", "2024-10-24"),)
    assert both.choose(()).chosen == ()


def test_chosen_publisher_is_found_by_its_exact_name(archive: Archive) -> None:
    found = archive.browse()
    publishers = next(facet for facet in found.facets if facet.name == "publisher")
    shown = values_of(facets_html(found.facets, BrowseRequest(), ENGLISH))
    for one in publishers.values:
        asked = BrowseRequest().choose([("publisher", one.value)])
        assert archive.browse(filters=asked.filters).total == one.articles
    assert "<img" not in results_html(found, BrowseRequest(), ENGLISH)
    assert "${" not in results_html(found, BrowseRequest(), ENGLISH)
    assert "Daily [1]  <b>News</b>" in shown


def test_unknown_name_has_an_empty_page(archive: Archive) -> None:
    asked = BrowseRequest(name="<b>Nobody</b>")
    shown = name_html(archive.name(asked.name), asked, ENGLISH)
    assert "0 articles" in html.unescape(shown)
    assert "<b>Nobody" not in shown


def test_exports_have_all_matches(archive: Archive) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(archive, BrowseRequest(), "csv"))))
    assert {row["id"] for row in rows} == {"odd/1", *(article.id for article in ARTICLES)}
    lines = exported(archive, BrowseRequest("harbour"), "jsonl").splitlines()
    assert {json.loads(line)["id"] for line in lines} >= {HARBOUR.id}
    assert len(lines) < len(rows)
