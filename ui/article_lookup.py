"""Find articles by the names that people use for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.schema import ALL_RIGHTS

if TYPE_CHECKING:
    from rag.archive.archive import Archive


def find_article_ids(archive: Archive, name: str) -> list[str]:
    """Return the IDs of the articles with this ID or URL, in any spelling of the URL.

    Withdrawn and restricted articles are included: the callers operate the archive.
    """
    from rag.urls import url_key

    spellings = filter(None, (name, url_key(name)))
    found = (archive.find_ids(spelling, access=ALL_RIGHTS) for spelling in spellings)
    return next(filter(None, found), [])
