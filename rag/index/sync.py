"""Index synchronisation: open the indexes, notice changes, catch up with the store, and rebuild.

The holder of the write lock updates the indexes; damaged ones are rebuilt from the store.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import ArchiveDamagedError, ArchiveLockedError
from rag.index.chroma_index import ChromaIndex, peek_reached, synced_sequence
from rag.index.compact_vectors import CompactVectors
from rag.index.tantivy_index import FOLDERS, TantivyIndex, Unit
from rag.store.articles import ArticleStore
from rag.store.connection import unopened_error
from rag.store.file_permissions import OWNER, make_private
from rag.store.lock import writer_lock
from rag.store.passages import Numbers, Vectors
from rag.store.staged_vectors import StagedVectors

if TYPE_CHECKING:
    from filelock import FileLock

TAIL_LIMIT = 5_000  # passages scored outside Chroma before it is reopened
SYNC_BATCH = 2_000
GUARD = "vectors.lock"


class IndexSync:
    """The Chroma index and both Tantivy indexes of one archive, synced to the store by sequence."""

    def __init__(self, folder: Path, store: ArticleStore, lock: FileLock | None) -> None:
        """Open the indexes lazily.

        Args:
            folder: The archive's folder.
            store: Its store.
            lock: The write lock if this process holds it.
        """
        self.folder = folder
        self._store = store
        self._lock = lock
        self.compact = CompactVectors(folder)
        self._guard_of_all: FileLock | None = None
        self._making_guard = threading.Lock()
        # what searches need of the state that they have seen
        self._generation = 0
        self._tail: tuple[Numbers, Vectors] = (np.empty(0, np.int64), np.empty((0, 0), np.float32))
        self._ended = 0
        self._seen = -1  # the last change that a search has seen; -1: look again
        self._scans = False  # whether vectors are scanned instead of opening the vector index
        self._holder = 0  # the thread that holds the write lock temporarily

    @property
    def store(self) -> ArticleStore:
        """The store that the indexes are made from: of a shared record, the folder's copy."""
        return self._store

    def close(self) -> None:
        """Close the indexes that are open."""
        for name in ("bm25", "article_bm25", "vectors"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()

    @cached_property
    def bm25(self) -> TantivyIndex:
        """The text index of passages, opened on first use and rebuilt if it is damaged.

        Raises:
            ArchiveDamagedError: It is damaged, and another process holds the write lock.
            ArchiveUnwritableError: It can't be opened for lack of write permission.
        """
        return self._open_text("passages")

    @cached_property
    def article_bm25(self) -> TantivyIndex:
        """The text index of articles; see `bm25`."""
        return self._open_text("articles")

    @property
    def text_indexes(self) -> tuple[TantivyIndex, TantivyIndex]:
        """Both text indexes."""
        return self.bm25, self.article_bm25

    def text_index(self, unit: Unit) -> TantivyIndex:
        """Return the text index of passages or of articles."""
        return self.bm25 if unit == "passages" else self.article_bm25

    def _open_text(self, unit: Unit) -> TantivyIndex:
        try:
            return TantivyIndex(self.folder, unit)
        except Exception as error:  # Tantivy raises many types for damaged files
            with self.hold_write_lock() as may:
                if not may:
                    self._refuse_unwritable(error)
                    raise ArchiveDamagedError(
                        f"the text index of {self.folder} cannot be read ({error}): "
                        "run `backfile ingest` again when the other process has finished"
                    ) from error
                return self._repair_text(unit)

    def _repair_text(self, unit: Unit) -> TantivyIndex:
        """Open a text index under the write lock; replace it if it still can't be read."""
        try:
            return TantivyIndex(self.folder, unit)  # another process may have repaired it meanwhile
        except Exception:
            shutil.rmtree(self.folder / FOLDERS[unit])
            return TantivyIndex(self.folder, unit)

    @cached_property
    def vectors(self) -> ChromaIndex:
        """The vector index, opened on first use and rebuilt if it is damaged.

        Raises:
            ArchiveDamagedError: It is damaged, and another process holds the write lock.
            ArchiveUnwritableError: It can't be opened for lack of write permission.
        """
        return self._open_vectors()

    def _open_vectors(self) -> ChromaIndex:
        with self.guarded():
            try:
                index = ChromaIndex(self.folder)
            except Exception as error:  # Chroma raises many types for damaged files
                with self.hold_write_lock() as may:
                    if not may:
                        self._refuse_unwritable(error)
                        raise ArchiveDamagedError(
                            f"the vector index of {self.folder} cannot be read ({error}): "
                            "it is rebuilt once the other process has finished"
                        ) from error
                    return self._repair_vectors()
            if index.generation != self._store.generation():
                with self.hold_write_lock() as may:
                    if may:  # a switch of models was killed before it replaced the index
                        index.close()
                        return self._repair_vectors()
            return index

    def _repair_vectors(self) -> ChromaIndex:
        """Open the vector index under the write lock; replace it if it is still wrong.

        The index and the generation are read again: another process may have written both before
        this one got the lock.
        """
        generation = self._store.generation()
        try:
            index = ChromaIndex(self.folder)
        except Exception:
            return self._activate_index(ChromaIndex.create_beside(self.folder, generation))
        if index.generation == generation:
            return index
        index.close()
        finished = ChromaIndex.open_finished(self.folder, generation)
        return self._activate_index(finished or ChromaIndex.create_beside(self.folder, generation))

    def _refuse_unwritable(self, error: Exception) -> None:
        """Raise ArchiveUnwritableError if an index can't be opened for lack of permission."""
        if not os.access(self.folder, os.W_OK):
            raise unopened_error(self.folder, error) from error

    @staticmethod
    def _activate_index(new: ChromaIndex) -> ChromaIndex:
        new.activate()
        return new

    def _reopen(self) -> None:
        """Reopen the vector index; a thread that still searches the old one retries."""
        self._seen = -1
        with self.guarded():
            old = self.__dict__.get("vectors")
            self.__dict__["vectors"] = self._open_vectors()
        if old is not None:
            old.close()

    def scan_vectors(self) -> None:
        """Let searches scan the compact vectors, and not open the vector index if they needn't.

        For a process that searches once or twice: opening Chroma takes 1.2 s, a scan of 110,764
        passages .04 s (docs/benchmarks.md#starting). Without compact vectors it is opened anyway.
        """
        self._scans = "vectors" not in self.__dict__

    def refresh(self) -> None:
        """Include the changes of other processes."""
        sequence = self._store.database.sequence()
        self._generation = self._store.generation()
        replaced = "vectors" in self.__dict__ and not (
            self.vectors.is_current() and self.vectors.generation == self._generation
        )
        if sequence == self._seen and not replaced:
            return
        if replaced:
            self._reopen()
        behind = min(self._text_reached(), self._reached()) < sequence
        if behind and not self._try_catch_up():
            for index in self.text_indexes:
                index.refresh()
        added = self._store.passages.numbers_added_since(self._reached())
        if len(added) > TAIL_LIMIT:
            self._reopen()
            added = self._store.passages.numbers_added_since(self._reached())
        self._tail = self._store.passages.vectors(added)
        self._ended = len(self._store.passages.removed_since(self._reached()))
        # If a text index is behind, a writer is about to commit: look again at the next search.
        self._seen = sequence if self._text_reached() >= sequence else -1

    @property
    def lag(self) -> int:
        """Number of changes that the slowest index doesn't have yet; searches cover them."""
        reached = min(self._text_reached(), self._reached())
        return max(0, self._store.database.sequence() - reached)

    def _text_reached(self) -> int:
        """Return the last change in both text indexes."""
        return min(index.reached for index in self.text_indexes)

    def _reached(self) -> int:
        """Return the last change in the vector index; 0 if its vectors are another model's."""
        if self._scans and "vectors" not in self.__dict__:
            return peek_reached(self.folder, self._generation)
        index = self.vectors
        return index.reached if index.generation == self._generation else 0

    def catch_up(self) -> None:
        """Bring all indexes up to date with the store; needs the write lock.

        A text index's last change is read again under the lock: an earlier look may be out of
        date, and passages would be added twice.
        """
        sequence = self._store.database.sequence()
        text_reached = [index.refresh() for index in self.text_indexes]
        self.rebuild(  # ahead of a store that was restored to an earlier state
            bm25=max(text_reached) > sequence, vectors=self.vectors.reached > sequence
        )
        behind = min(*text_reached, self.vectors.reached) < sequence
        for index, reached in zip(self.text_indexes, text_reached, strict=True):
            if reached < sequence:
                index.write(
                    self._store.passages.added_since(reached, SYNC_BATCH),
                    self._store.passages.removed_since(reached),
                    sequence,
                )
        if self.vectors.reached < sequence:
            with self.guarded():
                vectors = self.vectors
                vectors.remove(self._store.passages.removed_since(vectors.reached))
                self._fill(vectors, vectors.reached)
                vectors.mark_synced(sequence)
        self.compact.catch_up(self._store)
        if behind:
            make_private(self.folder)

    def rebuild(self, *, bm25: bool = True, vectors: bool = True) -> None:
        """Rebuild indexes from the store; needs the write lock.

        The old ones serve searches until the new ones are complete, then they are
        deleted.

        Args:
            bm25: Rebuild the text indexes.
            vectors: Rebuild the vector index.
        """
        if bm25:
            self._rebuild_text()
        if vectors:
            self._rebuild_vectors()
            self.compact.rebuild(self._store)
        if bm25 or vectors:
            make_private(self.folder)

    def rebuild_compact(self) -> None:
        """Write the compact vectors again; needs the write lock."""
        self.compact.rebuild(self._store)

    def _rebuild_text(self) -> None:
        sequence = self._store.database.sequence()
        for index in self.text_indexes:
            try:
                index.rewrite(self._store.passages.added_since(0, SYNC_BATCH), sequence)
            except Exception:  # Tantivy does not write beside files that it cannot read
                index.clear()
                index.rewrite(self._store.passages.added_since(0, SYNC_BATCH), sequence)

    def _rebuild_vectors(self) -> None:
        new = ChromaIndex.create_beside(self.folder, self._store.generation())
        self._fill(new, 0)
        new.mark_synced(self._store.database.sequence())
        self._activate(new)

    def change_vectors(self, vectors: StagedVectors) -> None:
        """Switch to the vectors of another model; needs the write lock.

        The old index serves searches until the switch is complete. If the process is killed in
        between, the next one to open the archive completes it.

        Args:
            vectors: The vectors of the new model, complete.
        """
        new = ChromaIndex.create_beside(self.folder, self._store.generation() + 1)
        self._fill(new, 0, vectors.of)
        new.mark_synced(self._store.database.sequence() + 1)
        with self._store.database.change("reembed", 0):
            vectors.activate()
        self._activate(new)
        self.catch_up()  # takes the text indexes to the new change

    def _activate(self, new: ChromaIndex) -> None:
        with self.guarded():
            old = self.__dict__.pop("vectors", None)
            if old is not None:
                old.close()
            self.__dict__["vectors"] = self._activate_index(new)
        self._seen = -1

    def remove_leftovers(self) -> None:
        """Clean up after a killed writer; needs the write lock.

        One of 160 kills left a passage in the text index that its commit should have removed.
        """
        self.vectors.remove_leftovers()
        for index in self.text_indexes:
            live, held = self._expected(index), index.all_numbers()
            if not np.array_equal(live, held):
                held, times = np.unique(held, return_counts=True)
                self.reindex_text(np.union1d(np.setxor1d(held, live), held[times > 1]))

    def _expected(self, index: TantivyIndex) -> Numbers:
        """Return the numbers that a text index of all current passages has."""
        passages, sequence = self._store.passages, self._store.database.sequence()
        at = passages.numbers_at if index.unit == "passages" else passages.first_numbers_at
        return at(sequence)

    def _fill(
        self,
        index: ChromaIndex,
        reached: int,
        vectors_of: Callable[[Numbers], tuple[Numbers, Vectors]] | None = None,
    ) -> None:
        added = self._store.passages.numbers_added_since(reached)
        for i in range(0, len(added), SYNC_BATCH):
            some = added[i : i + SYNC_BATCH]
            numbers, vectors = (vectors_of or self._store.passages.vectors)(some)
            index.add(numbers.tolist(), vectors)

    def reindex_text(self, numbers: Numbers) -> None:
        """Index these passages and their articles again: each current one once, no ended one."""
        passages = self._store.passages
        for index in self.text_indexes:
            if index.unit == "articles":
                numbers = np.union1d(numbers, passages.of_same_articles(numbers))
            live = passages.live(numbers.tolist())
            index.write([[live[n] for n in sorted(live)]], numbers.tolist(), index.refresh())

    def reindex_vectors(self, numbers: Numbers) -> None:
        """Index these passages again in the vector index: each current one, no ended one."""
        live = np.intersect1d(numbers, self._store.passages.numbers())
        with self.guarded():
            self.vectors.remove(numbers.tolist())
            for i in range(0, len(live), SYNC_BATCH):
                found, vectors = self._store.passages.vectors(live[i : i + SYNC_BATCH])
                self.vectors.add(found.tolist(), vectors)
        self.compact.rewrite(self._store, numbers)

    @property
    def _guard(self) -> FileLock:
        """Lock held while Chroma's files are opened or written; reentrant, one for all threads."""
        with self._making_guard:
            if self._guard_of_all is None:
                from filelock import FileLock  # 0.08 s, as it imports asyncio

                self._guard_of_all = FileLock(self.folder / GUARD, mode=OWNER)
            return self._guard_of_all

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Keep every other process from writing Chroma's files during the block."""
        self._store.database.check_unchanged()  # taking the lock would create the folder again
        try:
            self._guard.acquire()
        except OSError as error:
            raise unopened_error(self.folder, error) from error
        try:
            yield
        finally:
            self._guard.release()

    def _try_catch_up(self) -> bool:
        """Catch up if no other process is writing; return True if done."""
        with self.hold_write_lock() as may:
            if may:
                self._reopen()
                self.catch_up()
            return may

    def catch_up_in_turn(self) -> None:
        """Catch up under a write lock that several processes take in turn."""
        vectors = self.vectors
        if not vectors.is_current() or synced_sequence(self.folder) != vectors.reached:
            self._reopen()  # another process has written it since
        self.catch_up()

    @contextlib.contextmanager
    def hold_write_lock(self, wait: float = 0.0) -> Iterator[bool]:
        """Hold the write lock during the block if it is free; yield True if it is held.

        A thread that holds it already keeps it.

        Args:
            wait: Seconds to wait for another process.
        """
        if self._lock is not None or self._holder == threading.get_ident():
            yield True
            return
        try:
            lock = writer_lock(self.folder, wait)
        except (ArchiveLockedError, OSError):
            yield False
            return
        self._holder = threading.get_ident()
        try:
            yield True
        finally:
            self._holder = 0
            for name in ("bm25", "article_bm25"):
                if name in self.__dict__:
                    self.__dict__[name].close()  # Tantivy's writer has its own lock
            make_private(self.folder)
            lock.release()
