"""Atom feeds (RFC 4287) of saved searches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from rag.archive.new_articles import NewArticle
from rag.sanitize import single_line, web_address
from rag.schema import Access, ArticleMetadata
from rag.store.saved_searches import SavedSearch
from ui.article_address import ArticleAddress
from ui.permalinks import article_address
from ui.xml_text import xml_attribute, xml_text

if TYPE_CHECKING:
    from rag.archive.reader import ArchiveReader

MEDIA_TYPE = "application/atom+xml"
SUMMARY_CHARACTERS = 400


def saved_search_feed(
    archive: ArchiveReader,
    search: SavedSearch,
    *,
    access: Access = (),
    base_url: str = "",
    address: str = "",
) -> str:
    """Return the articles that came in last for a saved search, as an Atom feed.

    An entry's id stays the same when the article changes, and its time of update is that of the
    change, so that feed readers show it as updated.

    Args:
        archive: The archive.
        search: The saved search.
        access: The rights of the feed's readers; by default, articles that need one are left out.
        base_url: The address at which readers reach the page, for articles without a URL.
        address: The feed's own address; "" if it is unknown.

    Returns:
        The XML document.
    """
    found = archive.saved.searches.latest(search, access=access).articles
    texts = {
        article.id: article.text
        for article in archive.get([one.metadata.article_id for one in found], access=access)
    }
    updated = max((one.arrived for one in found), default=search.created)
    entries = "".join(
        _entry(one, texts[one.metadata.article_id], base_url)
        for one in found
        if one.metadata.article_id in texts  # else it was withdrawn in the meantime
    )
    link = f"<link rel={xml_attribute('self')} href={xml_attribute(address)}/>" if address else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{_urn(f'saved:{search.id}')}</id><title>{xml_text(search.name)}</title>"
        f"<updated>{_moment(updated)}</updated><author><name>Backfile</name></author>"
        f"<generator>Backfile</generator>{link}{entries}</feed>\n"
    )


def _entry(article: NewArticle, text: str, base_url: str) -> str:
    head = article.metadata
    parts = [
        f"<id>{_urn(f'article:{head.article_id}')}</id>",
        f"<title>{xml_text(single_line(head.title) or single_line(head.article_id))}</title>",
        f"<updated>{_moment(article.arrived)}</updated>",
        f"<published>{_moment(head.published)}</published>" if head.published else "",
        *_authors(head),
        *_links(head, base_url),
        f'<content type="text">{xml_text(_summary(text))}</content>',
    ]
    return f"<entry>{''.join(parts)}</entry>"


def _authors(head: ArticleMetadata) -> Iterator[str]:
    for name in filter(None, map(single_line, (*head.authors, head.publisher))):
        yield f"<author><name>{xml_text(name)}</name></author>"


def _links(head: ArticleMetadata, base_url: str) -> Iterator[str]:
    in_page = article_address(ArticleAddress(head.article_id), base_url) if base_url else ""
    if address := web_address(head.url) or in_page:
        yield f'<link rel="alternate" href={xml_attribute(address)}/>'


def _summary(text: str) -> str:
    """Return the start of a text, cut at a space."""
    line = single_line(text)
    if len(line) <= SUMMARY_CHARACTERS:
        return line
    start = line[:SUMMARY_CHARACTERS]
    return f"{start.rpartition(' ')[0] or start}…"


def _urn(name: str) -> str:
    return uuid5(NAMESPACE_URL, f"backfile:{name}").urn


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
