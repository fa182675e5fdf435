"""Articles put in, and taken out, while the page answers: by ingest's own pipeline."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from rag.errors import BackfileError
from rag.schema import ALL_RIGHTS
from rag.settings import Settings
from ui.article_lookup import find_article_ids

if TYPE_CHECKING:
    from ingest.report import IngestReport, Progress
    from rag.archive.archive import Archive

FOLDER = "given"  # in the archive's folder: where files lie while they are read
MOST_SOURCES = 1000
MOST_REJECTS = 200  # shown; all of them are kept in the archive
POLL_SECONDS = 0.5  # seconds between two looks at how far it is


@dataclass(frozen=True, slots=True)
class IngestResult:
    """How far it is: the share that was read, what became of it, what was refused and why."""

    share: float = 0.0
    report: IngestReport | None = None
    rejects: tuple[tuple[str, str], ...] = ()
    failed: str = ""
    is_done: bool = False


def split_addresses(text: str) -> tuple[list[str], list[str]]:
    """Return the web addresses that were pasted, and what is none: no path is ever read."""
    from ingest.pipeline import is_address

    words = list(dict.fromkeys(text.split()))
    return (
        [word for word in words if is_address(word)],
        [word for word in words if not is_address(word)],
    )


def ingest_upload(
    archive: Archive, settings: Settings, files: Sequence[Path], addresses: Sequence[str]
) -> Iterator[IngestResult]:
    """Put in what is in the files and at the addresses, and yield how far it is.

    The page goes on answering, from its own view of the archive. Whoever stops listening stops
    it, when what is begun is in; where somebody else writes, it fails with one line.
    """
    stop, updates = Event(), SimpleQueue[Callable[[IngestResult], IngestResult]]()
    work = Thread(
        target=_run_in_thread,
        args=(archive, settings, files, addresses, stop, updates),
        daemon=True,
    )
    work.start()
    progress = IngestResult()
    try:
        while not progress.is_done:
            with suppress(Empty):
                progress = updates.get(timeout=POLL_SECONDS)(progress)
                while not updates.empty():
                    progress = updates.get()(progress)
            yield progress  # also where nothing is new: here it is noticed that nobody listens
    finally:
        stop.set()


def _run_in_thread(
    archive: Archive,
    settings: Settings,
    files: Sequence[Path],
    addresses: Sequence[str],
    stop: Event,
    updates: SimpleQueue[Callable[[IngestResult], IngestResult]],
) -> None:
    from ingest.fetch.client import Client, Limits
    from ingest.readers import ReaderOptions
    from ingest.runner import run_ingest

    def on_progress(progress: Progress) -> None:
        share = min(progress.done / progress.total, 1.0) if progress.total else 0.0
        updates.put(lambda result: replace(result, share=share, report=progress.report))

    def on_reject(reject: dict[str, str]) -> None:
        one = (_original_place(reject["place"]), reject["reason"])
        updates.put(lambda i: replace(i, rejects=(*i.rejects, one)[-MOST_REJECTS:]))

    limits = Limits(settings.fetch_bytes, settings.fetch_seconds, settings.fetch_delay)
    allowed = tuple(filter(None, (host.strip() for host in settings.fetch_allow.split(","))))
    failed = ""
    try:
        with (
            Client(limits, agent=settings.fetch_agent, allowed=allowed, stop=stop) as client,
            _staged_files(archive.path, files) as sources,
            _writer(archive, settings) as writer,
        ):
            callbacks: dict[str, Any] = {"on_progress": on_progress, "on_reject": on_reject}
            run_ingest(
                writer,
                [*sources, *addresses],
                client=client,
                reading=ReaderOptions(),
                stop=stop,
                **callbacks,
            )
    except BackfileError as error:
        failed = str(error)
    except Exception as error:  # whatever it is, who waits for it is told
        failed = f"{type(error).__name__}: {error}"[:300]
    updates.put(lambda result: replace(result, failed=failed, is_done=True))


@contextmanager
def _writer(archive: Archive, settings: Settings) -> Iterator[Archive]:
    """Open the page's own archive to write to it, with the embedding model that it has open."""
    from rag.archive.archive import Archive as Opened

    with Opened.open(
        archive.path, mode="write", embeddings=archive.embeddings, settings=settings
    ) as writer:
        yield writer


@contextmanager
def _staged_files(folder: Path, files: Sequence[Path]) -> Iterator[list[Path]]:
    """Lay each file where it always lies, for that is the id of an article without an address.

    They are deleted in the end: what was put in stands in the archive.
    """
    staged = []
    try:
        for file in files:
            with file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()[:16]
            there = folder / FOLDER / digest / file.name
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(file, there)
            staged.append(there)
        yield staged
    finally:
        for path in staged:
            shutil.rmtree(path.parent, ignore_errors=True)


def _original_place(place: str) -> str:
    """Return a reject's place without the folder that files lie in meanwhile."""
    _, given, rest = place.rpartition(f"/{FOLDER}/")
    return rest.partition("/")[2] if given else place


def find_ids(archive: Archive, name: str) -> list[str]:
    """Return the ids of the articles that stand under this id or address."""
    return (
        [
            i
            for i in find_article_ids(archive, name.strip())
            if archive.article(i, access=ALL_RIGHTS)
        ]
        if name
        else []
    )


def withdraw_articles(archive: Archive, settings: Settings, ids: Sequence[str], reason: str) -> int:
    """Take articles down, and return how many; raises ArchiveLockedError where somebody writes."""
    with _writer(archive, settings) as writer:
        return writer.withdraw(ids, reason=reason)
