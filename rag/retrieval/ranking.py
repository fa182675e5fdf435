"""Ranking: recency, publisher and year boosts, reranking, and publisher diversity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rag.query.parser import ParsedQuery
from rag.schema import PassageCandidate

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder

# Tuned on 121 gold and 330 other questions; results in docs/benchmarks.md#ranking. Measure again
# with `backfile evaluate retrieval QUESTIONS`.
NEWS_WEIGHT = 1.0  # boost of a passage published on the day of asking. Swept 1-4
NEWS_DAYS = 15.0  # time constant, in days, of that boost's decay. Swept 5-20
NEWER_WEIGHT = 0.3  # second boost, with slow decay: ranks the newer of two old stories. Swept 0-3
NEWER_DAYS = 1500.0  # time constant of its decay. Swept 365-3000
UNDATED_DAYS = 1000  # age of undated articles; without one they'd rank below all dated ones
YEAR_WEIGHT = 0.2  # boost of articles published in a year that the question names. Swept .1-1
YEAR_ENDS = timedelta(days=31)  # January still reports on the previous year
AFTERWARDS = 10.0  # a day after the day of asking counts as this many days before it. Swept 2-10
SOFT_WEIGHT = 0.3  # boost within a soft time range; not swept
REPORTED_LATER = 0.8  # weight within the days after a time range in which it is still reported
CITED_WEIGHT = 0.5  # boost of a publisher that the question cites. Swept .3-1
RULED_OUT = 0.5  # weight of a passage with words that the question excludes
# Penalty for a publisher's second article, doubled for its third. The first five articles are of
# 2.1 publishers instead of 1.8, for .001 of MRR@10. Swept .01-.1
PUBLISHER_AGAIN = 0.05
AGAIN_AT_MOST = 3
SPREAD = 40  # how many of the first candidates are diversified by publisher
RERANKED = 20  # how many of the first candidates the reranker scores
RERANKER_SHARE = 0.5  # the reranker's share of a reranked passage's score


def apply_boosts(found: PassageCandidate, asked: ParsedQuery, text: str = "") -> PassageCandidate:
    """Return a candidate with its score weighted by date, publisher and excluded words.

    Args:
        found: The candidate.
        asked: The parsed question.
        text: The passage's text; needed only if the question excludes words.
    """
    weight = _weigh_time(found.metadata.published, asked)
    if found.metadata.publisher in asked.publishers:
        weight *= 1 + CITED_WEIGHT
    if asked.excluded:
        said = text.casefold()
        weight *= RULED_OUT if any(w.casefold() in said for w in asked.excluded) else 1.0
    return found.with_score(found.score * weight)


def _weigh_time(published: datetime | None, asked: ParsedQuery) -> float:
    window = asked.time_range
    if asked.time_neutral:
        return 1.0
    if window is not None and window.hard:
        return 1.0 if published is None or window.contains(published) else REPORTED_LATER
    if published is None:
        return 1 + NEWER_WEIGHT * math.exp(-UNDATED_DAYS / NEWER_DAYS)
    days = (asked.asked_on.astimezone(UTC).date() - published.astimezone(UTC).date()).days
    age = days if days >= 0 else -AFTERWARDS * days
    weight = 1 + NEWS_WEIGHT * math.exp(-age / NEWS_DAYS)
    weight += NEWER_WEIGHT * math.exp(-age / NEWER_DAYS)
    if any(published.year == y or (published - YEAR_ENDS).year == y for y in asked.years):
        weight += YEAR_WEIGHT
    return weight + (SOFT_WEIGHT if window is not None and window.contains(published) else 0.0)


def rerank(
    ranked: list[PassageCandidate],
    texts: Mapping[int, str],
    asked: ParsedQuery,
    reranker: BaseCrossEncoder,
) -> list[PassageCandidate]:
    """Return the candidates with the first RERANKED of them reranked by a cross-encoder.

    The reranker's scores are scaled to the range of the retrieval scores and averaged with them.

    Args:
        ranked: Candidates, best first.
        texts: The texts of the first ones, by passage number; candidates without one are dropped.
        asked: The parsed question.
        reranker: The cross-encoder.
    """
    first = [found for found in ranked[:RERANKED] if found.number in texts]
    rest = ranked[RERANKED:]
    if len(first) < 2:
        return first + rest
    scores = reranker.score([(asked.text, texts[found.number]) for found in first])
    low, high = min(scores), max(scores)
    top, bottom = first[0].score, first[-1].score
    reached = [(s - low) / (high - low) if high > low else 0.0 for s in scores]
    mixed = [
        found.with_score(
            (1 - RERANKER_SHARE) * found.score + RERANKER_SHARE * (bottom + share * (top - bottom))
        )
        for found, share in zip(first, reached, strict=True)
    ]
    return sorted(mixed, key=lambda found: -found.score) + rest


def diversify_by_publisher(ranked: Sequence[PassageCandidate]) -> list[PassageCandidate]:
    """Return the candidates with the further articles of each publisher ranked a little lower."""
    waiting, taken = list(ranked[:SPREAD]), list[PassageCandidate]()
    articles: dict[str, set[str]] = {}

    def diversified_score(found: PassageCandidate) -> float:
        others = articles.get(found.metadata.publisher, set()) - {found.metadata.article_id}
        return found.score * (1 - PUBLISHER_AGAIN * min(AGAIN_AT_MOST, len(others)))

    while waiting:
        best = max(waiting, key=diversified_score)
        waiting.remove(best)
        taken.append(best.with_score(diversified_score(best)))
        if best.metadata.publisher:
            articles.setdefault(best.metadata.publisher, set()).add(best.metadata.article_id)
    least = taken[-1].score if taken else 0.0
    return taken + [found.with_score(min(found.score, least)) for found in ranked[SPREAD:]]
