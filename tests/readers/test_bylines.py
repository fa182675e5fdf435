"""Bylines: authors as they are printed, and the lines above a story."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingest.readers.bylines import parse_authors, parse_byline
from ingest.readers.html.reader import read_html
from rag.schema import Article
from tests.readers.test_html import BODY


@pytest.mark.parametrize(
    ("byline", "people"),
    [
        ("By Ida Lund", ("Ida Lund",)),
        ("By Ida Lund and Ola Str, Associated Press", ("Ida Lund", "Ola Str")),
        ("IDA LUND, OLA STR and BO YUN Associated Press", ("IDA LUND", "OLA STR", "BO YUN")),
        ("Analysis by Ida Lund, CNN Editor-at-large", ("Ida Lund",)),
        ("Ida Lund, MS, RD", ("Ida Lund",)),
        ("Ida Lund, Jr.", ("Ida Lund, Jr.",)),
        ("Von Ida Lund und Ola Str", ("Ida Lund", "Ola Str")),
        ("Текст: Ида Лунд", ("Ида Лунд",)),
        ("Reuters", ()),
        ("admin", ()),
        ("", ()),
    ],
)
def test_parse_authors_gives_the_people(byline: str, people: tuple[str, ...]) -> None:
    assert parse_authors(byline) == people


@pytest.mark.parametrize(
    "line",
    [
        "by Ida Lund | November 18, 2019 12:01 PM",
        "Ida Lund @idalund Nov 18, 2019 at 9:24 pm ET",
        "By Ida LundStaff Writer",
        "Posted by Ida Lund on November 19, 2019",
        "Ida Lund - Live Science Contributor",
        "Ida Lund Ida Lund",
        "Ida Lund 27/09/2018 Comments",
    ],
)
def test_parse_byline_cuts_text_after_the_name(line: str) -> None:
    assert parse_byline(line) == ("Ida Lund",)


def test_publisher_of_an_author_is_not_an_author() -> None:
    assert parse_authors(["Ida Lund", "CNN"]) == ("Ida Lund",)
    assert parse_authors(["Ida Lund", "Business Insider"]) == ("Ida Lund",)
    assert parse_authors(["Velsund Post"], "Velsund Post") == ()


def read_page(head: str) -> Article:
    page = (
        '<html lang="en"><head><title>Crane falls in Velsund harbour - Velsund Post</title></head>'
        "<body><h1>Velsund Post</h1><p>Wednesday, November 20, 2019</p>"
        + "".join(f"<li>Section {i}</li>" for i in range(12))
        + f"<main>{head}{BODY}</main><div class='comments'><p>by Some Reader on November 21, 2019"
        "</p></div></body></html>"
    )
    found = read_html(page.encode(), place="x.html", url="https://velsund.example/crane")
    assert isinstance(found, Article), found
    return found


@pytest.mark.parametrize(
    "head",
    [
        "<h1>Crane falls in Velsund harbour</h1><p>By Ida Lund</p><p>November 18, 2019</p>",
        "<h1>Crane falls in Velsund harbour</h1><p>Ida Lund - Nov 18, 2019, 10:31 pm CST</p>",
        "<h1>Crane falls in Velsund harbour</h1><div class='byline'><a href='/il'>Ida Lund</a> "
        "Reporter</div><time datetime='2019-11-18T06:00:00Z'>Monday</time>",
        "<p>11/18/2019</p><h2 class='entry-title'>Crane falls in Velsund harbour</h2>"
        "<span>By</span><p><a rel='author' href='/il'>Ida Lund</a></p>",
        "<h1>Crane falls in Velsund harbour</h1><p>Updated November 19, 2019</p>"
        "<p>Published 18 November 2019 by Ida Lund</p>",
    ],
)
def test_headline_byline_and_date_above_the_story_are_read(head: str) -> None:
    found = read_page(head)
    assert found.title == "Crane falls in Velsund harbour"
    assert found.authors == ("Ida Lund",)
    assert found.published is not None
    assert found.published.date() == datetime(2019, 11, 18, tzinfo=UTC).date()


def test_by_in_a_sentence_names_no_author() -> None:
    head = "<h1>Crane falls in Velsund harbour</h1><p>It was seen by Velsund United fans.</p>"
    assert read_page(head).authors == ()


def test_json_ld_author_references_are_resolved() -> None:
    ld = (
        '<script type="application/ld+json">{"@graph": [{"@type": "NewsArticle", "headline": '
        '"Crane falls in Velsund harbour", "author": {"@id": "#ida"}, "datePublished": '
        '"2019-11-18"}, {"@type": "Person", "@id": "#ida", "name": "Ida Lund"}]}</script>'
    )
    assert read_page(ld).authors == ("Ida Lund",)


def test_byline_wins_over_an_organisation() -> None:
    ld = (
        '<script type="application/ld+json">{"@type": "NewsArticle", "author": {"@type": '
        '"Organization", "name": "Velsund Desk"}, "datePublished": "2019-11-18"}</script>'
    )
    head = "<h1>Crane falls in Velsund harbour</h1><p>By Ida Lund and Ola Str</p>"
    assert read_page(ld + head).authors == ("Ida Lund", "Ola Str")


def read_date(line: str, head: str = "") -> str:
    found = read_page(f"<h1>Crane falls in Velsund harbour</h1>{head}<p>{line}</p>")
    return found.published.date().isoformat() if found.published else ""


@pytest.mark.parametrize(
    "line",
    [
        "Trade is at its lowest since 6 March 2002",
        "It was the worst fall of a crane since 6 March 2002.",
        "The law of 6 March 2002 stays in force",
        "A list published on 6 March 2002 by the ministry names 40 of them",
        "der Rat tagte zuletzt am 6. März 2002 in Tarn",
        "le plus bas depuis le 6 mars 2002",
    ],
)
def test_date_within_a_sentence_does_not_date_the_article(line: str) -> None:
    assert read_date(line) == ""


@pytest.mark.parametrize(
    "line",
    [
        "By Ida Lund, Bo Yun and Per Dahl on Monday, November 18th, 2019 at 11:08 a.m.",
        "VELSUND (AP), 18 November 2019",
        "18.11.2019, 18:30 Uhr | Lesezeit: 3 Min.",
        "Publié le 18 novembre 2019 à 18h30, mis à jour le 19 novembre 2019",
        "Por Ana Lima — Tarn 18/11/2019 18h30",
        "Опубликовано: 18 ноября 2019, 18:30",
        "2019年11月18日 18時30分",
        "18 नवंबर 2019",
        "<time datetime='2019-11-18T18:30:00Z'>the day the crane fell</time>",
    ],
)
def test_date_on_its_own_line_dates_the_article(line: str) -> None:
    assert read_date(line) == "2019-11-18"


def test_time_in_a_teaser_link_does_not_date_the_article() -> None:
    link = "<a href='/x'>Rowing coach leaves Ostmark <time datetime='2019-01-09'>9 Jan</time></a>"
    assert read_date("18 November 2019", link) == "2019-11-18"
