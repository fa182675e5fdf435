"""Saved searches with their counts of new articles, which each page load shows."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from cachetools import LRUCache

from rag.schema import ALL_RIGHTS
from ui.web.views.saved import CountedSearch

if TYPE_CHECKING:
    from rag.archive.archive import Archive
    from rag.store.saved_searches import SavedSearch

MOST_KEPT = 1000  # counts

# What a count depends on: a search never changes, but how far it has been seen, and the archive.
Key = tuple[str, int, str, int]


class SavedCounts:
    """LRU cache of the numbers of new articles.

    Args:
        archive: The archive with the searches.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = Lock()
        self._counts: LRUCache[Key, int] = LRUCache(MOST_KEPT)

    def list(self) -> list[CountedSearch]:
        """Return the saved searches, oldest first, with their counts.

        Raises:
            BackfileError: The file of saved items can't be read.
        """
        searches, version = self._archive.saved.searches, self._archive.version
        return [CountedSearch(one, self._count(one, version)) for one in searches.list()]

    def _count(self, search: SavedSearch, version: int) -> int:
        key = (search.id, search.seen, search.seen_change, version)
        with self._lock:
            if key in self._counts:
                return self._counts[key]
        count = self._archive.saved.searches.new(search, access=ALL_RIGHTS, most=0).count
        with self._lock:
            self._counts[key] = count
        return count
