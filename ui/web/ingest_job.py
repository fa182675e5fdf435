"""Add and withdraw articles from the page, while it keeps answering questions."""

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

FOLDER = "given"  # in the archive's folder; holds uploads while they are ingested
MOST_SOURCES = 1000
MOST_REJECTS = 200  # shown on the page; `backfile rejects` lists all
POLL_SECONDS = 0.5  # interval of progress updates


@dataclass(frozen=True, slots=True)
class IngestResult:
    """Progress and result of an ingest.

    Attributes:
        share: Share of the input that has been read, from 0 to 1.
        report: Counts so far.
        rejects: Places and reasons of the latest rejected articles.
        failed: Message of the error that ended the ingest; "" if there was none.
        is_done: Whether the ingest has ended.
    """

    share: float = 0.0
    report: IngestReport | None = None
    rejects: tuple[tuple[str, str], ...] = ()
    failed: str = ""
    is_done: bool = False


def split_addresses(text: str) -> tuple[list[str], list[str]]:
    """Return the web addresses in pasted text, and the other words.

    The caller must not treat the other words as file paths.
    """
    from ingest.pipeline import is_address

    words = list(dict.fromkeys(text.split()))
    return (
        [word for word in words if is_address(word)],
        [word for word in words if not is_address(word)],
    )


def ingest_upload(
    archive: Archive, settings: Settings, files: Sequence[Path], addresses: Sequence[str]
) -> Iterator[IngestResult]:
    """Ingest files and web addresses in a thread, and yield the progress.

    Closing the iterator stops the ingest after the current batch.

    Args:
        archive: The page's archive, which stays readable.
        settings: Limits of fetching.
        files: Uploaded files; they are moved and then deleted.
        addresses: URLs to fetch.

    Yields:
        The progress, at least every `POLL_SECONDS`. The last value is done; `failed` is set if,
        for example, another process is writing to the archive.
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
            yield progress  # even if unchanged: Gradio cancels a closed page's event here
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
    except Exception as error:  # any error is shown on the page
        failed = f"{type(error).__name__}: {error}"[:300]
    updates.put(lambda result: replace(result, failed=failed, is_done=True))


@contextmanager
def _writer(archive: Archive, settings: Settings) -> Iterator[Archive]:
    """Open the page's archive for writing, with its embedding model, which is already loaded."""
    from rag.archive.archive import Archive as Opened

    with Opened.open(
        archive.path, mode="write", embeddings=archive.embeddings, settings=settings
    ) as writer:
        yield writer


@contextmanager
def _staged_files(folder: Path, files: Sequence[Path]) -> Iterator[list[Path]]:
    """Move uploads to a folder named after their content, and delete them at the end.

    The path has to be the same each time, because it is the id of an article without a URL.
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
    """Return the place of a rejected article without the staging folder."""
    _, given, rest = place.rpartition(f"/{FOLDER}/")
    return rest.partition("/")[2] if given else place


def find_ids(archive: Archive, name: str) -> list[str]:
    """Return the ids of the current articles with this id or URL."""
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
    """Withdraw articles from the archive.

    Args:
        archive: The page's archive.
        settings: Its settings.
        ids: Ids of the articles.
        reason: Reason to record.

    Returns:
        The number of articles withdrawn.

    Raises:
        ArchiveLockedError: Another process is writing to the archive.
    """
    with _writer(archive, settings) as writer:
        return writer.withdraw(ids, reason=reason)
