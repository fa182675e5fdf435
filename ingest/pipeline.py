"""From files to the archive: read, clean, skip what is unchanged, split, put."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ingest.chunking import TokenLimit, split_article
from ingest.readers import Reading, Reject, files, read
from rag.errors import ReadError
from rag.schema import Article, Span
from rag.storage.record import fingerprint

# Articles that are looked up, split, embedded and put in one transaction: what a crash may lose,
# and what is in memory at a time. At 64 the embedding's batches are full and a commit is nothing.
BATCH_ARTICLES = 64
BATCH_CHARACTERS = 2_000_000  # a batch of long articles is put earlier


class PutCounts(Protocol):
    """What an archive says of a batch that it has put."""

    @property
    def new(self) -> int: ...
    @property
    def changed(self) -> int: ...
    @property
    def unchanged(self) -> int: ...
    @property
    def passages(self) -> int: ...


class Archive(Protocol):
    """What `ingest` needs of an archive: `rag.archive.Archive`, opened for writing, or a fake."""

    @property
    def embeddings(self) -> Any: ...  # a TokenLimit as well: how it counts, how much it reads
    def fingerprints(self, article_ids: Iterable[str]) -> dict[str, frozenset[str]]: ...
    def put(self, batch: Iterable[tuple[Article, Sequence[Span]]]) -> PutCounts: ...


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did: articles by what became of them, new passages, seconds."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0
    passages: int = 0
    seconds: float = 0.0

    @property
    def articles(self) -> int:
        """The articles that were read, whatever became of them."""
        return self.new + self.changed + self.unchanged


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: bytes read of all there are, and what it has done so far."""

    done: int
    total: int
    report: IngestReport


def ingest(
    archive: Archive,
    sources: Iterable[str | Path],
    *,
    on_progress: Callable[[Progress], None] | None = None,
    on_reject: Callable[[dict[str, str]], None] | None = None,
    reading: Reading | None = None,
) -> IngestReport:
    """Put every article of `sources`, files and folders, into `archive`, and say what was done.

    An article that has not changed is skipped before it is split or embedded; a changed one
    becomes a new revision. What cannot be read is told to `on_reject` as
    `{"place": ..., "reason": ...}` and the rest goes in. Each batch is put for good: stopped and
    started again, an ingest finds what it has done unchanged. `reading` says how files are read.
    """
    paths = [Path(source) for source in sources]
    run = _Run(archive, sum(map(_size, paths)), on_progress, on_reject)
    for batch in _batches(run.articles(paths, reading or Reading())):
        run.put(batch)
    return run.finished()


class _Run:
    """One ingest under way: its counts, and whom to tell."""

    def __init__(
        self,
        archive: Archive,
        total: int,
        on_progress: Callable[[Progress], None] | None,
        on_reject: Callable[[dict[str, str]], None] | None,
    ) -> None:
        self.archive = archive
        self.report = IngestReport()
        self.done, self.total = 0, total
        self._begun = time.monotonic()
        self._on_progress = on_progress
        self._on_reject = on_reject

    def articles(self, paths: Iterable[Path], reading: Reading) -> Iterator[Article]:
        """Yield the articles that are in `paths`; rejects are counted and told on the way."""
        for path in paths:
            for found in read(path, on_bytes=self._on_bytes, reading=reading):
                if isinstance(found, Reject):
                    self._reject(found)
                else:
                    yield found

    def put(self, batch: Sequence[Article]) -> None:
        """Put the articles of `batch` that are new or changed."""
        known = self.archive.fingerprints({article.id for article in batch})
        fresh: list[tuple[Article, list[Span]]] = []
        unchanged = 0
        limit: TokenLimit = self.archive.embeddings
        for article in batch:
            try:
                mark = fingerprint(article)
                if mark in known.get(article.id, ()):
                    unchanged += 1
                    continue
                fresh.append((article, split_article(article, limit)))
                # The same line twice in a batch is one article.
                known[article.id] = known.get(article.id, frozenset()) | {mark}
            except (ReadError, ValueError) as error:
                self._reject(Reject(article.url or article.id, str(error)))
        counts = self.archive.put(fresh) if fresh else None
        self.report = replace(
            self.report,
            new=self.report.new + (counts.new if counts else 0),
            changed=self.report.changed + (counts.changed if counts else 0),
            unchanged=self.report.unchanged + unchanged + (counts.unchanged if counts else 0),
            passages=self.report.passages + (counts.passages if counts else 0),
        )
        self._tell()

    def finished(self) -> IngestReport:
        self.done = self.total
        self._tell()
        return self.report

    def _reject(self, reject: Reject) -> None:
        self.report = replace(self.report, rejected=self.report.rejected + 1)
        if self._on_reject:
            self._on_reject(asdict(reject))

    def _on_bytes(self, count: int) -> None:
        self.done += count

    def _tell(self) -> None:
        self.report = replace(self.report, seconds=time.monotonic() - self._begun)
        if self._on_progress:
            self._on_progress(Progress(min(self.done, self.total), self.total, self.report))


def _batches(articles: Iterable[Article]) -> Iterator[list[Article]]:
    batch: list[Article] = []
    size = 0
    for article in articles:
        batch.append(article)
        size += len(article.text)
        if len(batch) >= BATCH_ARTICLES or size >= BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _size(path: Path) -> int:
    try:
        return sum(file.stat().st_size for file in files(path))
    except OSError:
        return 0
