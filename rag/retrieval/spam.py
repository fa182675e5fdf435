"""Demotion of keyword-stuffed passages and of one template published under many names.

Somebody who wants to dictate an answer can publish the same text forty times. The first candidates
are therefore read: stuffed passages are demoted, and of passages that share their wording only the
best one keeps its score, even if different publishers published them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from rag.nlp.keyword_stuffing import Wording, count_words, is_stuffed, is_stuffed_title
from rag.nlp.tokens import stem_words
from rag.retrieval.backend import SearchBackend
from rag.schema import ArticleMetadata, Filters, Hit, PassageCandidate

READ = 40  # passages read at a time, until this many are neither stuffed nor repeated
STUFFED = 0.2  # weight of a stuffed passage
REPEATED = 0.6  # weight of a passage for each better one with the same wording
REPEATED_AT_LEAST = 0.2  # lower bound of that weight
ALIKE = 0.5  # share of the shorter passage's runs that the other one must have
FEWEST_RUNS = 8  # passages with fewer runs are not compared
SAME_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DemotedHits:
    """Candidates after demotion, best first.

    Attributes:
        ranked: All candidates in their new order.
        crowded: How many of those read were demoted.
        clear: How many of those read were not.
    """

    ranked: list[PassageCandidate]
    crowded: int = 0
    clear: int = 0


def demote_spam(
    archive: SearchBackend, ranked: Sequence[PassageCandidate], query: str, filters: Filters
) -> DemotedHits:
    """Demote stuffed and repeated passages.

    Nothing is removed: if nothing else answers a question, a demoted passage is still found.

    Args:
        archive: The archive.
        ranked: Candidates, best first.
        query: The search terms; a passage that repeats them too often is stuffed.
        filters: The filters of the search, for its rights.
    """
    asked = stem_words(query)
    weights: dict[int, float] = {}
    seen = _Wordings()
    clear = crowded = 0
    for i in range(0, len(ranked), READ):
        some = ranked[i : i + READ]
        hits = archive.load_hits(some, access=filters.access)
        for found in some:
            hit = hits.get(found.number)
            if hit is None:
                continue
            weight = _weight(hit, asked, seen)
            if weight < 1:
                weights[found.number] = weight
                crowded += 1
            else:
                clear += 1
        if clear >= READ:
            break
    if not weights:
        return DemotedHits(list(ranked), 0, clear)
    weighed = [found.with_score(found.score * weights.get(found.number, 1.0)) for found in ranked]
    return DemotedHits(sorted(weighed, key=lambda one: -one.score), crowded, clear)


def _weight(hit: Hit, asked: frozenset[str], seen: _Wordings) -> float:
    wording = count_words(hit.passage.text)
    before = seen.count_alike(wording, hit.metadata)
    if is_stuffed(wording, asked) or is_stuffed_title(hit.metadata.title):
        return STUFFED
    return max(REPEATED_AT_LEAST, REPEATED**before)


class _Wordings:
    """Wordings of the passages seen so far."""

    def __init__(self) -> None:
        self._seen: list[tuple[frozenset[int], ArticleMetadata]] = []
        self._runs: set[int] = set()  # of all of them
        self._fewest = 0

    def count_alike(self, wording: Wording, metadata: ArticleMetadata) -> int:
        """Return how many earlier passages share a passage's wording, and remember it.

        Passages of one article don't count, nor does a daily column of one publisher.
        """
        runs = wording.runs
        if len(runs) < FEWEST_RUNS:
            return 0
        alike = 0
        if len(runs & self._runs) >= ALIKE * min(len(runs), self._fewest):
            alike = sum(
                len(runs & other) >= ALIKE * min(len(runs), len(other)) and _compete(metadata, its)
                for other, its in self._seen
            )
        self._fewest = min(len(runs), self._fewest or len(runs))
        self._seen.append((runs, metadata))
        self._runs |= runs
        return alike


def _compete(one: ArticleMetadata, other: ArticleMetadata) -> bool:
    if one.article_id == other.article_id:
        return False
    if one.publisher != other.publisher:
        return True
    if one.published is None or other.published is None:
        return one.published is other.published
    return abs(one.published - other.published) < SAME_DAY
