"""The body and the summary that a page's metadata give of its own article."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING

from ingest.boilerplate import normalize_line
from ingest.cleaning import clean_line
from ingest.readers.html.fragments import text_of_fragment
from ingest.readers.html.metadata import _loaded, _things
from ingest.readers.html.shingles import share_of, shingles

if TYPE_CHECKING:
    from lxml.html import HtmlElement

OWN = 0.5  # of the extracted text that is in the body of the same article
HIDDEN = 0.2  # of a body that the page hides
LITTLE = 0.3  # of the body's length: less of it on the page is a notice in its place


def article_body(tree: HtmlElement, text: str, *, unseen: str = "") -> str:
    """Return schema.org's articleBody of the article that was extracted; "" where there is none.

    It may be a teaser, and a page may hold those of other stories: the page's own shares the
    extracted words, or has the page's heading where hardly any words were extracted.
    """
    have, hidden = shingles(text), shingles(unseen)
    headings = {normalize_line(clean_line(h.text_content())) for h in tree.iter("h1")} - {""}
    best, most = "", 0.0
    for headline, body in _bodies(tree):
        shown = shingles(body)
        if share_of(shown, hidden) >= HIDDEN:
            continue  # the page holds it, and shows it to nobody
        share = share_of(have, shown)
        little = len(text) < LITTLE * len(body)
        if (share >= OWN or (little and headline in headings)) and share >= most:
            best, most = body, share
    return best


def description(tree: HtmlElement) -> str:
    """Return the summary that a page gives of itself; "" where it gives none."""
    for element in tree.iter("meta"):
        key = (element.get("property") or element.get("name") or "").casefold()
        if key in ("description", "og:description"):
            return clean_line(unescape(element.get("content") or ""))
    return ""


def _bodies(tree: HtmlElement) -> Iterator[tuple[str, str]]:
    """Yield the headline and the body of each article that the page's JSON-LD holds."""
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").casefold():
            continue
        for thing in _things(_loaded(script.text or "")):
            body, headline = thing.get("articleBody"), thing.get("headline")
            if isinstance(body, list):
                body = "\n".join(part for part in body if isinstance(part, str))
            if isinstance(body, str) and body.strip():
                name = clean_line(unescape(headline)) if isinstance(headline, str) else ""
                yield normalize_line(name), _plain(body)


def _plain(body: str) -> str:
    """Return a body, which may be escaped once or hold markup, as lines of text."""
    text = unescape(body)
    if "</" in text or "<br" in text or "<p>" in text:
        text = text_of_fragment(text)
    return "\n".join(filter(None, map(clean_line, text.split("\n"))))
