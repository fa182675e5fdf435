"""Articles' heads as they were last read: searches find passages of the same articles again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

from rag.schema import ArticleHead
from rag.storage.database import Database
from rag.storage.rows import HEAD, read_head

KEPT = 20_000  # heads, a kilobyte each

# A revision's number in the record, its fingerprint and which of its article's it is: numbers come
# again, and of a fingerprint there may be two revisions.
Key = tuple[int, str, int]


class Heads:
    """The heads of revisions, the latest used of them kept; may be used by several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[Key, ArticleHead] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, keys: Iterable[Key]) -> dict[Key, ArticleHead]:
        """Return the heads of those of the revisions that are in the record."""
        wanted = set(keys)
        with self._lock:
            found = {key: self._kept[key] for key in wanted if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
        missing = [key[0] for key in wanted if key not in found]
        rows = self._database.for_each(
            f"SELECT r.id, r.fingerprint, {HEAD} FROM revisions r WHERE r.id IN ({{}})", missing
        )
        heads = ((row[:2], read_head(row[2:])) for row in rows)
        read = {(*key, head.revision): head for key, head in heads}
        with self._lock:
            self._kept.update(read)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found | read
