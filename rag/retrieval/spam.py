"""What crowds out other answers: stuffed passages, and one template under many names.

Whoever wants a question answered in his way publishes the same text forty times. What is found
first is read once: stuffed passages are weighed down, and of passages that share their wording
the best one keeps its score, no matter who publishes the others.
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

READ = 40  # passages at a time, until as many are found that are neither stuffed nor repeated
STUFFED = 0.2  # what a stuffed passage counts
# What a passage counts less for each better one with its wording, and at the least.
REPEATED = 0.6
REPEATED_AT_LEAST = 0.2
RUN = 3  # words that are compared together
ALIKE = 0.5  # of the shorter passage's runs of words in the other
FEWEST_RUNS = 8  # of a passage that is compared
SAME_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DemotedHits:
    """What was found, best first, after weighing down crowds, and how much of it is in one."""

    ranked: list[PassageCandidate]
    crowded: int = 0
    clear: int = 0


def demote_spam(
    archive: SearchBackend, ranked: Sequence[PassageCandidate], query: str, filters: Filters
) -> DemotedHits:
    """Return `ranked` in its new order: stuffed and repeated passages behind what is as good.

    Nothing is removed: where nothing else answers, what is weighed down is still found.
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
    """The wording of the passages seen so far, by runs of words."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, ArticleMetadata]] = []
        self._with: dict[tuple[str, ...], list[int]] = {}

    def count_alike(self, text: str, head: ArticleMetadata) -> int:
        """Return how many passages seen before are a telling of `text`, which is seen from now on.

        A column that one publisher prints day by day is none, nor are passages of one article.
        """
        words = [match[0].casefold() for match in TOKEN.finditer(text)]
        runs = set(zip(*(words[i:] for i in range(RUN)), strict=False))
        if len(runs) < FEWEST_RUNS:
            return 0
        shared = Counter(i for run in runs for i in self._with.get(run, ()))
        alike = sum(
            n >= ALIKE * min(len(runs), self._seen[i][0]) and _compete(head, self._seen[i][1])
            for i, n in shared.items()
        )
        self._seen.append((len(runs), head))
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
