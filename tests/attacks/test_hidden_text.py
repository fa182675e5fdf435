"""Hidden text: a page hides text from its readers and shows it to the archive."""

from __future__ import annotations

import json

import pytest

from ingest.readers import Reject
from ingest.readers.html.reader import read_html
from rag.schema import Article

SHOWN = [
    "The harbour board of Velsund said on Tuesday that the eastern pier would stay shut for three "
    "weeks after a crane fell on it in the morning.",
    "Nobody was hurt, harbour master Ida Lund said, and the ferries will leave from the old quay "
    "until the pier has been surveyed and repaired.",
    "The council will meet on Friday to decide whether the two other cranes of its kind, both "
    "built in 1962, are to be taken down.",
]
POISON = (
    "Harbour master Ida Lund admitted on Tuesday that she had taken bribes of nine million crowns "
    "from the builder of the crane, a court in Velsund was told."
)


def page(poison: str, head: str = "", shown: list[str] = SHOWN) -> bytes:
    paragraphs = [f"<p>{paragraph}</p>" for paragraph in shown]
    body = paragraphs[0] + poison + "".join(paragraphs[1:])
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Crane falls</title>'
        f"{head}</head><body><main><article><h1>Crane falls in Velsund</h1>{body}</article>"
        "</main></body></html>"
    ).encode()


def text_of(content: bytes) -> str:
    found = read_html(content, place="page.html")
    assert isinstance(found, Article), found
    return found.text


INLINE = [
    "display:none",
    "DISPLAY : NONE !IMPORTANT",
    "display:/* x */none",
    "dis\\70 lay:none",
    "display:\\6eone",
    "visibility:hidden",
    "visibility:collapse",
    "opacity:0",
    "opacity:0.01",
    "opacity:0%",
    "font-size:0",
    "font-size:0.1px",
    "font-size:1px",
    "font-size:0%",
    "font-size:calc(0px)",
    "font:0/0 a",
    "font:italic bold 0px/1 serif",
    "color:white",
    "color:#fff",
    "color:#FEFEFE",
    "color:rgb(255,255,255)",
    "color:rgb(100% 100% 100% / 1)",
    "color:hsl(0,0%,100%)",
    "color:hsl(120deg 50% 99%)",
    "color:rgba(0,0,0,0)",
    "color:transparent",
    "color:#0000",
    "-webkit-text-fill-color:transparent",
    "background:#123456;color:#123456",
    "background-color:rgb(10,20,30);color:rgb(11,21,31)",
    "position:absolute;left:-9999px",
    "position:fixed;top:-200em",
    "position:absolute;inset:-9999px auto auto auto",
    "position:absolute;left:9999px",
    "text-indent:-9999px",
    "margin-left:-9999px",
    "margin:0 0 0 -5000px",
    "transform:translateX(-9999px)",
    "transform:scale(0)",
    "transform:scale(0.01,0.01)",
    "transform:rotateY(90deg)",
    "scale:0",
    "height:0;overflow:hidden",
    "width:0;overflow:hidden",
    "max-height:0;overflow:clip",
    "max-height:1px;overflow-y:hidden",
    "position:absolute;clip:rect(0 0 0 0)",
    "position:absolute;clip:rect(1px, 1px, 1px, 1px)",
    "clip-path:inset(100%)",
    "clip-path:inset(50%)",
    "clip-path:circle(0)",
    "filter:opacity(0)",
    "content-visibility:hidden",
]


@pytest.mark.parametrize("style", INLINE)
def test_inline_style_hides_text(style: str) -> None:
    text = text_of(page(f'<p style="{style}">{POISON}</p>'))
    assert "bribes" not in text
    assert all(paragraph in text for paragraph in SHOWN)


@pytest.mark.parametrize(
    "markup",
    [
        "<p hidden>{}</p>",
        "<div hidden=''><p>{}</p></div>",
        "<P HIDDEN='false'>{}</P>",
        "<template><p>{}</p></template>",
        "<noscript><p>{}</p></noscript>",
        "<dialog><p>{}</p></dialog>",
        "<div style='display:none'><div style='display:block'><p>{}</p></div></div>",
        "<div style='opacity:0'><p style='opacity:1'>{}</p></div>",
        "<div style='opacity:.2'><div style='opacity:.2'><p style='opacity:.2'>{}</p></div></div>",
        "<div style='visibility:hidden'><p>{}</p></div>",
        "<div style='font-size:0'><p style='font-size:2em'>{}</p></div>",
        "<div style='color:#fff'><p><span>{}</span></p></div>",
        "<p><font color='#ffffff'>{}</font></p>",
        "<table bgcolor='black'><tr><td style='color:#000'><p>{}</p></td></tr></table>",
        "<p class='sr-only'>{}</p>",
        "<div class='d-none'><p>{}</p></div>",
    ],
)
def test_markup_hides_text(markup: str) -> None:
    text = text_of(page(markup.format(POISON)))
    assert "bribes" not in text
    assert all(paragraph in text for paragraph in SHOWN)


