"""HTML of passages and answers for notebooks, from untrusted text.

Everything is escaped; controls and invisible characters are removed, only http(s) addresses become
links, and the wrapper's classes keep MathJax from typesetting dollars in an article as formulas.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from rag.sanitize import article_line, neutralize_markers, strip_controls, web_address


def wrap(*parts: str) -> str:
    """Return a block of HTML from parts that are HTML already."""
    return f'<div class="backfile tex2jax_ignore mathjax_ignore">{"".join(parts)}</div>'


def paragraphs(text: str) -> str:
    """Return a paragraph of HTML for each paragraph of `text`, with citation markers unchanged."""
    found = (" ".join(part.split()) for part in strip_controls(text).split("\n\n"))
    return "".join(f'<p dir="auto">{escape(part)}</p>' for part in found if part)


def source_line(
    title: str, publisher: str, url: str, published: datetime | None, *, before: str = ""
) -> str:
    """Return "Title, Publisher, 2024-10-24" as HTML, with a linked title if `url` is safe.

    Args:
        title: The article's headline, or its id if it has none.
        publisher: The publisher, "" if unknown.
        url: The article's address, linked to if `web_address` allows it.
        published: The time of publication; shown as the day in UTC.
        before: Trusted text before the title, such as "[1]".
    """
    name = f"<bdi>{escape(article_line(title))}</bdi>"
    if address := web_address(url):
        name = f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{name}</a>'
    day = published.astimezone(UTC).date().isoformat() if published else ""
    rest = [f"<bdi>{escape(article_line(publisher))}</bdi>" if publisher else "", day]
    return " ".join(filter(None, (escape(before), ", ".join(filter(None, (name, *rest))))))


def quotation(text: str) -> str:
    """Return article text as a block quotation with its paragraphs."""
    words = escape(neutralize_markers(strip_controls(text)).strip())
    return f'<blockquote dir="auto" style="white-space: pre-line">{words}</blockquote>'


def items(lines: Iterable[str]) -> str:
    """Return a list without bullets of lines that are HTML already; "" for none."""
    listed = "".join(f"<li>{line}</li>" for line in lines)
    return f'<ul style="list-style: none; padding-left: 0">{listed}</ul>' if listed else ""
