"""LRU caches of article texts and metadata; consecutive searches hit the same articles."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from rag.schema import ArticleMetadata
from rag.store.database import Database
from rag.store.rows import HEAD, row_to_metadata

# Reading the full text of each hit's article was 9/10 of a search's time: docs/benchmarks.md.
CHARACTERS = 50_000_000
HEADS = 20_000  # 1 kB each

# A revision's row id and content hash: row ids are reused.
TextKey = tuple[int, str]
# Two revisions of an article can share a content hash: the revision number tells them apart.
HeadKey = tuple[int, str, int]
K = TypeVar("K")
V = TypeVar("V")


class LRUCache(Generic[K, V]):
    """Thread-safe cache that drops the least recently used values beyond a total size."""

    def __init__(
        self, read: Callable[[set[K]], dict[K, V]], most: int, size: Callable[[V], int]
    ) -> None:
        """Create an empty cache.

        Args:
            read: Reads the values of keys that are not cached.
            most: The largest total size.
            size: Returns the size of a value.
        """
        self._read, self._max_size, self._size = read, most, size
        self._values: OrderedDict[K, V] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def of(self, keys: Iterable[K]) -> dict[K, V]:
        """Return the values of those keys that have one."""
        wanted = set(keys)
        with self._lock:
            found = {key: self._values[key] for key in wanted if key in self._values}
            for key in found:
                self._values.move_to_end(key)
        read = self._read(wanted - found.keys())
        with self._lock:
            for key, value in read.items():
                if key not in self._values:
                    self._values[key] = value
                    self._total += self._size(value)
            while self._total > self._max_size:
                _, dropped = self._values.popitem(last=False)
                self._total -= self._size(dropped)
        return found | read


def text_cache(database: Database) -> LRUCache[TextKey, str]:
    """Return a cache of the texts of revisions."""

    def read(keys: set[TextKey]) -> dict[TextKey, str]:
        wanted = {key[0]: key for key in keys}
        rows = database.execute_for_each(
            "SELECT revision_id, text FROM texts WHERE revision_id IN ({})", wanted
        )
        return {wanted[revision_id]: text for revision_id, text in rows}

    return LRUCache(read, CHARACTERS, len)


def metadata_cache(database: Database) -> LRUCache[HeadKey, ArticleMetadata]:
    """Return a cache of the metadata of revisions."""

    def read(keys: set[HeadKey]) -> dict[HeadKey, ArticleMetadata]:
        rows = database.execute_for_each(
            f"SELECT r.id, r.fingerprint, {HEAD} FROM revisions r WHERE r.id IN ({{}})",
            {key[0] for key in keys},
        )
        heads = ((row[:2], row_to_metadata(row[2:])) for row in rows)
        return {(*key, head.revision): head for key, head in heads}

    return LRUCache(read, HEADS, lambda _: 1)
