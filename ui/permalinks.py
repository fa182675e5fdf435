"""Addresses in the page, of articles and feeds.

`/a/ID?at=START-END` opens an article at a passage, `/feed/ID/TOKEN` is the feed of a saved search.
"""

from __future__ import annotations

from urllib.parse import quote

from rag.sanitize import web_address
from rag.schema import Citation


def article_path(article_id: str, start: int | None = None, end: int | None = None) -> str:
    """Return the path of an article in the page.

    Args:
        article_id: The article's id; every character that isn't a letter, a digit or one of "_.-~"
            is percent-encoded, slashes too.
        start: The start of a passage in the article's text, in characters; None for the article.
        end: Its end, exclusive.
    """
    place = "" if start is None or end is None else f"?at={start}-{end}"
    return f"/a/{quote(article_id, safe='', errors='replace')}{place}"


def article_address(
    article_id: str, start: int | None = None, end: int | None = None, *, base_url: str = ""
) -> str:
    """Return the address of an article in the page; its path if the page's address is unknown.

    Args:
        article_id: The article's id.
        start: The start of a passage in the article's text; None for the article.
        end: Its end, exclusive.
        base_url: The address at which readers reach the page (`Settings.base_url`).
    """
    return base_url.rstrip("/") + article_path(article_id, start, end)


def citation_address(citation: Citation, base_url: str = "") -> str:
    """Return the address of the cited article: the publisher's, or else its place in the page.

    Args:
        citation: The citation.
        base_url: The address at which readers reach the page.
    """
    return web_address(citation.metadata.url) or article_address(
        citation.passage.article_id, citation.start, citation.end, base_url=base_url
    )


def feed_address(search_id: str, token: str, *, base_url: str = "") -> str:
    """Return the address of a saved search's feed; its path if the page's address is unknown.

    Args:
        search_id: The search's id.
        token: The token of its feed.
        base_url: The address at which readers reach the page.
    """
    return f"{base_url.rstrip('/')}/feed/{quote(search_id, safe='')}/{quote(token, safe='')}"
