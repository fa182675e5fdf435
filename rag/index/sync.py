"""Index synchronisation: open the indexes, notice changes, catch up with the store, and rebuild.

The holder of the write lock updates the indexes; damaged ones are rebuilt from the store.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import VectorServerError
from rag.index.background import BackgroundTask
from rag.index.chroma_files import ChromaFiles, list_folders, peek_reached, synced_sequence
from rag.index.compact_vectors import CompactVectors
from rag.index.shared_index import SharedIndex
from rag.index.shared_state import StateStore
from rag.index.text_sync import SYNC_BATCH, TextSync
from rag.index.vector_index import VectorIndex
from rag.store.articles import ArticleStore
from rag.store.database import Database
from rag.store.file_permissions import make_private
from rag.store.passages import Numbers, Vectors
from rag.store.staged_vectors import StagedVectors

if TYPE_CHECKING:
    from filelock import FileLock

TAIL_LIMIT = 5_000  # passages scored outside Chroma before it is reopened
SHARED_TAIL = 20_000  # newest of them, while a vector server is behind or gone: 30 MB, 5 ms
SHARED_WAIT = 5.0  # seconds for another process that fills the vector server
SHARED_PAUSE = 1.0  # seconds between two tries to bring it up to date


class IndexSync(TextSync):
    """The Chroma index and both Tantivy indexes of one archive, synced to the store by sequence."""

    def __init__(
        self,
        folder: Path,
        store: ArticleStore,
        lock: FileLock | None,
        shared: SharedIndex | None = None,
    ) -> None:
        """Open the indexes lazily.

        Args:
            folder: The archive's folder.
            store: Its store.
            lock: The write lock if this process holds it.
            shared: The vector index on a server; by default it is in the folder.
        """
        super().__init__(folder, store, lock)
        self.shared = shared
        self.compact = CompactVectors(folder)
        self._sharing = BackgroundTask(self._catch_up_shared, SHARED_PAUSE)
        # what searches need of the state that they have seen
        self._generation = 0
        self._tail: tuple[Numbers, Vectors] = (np.empty(0, np.int64), np.empty((0, 0), np.float32))
        self._older: Numbers = np.empty(0, np.int64)  # those before it that a server lacks, too
        self._ended = 0
        self._seen = -1  # the last change that a search has seen; -1: look again
        self._seen_shared: tuple[int, int] | None = None  # as `_refresh_shared` returned it then
        self._scans = False  # whether vectors are scanned instead of opening the vector index

    @property
    def store(self) -> ArticleStore:
        """The store that the indexes are made from: of a shared record, the folder's copy."""
        return self._store

    def close(self) -> None:
        """Close the indexes that are open."""
        self._sharing.close()
        super().close()
        if self.shared is not None:
            self.shared.close()

    @property
    def vectors(self) -> VectorIndex:
        """The vector index: the one on a server, or the one in the folder."""
        return self.shared or self.files

    def _reopen(self) -> None:
        """Reopen the vector index; a thread that still searches the old one retries."""
        self._seen = -1
        if self.shared is not None:
            return
        with self.guarded():
            old = self.__dict__.get("files")
            self.__dict__["files"] = self._open_vectors()
        if old is not None:
            old.close()

    def scan_vectors(self) -> None:
        """Let searches scan the compact vectors, and not open the vector index if they needn't.

        For a process that searches once or twice, or until `stop_scanning`: opening Chroma takes
        1.2 s, a scan of 110,764 passages .04 s (docs/benchmarks.md#starting). Without compact
        vectors it is opened anyway.
        """
        self._scans = self.shared is None and "files" not in self.__dict__

    def refresh(self) -> None:
        """Include the changes of other processes."""
        sequence = self._store.database.sequence()
        self._generation = self._store.generation()
        shared = self._refresh_shared(sequence)
        replaced = "files" in self.__dict__ and not (
            self.files.is_current() and self.files.generation == self._generation
        )
        if replaced:
            self._reopen()
        elif sequence == self._seen and shared == self._seen_shared:
            return
        self._seen_shared = shared
        if self._folder_reached() < sequence and not self._try_catch_up():
            for index in self.text_indexes:
                index.refresh()
        added = self._store.passages.numbers_added_since(self._reached())
        if self.shared is not None:
            added = np.sort(added)
            self._older, added = added[:-SHARED_TAIL], added[-SHARED_TAIL:]
        elif len(added) > TAIL_LIMIT:
            self._reopen()
            added = self._store.passages.numbers_added_since(self._reached())
        self._tail = self._store.passages.vectors(added)
        self._ended = len(self._store.passages.removed_since(self._reached()))
        # If a text index is behind, a writer is about to commit: look again at the next search.
        self._seen = sequence if self._text_reached() >= sequence else -1

    def _refresh_shared(self, sequence: int) -> tuple[int, int] | None:
        """Read how far the index on a server is; in the background it is brought up to `sequence`.

        Returns:
            The generation of its vectors, and its last change; None without a server.
        """
        if self.shared is None:
            return None
        if not self.shared.has_reached(sequence) and self.shared.health.may_ask():
            self._sharing.start()
        return self.shared.generation, self.shared.reached

    @property
    def lag(self) -> int:
        """Number of changes that the slowest index doesn't have yet; searches cover them."""
        reached = min(self._text_reached(), self._reached())
        return max(0, self._store.database.sequence() - reached)

    def _folder_reached(self) -> int:
        """Return the last change in all indexes of the folder."""
        text = self._text_reached()
        return text if self.shared is not None else min(text, self._reached())

    def _reached(self) -> int:
        """Return the last change in the vector index; 0 if its vectors are another model's."""
        if self._scans and "files" not in self.__dict__:
            return peek_reached(self.folder, self._generation)
        index = self.vectors
        return index.reached if index.generation == self._generation else 0

    def catch_up(self) -> None:
        """Bring all indexes up to date with the store; needs the write lock."""
        self._catch_up_folder()
        self._catch_up_shared(SHARED_WAIT)

    def _catch_up_folder(self) -> None:
        """Bring the indexes in the folder up to date; needs the write lock."""
        sequence = self._store.database.sequence()
        text_reached = self._refresh_text()
        self.rebuild(  # ahead of a store that was restored to an earlier state
            bm25=max(text_reached) > sequence,
            vectors=self.shared is None and self.vectors.reached > sequence,
        )
        behind = min(*text_reached, self._folder_reached()) < sequence
        self._catch_up_text(text_reached, sequence)
        if self.shared is None and self.files.reached < sequence:
            with self.guarded():
                vectors = self.files
                vectors.remove(self._store.passages.removed_since(vectors.reached))
                self._fill(vectors, vectors.reached)
                vectors.mark_synced(sequence)
        self.compact.catch_up(self._store)
        if behind:
            make_private(self.folder)

    def _catch_up_shared(self, wait: float = 0.0) -> bool:
        """Bring the index on the server up to date; until it can be, searches do without.

        Args:
            wait: Seconds to wait for another process that does it.

        Returns:
            False if the server can't be used now, or another process writes to it.
        """
        shared = self.shared
        if shared is None or not shared.catch_up(self._store.database.sequence(), wait):
            return False
        for path in list_folders(self.folder):  # of a time without a server
            shutil.rmtree(path, ignore_errors=True)
        return True

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

    def forget_vectors(self, numbers: Sequence[int], record: Database) -> None:
        """Have passages deleted from a vector server, now or once it answers.

        Call it before the store forgets them; needs the write lock. The server may be one that the
        archive used before.

        Args:
            numbers: Passage numbers.
            record: The archive's record.
        """
        (self.shared or StateStore(record)).purge(numbers)

    def has_forgotten_vectors(self) -> bool:
        """Return True if no vector server has erased passages any more; it is told to delete them.

        The next sync repeats it if the server can't be used.
        """
        if self.shared is None:
            return True
        self.share()
        return not self.shared.has_purge()

    def rebuild_without_erased(self) -> bool:
        """Rebuild the indexes in the folder, and delete erased passages from a vector server.

        Returns:
            False if the server can't be used now; the next sync repeats it.
        """
        self.rebuild(vectors=self.shared is None)
        if self.shared is None:
            return True
        self.compact.rebuild(self._store)
        for path in list_folders(self.folder):
            shutil.rmtree(path, ignore_errors=True)
        return self._catch_up_shared(SHARED_WAIT)

    def _rebuild_vectors(self) -> None:
        if self.shared is not None:
            self.shared.rebuild()
            return
        new = ChromaFiles.create_beside(self.folder, self._store.generation())
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
        generation = self._store.generation() + 1
        sequence = self._store.database.sequence() + 1
        new: ChromaFiles | None = None
        if self.shared is not None:
            with suppress(VectorServerError):  # it gets them once it answers
                self.shared.build_next(generation, sequence, vectors.of)
        else:
            new = ChromaFiles.create_beside(self.folder, generation)
            self._fill(new, 0, vectors.of)
            new.mark_synced(sequence)
        with self._store.database.change("reembed", 0):
            vectors.activate()
        if self.shared is not None:
            self.shared.activate_next()
        elif new is not None:
            self._activate(new)
        self.catch_up()  # takes the text indexes to the new change

    def _activate(self, new: ChromaFiles) -> None:
        with self.guarded():
            old = self.__dict__.pop("files", None)
            if old is not None:
                old.close()
            self.__dict__["files"] = self._activate_index(new)
        self._seen = -1

    def remove_leftovers(self) -> None:
        """Clean up after a killed writer; needs the write lock."""
        (self.shared or self.files).remove_leftovers()
        self._repair_text_leftovers()

    def _fill(
        self,
        index: ChromaFiles,
        reached: int,
        vectors_of: Callable[[Numbers], tuple[Numbers, Vectors]] | None = None,
    ) -> None:
        added = self._store.passages.numbers_added_since(reached)
        for i in range(0, len(added), SYNC_BATCH):
            some = added[i : i + SYNC_BATCH]
            numbers, vectors = (vectors_of or self._store.passages.vectors)(some)
            index.add(numbers.tolist(), vectors)

    def reindex_vectors(self, numbers: Numbers) -> None:
        """Index these passages again in the vector index: each current one, no ended one."""
        if self.shared is not None:
            self.shared.reindex(numbers)
        else:
            self._reindex_files(numbers)
        self.compact.rewrite(self._store, numbers)

    def _reindex_files(self, numbers: Numbers) -> None:
        live = np.intersect1d(numbers, self._store.passages.numbers())
        with self.guarded():
            self.files.remove(numbers.tolist())
            for i in range(0, len(live), SYNC_BATCH):
                found, vectors = self._store.passages.vectors(live[i : i + SYNC_BATCH])
                self.files.add(found.tolist(), vectors)

    def _try_catch_up(self) -> bool:
        """Catch up if no other process is writing; return True if done."""
        with self.hold_write_lock() as may:
            if may:
                self._reopen()
                self._catch_up_folder()
            return may

    def catch_up_in_turn(self) -> None:
        """Catch up under a write lock that several processes take in turn."""
        if self.shared is None:
            files = self.files
            if not files.is_current() or synced_sequence(self.folder) != files.reached:
                self._reopen()  # another process has written it since
        self._catch_up_folder()

    def share(self) -> None:
        """Bring the index on a vector server up to date, if there is one that can be used."""
        self._catch_up_shared(SHARED_WAIT)
