"""Find articles by ID or URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.schema import ALL_RIGHTS

if TYPE_CHECKING:
    from rag.archive.archive import Archive


def find_article_ids(archive: Archive, name: str) -> list[str]:
    """Return the IDs of the articles with this ID or URL.

    Withdrawn and restricted articles are included, because the callers operate the archive.

    Args:
        archive: The archive to search.
        name: An ID, or a URL in any spelling.

    Returns:
        The IDs; several if articles share the URL, none if no article matches.
    """
    from rag.urls import url_key

    spellings = filter(None, (name, url_key(name)))
    found = (archive.find_ids(spelling, access=ALL_RIGHTS) for spelling in spellings)
    return next(filter(None, found), [])
