"""The main stories of a period: articles about one event are grouped, the largest groups first."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from rag.nlp.tokens import stem_words
from rag.retrieval.backend import SearchBackend
from rag.schema import Filters, PassageCandidate, TimeRange
from rag.valid_dates import shift

MOST_ARTICLES = 6000  # newest articles of a period that are grouped: about half a second
CENTRAL = 3  # articles of a story that always count as central
SAME_STORY = 0.72  # cosine of two openings, which have the day in them, from which they are one
SAME_STORY_DAYS = 7  # days within which articles belong to one story
NEWEST_DAYS = 7  # days before the newest article that count as the latest news


_ROUNDUP = re.compile(
    r"\b(?:things? to know|(?:live|latest) updates|briefing|round-?up|newsletter|quiz|in pictures"
    r"|(?:today|week)['’]s (?:news|headlines|top stories)|power rankings)\b",
    re.I,
)


def main_stories(
    archive: SearchBackend, time_range: TimeRange, most: int, *, filters: Filters
) -> tuple[list[PassageCandidate], int]:
    """Return the main stories of a period, each as the first passage of one article.

    A story that several publishers report weighs most, then one with several articles; of two that
    weigh the same, the newer one.

    Args:
        archive: The archive.
        time_range: The period.
        most: The most stories to return.
        filters: The filters that the articles must pass.

    Returns:
        The stories, and the number of articles that were compared. Other articles of a story are
        its `copies` only if they are near-duplicates.
    """
    within = limit_to(filters, time_range)
    if within is None:
        return [], 0
    found = archive.dated_articles(MOST_ARTICLES, filters=within)
    if not found:
        return [], 0
    vectors = archive.passage_vectors(found)
    groups = _group(found, vectors)[:most]
    chosen = [found[_representative(found, vectors, group)] for group in groups]
    copies = archive.near_duplicates([one.metadata.article_id for one in chosen], filters=filters)
    weighted = [
        replace(
            one,
            score=_weight([found[i] for i in group]),
            copies=copies.get(one.metadata.article_id, ()),
        )
        for one, group in zip(chosen, groups, strict=True)
    ]
    return weighted, len(found)


def limit_to(filters: Filters, time_range: TimeRange) -> Filters | None:
    """Return the filters narrowed to a time range; None if nothing can pass both."""
    after = max(filter(None, (filters.after, time_range.start)), default=None)
    before = min(filter(None, (filters.before, time_range.end)), default=None)
    if after and before and after >= before:
        return None
    return replace(filters, after=after, before=before)


def newest_days(archive: SearchBackend, filters: Filters, asked_on: datetime) -> TimeRange | None:
    """Return the last days that have articles, up to the day of asking; None without articles."""
    until = shift(asked_on, timedelta(days=1))
    within = limit_to(filters, TimeRange(None, until))
    newest = archive.dated_articles(1, filters=within) if within else []
    if not newest or newest[0].metadata.published is None:
        return None
    last = start_of_day(newest[0].metadata.published) + timedelta(days=1)
    return TimeRange(shift(last, -timedelta(days=NEWEST_DAYS)), last)


def nearest_days(
    archive: SearchBackend, time_range: TimeRange, filters: Filters
) -> tuple[TimeRange | None, TimeRange | None]:
    """Return the last day before a period and the first one after it that have articles.

    Args:
        archive: The archive.
        time_range: The period.
        filters: The filters that the articles must pass.
    """
    before = limit_to(filters, TimeRange(None, time_range.start)) if time_range.start else None
    after = limit_to(filters, TimeRange(time_range.end, None)) if time_range.end else None
    earlier = archive.dated_articles(1, filters=before) if before else []
    later = archive.dated_articles(1, filters=after, order="oldest first") if after else []
    return _day_of(earlier), _day_of(later)


def _day_of(found: Sequence[PassageCandidate]) -> TimeRange | None:
    published = found[0].metadata.published if found else None
    if published is None:
        return None
    start = start_of_day(published)
    return TimeRange(start, start + timedelta(days=1))


def start_of_day(moment: datetime) -> datetime:
    """Return the midnight in UTC with which the day of a moment begins."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _group(found: Sequence[PassageCandidate], vectors: npt.NDArray[np.float32]) -> list[list[int]]:
    """Return the stories as positions of articles, the centre first, by descending weight.

    A story is an article with all that are close to it, so stories can't be chained together.
    """
    near = _neighbours(found, vectors)
    free = set(range(len(found)))
    weights = {i: _weight([found[j] for j in (i, *near[i])]) for i in free}
    groups: list[list[int]] = []
    # The candidates are the newest first, and sorting keeps that order among equals.
    for i in sorted(free, key=lambda i: -weights[i]):
        if i not in free:
            continue
        group = [i, *(j for j in near[i] if j in free)]
        free.difference_update(group)
        groups.append(group)
    return sorted(groups, key=lambda group: -_weight([found[i] for i in group]))


def _neighbours(
    found: Sequence[PassageCandidate], vectors: npt.NDArray[np.float32]
) -> list[list[int]]:
    """Return for each article the positions of the others that report the same event."""
    days = np.array([_timestamp(one) / 86_400 for one in found])
    titles = [stem_words(one.metadata.title) for one in found]
    near: list[list[int]] = [[] for _ in found]
    for i in range(len(found)):
        # sorted by date: the newer ones of the same days have been compared
        last = int(np.searchsorted(-days, SAME_STORY_DAYS - days[i], side="right"))
        if last <= i + 1:
            continue
        cosines = vectors[i + 1 : last] @ vectors[i]
        for j in (int(k) + i + 1 for k in np.flatnonzero(cosines >= SAME_STORY)):
            if titles[i] & titles[j] or not (titles[i] and titles[j]):
                near[i].append(j)
                near[j].append(i)
    return near


def _representative(
    found: Sequence[PassageCandidate], vectors: npt.NDArray[np.float32], group: Sequence[int]
) -> int:
    """Return the newest article of a story's central ones: it has the latest figures.

    A round-up of the day's news is central to nothing.
    """
    single = [i for i in group if not _ROUNDUP.search(found[i].metadata.title)] or list(group)
    centre = vectors[single].mean(axis=0)
    central = sorted(single, key=lambda i: -float(vectors[i] @ centre))
    return min(central[: max(CENTRAL, len(central) // 3)])


def _timestamp(one: PassageCandidate) -> float:
    return one.metadata.published.timestamp() if one.metadata.published else 0.0


def _weight(articles: Sequence[PassageCandidate]) -> float:
    """Return the weight of a story: its publishers count, and less so their further articles."""
    counts = Counter(one.metadata.publisher for one in articles)
    return sum(1 + math.log2(count) / 2 for count in counts.values())
