"""The lock of a shared vector index: at most one process writes to its server at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from rag.errors import ArchiveLockedError
from rag.store.lock import VECTOR_SERVER, exclusive_lock


class IndexLock(Protocol):
    """Says which process may write the shared index."""

    def hold(self, wait: float = 0.0) -> AbstractContextManager[bool]:
        """Hold the lock during the block if it gets free; yields whether it is held.

        Args:
            wait: Seconds to wait for another process, or another thread of this one.
        """
        ...


class FolderIndexLock:
    """Lock of an archive whose record is in its folder: a file there.

    It isn't the write lock, so that a reader may fill the server while others ingest.
    """

    def __init__(self, folder: Path) -> None:
        """Use a file in the archive's folder."""
        self._folder = folder

    @contextlib.contextmanager
    def hold(self, wait: float = 0.0) -> Iterator[bool]:
        """Hold the lock during the block; see `IndexLock`."""
        try:
            lock = exclusive_lock(self._folder, VECTOR_SERVER, wait)
        except (ArchiveLockedError, OSError):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()
