"""Archive statistics: article counts per publisher, coverage gaps, the last ingest run."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rag.archive.follower_state import FollowerState
from rag.index.shared_reader import SharedReader, VectorServerStatus
from rag.schema import ALL_RIGHTS, EVERYTHING, Access, Filters
from rag.store.articles import ArticleStore
from rag.store.database import Database
from rag.store.filters import restricts, where_clause
from rag.store.ingest_log import IngestRun, RunLog
from rag.store.rows import FIRST_SECOND, LAST_SECOND
from rag.store.staged_vectors import StagedVectors


@dataclass(frozen=True, slots=True)
class PublisherStatus:
    """A publisher's number of articles, and its first and last publication date."""

    name: str
    articles: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class ReembedProgress:
    """Progress of a switch to another embedding model, in passages."""

    model: str
    done: int
    of: int


@dataclass(frozen=True, slots=True)
class ArchiveStatus:
    """Contents and location of an archive; `bytes` is its size on disk.

    `copies` are the articles beyond the first in the `stories_told_again`, the clusters of
    near-duplicates. `record` is how the folder stands to a shared record; None without one.
    `vector_server` is None if the vector index is in the folder.
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
    record: FollowerState | None = None
    vector_server: VectorServerStatus | None = None


def archive_status(
    folder: Path,
    store: ArticleStore,
    access: Access = ALL_RIGHTS,
    shared: SharedReader | None = None,
) -> ArchiveStatus:
    """Return the status of an archive.

    Args:
        folder: The archive's folder.
        store: Its store.
        access: Access rights of the reader: only readable articles are counted, and the last run is
            included only for a reader of all articles. For others, the last ingest and the size,
            which tell of articles that they may not see, are None and 0.
        shared: The vector index on a server, which is asked whether it answers; also only for a
            reader of all articles.
    """
    database, filters = store.database, Filters(access=access)
    publishers = tuple(PublisherStatus(*row) for row in store.publishers(access=access))
    articles, passages = store.count(filters)
    stories_told_again, copies = store.duplicates.count(filters)
    sees_all = not restricts(database, filters)
    return ArchiveStatus(
        path=folder,
        articles=articles,
        passages=passages,
        publishers=publishers,
        first=min((p.first for p in publishers if p.first), default=None),
        last=max((p.last for p in publishers if p.last), default=None),
        last_ingest=store.last_change("put") if sees_all else None,
        bytes=_size_on_disk(folder) if sees_all else 0,
        embedding_model=database.meta("embedding_model"),
        sequence=database.sequence(),
        stories_told_again=stories_told_again,
        copies=copies,
        gaps=find_gaps(database, filters),
        last_run=next(iter(RunLog(database).recent(1)), None) if sees_all else None,
        reembedding=_reembed_progress(database),
        vector_server=shared.status() if shared is not None and sees_all else None,
    )


def _size_on_disk(folder: Path) -> int:
    """Return the bytes of all files; a writer may delete some while they are counted."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.stat(os.path.join(parent, name)).st_size  # noqa: PTH116, PTH118
    return total


def _reembed_progress(database: Database) -> ReembedProgress | None:
    staged = StagedVectors(database)
    if not staged.model:
        return None
    (passages,) = database.connection.execute("SELECT count(*) FROM passages").fetchone()
    return ReembedProgress(staged.model, staged.count(), int(passages))


DAY = 86_400  # seconds
# Rounded down; SQLite's `/` rounds times before 1970 up.
_DAY_OF = f"(r.published_at - (r.published_at % {DAY} + {DAY}) % {DAY}) / {DAY}"
# Chosen by definition, not measured: tests/archive/test_stats.py shows what is and isn't a gap.
MIN_DAYS = 10  # days with articles needed to find a publisher's rhythm
USUAL_QUANTILE = 0.9  # quantile of the steps between them that counts as usual: mostly a weekend
GAP_FACTOR = 3  # times the usual step is a gap
MIN_GAP = 3  # days


@dataclass(frozen=True, slots=True)
class CoverageGap:
    """Days without articles of a publisher, first and last included, and its usual step in days.

    A gap with `goes_on` has not ended: newer articles are other publishers'.
    """

    publisher: str
    first: date
    last: date
    usual: int
    goes_on: bool = False

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.last - self.first).days + 1


def daily_counts(database: Database, filters: Filters = EVERYTHING) -> dict[str, dict[date, int]]:
    """Return the number of articles of each publisher and day (UTC), undated ones left out.

    Args:
        database: The archive's database.
        filters: Filters for the articles.
    """
    where, values = where_clause(database, filters)
    rows = database.connection.execute(
        f"SELECT r.publisher, {_DAY_OF}, count(*) FROM revisions r "  # nosec B608 # conditions of this code, values bound
        f"WHERE {where} AND r.published_at BETWEEN {FIRST_SECOND} AND {LAST_SECOND} "
        "GROUP BY 1, 2 ORDER BY 1, 2",
        values,
    )
    counts: dict[str, dict[date, int]] = {}
    for publisher, day, count in rows:
        counts.setdefault(publisher, {})[_day(day)] = count
    return counts


def find_gaps(database: Database, filters: Filters = EVERYTHING) -> tuple[CoverageGap, ...]:
    """Return the coverage gaps of every publisher, by publisher and date.

    Args:
        database: The archive's database.
        filters: Filters for the articles.
    """
    where, values = where_clause(database, filters)
    rows = database.connection.execute(
        f"SELECT DISTINCT r.publisher, {_DAY_OF} FROM revisions r "  # nosec B608 # conditions of this code, values bound
        f"WHERE {where} AND r.published_at BETWEEN {FIRST_SECOND} AND {LAST_SECOND} "
        "ORDER BY 1, 2",
        values,
    ).fetchall()
    newest = max((day for _, day in rows), default=0)
    of_each = itertools.groupby(rows, key=lambda row: row[0])
    return tuple(
        gap
        for publisher, group in of_each
        for gap in _publisher_gaps(publisher, [day for _, day in group], newest)
    )


def _publisher_gaps(publisher: str, days: Sequence[int], newest: int) -> Iterator[CoverageGap]:
    if len(days) < MIN_DAYS:
        return
    steps = sorted(after - before for before, after in itertools.pairwise(days))
    usual = steps[int(USUAL_QUANTILE * (len(steps) - 1))]
    limit = max(MIN_GAP, GAP_FACTOR * usual)
    for before, after in itertools.pairwise(days):
        if after - before - 1 >= limit:
            yield CoverageGap(publisher, _day(before + 1), _day(after - 1), usual)
    if newest - days[-1] >= limit:
        yield CoverageGap(publisher, _day(days[-1] + 1), _day(newest), usual, goes_on=True)


def _day(since_1970: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=since_1970)).date()
