"""Article body of a page: the whole story in any layout, and no other story."""

from __future__ import annotations

import json

import pytest

from ingest.readers import Reject
from ingest.readers.html.reader import read_html
from rag.schema import Article

STORY = [
    f"In part {n} of its report the harbour board said that pier number {n} would cost {n + 3} "
    f"million crowns and open in {2030 + n}, although two members asked for a second survey."
    for n in range(1, 13)
]
OTHER = [
    f"The ferry line of Tarn told its passengers in notice {n} that the night boat would leave at "
    f"{n} in the evening, and that the fare would rise by {n + 1} crowns for a cabin."
    for n in range(1, 5)
]
STANDFIRST = "Two members of the board wanted another survey before the vote, but were outvoted"
H1 = "<h1>Harbour board backs piers</h1>"
AD = '<div class="ad ad--mid"><span>Advertisement</span></div>'
URL = "https://velsund-post.example/2024/05/02/piers"


def ps(paragraphs: list[str]) -> str:
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def parts(before: str, after: str, between: str = AD) -> str:
    return between.join(f"{before}{ps(STORY[i : i + 4])}{after}" for i in (0, 4, 8))


def json_ld(body: str, headline: str = "Harbour board backs piers") -> str:
    thing = {"@type": "NewsArticle", "headline": headline, "articleBody": body}
    return f'<script type="application/ld+json">{json.dumps(thing)}</script>'


def text_of(body: str, head: str = "") -> str:
    found = read_html(
        f'<html lang="en"><head><title>Harbour board backs piers</title>{head}</head>'
        f'<body><nav><a href="/">Home</a></nav>{body}<footer><p>All rights reserved.</p></footer>'
        "</body></html>".encode(),
        place="piers.html",
        url=URL,
    )
    assert isinstance(found, Article), found
    return found.text


WHOLE = {
    "ads between siblings": f"<main><article>{H1}"
    + parts('<div class="grid ad-rail"><div class="GridItem-a body__container">', "</div></div>")
    + "</article></main>",
    "no class": f"<main>{H1}{parts('<div>', '</div>')}</main>",
    "other classes": f"<article>{H1}"
    + "".join(f'<div class="part {n}">{ps([p])}</div>{AD}' for n, p in enumerate(STORY))
    + "</article>",
    "sections": f"<article>{H1}{parts('<section class=text>', '</section>')}</article>",
    "articles": f"<main>{H1}{parts('<article class=chunk>', '</article>')}</main>",
    "read more": f'<main>{H1}<div class="story-content">{ps(STORY[:4])}</div><button>Read more'
    f'</button><div class="story-content more">{ps(STORY[4:])}</div></main>',
    "line breaks": f'<article>{H1}<div class="text">{"<br><br>".join(STORY[:6])}</div>{AD}'
    f'<div class="text">{"<br><br>".join(STORY[6:])}</div></article>',
    "quotes and lists": f'<article>{H1}<div class="text">{ps(STORY[:4])}<blockquote><p>{STORY[4]}'
    f"</p></blockquote><blockquote>{STORY[5]}</blockquote><ul><li>{STORY[6]}</li><li><p>"
    f"{STORY[7]}</p></li></ul>{ps(STORY[8:])}</div></article>",
    "live blog": f"<main><article>{H1}"
    + "".join(
        f'<article class="post" id="p{n}"><h2><a href="#p{n}">At {n}</a></h2><time>{n}:00</time>'
        f"<p>{p}</p></article>"
        for n, p in enumerate(STORY)
    )
    + "</article></main>",
    "live blog of linked entries": f"<main><article>{H1}"
    + "".join(
        f'<article><h3><a href="/live/entry-{n}">Day {n} of the vote</a></h3><p>{p}</p></article>'
        for n, p in enumerate(STORY)
    )
    + "</article></main>",
    "live blog of linked parts": f"<main>{H1}<div>"
    + "".join(
        f'<div><h3><a href="/2024/05/02/piers/{n}">Day {n} of the vote</a></h3><p>{p}</p></div>'
        for n, p in enumerate(STORY)
    )
    + "</div></main>",
    "live blog of posts with a query": f"<main>{H1}<div>"
    + "".join(
        f'<div><h3><a href="?post={n}">Day {n} of the vote</a></h3><p>{p}</p></div>'
        for n, p in enumerate(STORY)
    )
    + "</div></main>",
    "page that says it is a live blog": f"<main>{H1}<div>"
    '<script type="application/ld+json">{"@type": "LiveBlogPosting"}</script>'
    + "".join(
        f'<div><time>{n}:00</time><h3><a href="/live/{n}">Day {n} of it</a></h3><p>{p}</p></div>'
        for n, p in enumerate(STORY)
    )
    + "</div></main>",
}


