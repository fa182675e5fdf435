"""Addresses in the page, of articles and feeds.

`/a/ID?at=START-END` opens an article at a passage, `/feed/ID/TOKEN` is the feed of a saved search.
"""

from __future__ import annotations

from urllib.parse import quote

from rag.sanitize import web_address
from rag.schema import Citation
from ui.article_address import ArticleAddress


def article_address(address: ArticleAddress, base_url: str = "") -> str:
    """Return the address of an article in the page; its path if the page's address is unknown.

    Args:
        address: The article, and the span of its text.
        base_url: The address at which readers reach the page (`Settings.base_url`).
    """
    return f"{base_url.rstrip('/')}/{address.path}"


def citation_address(citation: Citation, base_url: str = "") -> str:
    """Return the address of the cited article: the publisher's, or else its place in the page.

    Args:
        citation: The citation.
        base_url: The address at which readers reach the page.
    """
    place = ArticleAddress.of_span(citation.passage, citation.start, citation.end)
    return web_address(citation.metadata.url) or article_address(place, base_url)


def feed_address(search_id: str, token: str, *, base_url: str = "") -> str:
    """Return the address of a saved search's feed; its path if the page's address is unknown.

    Args:
        search_id: The search's id.
        token: The token of its feed.
        base_url: The address at which readers reach the page.
    """
    return f"{base_url.rstrip('/')}/feed/{quote(search_id, safe='')}/{quote(token, safe='')}"
