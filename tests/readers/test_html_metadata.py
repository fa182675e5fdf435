"""Metadata of a page: its own is chosen by address and headline among those of other stories."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.readers.html.reader import read_html
from rag.schema import Article
from tests.readers.test_html import BODY

URL = "https://velsund-post.example/2024/crane"
CANONICAL = f'<link rel="canonical" href="{URL}">'
OTHER = {
    "@type": "NewsArticle",
    "headline": "Rowing coach leaves Ostmark",
    "datePublished": "2023-01-09T10:00:00Z",
    "author": {"@type": "Person", "name": "Ivo Tamm"},
    "url": "https://velsund-post.example/2023/rowing",
}
OWN = {
    "@type": "NewsArticle",
    "headline": "Crane falls in Velsund harbour",
    "datePublished": "2024-05-02T08:00:00Z",
    "author": {"@type": "Person", "name": "Ida Lund"},
}


def read_page(*data: Any, head: str = CANONICAL, body: str = "") -> Article:
    scripts = "".join(
        f'<script type="application/ld+json">{json.dumps(one)}</script>' for one in data
    )
    html = (
        f"<html lang='en'><head><title>Crane falls in Velsund harbour - Velsund Post</title>{head}"
        f"{scripts}</head><body><main><article><h1>Crane falls in Velsund harbour</h1>{BODY}"
        f"</article>{body}</main></body></html>"
    )
    found = read_html(html.encode(), place="a.html")
    assert isinstance(found, Article), found
    return found


def date_and_authors(article: Article) -> tuple[str, tuple[str, ...]]:
    return (article.published.date().isoformat() if article.published else "", article.authors)


CAROUSEL = {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": OTHER}]}


@pytest.mark.parametrize(
    "data",
    [
        [CAROUSEL, OWN],
        [OTHER, OWN | {"url": URL}],
        [[OTHER, OWN | {"@id": f"{URL}#article", "headline": "Crane!"}]],
        [{"@graph": [OTHER, OWN | {"headline": "!", "mainEntityOfPage": {"@id": URL}}]}],
        [OTHER, OWN | {"headline": "Crane falls in Velsund harbour, two ships hit"}],
        [OTHER | {"url": ""}, {"@type": "WebPage", "mainEntity": OWN}],
        [OTHER, OWN | {"mainEntityOfPage": f"{URL}?utm_source=x"}],
    ],
)
def test_json_ld_of_the_page_is_chosen_among_others(data: list[Any]) -> None:
    assert date_and_authors(read_page(*data)) == ("2024-05-02", ("Ida Lund",))


def test_json_ld_of_several_other_stories_is_ignored() -> None:
    second = OTHER | {"headline": "Mine reopens", "url": "https://velsund-post.example/mine"}
    assert date_and_authors(read_page(OTHER, second)) == ("", ())
    assert date_and_authors(read_page(CAROUSEL)) == ("", ())


def test_single_json_ld_article_is_used_whatever_its_headline() -> None:
    single = OWN | {"headline": "Kran gefallen"}
    assert date_and_authors(read_page(single, head="")) == ("2024-05-02", ("Ida Lund",))


def test_two_json_ld_descriptions_complete_each_other() -> None:
    dated = {key: value for key, value in OWN.items() if key != "author"}
    signed = {key: value for key, value in OWN.items() if key != "datePublished"}
    assert date_and_authors(read_page(dated, signed)) == ("2024-05-02", ("Ida Lund",))


def test_microdata_of_teasers_is_ignored() -> None:
    teasers = "".join(
        "<div itemscope itemtype='https://schema.org/NewsArticle'><h3>Rowing</h3>"
        f"<meta itemprop='author' content='Ivo Tamm'>"
        f"<meta itemprop='datePublished' content='2023-01-0{n}'></div>"
        for n in (8, 9)
    )
    assert date_and_authors(read_page(body=teasers)) == ("", ())


def test_byline_in_a_teaser_link_is_ignored() -> None:
    teaser = "<a href='/x'>Rowing coach leaves Ostmark <span class='author'>Ivo Tamm</span></a>"
    html = (
        "<html lang='en'><head><title>Crane falls in Velsund harbour</title></head><body>"
        f"<h1>Crane falls in Velsund harbour</h1><div>{teaser}</div>{BODY}</body></html>"
    )
    found = read_html(html.encode(), place="a.html")
    assert isinstance(found, Article)
    assert found.authors == ()
