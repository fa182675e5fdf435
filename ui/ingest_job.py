"""Add and withdraw articles while the archive keeps answering questions."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Literal

from ingest.runner import COMMAND
from rag.errors import BackfileError
from rag.schema import ALL_RIGHTS, ArticleMetadata
from rag.settings import Settings
from ui.accounts.audit import MOST_NAMED
from ui.article_lookup import find_article_ids
from ui.writing import LOCK_SECONDS, open_writer

if TYPE_CHECKING:
    from ingest.fetch.client import Client
    from ingest.report import IngestReport, Progress
    from rag.archive.archive import Archive

FOLDER = "given"  # in the archive's folder; holds uploads while they are ingested
MOST_SOURCES = 1000
MOST_PREVIEWED = 50  # articles listed in a preview
MOST_REJECTS = 200  # shown; `backfile rejects` lists all
POLL_SECONDS = 0.5  # interval of progress updates

Updates = SimpleQueue[Callable[["IngestResult"], "IngestResult"]]
Work = Callable[[Event, Updates], None]
OnAdded = Callable[[Sequence[str], int], None]
Settled = Literal["done", "gone", "kept out"]

_STAGING = Lock()
_STAGED: Counter[Path] = Counter()  # staged files, and how many runs read each


@dataclass(frozen=True, slots=True)
class SourceResult:
    """Counts of one file, or of all addresses together if `name` is ""."""

    name: str
    report: IngestReport


@dataclass(frozen=True, slots=True)
class PreviewedArticle:
    """Article that an ingest would add or change."""

    is_new: bool
    metadata: ArticleMetadata


@dataclass(frozen=True, slots=True)
class IngestResult:
    """Progress and result of an ingest, or of its preview.

    Attributes:
        share: Share of the input that has been read, from 0 to 1.
        report: Counts so far.
        sources: Counts of each source read so far, in order.
        previewed: In a preview, the first of the articles that would be added or changed.
        rejects: Places and reasons of the latest rejected articles.
        failed: Message of the error that ended the ingest; "" if there was none.
        is_done: Whether the ingest has ended.
    """

    share: float = 0.0
    report: IngestReport | None = None
    sources: tuple[SourceResult, ...] = ()
    previewed: tuple[PreviewedArticle, ...] = ()
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
    archive: Archive,
    settings: Settings,
    files: Sequence[Path],
    addresses: Sequence[str],
    *,
    preview: bool = False,
    wait: float = 0.0,
    stop: Event | None = None,
    by: str = COMMAND,
    on_added: OnAdded | None = None,
) -> Generator[IngestResult, None, None]:
    """Ingest files and web addresses in a thread, and yield the progress.

    Closing the iterator stops the ingest after the current batch.

    Args:
        archive: The server's archive, which stays readable.
        settings: Limits of fetching.
        files: Uploaded files; deleted at the end, but kept after a preview, a failure or a stop.
        addresses: URLs to fetch.
        preview: Whether to write nothing, and only find out what would be added.
        wait: Seconds to wait for another writer.
        stop: When set, nothing more is read; what has been read is added.
        by: Address of the client, or id of the reader, for the log.
        on_added: Called at the end, from the thread, with the first ids of articles that are new or
            changed, and their number; also after a stop or a failure, never after a preview.

    Returns:
        Iterator of the progress, at least every `POLL_SECONDS`. The last value is done; `failed` is
        set if, for example, another process is writing to the archive.
    """
    return follow(
        lambda stop, updates: _ingest(
            archive,
            settings,
            files,
            addresses,
            stop,
            updates,
            preview=preview,
            wait=wait,
            by=by,
            on_added=on_added,
        ),
        stop,
    )


def follow(work: Work, stop: Event | None = None) -> Generator[IngestResult, None, None]:
    """Run a part of an ingest in a thread, and yield its progress; closing the iterator stops it.

    Args:
        work: Takes the event that stops it, and the queue of its progress. Any error that it raises
            becomes the result's `failed`.
        stop: The event; a new one by default.
    """
    stop, updates = stop or Event(), Updates()
    Thread(target=_run_in_thread, args=(work, stop, updates), daemon=True).start()
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


def _run_in_thread(work: Work, stop: Event, updates: Updates) -> None:
    failed = ""
    try:
        work(stop, updates)
    except BackfileError as error:
        failed = str(error)
    except Exception as error:  # any error is shown
        failed = f"{type(error).__name__}: {error}"[:300]
    updates.put(lambda result: replace(result, failed=failed, is_done=True))


def _ingest(
    archive: Archive,
    settings: Settings,
    files: Sequence[Path],
    addresses: Sequence[str],
    stop: Event,
    updates: Updates,
    *,
    preview: bool,
    wait: float,
    by: str,
    on_added: OnAdded | None,
) -> None:
    from ingest.feed_reading import open_client

    with (
        open_client(settings, stop) as client,
        _staged_files(archive.path, files) as staged,
        nullcontext(archive) if preview else open_writer(archive, settings, wait) as target,
        _told_of_added(target, None if preview else on_added),
    ):
        groups: list[tuple[str, Sequence[Path | str]]] = []
        groups += [(file.name, [file]) for file in staged]
        groups += [("", addresses)] if addresses else []
        for place, (name, sources) in enumerate(groups):
            if stop.is_set():
                break
            job = SourceJob(name, sources, place, len(groups), updates)
            job.run(target, client, stop, preview=preview, by=by)
    if not preview and not stop.is_set():
        for file in files:
            file.unlink(missing_ok=True)


@contextmanager
def _told_of_added(target: Archive, on_added: OnAdded | None) -> Iterator[None]:
    """Call `on_added` at the end, if articles were added."""
    from rag.store.arrivals import read_arrived_ids

    before = target.version
    try:
        yield
    finally:
        after = target.version
        if on_added is not None and after != before:
            ids, count = read_arrived_ids(
                target.store.database, after=before, up_to=after, most=MOST_NAMED
            )
            if count:
                on_added(ids, count)


@dataclass(frozen=True, slots=True)
class SourceJob:
    """Ingest of one file, or of the addresses, whose progress is a part of the whole."""

    name: str
    sources: Sequence[Path | str]
    place: int
    total: int
    updates: Updates

    def run(self, target: Archive, client: Client, stop: Event, *, preview: bool, by: str) -> None:
        """Ingest the sources into an archive, or find out what would be added."""
        from ingest.readers import ReaderOptions
        from ingest.runner import dry_run, run_ingest

        options: dict[str, Any] = {
            "client": client,
            "reading": ReaderOptions(links="follow"),  # as `backfile ingest` does
            "stop": stop,
            "on_progress": self.on_progress,
            "on_reject": self.on_reject,
        }
        if preview:
            report, seen = dry_run(target, self.sources, **options)
            articles = [PreviewedArticle(kind == "new", head) for kind, head in seen.articles]
        else:
            report, articles = run_ingest(target, self.sources, by=by, **options), []
        self.show(report, 1.0, articles)

    def on_progress(self, progress: Progress) -> None:
        """Show the progress of the ingest."""
        share = min(progress.done / progress.total, 1.0) if progress.total else 0.0
        self.show(progress.report, share, [])

    def show(
        self, report: IngestReport, share: float, articles: Sequence[PreviewedArticle] = ()
    ) -> None:
        """Show the counts so far, and the articles that a preview found."""
        row = SourceResult(self.name, report)

        def update(result: IngestResult) -> IngestResult:
            sources = (*result.sources[: self.place], row)
            return replace(
                result,
                share=(self.place + share) / self.total,
                report=sum_reports([one.report for one in sources]),
                sources=sources,
                previewed=(*result.previewed, *articles)[:MOST_PREVIEWED],
            )

        self.updates.put(update)

    def on_reject(self, reject: dict[str, str]) -> None:
        """Show a rejected input."""
        one = (original_place(reject["place"]), reject["reason"])
        self.updates.put(lambda i: replace(i, rejects=(*i.rejects, one)[-MOST_REJECTS:]))


def sum_reports(reports: Sequence[IngestReport]) -> IngestReport:
    """Return the sums of the counts of several reports."""
    names = [field.name for field in fields(reports[0])]
    return type(reports[0])(
        **{name: sum(getattr(report, name) for report in reports) for name in names}
    )


@contextmanager
def _staged_files(folder: Path, files: Sequence[Path]) -> Iterator[list[Path]]:
    """Link uploads into a folder named after their content, and delete the links at the end.

    The path has to be the same each time, because it is the id of an article without a URL. Two
    runs may stage the same file at once: the last one deletes it.
    """
    staged = []
    try:
        for file in files:
            with file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()[:16]
            there = folder / FOLDER / digest / file.name
            with _STAGING:
                _STAGED[there] += 1
                staged.append(there)
                if not there.exists():
                    there.parent.mkdir(parents=True, exist_ok=True)
                    _link(file, there)
        yield staged
    finally:
        with _STAGING:
            for path in staged:
                _STAGED[path] -= 1
                if not _STAGED[path]:
                    del _STAGED[path]
                    path.unlink(missing_ok=True)
                    with suppress(OSError):  # another file of the same content is there
                        path.parent.rmdir()


def _link(file: Path, there: Path) -> None:
    """Give a file a second path; copy it if that is on another disk."""
    try:
        there.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, there)


def original_place(place: str) -> str:
    """Return the place of a rejected article without the staging folder of uploads."""
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


def reinstate_articles(archive: Archive, settings: Settings, ids: Sequence[str]) -> int:
    """Undo the withdrawals of articles; those that aren't withdrawn, or are erased, are left out.

    Returns:
        The number of withdrawals undone.

    Raises:
        ArchiveLockedError: Another process is writing to the archive.
    """
    with open_writer(archive, settings, LOCK_SECONDS) as writer:
        found = writer.withdrawals(ids)
        undone = [one for one in dict.fromkeys(ids) if one in found and not found[one].erased]
        if undone:
            writer.reinstate(undone)
        return len(undone)


def settle_held_change(
    archive: Archive, settings: Settings, held_id: str, *, accept: bool
) -> Settled:
    """Apply or discard a change that is held.

    Returns:
        "done"; "gone" if no change has this id; or "kept out", and discarded, if its article
        has been withdrawn.

    Raises:
        ArchiveLockedError: Another process is writing to the archive.
        ReadError: The held article can't be split into passages.
    """
    from ingest.change_policy import accept_held_change
    from rag.store.held_changes import ArticleOrigins, HeldChanges

    with open_writer(archive, settings, LOCK_SECONDS) as writer:
        changes = HeldChanges(writer.store.database)
        change = changes.get(held_id)
        if change is None:
            return "gone"
        if not accept:
            changes.drop([held_id])
            return "done"
        origins = ArticleOrigins(writer.store.database)
        outcome = accept_held_change(writer, changes, change, origins)
        return "kept out" if outcome == "kept out" else "done"


def withdraw_articles(archive: Archive, settings: Settings, ids: Sequence[str], reason: str) -> int:
    """Withdraw articles from the archive.

    Args:
        archive: The server's archive.
        settings: Its settings.
        ids: Ids of the articles.
        reason: Reason to record.

    Returns:
        The number of articles withdrawn.

    Raises:
        ArchiveLockedError: Another process is writing to the archive.
    """
    with open_writer(archive, settings, LOCK_SECONDS) as writer:
        return writer.withdraw(ids, reason=reason)


def erase_articles(archive: Archive, settings: Settings, ids: Sequence[str], reason: str) -> bool:
    """Withdraw articles, and erase their texts from every file of the archive.

    Args:
        archive: The server's archive.
        settings: Its settings.
        ids: Ids of the articles.
        reason: Reason to record.

    Returns:
        False if another process kept the database's log open, in which case the next writer
        finishes.

    Raises:
        ArchiveLockedError: Another process is writing to the archive.
    """
    with open_writer(archive, settings, LOCK_SECONDS) as writer:
        return writer.erase(ids, reason=reason)


def withdrawn_article(archive: Archive, article_id: str) -> ArticleMetadata | None:
    """Return the metadata of a withdrawn article; None if it isn't withdrawn, or is erased."""
    from rag.store.withdrawals import Withdrawals

    return Withdrawals(archive.store).last_metadata(article_id)