@pytest.mark.parametrize("layout", WHOLE)
def test_story_is_read_whole(layout: str) -> None:
    text = text_of(WHOLE[layout])
    assert [text.count(paragraph) for paragraph in STORY] == [1] * len(STORY)
    assert sorted(STORY, key=text.index) == STORY


CARDS = "".join(
    f'<div class="box"><a href="/t{n}"><h3>NIGHT BOAT {n}</h3></a><p>{p}</p></div>'
    for n, p in enumerate(OTHER)
)
ARTICLE = f'<article>{H1}<div class="text">{ps(STORY)}</div></article>'
OTHERS = {
    "most popular": f'<main><div class="archives">{H1}{ps(STORY)}<h2>Most Popular</h2>{CARDS}'
    "</div></main>",
    "wrapped heading": f'<article>{H1}{ps(STORY)}<div><div class="h"><h3>Most read</h3></div>'
    f"{CARDS}</div></article>",
    "cards without heading": f"<main>{ARTICLE}<div>{CARDS}</div></main>",
    "cards within": f"<article>{H1}{ps(STORY[:6])}{CARDS}{ps(STORY[6:])}</article>",
    "nested articles": f"<article>{H1}{ps(STORY)}<article><h3><a href='/boat'>Night boat</a></h3>"
    f"{ps(OTHER)}</article></article>",
    "next article": f"<main>{ARTICLE}<article><h1>Night boat</h1><div class='text'>{ps(OTHER)}"
    "</div></article></main>",
    "next story": f"<main><div class='story'>{H1}<div class='text'>{ps(STORY)}</div></div><div "
    f"class='story'><h2><a href='/boat'>Night boat</a></h2><div class='text'>{ps(OTHER)}</div>"
    "</div></main>",
    "next section": f"<main><section>{H1}<time>2 May 2024</time>{ps(STORY)}</section><section>"
    f"<h2>Night boat</h2><time>1 May 2024</time>{ps(OTHER)}</section></main>",
    "linked lines": f"<article>{H1}{ps(STORY[:6])}<p><a href='/boat'>NIGHT BOAT LEAVES LATER</a>"
    "</p><p><strong>READ MORE: </strong><a href='/boat'>Night boat leaves later, the line says</a>"
    f"</p>{ps(STORY[6:])}</article>",
    "arrowed lines": f"<article>{H1}{ps(STORY[:6])}<p>&gt;&gt; <a href='/boat'>Night boat leaves "
    f"later</a></p><p>→ <a href='/boat'>Night boat is dearer</a></p>{ps(STORY[6:])}</article>",
    "cards without headings": f"<article>{H1}{ps(STORY[:6])}<div><p>Most Popular</p>"
    + "".join(
        f"<div><a href='/t{n}'><img><span>Night boat leaves later on day {n}</span></a><p>In the "
        "night boat there is a cabin for two.</p></div>"
        for n in range(3)
    )
    + f"</div>{ps(STORY[6:])}</article>",
    "related list": f"<article>{H1}{ps(STORY[:6])}<aside class='inline-related'><h4>Related</h4>"
    f"<ul><li><a href='/boat'>Night boat leaves later</a></li></ul></aside>{ps(STORY[6:])}"
    "</article>",
    "newsletter": f"<article>{H1}{ps(STORY[:6])}<div class='newsletter'><h3>Night boat letter</h3>"
    f"<p>Short and early.</p><form><input></form></div>{ps(STORY[6:])}</article>",
}


