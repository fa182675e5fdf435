"""The indexes in an archive's folder: opened when they are needed, rebuilt if they are damaged."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ArchiveDamagedError, ArchiveLockedError
from rag.index.chroma_files import ChromaFiles
from rag.index.tantivy_index import FOLDERS, TantivyIndex, Unit
from rag.store.articles import ArticleStore
from rag.store.connection import unopened_error
from rag.store.file_permissions import OWNER, make_private
from rag.store.lock import writer_lock

if TYPE_CHECKING:
    from filelock import FileLock

GUARD = "vectors.lock"


class OpenedIndexes:
    """The Chroma index and both Tantivy indexes in an archive's folder, and their locks."""

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
        self._guard_of_all: FileLock | None = None
        self._making_guard = threading.Lock()
        self._holder = 0  # the thread that holds the write lock temporarily

    def close(self) -> None:
        """Close the indexes that are open."""
        for name in ("bm25", "article_bm25", "files"):
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
    def files(self) -> ChromaFiles:
        """The vector index in the folder, opened on first use and rebuilt if it is damaged.

        Raises:
            ArchiveDamagedError: It is damaged, and another process holds the write lock.
            ArchiveUnwritableError: It can't be opened for lack of write permission.
        """
        return self._open_vectors()

    def _open_vectors(self) -> ChromaFiles:
        with self.guarded():
            try:
                index = ChromaFiles(self.folder)
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

    def _repair_vectors(self) -> ChromaFiles:
        """Open the vector index under the write lock; replace it if it is still wrong.

        The index and the generation are read again: another process may have written both before
        this one got the lock.
        """
        generation = self._store.generation()
        try:
            index = ChromaFiles(self.folder)
        except Exception:
            return self._activate_index(ChromaFiles.create_beside(self.folder, generation))
        if index.generation == generation:
            return index
        index.close()
        finished = ChromaFiles.open_finished(self.folder, generation)
        return self._activate_index(finished or ChromaFiles.create_beside(self.folder, generation))

    def _refuse_unwritable(self, error: Exception) -> None:
        """Raise ArchiveUnwritableError if an index can't be opened for lack of permission."""
        if not os.access(self.folder, os.W_OK):
            raise unopened_error(self.folder, error) from error

    @staticmethod
    def _activate_index(new: ChromaFiles) -> ChromaFiles:
        new.activate()
        return new

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
