"""Main text of a page, by trafilatura; the only module that uses it."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from ingest.boilerplate_rules import normalize_line
from ingest.cleaning import clean_line
from ingest.readers.html.article_body import article_body, description
from ingest.readers.html.missing_paragraphs import add_missing_paragraphs
from ingest.readers.html.teasers import drop_teasers

if TYPE_CHECKING:
    from lxml.html import HtmlElement


def load_page(content: bytes) -> HtmlElement | None:
    """Parse a page; None if it is empty."""
    from trafilatura import load_html  # 0.5 s, with justext and htmldate

    tree = load_html(content)
    return tree if tree is not None and len(tree) else None


def extract_text(tree: HtmlElement, url: str | None, *, unseen: str = "") -> str:
    """Return the text of the story with its blocks as paragraphs; "" if none is found.

    Args:
        tree: The page.
        url: Its URL, if known.
        unseen: Text that the page hides, which isn't taken from the metadata either.
    """
    tree = _without_teasers(tree, url)
    text = _extract(tree, url)
    body = article_body(tree, text, unseen=unseen)
    return _paragraphs(add_missing_paragraphs(tree, text, body=body, summary=description(tree)))


def plain_text(content: bytes) -> str:
    """Return trafilatura's own text of a page, as the baseline of the evaluation."""
    tree = load_page(content)
    return "" if tree is None else _extract(tree, None)


def without_heading(tree: HtmlElement, body: str) -> str:
    """Return the story without the page's <h1>, which may differ from the metadata's headline."""
    first, _, rest = body.partition("\n")
    headings = {normalize_line(clean_line(element.text_content())) for element in tree.iter("h1")}
    return rest.strip() if rest and normalize_line(first) in headings else body


def _without_teasers(tree: HtmlElement, url: str | None = None) -> HtmlElement:
    """Return a copy of a page without the blocks of other stories."""
    copy = deepcopy(tree)
    drop_teasers(copy, url or "")
    return copy


def _extract(tree: HtmlElement, url: str | None) -> str:
    from trafilatura import bare_extraction

    try:
        found = bare_extraction(
            deepcopy(tree), url=url or None, include_comments=False, include_tables=True
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        return ""  # trafilatura can't parse the page
    text = found.get("text") if isinstance(found, dict) else getattr(found, "text", "")
    return text or ""


def _paragraphs(text: str) -> str:
    """Put a blank line between trafilatura's blocks, but not between the items of a list."""
    lines = [line for line in text.split("\n") if line.strip()]
    joined: list[str] = []
    for index, line in enumerate(lines):
        item = line.startswith(("- ", "|")) and index and lines[index - 1].startswith(("- ", "|"))
        joined += ["\n" if item else "\n\n", line]
    return "".join(joined).strip()
