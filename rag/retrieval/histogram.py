"""Histogram of matching articles per day, week or month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from rag.retrieval.backend import SearchBackend
from rag.schema import Filters
from rag.serialize import Serializable

Step = Literal["day", "week", "month"]

PASSAGES = 1000  # reading their metadata takes 0.1 s, and a plot needs no more
SPEAKS_FROM = 0.4  # share of the best BM25 score; lower scores are chance matches of a word or two
MOST_BARS = 62  # more bars can't be told apart on a phone


@dataclass(frozen=True, slots=True)
class Bucket(Serializable):
    """Counts of one day, week or month: all matching articles, and those that an answer cites."""

    start: datetime
    articles: int
    cited: int


@dataclass(frozen=True, slots=True)
class Histogram(Serializable):
    """Consecutive bars, one per `step`, without gaps."""

    step: Step = "day"
    bars: tuple[Bucket, ...] = ()

    def end(self, bar: Bucket) -> datetime:
        """Return the last day of a bar."""
        return next_bucket_start(bar.start, self.step) - timedelta(days=1)


def date_histogram(
    archive: SearchBackend, query: str, *, filters: Filters = Filters(), cited: Sequence[str] = ()
) -> Histogram:
    """Return the number of articles that match a query per day, week or month.

    Articles without a date are not counted.

    Args:
        archive: The archive.
        query: Search terms; an article matches if a passage scores well enough by BM25.
        filters: The filters that the articles must pass.
        cited: Ids of the articles that an answer cites; they always count as matching.
    """
    found = archive.bm25_candidates(query, PASSAGES, filters=filters)
    floor = SPEAKS_FROM * max((one.score for one in found), default=0.0)
    days = {
        one.metadata.article_id: one.metadata.published
        for one in found
        if one.metadata.published and (one.score >= floor or one.metadata.article_id in cited)
    }
    marked = [article_id in cited for article_id in days]
    return count_days(list(days.values()), marked)


def count_days(moments: Sequence[datetime], cited: Sequence[bool] = ()) -> Histogram:
    """Return the number of articles per day, week or month.

    Args:
        moments: The time of publication of each article.
        cited: Whether an answer cites it; by default, it doesn't.

    Returns:
        Bars from the first day to the last; none without articles.
    """
    if not moments:
        return Histogram()
    days = [_midnight(moment) for moment in moments]
    first, last = min(days), max(days)
    step = _choose_step(first, last)
    starts = [bucket_start(first, step)]
    while next_bucket_start(starts[-1], step) <= last:
        starts.append(next_bucket_start(starts[-1], step))
    counted = {start: [0, 0] for start in starts}
    for i, day in enumerate(days):
        both = counted[bucket_start(day, step)]
        both[0] += 1
        both[1] += bool(cited) and cited[i]
    return Histogram(step, tuple(Bucket(start, *counted[start]) for start in starts))


def bucket_start(moment: datetime, step: Step) -> datetime:
    """Return the first day of the day, week or month that contains a moment."""
    day = _midnight(moment)
    if step == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if step == "week" else day


def next_bucket_start(start: datetime, step: Step) -> datetime:
    """Return the first day of the next day, week or month.

    Args:
        start: The first day of a bucket.
        step: The length of a bucket.
    """
    if step == "month":
        return (start + timedelta(days=32)).replace(day=1)
    return start + timedelta(days=7 if step == "week" else 1)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _choose_step(first: datetime, last: datetime) -> Step:
    days = (last - first).days + 1
    if days <= MOST_BARS:
        return "day"
    return "week" if days <= 7 * MOST_BARS else "month"