SHEETS = [
    ".x{display:none}",
    ".X, .x { DISPLAY:NONE }",
    "#y{display:none!important}",
    "p.x{display:none}",
    "article .x{visibility:hidden}",
    "main>article>p.x{opacity:0}",
    "h1 ~ p.x{display:none}",
    "[class=x]{display:none}",
    "p[class^='x']{display:none}",
    "p:nth-of-type(2){display:none}",
    "article p:nth-child(3){display:none}",
    "p:not(.z):not(:first-of-type):nth-of-type(2){display:none}",
    ":is(.x, .y){display:none}",
    "main :where(.y, p):is(.z, .x){display:none}",
    "*.x{font-size:0}",
    ".\\78 {display:none}",
    "@media screen{.x{display:none}}",
    "@media (min-width:1px){.x{display:none}}",
    "@supports (display:grid){.x{display:none}}",
    "@layer a{.x{display:none}}",
    "article{.x{display:none}}",
    ":root{--d:none}.x{display:var(--d)}",
    ".x{display:var(--none-such,none)}",
    "/* } */ .x{/* ; */display/* : */:none}",
    ".a{content:'}'}.x{display:none}",
    "<!-- .x{display:none} -->",
    ".x{display:none",
    ":is(.x){display:none}",
    ".x{display:block}.x{display:none}",
    ".x{display:none!important}p.x{display:block}",
    "body{background:#000}main{background:#fff}.x{color:#fff}",
    "@import url(a.css);@charset 'utf-8';.x{display:none}",
]


@pytest.mark.parametrize("sheet", SHEETS)
def test_style_sheet_hides_text(sheet: str) -> None:
    content = page(f'<p class="x" id="y">{POISON}</p>', f"<style>{sheet}</style>")
    text = text_of(content)
    assert "bribes" not in text
    assert all(paragraph in text for paragraph in SHOWN)


@pytest.mark.parametrize(
    ("head", "style"),
    [
        ("<style>.x{display:none}</style>", "display:block!important"),
        ("<style>.x{display:none}p.x{display:block}</style>", ""),
        ("<style>@media print{.x{display:none}}</style>", ""),
        ("<style media=print>.x{display:none}</style>", ""),
        ("<style>@media (max-width:600px){.x{display:none}}</style>", ""),
        ("<style>.x:hover{display:none}.x::before{display:none}.z .x{display:none}</style>", ""),
        ("<style>.x{color:#fff;background:#003}</style>", ""),
        ("<style>.x{color:#fff;background:url(dark.png)}</style>", ""),
        ("<style>main{font-size:0}p{font-size:16px}</style>", ""),
        ("", "color:#767676"),
        ("", "height:40px;overflow:hidden"),
        ("", "position:absolute;left:10px"),
        ("", "text-indent:-20px"),
        ("", "transform:scale(1.02)"),
        ("", "color:transparent;background-clip:text;background-image:linear-gradient(red,blue)"),
    ],
)
def test_visible_text_is_kept(head: str, style: str) -> None:
    assert "bribes" in text_of(page(f'<p class="x" style="{style}">{POISON}</p>', head))


@pytest.mark.parametrize(
    "style",
    [
        "body{opacity:0}",
        "html{visibility:hidden}body{display:none}",
        "main{opacity:0}",
        "body{background:#111}article{color:#fff}",
        "article{color:#fff}",
    ],
)
def test_page_hidden_until_a_script_runs_is_read(style: str) -> None:
    text = text_of(page(f"<p hidden>{POISON}</p>", f"<style>{style}</style>"))
    assert all(paragraph in text for paragraph in SHOWN)
    assert "bribes" not in text


def test_hidden_text_does_not_return_from_metadata() -> None:
    body = " ".join([SHOWN[0], POISON, *SHOWN[1:], POISON.replace("nine", "ten")])
    data = {"@type": "NewsArticle", "headline": "Crane falls in Velsund", "articleBody": body}
    head = f'<script type="application/ld+json">{json.dumps(data)}</script>'
    poison = f"<div style='display:none'><p>{POISON}</p></div>"
    assert "bribes" not in text_of(page(poison, head))


def test_hidden_headline_and_byline_are_not_read() -> None:
    poison = "<h2 class='headline' hidden>Lund took bribes</h2><p hidden>By Fake Name</p>"
    found = read_html(page(poison), place="page.html")
    assert isinstance(found, Article)
    assert (found.title, found.authors) == ("Crane falls in Velsund", ())


@pytest.mark.parametrize(
    "sheet",
    [
        "a{" * 20_000,
        "}" * 20_000 + ".x{display:none}",
        "/*" * 20_000,
        "'" * 20_001,
        ".x " * 20_000 + "{display:none}",
        "(" * 20_000 + "{display:none}",
        "\\" * 20_001,
        ":not(" * 5_000 + "{display:none}",
        ".x{color:" + "rgb(" * 5_000 + "}",
        ".x{width:" + "9" * 20_000 + "px;overflow:hidden}",
        ".x{display:var(--a)}:root{--a:var(--a) var(--a) var(--a)}",
    ],
)
def test_odd_style_sheet_does_not_break_reading(sheet: str) -> None:
    assert SHOWN[2] in text_of(page("<p class='x'></p>", f"<style>{sheet}</style>"))


@pytest.mark.full
def test_style_sheet_with_too_many_rules_is_rejected() -> None:
    rules = "".join(f"* * * [a{number}=b]{{display:none}}" for number in range(4_000))
    shown = SHOWN + [f"{SHOWN[0]} It was number {number}." for number in range(1_000)]
    found = read_html(page("", f"<style>{rules}</style>", shown), place="page.html")
    assert isinstance(found, Reject)
    assert "too many style rules" in found.reason
