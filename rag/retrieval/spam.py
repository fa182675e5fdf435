"""Demotion of keyword-stuffed passages and of one template published under many names.

Somebody who wants to dictate an answer can publish the same text forty times. The first candidates
are therefore read: stuffed passages are demoted, and of passages that share their wording only the
best one keeps its score, even if different publishers published them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from rag.nlp.keyword_stuffing import is_stuffed, is_stuffed_title
from rag.nlp.tokens import TOKEN, stem_words
from rag.retrieval.backend import SearchBackend
from rag.schema import ArticleMetadata, Filters, Hit, PassageCandidate

READ = 40  # passages read at a time, until this many are neither stuffed nor repeated
STUFFED = 0.2  # weight of a stuffed passage
REPEATED = 0.6  # weight of a passage for each better one with the same wording
REPEATED_AT_LEAST = 0.2  # lower bound of that weight
RUN = 3  # words in a run
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
    text = hit.passage.text
    before = seen.count_alike(text, hit.metadata)
    if is_stuffed(text, asked) or is_stuffed_title(hit.metadata.title):
        return STUFFED
    return max(REPEATED_AT_LEAST, REPEATED**before)


class _Wordings:
    """Wording of the passages seen so far, as runs of words."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, ArticleMetadata]] = []
        self._with: dict[tuple[str, ...], list[int]] = {}

    def count_alike(self, text: str, metadata: ArticleMetadata) -> int:
        """Return how many earlier passages share a text's wording, and remember the text.

        Passages of one article don't count, nor does a daily column of one publisher.
        """
        words = [match[0].casefold() for match in TOKEN.finditer(text)]
        runs = set(zip(*(words[i:] for i in range(RUN)), strict=False))
        if len(runs) < FEWEST_RUNS:
            return 0
        shared = Counter(i for run in runs for i in self._with.get(run, ()))
        alike = sum(
            n >= ALIKE * min(len(runs), self._seen[i][0]) and _compete(metadata, self._seen[i][1])
            for i, n in shared.items()
        )
        self._seen.append((len(runs), metadata))
        for run in runs:
            self._with.setdefault(run, []).append(len(self._seen) - 1)
        return alike


def _compete(one: ArticleMetadata, other: ArticleMetadata) -> bool:
    if one.article_id == other.article_id:
        return False
    if one.publisher != other.publisher:
        return True
    if one.published is None or other.published is None:
        return one.published is other.published
    return abs(one.published - other.published) < SAME_DAY
