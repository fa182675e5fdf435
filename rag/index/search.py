"""Search over the indexes, never behind the store.

Passages that Chroma doesn't have yet are scored exactly from the store; passages that the store no
longer has are dropped by the caller.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rag.errors import ArchiveDamagedError, BackfileError
from rag.index.shared_index import SharedIndex
from rag.index.sync import TAIL_LIMIT, IndexSync
from rag.notices import Notice, remark
from rag.schema import EVERYTHING, Filters
from rag.store.filters import restricts, rights_clause
from rag.store.passages import Numbers, Vectors

READ_WITHOUT_SERVER = 20_000  # without compact vectors, as many are read from the store: 0.1 s
# Passages of a filter that are scored exactly from the record, from the compact vectors, or only
# where there are none: docs/benchmarks.md#filters-in-the-vector-index
READ_UP_TO = 400
SCANNED_UP_TO = 50_000  # beyond it a wide search is faster, if the filter matches a large share
EXACT_UP_TO = 2_000  # up to here exact scoring is faster than passing ids to Chroma
WIDE = 0.2  # a filter that matches this share of passages is applied after the search
# Passages asked of the graph, which looks further for more: recall@10 of 200,000 passages is .998
# with 400 and .972 with 100, for 1.4 ms more (docs/benchmarks.md#filters-in-the-vector-index).
FETCHED = 400
RESCORED, RESCORED_MORE = 2, 50  # times k, and more, of the best approximate scores

Scored = list[tuple[int, float]]  # passage numbers and scores, best first


class Indexes(IndexSync):
    """The indexes of one archive: BM25 over passages and over articles, and vectors."""

    def search_bm25(
        self,
        query: str,
        k: int,
        *,
        filters: Filters,
        phrases: Sequence[str] = (),
        up_to: int | None = None,
    ) -> Scored:
        """Return the passages with the highest BM25 score, which may include ended ones.

        Args:
            query: The query.
            k: The number of current passages wanted.
            filters: Filters for the articles.
            phrases: Phrases that score extra.
            up_to: The highest passage number to return; None for no limit.

        Returns:
            Passage numbers and scores, best first.
        """
        filters = rights_clause(self._store.database, filters)
        return self.bm25.search(
            query, k + self._ended, filters=filters, phrases=phrases, up_to=up_to
        )

    def search_spellings(
        self,
        words: Sequence[str],
        k: int,
        *,
        edits: int,
        filters: Filters,
        up_to: int | None = None,
    ) -> Scored:
        """Return passages that have all of these words or similar ones; see `TantivyIndex`.

        Args:
            words: Words of a name, in order.
            k: The number of current passages wanted.
            edits: The most letters of a word that may differ.
            filters: Filters for the articles.
            up_to: The highest passage number to return; None for no limit.

        Returns:
            Passage numbers and scores.
        """
        filters = rights_clause(self._store.database, filters)
        return self.bm25.search_spellings(
            words, k + self._ended, edits=edits, filters=filters, up_to=up_to
        )

    def passages_having(self, text: str) -> Numbers | None:
        """Return all passages that have a word or phrase, which may include ended ones.

        Args:
            text: A word, or words that must stand side by side.

        Returns:
            Passage numbers, in any order; None if the text has only stop words.
        """
        return self.bm25.having(text)

    def search_articles(
        self, query: str, k: int, *, filters: Filters, up_to: int | None = None
    ) -> Scored:
        """Return the articles with the highest BM25 score, which may include ended ones.

        Args:
            query: The query.
            k: The number of current articles wanted.
            filters: Filters for the articles.
            up_to: The highest first passage number to return; None for no limit.

        Returns:
            Numbers of the articles' first passages and scores, best first.
        """
        filters = rights_clause(self._store.database, filters)
        return self.article_bm25.search(query, k + self._ended, filters=filters, up_to=up_to)

    def search_vectors(
        self, vector: Vectors, k: int, *, filters: Filters, among: Numbers | None = None
    ) -> Scored:
        """Return the passages nearest by cosine, which may include ended ones.

        Args:
            vector: The query's unit vector.
            k: The number of current passages wanted.
            filters: Filters for the articles; ignored with `among`.
            among: Numbers of the passages that may be returned.

        Returns:
            Passage numbers and cosines, best first.
        """
        if among is None and restricts(self._store.database, filters):
            among = self._store.passages.passing(filters)
        if among is not None and len(among) <= READ_UP_TO:
            return k_best(vector, *self._store.passages.vectors(among), k)
        if self._scans:
            current = self._store.passages.passing(EVERYTHING) if among is None else among
            scanned = self._scan(vector, k, current)
            if scanned is not None:
                return scanned
            self.stop_scanning()
        if among is not None:
            if len(among) <= SCANNED_UP_TO or not self._is_wide(among):
                scanned = self._scan(vector, k, among)
                if scanned is not None:
                    return scanned
            if len(among) <= EXACT_UP_TO:
                return k_best(vector, *self._store.passages.vectors(among), k)
        tail, matrix = self._tail
        if among is not None and len(tail):
            mask = is_among(tail, among)
            tail, matrix = tail[mask], matrix[mask]
        found = self._search_chroma(vector, k + self._ended, among)
        merged = dict(found + k_best(vector, tail, matrix, k))
        return sorted(merged.items(), key=lambda pair: -pair[1])

    def _search_shared(
        self, shared: SharedIndex, vector: Vectors, k: int, among: Numbers | None
    ) -> Scored:
        """Search the index on a server, and on this machine what it can't search."""
        result = shared.search(vector, k, among)
        left, older = result.missed, self._older
        if len(older):
            left = np.union1d(left, older if among is None else older[is_among(older, among)])
        if not len(left):
            return result.found
        scored = self._score_here(vector, k, left, among)
        if scored is None:
            remark(Notice("vector_server_incomplete"))
        elif result.error:
            remark(Notice("vector_server_gone"))
        return result.found + (scored or [])

    def _score_here(
        self, vector: Vectors, k: int, numbers: Numbers, among: Numbers | None
    ) -> Scored | None:
        """Return the best of these passages, scored exactly; None if that would take too long.

        Args:
            vector: The query's unit vector.
            k: The number of passages wanted.
            numbers: Passage numbers, ascending; some may have ended.
            among: Numbers of the passages that may be returned; None for all current ones.
        """
        current = self._store.passages.passing(EVERYTHING) if among is None else among
        if len(numbers) < len(current):
            current = current[is_among(current, numbers)]
        scored = self._scan(vector, k, current)
        if scored is None and len(current) <= READ_WITHOUT_SERVER:
            return k_best(vector, *self._store.passages.vectors(current), k)
        return scored

    def stop_scanning(self) -> None:
        """Open the vector index, look again at what it doesn't have yet, and search it from now on.

        Other threads go on scanning until it is open.

        Raises:
            ArchiveDamagedError: It is damaged, and another process holds the write lock.
        """
        if self.shared is None:
            with contextlib.suppress(BackfileError):  # raised below
                _ = self.files
        self._scans, self._seen = False, -1
        self.refresh()

    def _is_wide(self, among: Numbers) -> bool:
        size = self.files.count() if self.shared is None else self.shared.size()
        return len(among) >= WIDE * max(size, 1)

    def _scan(self, vector: Vectors, k: int, among: Numbers) -> Scored | None:
        """Return the best of these passages by the compact vectors, scored from the record.

        Args:
            vector: The query's unit vector.
            k: The number of passages wanted.
            among: Passage numbers, ascending.

        Returns:
            Passage numbers and cosines, best first; None if the file lacks too many of them.
        """
        if not self.compact.refresh(self._generation):
            return None
        scores = self.compact.scores(vector, among)
        if scores is None:
            return None
        lacking = np.isnan(scores)
        if np.count_nonzero(lacking) > TAIL_LIMIT:
            return None
        scores[lacking] = np.inf  # scored from the record with the best ones
        wanted = RESCORED * k + RESCORED_MORE + np.count_nonzero(lacking)
        if wanted < len(among):
            among = np.sort(among[np.argpartition(-scores, wanted)[:wanted]])
        return k_best(vector, *self._store.passages.vectors(among), k)

    def _search_chroma(self, vector: Vectors, k: int, among: Numbers | None) -> Scored:
        if self.shared is not None:
            return self._search_shared(self.shared, vector, k, among)
        for _ in range(2):
            try:
                if self._reached():
                    return self._nearest(vector, k, among)
            except Exception:  # Chroma's folder was deleted while open, or damaged
                with contextlib.suppress(ArchiveDamagedError):
                    self._reopen()
                    self.refresh()
        numbers = self._store.passages.numbers() if among is None else among
        return k_best(vector, *self._store.passages.vectors(numbers), k)

    def _nearest(self, vector: Vectors, k: int, among: Numbers | None) -> Scored:
        index = self.files
        if among is None:
            return index.nearest(vector, max(k, FETCHED))[:k]
        share = len(among) / max(index.count(), 1)
        if share >= WIDE:
            wide = index.nearest(vector, int(2 * k / share) + 10)
            allowed = is_among(np.array([number for number, _ in wide], np.int64), among)
            found = [pair for pair, passes in zip(wide, allowed, strict=True) if passes]
            if len(found) >= k:
                return found[:k]
        scanned = self._scan(vector, k, among)
        return index.nearest(vector, k, among) if scanned is None else scanned


def is_among(numbers: Numbers, among: Numbers) -> npt.NDArray[np.bool_]:
    """Return which numbers are among others; `np.isin` would sort a million for a hundred.

    Args:
        numbers: Any numbers.
        among: The others, ascending.
    """
    if not len(among):
        return np.zeros(len(numbers), np.bool_)
    places = np.minimum(np.searchsorted(among, numbers), len(among) - 1)
    return np.asarray(among[places] == numbers)


def k_best(vector: Vectors, numbers: Numbers, matrix: Vectors, k: int) -> Scored:
    """Return the `k` passages with the highest dot product, best first.

    Args:
        vector: The query's unit vector.
        numbers: Passage numbers, shape (n,).
        matrix: Their unit vectors, shape (n, dimension).
        k: The number of passages.
    """
    if not len(numbers):
        return []
    scores = matrix @ vector
    order = np.argsort(-scores, kind="stable")[:k]
    return [(int(numbers[i]), float(scores[i])) for i in order]
