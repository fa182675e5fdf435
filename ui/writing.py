"""Write to the page's archive while it stays open for reading; scheduled reads give way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

from rag.settings import Settings

if TYPE_CHECKING:
    from rag.archive.archive import Archive

LOCK_SECONDS = 2.0  # a decision waits for the one before; an ingest takes longer
GIVE_WAY_SECONDS = 30.0  # a scheduled read that was told to stop still writes its last batch

_TURNS = Lock()
_SCHEDULED: dict[Path, Event] = {}  # what stops the scheduled read in progress, by archive
_WAITING: Counter[Path] = Counter()  # people who want to write, by archive


@contextmanager
def open_writer(archive: Archive, settings: Settings, wait: float = 0.0) -> Iterator[Archive]:
    """Open the page's archive for writing, with its embedding model, which is already loaded.

    A scheduled read of this process that is in progress is stopped first; it goes on later.

    Args:
        archive: The page's archive.
        settings: Its settings.
        wait: Seconds to wait for another writer.

    Raises:
        ArchiveLockedError: Another process is writing to the archive.
    """
    with _TURNS:
        _WAITING[archive.path] += 1
        if stop := _SCHEDULED.get(archive.path):
            stop.set()
            wait = max(wait, GIVE_WAY_SECONDS)
    try:
        with _opened(archive, settings, wait) as writer:
            yield writer
    finally:
        with _TURNS:
            _WAITING[archive.path] -= 1


@contextmanager
def open_scheduled_writer(
    archive: Archive, settings: Settings, stop: Event
) -> Iterator[Archive | None]:
    """Open the page's archive for a scheduled read, which `stop` ends when a person wants to write.

    Yields:
        The archive; None if somebody wants to write now.

    Raises:
        ArchiveLockedError: Another process is writing to the archive.
    """
    with _TURNS:
        is_free = not _WAITING[archive.path] and archive.path not in _SCHEDULED
        if is_free:
            _SCHEDULED[archive.path] = stop
    if not is_free:
        yield None
        return
    try:
        with _opened(archive, settings, 0.0) as writer:
            yield writer
    finally:
        with _TURNS:
            del _SCHEDULED[archive.path]


@contextmanager
def _opened(archive: Archive, settings: Settings, wait: float) -> Iterator[Archive]:
    from rag.archive.archive import Archive as Opened

    with Opened.open(
        archive.path, mode="write", embeddings=archive.embeddings, settings=settings, wait=wait
    ) as writer:
        yield writer
