"""The two indexes, kept in step with the record, and searched as if they never lagged.

A reader never depends on an index being new: passages that the vectors have not reached are
scored exactly from the record, and what the record no longer holds is for the caller to drop.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from filelock import FileLock

from rag.errors import ArchiveDamagedError, ArchiveLockedError
from rag.schema import Filters
from rag.storage.lexical import FOLDER as LEXICAL_FOLDER
from rag.storage.lexical import LexicalIndex
from rag.storage.lock import writers_lock
from rag.storage.passages import Numbers, Vectors
from rag.storage.record import Record
from rag.storage.vectors import VectorIndex

EXACT_UP_TO = 2_000  # so few vectors are read and multiplied faster than Chroma takes their ids
WIDE = 0.2  # a filter that lets this share through: ask without it and drop what it forbids
TAIL_LIMIT = 5_000  # passages scored outside Chroma before it is opened anew
FOLLOW_BATCH = 2_000
GUARD = "vectors.lock"

Scored = list[tuple[int, float]]  # a passage's number and its score, best first


class Indexes:
    """Chroma and Tantivy in one archive's folder; both follow the record by sequence number."""

    def __init__(self, folder: Path, record: Record, lock: FileLock | None) -> None:
        self.folder = folder
        self._record = record
        self._lock = lock
        # under it Chroma's files are written, and opened; entered again, it is still held
        self._guard = FileLock(folder / GUARD)
        self._seen = -1
        self._tail: tuple[Numbers, Vectors] = (np.empty(0, np.int64), np.empty((0, 0), np.float32))
        self._ended = 0

    def close(self) -> None:
        for name in ("lexical", "vectors"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()

    @cached_property
    def lexical(self) -> LexicalIndex:
        try:
            return LexicalIndex(self.folder)
        except Exception as error:  # whatever Tantivy makes of damaged files
            with self._writing() as may:
                if not may:
                    raise ArchiveDamagedError(
                        f"the word index of {self.folder} cannot be read ({error}): "
                        "run `backfile ingest` again when the other process has finished"
                    ) from error
                shutil.rmtree(self.folder / LEXICAL_FOLDER)
                return LexicalIndex(self.folder)

    @cached_property
    def vectors(self) -> VectorIndex:
        return self._opened()

    def _opened(self) -> VectorIndex:
        with self._guard:
            try:
                return VectorIndex(self.folder)
            except Exception as error:  # whatever Chroma makes of damaged files
                with self._writing() as may:
                    if not may:
                        raise ArchiveDamagedError(
                            f"the vector index of {self.folder} cannot be read ({error}): "
                            "it is made again when the other process has finished"
                        ) from error
                    fresh = VectorIndex.beside(self.folder)
                    fresh.take_over()
                    return fresh

    # searching

    def by_words(
        self,
        query: str,
        k: int,
        *,
        filters: Filters,
        phrases: Sequence[str] = (),
        up_to: int | None = None,
    ) -> Scored:
        """Return the `k` passages best by BM25, and some that may have ended since."""
        return self.lexical.search(
            query, k + self._ended, filters=filters, phrases=phrases, up_to=up_to
        )

    def nearest(
        self, vector: Vectors, k: int, *, filters: Filters, among: Numbers | None = None
    ) -> Scored:
        """Return the `k` passages nearest by cosine, and some that may have ended since.

        `among`, where given, holds the only ones that may be returned, whatever the filters.
        """
        if among is None and filters:
            among = self._record.passages.numbers(filters)
        if among is not None and len(among) <= EXACT_UP_TO:
            return best(vector, *self._record.passages.vectors(among), k)
        tail, matrix = self._tail
        if among is not None and len(tail):
            kept = np.isin(tail, among)
            tail, matrix = tail[kept], matrix[kept]
        found = self._from_chroma(vector, k + self._ended, among)
        merged = dict(found + best(vector, tail, matrix, k))
        return sorted(merged.items(), key=lambda pair: -pair[1])

    def _from_chroma(self, vector: Vectors, k: int, among: Numbers | None) -> Scored:
        for _ in range(2):
            try:
                if self.vectors.reached:
                    return _nearest(self.vectors, vector, k, among)
            except Exception:  # Chroma's folder was deleted beneath it, or damaged
                with contextlib.suppress(ArchiveDamagedError):
                    self._reopen()
                    self.refresh()
        numbers = self._record.passages.numbers() if among is None else among
        return best(vector, *self._record.passages.vectors(numbers), k)

    def refresh(self) -> None:
        """See what another process has written since."""
        sequence = self._record.database.sequence()
        anew = "vectors" in self.__dict__ and not self.vectors.is_current()
        if sequence == self._seen and not anew:
            return
        if anew:
            self._reopen()
        behind = min(self.lexical.reached, self.vectors.reached) < sequence
        if behind and not self._caught_up():
            self.lexical.refresh()
        added = self._record.passages.numbers_added_since(self.vectors.reached)
        if len(added) > TAIL_LIMIT:
            self._reopen()
            added = self._record.passages.numbers_added_since(self.vectors.reached)
        self._tail = self._record.passages.vectors(added)
        self._ended = len(self._record.passages.removed_since(self.vectors.reached))
        # Where the words are still behind, a writer is about to commit them: look again next time.
        self._seen = sequence if self.lexical.reached >= sequence else -1

    def _reopen(self) -> None:
        """Open the vectors anew; a thread that still searches the old ones asks again."""
        self._seen = -1
        with self._guard:
            old = self.__dict__.get("vectors")
            self.__dict__["vectors"] = self._opened()
        if old is not None:
            old.close()

    # following the record

    def follow(self) -> None:
        """Bring both indexes up to the record; only for who holds the writers' lock."""
        sequence = self._record.database.sequence()
        if self.lexical.reached > sequence or self.vectors.reached > sequence:
            self.clear()  # the record was put back to an earlier state
        reached = self.lexical.reached
        if reached < sequence:
            self.lexical.write(
                self._record.passages.added_since(reached, FOLLOW_BATCH),
                self._record.passages.removed_since(reached),
                sequence,
            )
        reached = self.vectors.reached
        if reached < sequence:
            with self._guard:
                self.vectors.remove(self._record.passages.removed_since(reached))
                self._fill(self.vectors, reached)
                self.vectors.reach(sequence)

    def renew(self) -> None:
        """Make both indexes anew from the record; the old ones answer until they are whole.

        Nothing of the old ones is left on the disk.  Only for who holds the writers' lock.
        """
        sequence = self._record.database.sequence()
        self.lexical.rewrite(self._record.passages.added_since(0, FOLLOW_BATCH), sequence)
        fresh = VectorIndex.beside(self.folder)
        self._fill(fresh, 0)
        fresh.reach(sequence)
        with self._guard:
            old = self.__dict__.pop("vectors", None)
            if old is not None:
                old.close()
            fresh.take_over()
            self.__dict__["vectors"] = fresh
        self._seen = -1

    def sweep(self) -> None:
        """Clear what a writer that was killed has left; for who holds the writers' lock.

        Of 160 kills one left a passage in the word index that its commit should have taken out.
        """
        self.vectors.sweep()
        live = self._record.passages.numbers()
        if self.lexical.count() != len(live):
            held, times = np.unique(self.lexical.held(), return_counts=True)
            self.write_words_anew(np.union1d(np.setxor1d(held, live), held[times > 1]))

    def _fill(self, index: VectorIndex, reached: int) -> None:
        added = self._record.passages.numbers_added_since(reached)
        for i in range(0, len(added), FOLLOW_BATCH):
            numbers, vectors = self._record.passages.vectors(added[i : i + FOLLOW_BATCH])
            index.add(numbers.tolist(), vectors)

    def clear(self, *, words: bool = True, vectors: bool = True) -> None:
        """Throw the indexes away; `follow` makes them anew."""
        if words:
            self.lexical.clear()
        if vectors:
            with self._guard:
                self.vectors.clear()

    def write_words_anew(self, numbers: Numbers) -> None:
        """Let the word index hold of these passages those that are live, each once."""
        live = list(self._record.passages.live(numbers.tolist()).values())
        self.lexical.write([live], numbers.tolist(), self.lexical.reached)

    def write_vectors_anew(self, numbers: Numbers) -> None:
        """Let the vector index hold of these passages those that are live, with their vectors."""
        live = np.intersect1d(numbers, self._record.passages.numbers())
        with self._guard:
            self.vectors.remove(numbers.tolist())
            for i in range(0, len(live), FOLLOW_BATCH):
                found, vectors = self._record.passages.vectors(live[i : i + FOLLOW_BATCH])
                self.vectors.add(found.tolist(), vectors)

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Keep every process from writing Chroma's files meanwhile."""
        with self._guard:
            yield

    def _caught_up(self) -> bool:
        """Bring the indexes up to the record, if no other process is about to; say if done."""
        with self._writing() as may:
            if may:
                self._reopen()
                self.follow()
            return may

    @contextlib.contextmanager
    def _writing(self) -> Iterator[bool]:
        """Hold the writers' lock if it can be had at once; say whether it is held."""
        if self._lock is not None:
            yield True
            return
        try:
            lock = writers_lock(self.folder)
        except (ArchiveLockedError, OSError):
            yield False
            return
        try:
            yield True
        finally:
            if "lexical" in self.__dict__:
                self.lexical.close()  # Tantivy's writer has a lock of its own
            lock.release()


def _nearest(index: VectorIndex, vector: Vectors, k: int, among: Numbers | None) -> Scored:
    if among is None:
        return index.nearest(vector, k)
    share = len(among) / max(index.count(), 1)
    if share >= WIDE:
        allowed = set(among.tolist())
        wide = index.nearest(vector, int(2 * k / share) + 10)
        found = [pair for pair in wide if pair[0] in allowed]
        if len(found) >= k:
            return found[:k]
    return index.nearest(vector, k, among)


def best(vector: Vectors, numbers: Numbers, matrix: Vectors, k: int) -> Scored:
    """Return the `k` of these passages whose vectors are nearest, best first."""
    if not len(numbers):
        return []
    scores = matrix @ vector
    order = np.argsort(-scores, kind="stable")[:k]
    return [(int(numbers[i]), float(scores[i])) for i in order]
