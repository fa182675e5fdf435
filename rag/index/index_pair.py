"""The two indexes, searched as if they never lagged behind the record.

A reader never depends on an index being new: passages that the vectors have not reached are
scored exactly from the record, and what the record no longer holds is for the caller to drop.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from filelock import FileLock

from rag.errors import ArchiveDamagedError
from rag.index.chroma_index import ChromaIndex
from rag.index.sync import IndexSync
from rag.schema import Filters
from rag.store.articles import ArticleStore
from rag.store.filters import restricts, rights_clause
from rag.store.passages import Numbers, Vectors

EXACT_UP_TO = 2_000  # so few vectors are read and multiplied faster than Chroma takes their ids
WIDE = 0.2  # a filter that lets this share through: ask without it and drop what it forbids
TAIL_LIMIT = 5_000  # passages scored outside Chroma before it is opened anew

Scored = list[tuple[int, float]]  # a passage's number and its score, best first


class IndexPair(IndexSync):
    """The indexes of one archive, to be searched by words and by meaning."""

    def __init__(self, folder: Path, record: ArticleStore, lock: FileLock | None) -> None:
        super().__init__(folder, record, lock)
        self._generation = 0
        self._tail: tuple[Numbers, Vectors] = (np.empty(0, np.int64), np.empty((0, 0), np.float32))
        self._ended = 0

    def search_bm25(
        self,
        query: str,
        k: int,
        *,
        filters: Filters,
        phrases: Sequence[str] = (),
        up_to: int | None = None,
    ) -> Scored:
        """Return the `k` passages best by BM25, and some that may have ended since."""
        filters = rights_clause(self._record.database, filters)
        return self.text.search(
            query, k + self._ended, filters=filters, phrases=phrases, up_to=up_to
        )

    def search_vectors(
        self, vector: Vectors, k: int, *, filters: Filters, among: Numbers | None = None
    ) -> Scored:
        """Return the `k` passages nearest by cosine, and some that may have ended since.

        `among`, where given, holds the only ones that may be returned, whatever the filters.
        """
        if among is None and restricts(self._record.database, filters):
            among = self._record.passages.passing(filters)
        if among is not None and len(among) <= EXACT_UP_TO:
            return k_best(vector, *self._record.passages.vectors(among), k)
        tail, matrix = self._tail
        if among is not None and len(tail):
            kept = np.isin(tail, among)
            tail, matrix = tail[kept], matrix[kept]
        found = self._from_chroma(vector, k + self._ended, among)
        merged = dict(found + k_best(vector, tail, matrix, k))
        return sorted(merged.items(), key=lambda pair: -pair[1])

    def _from_chroma(self, vector: Vectors, k: int, among: Numbers | None) -> Scored:
        for _ in range(2):
            try:
                if self._reached():
                    return _nearest(self.vectors, vector, k, among)
            except Exception:  # Chroma's folder was deleted beneath it, or damaged
                with contextlib.suppress(ArchiveDamagedError):
                    self._reopen()
                    self.refresh()
        numbers = self._record.passages.numbers() if among is None else among
        return k_best(vector, *self._record.passages.vectors(numbers), k)

    def refresh(self) -> None:
        """See what another process has written since."""
        sequence = self._record.database.sequence()
        self._generation = self._record.generation()
        anew = "vectors" in self.__dict__ and not (
            self.vectors.is_current() and self.vectors.generation == self._generation
        )
        if sequence == self._seen and not anew:
            return
        if anew:
            self._reopen()
        behind = min(self.text.reached, self._reached()) < sequence
        if behind and not self._caught_up():
            self.text.refresh()
        added = self._record.passages.numbers_added_since(self._reached())
        if len(added) > TAIL_LIMIT:
            self._reopen()
            added = self._record.passages.numbers_added_since(self._reached())
        self._tail = self._record.passages.vectors(added)
        self._ended = len(self._record.passages.removed_since(self._reached()))
        # Where the words are still behind, a writer is about to commit them: look again next time.
        self._seen = sequence if self.text.reached >= sequence else -1

    def _reached(self) -> int:
        """Return how far the vectors have followed: not at all where they are another model's."""
        index = self.vectors
        return index.reached if index.generation == self._generation else 0


def _nearest(index: ChromaIndex, vector: Vectors, k: int, among: Numbers | None) -> Scored:
    if among is None:
        return index.nearest(vector, k)
    share = len(among) / max(index.count(), 1)
    if share >= WIDE:
        wide = index.nearest(vector, int(2 * k / share) + 10)
        allowed = np.isin(np.array([number for number, _ in wide], np.int64), among)
        found = [pair for pair, passes in zip(wide, allowed, strict=True) if passes]
        if len(found) >= k:
            return found[:k]
    return index.nearest(vector, k, among)


def k_best(vector: Vectors, numbers: Numbers, matrix: Vectors, k: int) -> Scored:
    """Return the `k` of these passages whose vectors are nearest, best first."""
    if not len(numbers):
        return []
    scores = matrix @ vector
    order = np.argsort(-scores, kind="stable")[:k]
    return [(int(numbers[i]), float(scores[i])) for i in order]
