"""Where a publisher is silent for longer than it usually is: gaps in what the archive covers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from rag.schema import EVERYTHING, Filters
from rag.store.database import Database
from rag.store.filters import condition
from rag.store.rows import FIRST_SECOND, LAST_SECOND

DAY = 86_400  # seconds
# Chosen by what they mean, not measured: see tests/test_coverage.py for what is and is not a gap.
RHYTHM_OF = 10  # days with articles make a rhythm
SHORTEST = 0.9  # of the steps between them: the longest of these is usual, a weekend for most
TIMES_AS_LONG = 3  # as usual is a gap
AT_LEAST = 3  # days


@dataclass(frozen=True, slots=True)
class Gap:
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


def gaps(database: Database, filters: Filters = EVERYTHING) -> tuple[Gap, ...]:
    """Return every publisher's gaps in the order of time, by publisher."""
    where, values = condition(database, filters)
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


def _of_one(publisher: str, days: Sequence[int], newest: int) -> Iterator[Gap]:
    if len(days) < RHYTHM_OF:
        return
    steps = sorted(after - before for before, after in itertools.pairwise(days))
    usual = steps[int(SHORTEST * (len(steps) - 1))]
    limit = max(AT_LEAST, TIMES_AS_LONG * usual)
    for before, after in itertools.pairwise(days):
        if after - before - 1 >= limit:
            yield Gap(publisher, _day(before + 1), _day(after - 1), usual)
    if newest - days[-1] >= limit:
        yield Gap(publisher, _day(days[-1] + 1), _day(newest), usual, goes_on=True)


def _day(since_1970: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=since_1970)).date()
