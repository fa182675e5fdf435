"""Archive statistics: article counts per publisher, coverage gaps, the last ingest run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rag.schema import ALL_RIGHTS, EVERYTHING, Access, Filters
from rag.store.articles import ArticleStore
from rag.store.database import Database
from rag.store.filters import restricts, where_clause
from rag.store.ingest_log import IngestRun, RunLog
from rag.store.rows import FIRST_SECOND, LAST_SECOND
from rag.store.staged_vectors import StagedVectors


@dataclass(frozen=True, slots=True)
class PublisherStatus:
    name: str
    articles: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class ReembedProgress:
    """That the archive is being embedded with another model, and how far that is, in passages."""

    model: str
    done: int
    of: int


@dataclass(frozen=True, slots=True)
class ArchiveStatus:
    """What the archive holds and where; `bytes` is its size on disk.

    `copies` are the articles that tell one of the `stories_told_again` after its first telling.
    """

    path: Path
    articles: int
    passages: int
    publishers: tuple[PublisherStatus, ...]
    first: datetime | None
    last: datetime | None
    last_ingest: datetime | None
    bytes: int
    embedding_model: str
    sequence: int
    stories_told_again: int = 0
    copies: int = 0
    gaps: tuple[CoverageGap, ...] = ()
    last_run: IngestRun | None = None
    reembedding: ReembedProgress | None = None


def archive_status(
    folder: Path, record: ArticleStore, access: Access = ALL_RIGHTS
) -> ArchiveStatus:
    """Return the status of the archive in `folder`, whose record this is.

    Articles are counted that may be read with these rights; what the last run did is told to
    those alone who may read them all.
    """
    database, filters = record.database, Filters(access=access)
    publishers = tuple(PublisherStatus(*row) for row in record.publishers(access=access))
    articles, passages = record.count(filters)
    stories_told_again, copies = record.stories.count(filters)
    tells_all = not restricts(database, filters)
    return ArchiveStatus(
        path=folder,
        articles=articles,
        passages=passages,
        publishers=publishers,
        first=min((p.first for p in publishers if p.first), default=None),
        last=max((p.last for p in publishers if p.last), default=None),
        last_ingest=record.last_change("put"),
        bytes=sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()),
        embedding_model=database.meta("embedding_model"),
        sequence=database.sequence(),
        stories_told_again=stories_told_again,
        copies=copies,
        gaps=find_gaps(database, filters),
        last_run=next(iter(RunLog(database).recent(1)), None) if tells_all else None,
        reembedding=_reembedding(database),
    )


def _reembedding(database: Database) -> ReembedProgress | None:
    fresh = StagedVectors(database)
    if not fresh.model:
        return None
    (passages,) = database.connection.execute("SELECT count(*) FROM passages").fetchone()
    return ReembedProgress(fresh.model, fresh.count(), int(passages))


DAY = 86_400  # seconds
# Chosen by what they mean, not measured: see tests/test_coverage.py for what is and is not a gap.
RHYTHM_OF = 10  # days with articles make a rhythm
SHORTEST = 0.9  # of the steps between them: the longest of these is usual, a weekend for most
TIMES_AS_LONG = 3  # as usual is a gap
AT_LEAST = 3  # days


@dataclass(frozen=True, slots=True)
class CoverageGap:
    """A publisher's days without an article, both included, beside the days it usually takes.

    One that `goes_on` has not ended: the archive's newest article is another publisher's.
    """

    publisher: str
    first: date
    last: date
    usual: int
    goes_on: bool = False

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def find_gaps(database: Database, filters: Filters = EVERYTHING) -> tuple[CoverageGap, ...]:
    """Return every publisher's gaps in the order of time, by publisher."""
    where, values = where_clause(database, filters)
    rows = database.connection.execute(
        f"SELECT DISTINCT r.publisher, r.published_at / {DAY} FROM revisions r "
        f"WHERE {where} AND r.published_at BETWEEN {FIRST_SECOND} AND {LAST_SECOND} "
        "ORDER BY 1, 2",
        values,
    ).fetchall()
    newest = max((day for _, day in rows), default=0)
    of_each = itertools.groupby(rows, key=lambda row: row[0])
    return tuple(
        gap
        for publisher, group in of_each
        for gap in _of_one(publisher, [day for _, day in group], newest)
    )


def _of_one(publisher: str, days: Sequence[int], newest: int) -> Iterator[CoverageGap]:
    if len(days) < RHYTHM_OF:
        return
    steps = sorted(after - before for before, after in itertools.pairwise(days))
    usual = steps[int(SHORTEST * (len(steps) - 1))]
    limit = max(AT_LEAST, TIMES_AS_LONG * usual)
    for before, after in itertools.pairwise(days):
        if after - before - 1 >= limit:
            yield CoverageGap(publisher, _day(before + 1), _day(after - 1), usual)
    if newest - days[-1] >= limit:
        yield CoverageGap(publisher, _day(days[-1] + 1), _day(newest), usual, goes_on=True)


def _day(since_1970: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=since_1970)).date()
