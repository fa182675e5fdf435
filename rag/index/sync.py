"""The two indexes, opened and brought up to the record, by its sequence numbers.

Whoever holds the writers' lock brings them up; a damaged one is made anew from the record.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from filelock import FileLock

from rag.errors import ArchiveDamagedError, ArchiveLockedError
from rag.index.chroma_index import ChromaIndex
from rag.index.tantivy_index import FOLDER as LEXICAL_FOLDER
from rag.index.tantivy_index import TantivyIndex
from rag.store.articles import ArticleStore
from rag.store.connection import unopened_error
from rag.store.file_permissions import OWNER, make_private
from rag.store.lock import writer_lock
from rag.store.passages import Numbers, Vectors
from rag.store.staged_vectors import StagedVectors

FOLLOW_BATCH = 2_000
GUARD = "vectors.lock"


class IndexSync:
    """Chroma and Tantivy in one archive's folder; both follow the record by sequence number."""

    def __init__(self, folder: Path, record: ArticleStore, lock: FileLock | None) -> None:
        self.folder = folder
        self._record = record
        self._lock = lock
        # under it Chroma's files are written, and opened; entered again, it is still held
        self._guard = FileLock(folder / GUARD, mode=OWNER)
        self._seen = -1  # the sequence up to which a search has looked; -1: it must look again
        self._holder = 0  # the thread that holds the writers' lock for a moment

    def close(self) -> None:
        for name in ("text", "vectors"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()

    @cached_property
    def text(self) -> TantivyIndex:
        try:
            return TantivyIndex(self.folder)
        except Exception as error:  # whatever Tantivy makes of damaged files
            with self._writing() as may:
                if not may:
                    self._refuse_unwritable(error)
                    raise ArchiveDamagedError(
                        f"the word index of {self.folder} cannot be read ({error}): "
                        "run `backfile ingest` again when the other process has finished"
                    ) from error
                return self._repaired_words()

    def _repaired_words(self) -> TantivyIndex:
        """Open the word index under the writers' lock; replace it if it still can't be read."""
        try:
            return TantivyIndex(self.folder)  # another process may have repaired it meanwhile
        except Exception:
            shutil.rmtree(self.folder / LEXICAL_FOLDER)
            return TantivyIndex(self.folder)

    @cached_property
    def vectors(self) -> ChromaIndex:
        return self._opened()

    def _opened(self) -> ChromaIndex:
        with self.guarded():
            try:
                index = ChromaIndex(self.folder)
            except Exception as error:  # whatever Chroma makes of damaged files
                with self._writing() as may:
                    if not may:
                        self._refuse_unwritable(error)
                        raise ArchiveDamagedError(
                            f"the vector index of {self.folder} cannot be read ({error}): "
                            "it is made again when the other process has finished"
                        ) from error
                    return self._repaired_vectors()
            if index.generation != self._record.generation():
                with self._writing() as may:
                    if may:  # who changed the record's model was killed before the index's turn
                        index.close()
                        return self._repaired_vectors()
            return index

    def _repaired_vectors(self) -> ChromaIndex:
        """Open the vector index under the writers' lock; replace it if it is still wrong.

        The index and the generation are read again: another process may have written both
        between the first look and the lock.
        """
        generation = self._record.generation()
        try:
            index = ChromaIndex(self.folder)
        except Exception:
            return self._in_its_place(ChromaIndex.create_beside(self.folder, generation))
        if index.generation == generation:
            return index
        index.close()
        whole = ChromaIndex.open_finished(self.folder, generation)
        return self._in_its_place(whole or ChromaIndex.create_beside(self.folder, generation))

    def _refuse_unwritable(self, error: Exception) -> None:
        """Raise ArchiveUnwritableError where an index can't be opened for want of a right."""
        if not os.access(self.folder, os.W_OK):
            raise unopened_error(self.folder, error) from error

    @staticmethod
    def _in_its_place(fresh: ChromaIndex) -> ChromaIndex:
        fresh.activate()
        return fresh

    def _reopen(self) -> None:
        """Open the vectors anew; a thread that still searches the old ones asks again."""
        self._seen = -1
        with self.guarded():
            old = self.__dict__.get("vectors")
            self.__dict__["vectors"] = self._opened()
        if old is not None:
            old.close()

    def catch_up(self) -> None:
        """Bring both indexes up to the record; only for who holds the writers' lock.

        How far the word index has come is read from its files here, under the lock: what was
        read before may be out of date, and passages would be added twice.
        """
        sequence = self._record.database.sequence()
        words = self.text.refresh()
        self.rebuild(  # what is ahead of a record that was put back to an earlier state
            words=words > sequence, vectors=self.vectors.reached > sequence
        )
        behind = min(words, self.vectors.reached) < sequence
        if words < sequence:
            self.text.write(
                self._record.passages.added_since(words, FOLLOW_BATCH),
                self._record.passages.removed_since(words),
                sequence,
            )
        if self.vectors.reached < sequence:
            with self.guarded():
                index = self.vectors
                index.remove(self._record.passages.removed_since(index.reached))
                self._fill(index, index.reached)
                index.mark_synced(sequence)
        if behind:
            make_private(self.folder)

    def rebuild(self, *, words: bool = True, vectors: bool = True) -> None:
        """Make the indexes anew from the record; the old ones answer until they are whole.

        Nothing of the old ones is left on the disk.  Only for who holds the writers' lock.
        """
        if words:
            self._rebuild_text()
        if vectors:
            self._rebuild_vectors()
        if words or vectors:
            make_private(self.folder)

    def _rebuild_text(self) -> None:
        sequence = self._record.database.sequence()
        try:
            self.text.rewrite(self._record.passages.added_since(0, FOLLOW_BATCH), sequence)
        except Exception:  # Tantivy does not write beside files that it cannot read
            self.text.clear()
            self.text.rewrite(self._record.passages.added_since(0, FOLLOW_BATCH), sequence)

    def _rebuild_vectors(self) -> None:
        fresh = ChromaIndex.create_beside(self.folder, self._record.generation())
        self._fill(fresh, 0)
        fresh.mark_synced(self._record.database.sequence())
        self._activate(fresh)

    def change_vectors(self, vectors: StagedVectors) -> None:
        """Answer by the vectors of another model; the old ones answer until all is in its place.

        Killed in between, whoever opens the archive next puts the index in its place.  Only for
        who holds the writers' lock.
        """
        fresh = ChromaIndex.create_beside(self.folder, self._record.generation() + 1)
        self._fill(fresh, 0, vectors.of)
        fresh.mark_synced(self._record.database.sequence() + 1)
        with self._record.database.change("reembed", 0):
            vectors.activate()
        self._activate(fresh)
        self.catch_up()  # the words, to the change

    def _activate(self, fresh: ChromaIndex) -> None:
        with self.guarded():
            old = self.__dict__.pop("vectors", None)
            if old is not None:
                old.close()
            self.__dict__["vectors"] = self._in_its_place(fresh)
        self._seen = -1

    def remove_leftovers(self) -> None:
        """Clear what a writer that was killed has left; for who holds the writers' lock.

        Of 160 kills one left a passage in the word index that its commit should have taken out.
        """
        self.vectors.remove_leftovers()
        live, held = self._record.passages.numbers(), self.text.held()
        if not np.array_equal(live, held):
            held, times = np.unique(held, return_counts=True)
            self.reindex_text(np.union1d(np.setxor1d(held, live), held[times > 1]))

    def _fill(
        self,
        index: ChromaIndex,
        reached: int,
        vectors_of: Callable[[Numbers], tuple[Numbers, Vectors]] | None = None,
    ) -> None:
        added = self._record.passages.numbers_added_since(reached)
        for i in range(0, len(added), FOLLOW_BATCH):
            some = added[i : i + FOLLOW_BATCH]
            numbers, vectors = (vectors_of or self._record.passages.vectors)(some)
            index.add(numbers.tolist(), vectors)

    def reindex_text(self, numbers: Numbers) -> None:
        """Let the word index hold of these passages those that are live, each once."""
        live = list(self._record.passages.live(numbers.tolist()).values())
        self.text.write([live], numbers.tolist(), self.text.refresh())

    def reindex_vectors(self, numbers: Numbers) -> None:
        """Let the vector index hold of these passages those that are live, with their vectors."""
        live = np.intersect1d(numbers, self._record.passages.numbers())
        with self.guarded():
            self.vectors.remove(numbers.tolist())
            for i in range(0, len(live), FOLLOW_BATCH):
                found, vectors = self._record.passages.vectors(live[i : i + FOLLOW_BATCH])
                self.vectors.add(found.tolist(), vectors)

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Keep every process from writing Chroma's files meanwhile."""
        self._record.database.refuse_if_gone()  # else the lock would make the folder again
        try:
            self._guard.acquire()
        except OSError as error:
            raise unopened_error(self.folder, error) from error
        try:
            yield
        finally:
            self._guard.release()

    def _caught_up(self) -> bool:
        """Bring the indexes up to the record, if no other process is about to; say if done."""
        with self._writing() as may:
            if may:
                self._reopen()
                self.catch_up()
            return may

    @contextlib.contextmanager
    def _writing(self) -> Iterator[bool]:
        """Hold the writers' lock if it can be had at once; say whether it is held.

        A thread that holds it already keeps it.
        """
        if self._lock is not None or self._holder == threading.get_ident():
            yield True
            return
        try:
            lock = writer_lock(self.folder)
        except (ArchiveLockedError, OSError):
            yield False
            return
        self._holder = threading.get_ident()
        try:
            yield True
        finally:
            self._holder = 0
            if "text" in self.__dict__:
                self.text.close()  # Tantivy's writer has a lock of its own
            make_private(self.folder)
            lock.release()
