"""The articleBody and the summary in a page's metadata."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING

from ingest.boilerplate_rules import normalize_line
from ingest.cleaning import clean_line
from ingest.readers.html.fragments import text_of_fragment
from ingest.readers.html.metadata import json_ld_things, load_json_ld
from ingest.readers.html.shingles import share_of, shingles

if TYPE_CHECKING:
    from lxml.html import HtmlElement

OWN_SHARE = 0.5  # share of the extracted text that the same article's body has
HIDDEN_SHARE = 0.2  # share of a body that the page hides
SHORT_TEXT_SHARE = (
    0.3  # share of the body's length; a shorter text on the page is a notice in its place
)


def article_body(tree: HtmlElement, text: str, *, unseen: str = "") -> str:
    """Return schema.org's articleBody of the page's own article; "" if missing.

    A page may also contain the bodies of other stories. Its own one shares the extracted words or,
    if hardly any were extracted, has the page's heading as its headline.

    Args:
        tree: The page.
        text: The extracted text.
        unseen: Text that the page hides, which the body must not contain.
    """
    have, hidden = shingles(text), shingles(unseen)
    headings = {normalize_line(clean_line(h.text_content())) for h in tree.iter("h1")} - {""}
    best, most = "", 0.0
    for headline, body in _bodies(tree):
        shown = shingles(body)
        if share_of(shown, hidden) >= HIDDEN_SHARE:
            continue  # the page hides this text
        share = share_of(have, shown)
        little = len(text) < SHORT_TEXT_SHARE * len(body)
        if (share >= OWN_SHARE or (little and headline in headings)) and share >= most:
            best, most = body, share
    return best


def description(tree: HtmlElement) -> str:
    """Return the summary in a page's metadata; "" if missing."""
    for element in tree.iter("meta"):
        key = (element.get("property") or element.get("name") or "").casefold()
        if key in ("description", "og:description"):
            return clean_line(unescape(element.get("content") or ""))
    return ""


def _bodies(tree: HtmlElement) -> Iterator[tuple[str, str]]:
    """Yield headline and body of each article in the page's JSON-LD."""
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").casefold():
            continue
        for thing in json_ld_things(load_json_ld(script.text or "")):
            body, headline = thing.get("articleBody"), thing.get("headline")
            if isinstance(body, list):
                body = "\n".join(part for part in body if isinstance(part, str))
            if isinstance(body, str) and body.strip():
                name = clean_line(unescape(headline)) if isinstance(headline, str) else ""
                yield normalize_line(name), _plain(body)


def _plain(body: str) -> str:
    """Return a body, which may be escaped or contain markup, as lines of text."""
    text = unescape(body)
    if "</" in text or "<br" in text or "<p>" in text:
        text = text_of_fragment(text)
    return "\n".join(filter(None, map(clean_line, text.split("\n"))))
