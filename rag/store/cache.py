"""LRU caches of article texts and metadata: consecutive searches find the same articles."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from cachetools import LRUCache

from rag.schema import ArticleMetadata
from rag.store.database import Database
from rag.store.rows import METADATA, row_to_metadata

# Reading the full text of each hit's article was 9/10 of a search's time: docs/benchmarks.md.
CHARACTERS = 50_000_000
METADATA_ENTRIES = 20_000  # 1 kB each

# A revision's row id and content hash: row ids are reused.
TextKey = tuple[int, str]
# Two revisions of an article can share a content hash: the revision number tells them apart.
MetadataKey = tuple[int, str, int]
K = TypeVar("K")
V = TypeVar("V")


class ReadThroughCache(Generic[K, V]):
    """LRU cache that reads all missing keys at once. Thread-safe."""

    def __init__(
        self,
        read: Callable[[set[K]], dict[K, V]],
        maxsize: int,
        getsizeof: Callable[[V], int] = lambda _: 1,
    ) -> None:
        """Create an empty cache.

        Args:
            read: Returns the values of those keys that have one.
            maxsize: The largest total size; the least recently used values are dropped first.
            getsizeof: Returns a value's size. Values larger than `maxsize` are not cached.
        """
        self._read, self._getsizeof = read, getsizeof
        self._cache: LRUCache[K, V] = LRUCache(maxsize, getsizeof)
        self._lock = threading.Lock()

    def get_many(self, keys: Iterable[K]) -> dict[K, V]:
        """Return the values of those keys that have one."""
        wanted = set(keys)
        with self._lock:
            found = {key: self._cache[key] for key in wanted if key in self._cache}
        read = self._read(wanted - found.keys())
        with self._lock:
            for key, value in read.items():
                if self._getsizeof(value) <= self._cache.maxsize:
                    self._cache[key] = value
        return found | read


def text_cache(database: Database) -> ReadThroughCache[TextKey, str]:
    """Return a cache of the texts of revisions."""

    def read(keys: set[TextKey]) -> dict[TextKey, str]:
        wanted = {key[0]: key for key in keys}
        rows = database.execute_for_each(
            "SELECT revision_id, text FROM texts WHERE revision_id IN ({})", wanted
        )
        return {wanted[revision_id]: text for revision_id, text in rows}

    return ReadThroughCache(read, CHARACTERS, len)


def metadata_cache(database: Database) -> ReadThroughCache[MetadataKey, ArticleMetadata]:
    """Return a cache of the metadata of revisions."""

    def read(keys: set[MetadataKey]) -> dict[MetadataKey, ArticleMetadata]:
        rows = database.execute_for_each(
            f"SELECT r.id, r.fingerprint, {METADATA} FROM revisions r WHERE r.id IN ({{}})",  # nosec B608 # constants of this code, values bound
            {key[0] for key in keys},
        )
        pairs = ((row[:2], row_to_metadata(row[2:])) for row in rows)
        return {(*key, metadata.revision): metadata for key, metadata in pairs}

    return ReadThroughCache(read, METADATA_ENTRIES)
