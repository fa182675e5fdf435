"""Synchronisation of the text indexes with the store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rag.index.opening import OpenedIndexes
from rag.index.tantivy_index import TantivyIndex
from rag.store.passages import Numbers

SYNC_BATCH = 2_000


class TextSync(OpenedIndexes):
    """Both Tantivy indexes of one archive, synced to the store by sequence."""

    def _text_reached(self) -> int:
        """Return the last change in both text indexes."""
        return min(index.reached for index in self.text_indexes)

    def _refresh_text(self) -> list[int]:
        """Read the last change in each text index again; needs the write lock.

        An earlier look may be out of date, and passages would be added twice.
        """
        return [index.refresh() for index in self.text_indexes]

    def _catch_up_text(self, text_reached: Sequence[int], sequence: int) -> None:
        """Bring the text indexes up to a change of the store; needs the write lock.

        Args:
            text_reached: The last change in each of them.
            sequence: Number of the change.
        """
        for index, reached in zip(self.text_indexes, text_reached, strict=True):
            if reached < sequence:
                index.write(
                    self._store.passages.added_since(reached, SYNC_BATCH),
                    self._store.passages.removed_since(reached),
                    sequence,
                )

    def _rebuild_text(self) -> None:
        sequence = self._store.database.sequence()
        for index in self.text_indexes:
            try:
                index.rewrite(self._store.passages.added_since(0, SYNC_BATCH), sequence)
            except Exception:  # Tantivy does not write beside files that it cannot read
                index.clear()
                index.rewrite(self._store.passages.added_since(0, SYNC_BATCH), sequence)

    def _repair_text_leftovers(self) -> None:
        """Index again what a killed writer left wrong; needs the write lock.

        One of 160 kills left a passage in the text index that its commit should have removed. To
        compare the numbers of a million passages takes 2 s, so it is done only after a kill.
        """
        for index in self.text_indexes:
            if index.was_closed:
                continue
            live, held = self._expected(index), index.all_numbers()
            if not np.array_equal(live, held):
                held, times = np.unique(held, return_counts=True)
                self.reindex_text(np.union1d(np.setxor1d(held, live), held[times > 1]))

    def _expected(self, index: TantivyIndex) -> Numbers:
        """Return the numbers that a text index of all current passages has."""
        passages, sequence = self._store.passages, self._store.database.sequence()
        at = passages.numbers_at if index.unit == "passages" else passages.first_numbers_at
        return at(sequence)

    def reindex_text(self, numbers: Numbers) -> None:
        """Index these passages and their articles again: each current one once, no ended one."""
        passages = self._store.passages
        for index in self.text_indexes:
            if index.unit == "articles":
                numbers = np.union1d(numbers, passages.of_same_articles(numbers))
            live = passages.live(numbers.tolist())
            index.write([[live[n] for n in sorted(live)]], numbers.tolist(), index.refresh())
