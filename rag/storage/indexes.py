"""The two indexes, kept in step with the record, and searched as if they never lagged.

A reader never depends on an index being new: passages that the vectors have not reached are
scored exactly from the record, and what the record no longer holds is for the caller to drop.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from filelock import FileLock

from rag.errors import ArchiveDamagedError, ArchiveLockedError
from rag.schema import Filters
from rag.storage.lexical import FOLDER as LEXICAL_FOLDER
from rag.storage.lexical import LexicalIndex
from rag.storage.lock import writers_lock
from rag.storage.newvectors import NewVectors
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
        self._generation = 0
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
            generation = self._record.generation()
            try:
                index = VectorIndex(self.folder)
            except Exception as error:  # whatever Chroma makes of damaged files
                with self._writing() as may:
                    if not may:
                        raise ArchiveDamagedError(
                            f"the vector index of {self.folder} cannot be read ({error}): "
                            "it is made again when the other process has finished"
                        ) from error
                    return self._in_its_place(VectorIndex.beside(self.folder, generation))
            if index.generation != generation:
                with self._writing() as may:
                    if may:  # who changed the record's model was killed before the index's turn
                        index.close()
                        whole = VectorIndex.finished(self.folder, generation)
                        return self._in_its_place(
                            whole or VectorIndex.beside(self.folder, generation)
                        )
            return index

    @staticmethod
    def _in_its_place(fresh: VectorIndex) -> VectorIndex:
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
            among = self._record.passages.passing(filters)
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
                if self._reached():
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
        self._generation = self._record.generation()
        anew = "vectors" in self.__dict__ and not (
            self.vectors.is_current() and self.vectors.generation == self._generation
        )
        if sequence == self._seen and not anew:
            return
        if anew:
            self._reopen()
        behind = min(self.lexical.reached, self._reached()) < sequence
        if behind and not self._caught_up():
            self.lexical.refresh()
        added = self._record.passages.numbers_added_since(self._reached())
        if len(added) > TAIL_LIMIT:
            self._reopen()
            added = self._record.passages.numbers_added_since(self._reached())
        self._tail = self._record.passages.vectors(added)
        self._ended = len(self._record.passages.removed_since(self._reached()))
        # Where the words are still behind, a writer is about to commit them: look again next time.
        self._seen = sequence if self.lexical.reached >= sequence else -1

    def _reached(self) -> int:
        """Return how far the vectors have followed: not at all where they are another model's."""
        index = self.vectors
        return index.reached if index.generation == self._generation else 0

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
        self.renew(  # what is ahead of a record that was put back to an earlier state
            words=self.lexical.reached > sequence, vectors=self.vectors.reached > sequence
        )
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

    def renew(self, *, words: bool = True, vectors: bool = True) -> None:
        """Make the indexes anew from the record; the old ones answer until they are whole.

        Nothing of the old ones is left on the disk.  Only for who holds the writers' lock.
        """
        if words:
            self._renew_words()
        if vectors:
            self._renew_vectors()

    def _renew_words(self) -> None:
        sequence = self._record.database.sequence()
        try:
            self.lexical.rewrite(self._record.passages.added_since(0, FOLLOW_BATCH), sequence)
        except Exception:  # Tantivy does not write beside files that it cannot read
            self.lexical.clear()
            self.lexical.rewrite(self._record.passages.added_since(0, FOLLOW_BATCH), sequence)

    def _renew_vectors(self) -> None:
        fresh = VectorIndex.beside(self.folder, self._record.generation())
        self._fill(fresh, 0)
        fresh.reach(self._record.database.sequence())
        self._take_over(fresh)

    def change_vectors(self, vectors: NewVectors) -> None:
        """Answer by the vectors of another model; the old ones answer until all is in its place.

        Killed in between, whoever opens the archive next puts the index in its place.  Only for
        who holds the writers' lock.
        """
        fresh = VectorIndex.beside(self.folder, self._record.generation() + 1)
        self._fill(fresh, 0, vectors.of)
        fresh.reach(self._record.database.sequence() + 1)
        with self._record.database.change("reembed", 0):
            vectors.take_over()
        self._take_over(fresh)
        self.follow()  # the words, to the change

    def _take_over(self, fresh: VectorIndex) -> None:
        with self._guard:
            old = self.__dict__.pop("vectors", None)
            if old is not None:
                old.close()
            self.__dict__["vectors"] = self._in_its_place(fresh)
        self._seen = -1

    def sweep(self) -> None:
        """Clear what a writer that was killed has left; for who holds the writers' lock.

        Of 160 kills one left a passage in the word index that its commit should have taken out.
        """
        self.vectors.sweep()
        live, held = self._record.passages.numbers(), self.lexical.held()
        if not np.array_equal(live, held):
            held, times = np.unique(held, return_counts=True)
            self.write_words_anew(np.union1d(np.setxor1d(held, live), held[times > 1]))

    def _fill(
        self,
        index: VectorIndex,
        reached: int,
        vectors_of: Callable[[Numbers], tuple[Numbers, Vectors]] | None = None,
    ) -> None:
        added = self._record.passages.numbers_added_since(reached)
        for i in range(0, len(added), FOLLOW_BATCH):
            some = added[i : i + FOLLOW_BATCH]
            numbers, vectors = (vectors_of or self._record.passages.vectors)(some)
            index.add(numbers.tolist(), vectors)

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
        wide = index.nearest(vector, int(2 * k / share) + 10)
        allowed = np.isin(np.array([number for number, _ in wide], np.int64), among)
        found = [pair for pair, passes in zip(wide, allowed, strict=True) if passes]
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
