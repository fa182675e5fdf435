"""Saved searches with their counts of new articles, which each page load shows."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from cachetools import LRUCache

from rag.rights import Rights
from ui.web.views.saved import CountedSearch

if TYPE_CHECKING:
    from rag.archive.archive import Archive
    from rag.archive.saved import Saved, SavedSearches
    from rag.store.saved_searches import SavedSearch

MOST_KEPT = 1000  # counts

# What a count depends on: a search never changes, but how far it has been seen, the archive, and
# what its reader may see.
Key = tuple[str, int, str, int, Rights]


class SavedCounts:
    """LRU cache of the numbers of new articles.

    Args:
        archive: The archive with the searches.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = Lock()
        self._counts: LRUCache[Key, int] = LRUCache(MOST_KEPT)

    def list(self, saved: Saved, rights: Rights) -> list[CountedSearch]:
        """Return the saved searches of an owner, oldest first, with their counts.

        Args:
            saved: What the owner has saved.
            rights: The owner's rights; other articles are not counted.

        Raises:
            BackfileError: The file of saved items can't be read.
        """
        searches, version = saved.searches, self._archive.version
        return [
            CountedSearch(one, self._count(searches, one, version, rights))
            for one in searches.list()
        ]

    def _count(
        self, searches: SavedSearches, search: SavedSearch, version: int, rights: Rights
    ) -> int:
        key = (search.id, search.seen, search.seen_change, version, rights)
        with self._lock:
            if key in self._counts:
                return self._counts[key]
        count = searches.new(search, access=rights, most=0).count
        with self._lock:
            self._counts[key] = count
        return count