@pytest.mark.parametrize("layout", OTHERS)
def test_other_stories_stay_out(layout: str) -> None:
    text = text_of(OTHERS[layout])
    assert "night boat" not in text.casefold()
    assert all(paragraph in text for paragraph in STORY)


def test_own_lists_of_links_and_facts_are_kept() -> None:
    text = text_of(
        f"<article>{H1}<div class='text'>{ps(STORY[:6])}<p>The board shows these documents:</p><ul>"
        "<li><a href='/docs/1'>The survey of the old pier</a></li><li><a href='/docs/2'>The budget "
        "of the new piers</a></li></ul><h2>What it costs</h2><ul><li>Pier one: 4 million</li></ul>"
        f"<table><tr><td>Crane</td><td>1962</td></tr></table>{ps(STORY[6:])}</div></article>"
    )
    for kept in (
        "survey of the old pier",
        "budget of the new",
        "What it costs",
        "Pier one",
        "1962",
    ):
        assert kept in text


@pytest.mark.parametrize(
    ("markup", "head"),
    [
        ("<header>{h1}<h2 class='subtitle'>{s}</h2></header>", ""),
        ("<div>{h1}<div class='article-standfirst'><p>{s}</p></div></div>", ""),
        ("<header>{h1}<p>{s}</p></header>", f'<meta name="description" content="{STANDFIRST}">'),
        ("<header><div class='deck'>x</div>{h1}<p class=lead>{s}</p></header>", ""),
    ],
)
def test_standfirst_begins_the_story_once(markup: str, head: str) -> None:
    top = markup.format(h1=H1, s=STANDFIRST)
    text = text_of(
        f"<main><article>{top}<div class='text'>{ps(STORY)}</div></article></main>",
        head,
    )
    assert text.startswith(STANDFIRST)
    assert text.count(STANDFIRST) == 1


def test_summary_repeated_by_the_story_is_not_a_standfirst() -> None:
    head = f'<meta name="description" content="{STORY[0]}">'
    text = text_of(f"<article><header>{H1}</header>{ps(STORY)}</article>", head)
    assert text.count(STORY[0]) == 1
    unshown = f'<meta name="description" content="{STANDFIRST}">'
    assert STANDFIRST not in text_of(ARTICLE, unshown)


@pytest.mark.parametrize(
    "body",
    ["\n".join(STORY), "&lt;p&gt;" + "&lt;/p&gt;&lt;p&gt;".join(STORY) + "&lt;/p&gt;"],
)
def test_json_ld_body_is_used_if_the_page_shows_only_a_part(body: str) -> None:
    shown = f"<article>{H1}<div class='text'>{ps(STORY[:3])}</div></article>"
    assert [line for line in text_of(shown, json_ld(body)).split("\n") if line] == STORY


@pytest.mark.parametrize(
    "head",
    [
        json_ld(STORY[0][:150]),
        json_ld("\n".join(OTHER * 3), "Night boat leaves later"),
        json_ld("\n".join(OTHER * 3)),
        json_ld("\n".join(STORY).replace(". ", ".")),
        '<script type="application/ld+json">{"articleBody": [1, null]}</script>',
    ],
)
def test_json_ld_body_of_another_story_is_ignored(head: str) -> None:
    assert text_of(ARTICLE, head) == text_of(ARTICLE) == "\n\n".join(STORY)


def test_page_of_teasers_is_not_an_article() -> None:
    found = read_html(f"<html><body><h1>News</h1>{CARDS}</body></html>".encode(), place="x")
    assert isinstance(found, Reject)
