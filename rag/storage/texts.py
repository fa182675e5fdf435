"""Articles' texts as they were last read: a search takes many passages of the same articles."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

from rag.storage.database import Database

# Of all articles that a hundred passages come from, a text is read whole for each: on 111,023
# passages that was nine tenths of a search's time.
CHARACTERS = 50_000_000

Key = tuple[int, str]  # a revision's number in the record, and its fingerprint: numbers come again


class Texts:
    """The texts of revisions, the latest used of them kept; may be used by several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[Key, str] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def of(self, keys: Iterable[Key]) -> dict[Key, str]:
        """Return the texts of those of the revisions that are in the record."""
        wanted = set(keys)
        with self._lock:
            found = {key: self._kept[key] for key in wanted if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
        missing = {key[0]: key for key in wanted if key not in found}
        rows = self._database.for_each(
            "SELECT revision_id, text FROM texts WHERE revision_id IN ({})", missing
        )
        read = {missing[revision_id]: text for revision_id, text in rows}
        self._keep(read)
        return found | read

    def _keep(self, read: dict[Key, str]) -> None:
        with self._lock:
            for key, text in read.items():
                if key not in self._kept:
                    self._kept[key] = text
                    self._size += len(text)
            while self._size > CHARACTERS:
                _, dropped = self._kept.popitem(last=False)
                self._size -= len(dropped)
