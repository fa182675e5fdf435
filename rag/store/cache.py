"""LRU caches of article texts and metadata: consecutive searches find the same articles."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

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
        self._read, self._maxsize, self._getsizeof = read, maxsize, getsizeof
        self._held: OrderedDict[K, V] = OrderedDict()  # the least recently used first
        self._size = 0
        self._lock = threading.Lock()

    def get_many(self, keys: Iterable[K]) -> dict[K, V]:
        """Return the values of those keys that have one."""
        found, missing = dict[K, V](), set[K]()
        held = self._held
        with self._lock:
            for key in keys:
                if key in held:
                    found[key] = held[key]
                    held.move_to_end(key)
                else:
                    missing.add(key)
        if not missing:
            return found
        read = self._read(missing)
        with self._lock:
            for key, value in read.items():
                self._hold(key, value)
        return found | read

    def _hold(self, key: K, value: V) -> None:
        size = self._getsizeof(value)
        if size > self._maxsize or key in self._held:
            return
        self._held[key] = value
        self._size += size
        while self._size > self._maxsize:
            self._size -= self._getsizeof(self._held.popitem(last=False)[1])


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
