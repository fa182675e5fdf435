"""What was last read of revisions: a search finds passages of the same articles again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from rag.schema import ArticleMetadata
from rag.store.database import Database
from rag.store.rows import HEAD, row_to_metadata

# Of all articles that a hundred passages come from, a text is read whole for each: on 111,023
# passages that was nine tenths of a search's time.
CHARACTERS = 50_000_000
HEADS = 20_000  # a kilobyte each

# A revision's number in the record, and its fingerprint: numbers come again.
TextKey = tuple[int, str]
# Of a fingerprint there may be two revisions: which of its article's it is.
HeadKey = tuple[int, str, int]
K = TypeVar("K")
V = TypeVar("V")


class LRUCache(Generic[K, V]):
    """Values by their keys, the latest used of them kept; may be used by several threads.

    `read` is asked for those that are not; of the sizes of all, `most` is kept.
    """

    def __init__(
        self, read: Callable[[set[K]], dict[K, V]], most: int, size: Callable[[V], int]
    ) -> None:
        self._read, self._most, self._size = read, most, size
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._taken = 0
        self._lock = threading.Lock()

    def of(self, keys: Iterable[K]) -> dict[K, V]:
        """Return the values of those of the keys that there are."""
        wanted = set(keys)
        with self._lock:
            found = {key: self._kept[key] for key in wanted if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
        read = self._read(wanted - found.keys())
        with self._lock:
            for key, value in read.items():
                if key not in self._kept:
                    self._kept[key] = value
                    self._taken += self._size(value)
            while self._taken > self._most:
                _, dropped = self._kept.popitem(last=False)
                self._taken -= self._size(dropped)
        return found | read


def text_cache(database: Database) -> LRUCache[TextKey, str]:
    """Return the texts of the record's revisions."""

    def read(keys: set[TextKey]) -> dict[TextKey, str]:
        wanted = {key[0]: key for key in keys}
        rows = database.execute_for_each(
            "SELECT revision_id, text FROM texts WHERE revision_id IN ({})", wanted
        )
        return {wanted[revision_id]: text for revision_id, text in rows}

    return LRUCache(read, CHARACTERS, len)


def metadata_cache(database: Database) -> LRUCache[HeadKey, ArticleMetadata]:
    """Return the heads of the record's revisions."""

    def read(keys: set[HeadKey]) -> dict[HeadKey, ArticleMetadata]:
        rows = database.execute_for_each(
            f"SELECT r.id, r.fingerprint, {HEAD} FROM revisions r WHERE r.id IN ({{}})",
            {key[0] for key in keys},
        )
        heads = ((row[:2], row_to_metadata(row[2:])) for row in rows)
        return {(*key, head.revision): head for key, head in heads}

    return LRUCache(read, HEADS, lambda _: 1)
