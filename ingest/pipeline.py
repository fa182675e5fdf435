"""Ingest pipeline: read files and URLs, and write their articles to the archive in batches."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from ingest.batch_writer import BatchWriter, PlannedBatch
from ingest.batching import batches
from ingest.change_policy import ChangePolicy
from ingest.preparers import Preparers
from ingest.provenance import ArticleWithOrigin, Hold
from ingest.readers import (
    KillNotice,
    Link,
    NotedArticle,
    ReaderOptions,
    Reject,
    StorageFailure,
    list_files,
    read,
)
from ingest.readers.error_guard import guard
from ingest.readers.file_names import printable_name
from ingest.report import IngestReport, Progress, RunReporter
from ingest.target import IngestTarget
from rag.schema import Article
from rag.urls import is_storage_address

if TYPE_CHECKING:
    from ingest.fetch.crawler import Crawler
    from ingest.identity import ArticleIdResolver

PAGE_BYTES = 50_000  # size of a fetched page in the progress


def ingest(
    archive: IngestTarget,
    sources: Iterable[str | Path],
    *,
    on_progress: Callable[[Progress], None] | None = None,
    on_reject: Callable[[dict[str, str]], None] | None = None,
    on_notice: Callable[[dict[str, str]], None] | None = None,
    on_read: Callable[[str], None] | None = None,
    reading: ReaderOptions | None = None,
    crawler: Crawler | None = None,
    id_resolver: ArticleIdResolver | None = None,
    policy: ChangePolicy | None = None,
    stop: Event | None = None,
    pool: Preparers | None = None,
) -> IngestReport:
    """Add every article of `sources` to `archive`.

    Unchanged articles are skipped before they are split or embedded; changed ones become new
    revisions. Each batch is committed, so a run that was stopped can be started again and finds
    its earlier work unchanged.

    Args:
        archive: The archive to write to.
        sources: Files, folders, addresses on a storage and, with a `crawler`, URLs.
        on_progress: Called after each batch and each fetched page.
        on_reject: Called with `{"place": ..., "reason": ...}` for each rejected input.
        on_notice: Called with `{"place": ..., "notice": ...}` for each date or time zone that
            could not be read; the article itself is added.
        on_read: Called with each file or folder that has been read completely.
        reading: How files are read.
        crawler: Fetches URLs; without it they are rejected.
        id_resolver: Finds the ids of articles that have no address.
        policy: Decides which changes of existing articles are held.
        stop: When set, nothing more is read; what has been read is added.
        pool: Processes that prepare articles while this one reads and writes; it is closed.

    Returns:
        The counts of the run.
    """
    sources, stop = list(sources), stop or Event()
    sizes = [
        _size(source, stop)
        for source in sources
        # A storage is listed for its sizes only if they are shown: that may take long.
        if not is_address(source) and (on_progress or not _is_stored(source))
    ]
    reporter = RunReporter(on_progress, on_reject, on_notice)
    writer = BatchWriter(archive, reporter, policy or ChangePolicy(archive), id_resolver, pool)
    run = _Run(writer, reporter, crawler, stop, total=sum(sizes), pool=pool)
    try:
        for batch in batches(run.articles(sources, reading or ReaderOptions(), on_read)):
            run.add(batch)
        run.drain()
    finally:
        if pool is not None:
            pool.close()
    return run.finish()


def is_address(source: str | Path) -> bool:
    """Return whether a source is a URL, to be fetched."""
    return isinstance(source, str) and re.match(r"(?i)https?://", source) is not None


class _Run:
    """One ingest run: reads the sources, and passes their articles to the writer."""

    def __init__(
        self,
        writer: BatchWriter,
        reporter: RunReporter,
        crawler: Crawler | None,
        stop: Event,
        *,
        total: int,
        pool: Preparers | None = None,
    ) -> None:
        self._writer = writer
        self._reporter = reporter
        self._crawler = crawler
        self._stop = stop
        self._done, self._total = 0, total  # bytes of files
        self._pool = pool
        self._waiting: deque[PlannedBatch] = deque()
        self._is_fetching = False
        self._is_parallel = False

    def articles(
        self,
        sources: Iterable[str | Path],
        reading: ReaderOptions,
        on_read: Callable[[str], None] | None = None,
    ) -> Iterator[Article]:
        """Yield the articles of `sources`; rejects are handled on the way."""
        for source in sources:
            if is_address(source):
                self._follow(Link(str(source), str(source)))
                continue
            place = printable_name(source)
            read_source = partial(read, source, on_bytes=self._on_bytes, reading=reading)
            is_read = True
            for found in guard(place, read_source):
                if self._stop.is_set():
                    return
                if isinstance(found, Reject):
                    is_read = is_read and not isinstance(found, StorageFailure)
                    self._handle_non_article(found)
                elif isinstance(found, Link):
                    self._follow(found)
                else:
                    yield self._without_notices(found)
            if on_read and is_read and not self._stop.is_set():
                on_read(place)
        yield from self._fetch_articles()

    def _follow(self, link: Link) -> None:
        if printable_name(link.url) != link.url:
            self._reporter.reject(Reject(link.place, f"invalid URL: {link.url!r}"))
        elif self._crawler:
            self._crawler.add(link)
        else:
            self._reporter.reject(Reject(link.place, f"{link.url} was not fetched: no crawler"))

    def _handle_non_article(self, found: Reject) -> None:
        if isinstance(found, KillNotice | Hold):  # concerns articles that may be waiting
            self.drain()
        self._writer.handle_non_article(found)

    def _fetch_articles(self) -> Iterator[Article]:
        self._is_fetching = True
        for found in self._crawler.results() if self._crawler else ():
            if isinstance(found, Article):
                yield self._without_notices(found)
                continue
            if isinstance(found, Reject):
                self._handle_non_article(found)
            else:
                self._reporter.count(unchanged=1)
            self._report_progress()

    def _without_notices(self, article: Article) -> Article:
        """Report an article's notices, and return it without them."""
        if not isinstance(article, NotedArticle):
            return article
        self._reporter.notice(article.notices)
        return article if isinstance(article, ArticleWithOrigin) else article.plain()

    def add(self, batch: Sequence[Article]) -> None:
        """Take a batch, and write the batches whose turn it is.

        With worker processes, batches wait in order while enough text is being prepared. Fetched
        pages are written at once: their URLs are recorded as fetched with them.
        """
        self._waiting.append(self._writer.plan(batch))
        if self._pool is None or self._is_fetching:
            self.drain()
            return
        waiting = sum(planned.fresh_size for planned in self._waiting)
        if waiting >= max(1, self._pool.starts_at):
            self._is_parallel = True
        if self._is_parallel:
            for planned in self._waiting:
                self._writer.send(planned)
        while self._waiting and (self._waiting[0].is_ready or waiting > self._pool.ahead):
            waiting -= self._waiting[0].fresh_size
            self._write(self._waiting.popleft())

    def drain(self) -> None:
        """Write all batches that wait."""
        while self._waiting:
            self._write(self._waiting.popleft())

    def _write(self, planned: PlannedBatch) -> None:
        """Write a batch, and record the URLs of its articles as fetched."""
        refused = self._writer.write(planned)
        if self._crawler:
            self._crawler.commit(refused)
        self._report_progress()

    def finish(self) -> IngestReport:
        """Return the report of the run."""
        self._writer.finish()
        if self._crawler:
            self._crawler.commit()
        if not self._stop.is_set():
            self._done = self._total
        self._report_progress()
        return self._reporter.report

    def _on_bytes(self, count: int) -> None:
        self._done += count
        if self._stop.is_set():  # what was read of this file is dropped; a large one may take long
            raise InterruptedError("stopped")

    def _report_progress(self) -> None:
        pages = (self._crawler.done, self._crawler.total) if self._crawler else (0, 0)
        done, total = (part * PAGE_BYTES for part in pages)
        self._reporter.progress(done + min(self._done, self._total), self._total + total)


def _is_stored(source: str | Path) -> bool:
    return isinstance(source, str) and is_storage_address(source)


def _size(source: str | Path, stop: Event) -> int:
    if isinstance(source, str) and is_storage_address(source):
        from ingest.readers.stored_files import stored_size

        return stored_size(source, stop)
    try:
        return sum(file.stat().st_size for file in list_files(Path(source)))
    except OSError:
        return 0
