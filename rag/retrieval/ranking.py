"""Ranking: the score of a candidate, and reranking by a cross-encoder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.query.parser import ParsedQuery
from rag.schema import PassageCandidate

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder

# Weights of a passage's score, a sum of what is known of it. Tuned on the even days of the shared
# questions, each once, over all articles with their vectors; docs/benchmarks.md#ranking has the
# results. Measure again with `backfile evaluate retrieval QUESTIONS`.
ARTICLE = 0.4  # BM25 of its whole article. Swept 0-1
WORDS = 0.4  # its own BM25. Swept 0-.8
MEANING = 1.3  # its cosine similarity. Swept 0-2.5
OPENING = 0.1  # if it opens its article, which says what it is about. Swept 0-.3
NEWS = 0.4  # if it was published on the day of asking. Swept 0-1.5
NEWS_DAYS = 14.0  # time constant, in days, of that weight's decay. Swept 5-30
NEWER = 1.2  # the same with a slow decay: ranks the newer of two old stories. Swept 0-3
NEWER_DAYS = 3000.0  # Swept 300-8000
UNDATED_DAYS = 1000  # age of undated articles; without one they'd rank below all dated ones
AFTERWARDS = 5.0  # a day after the day of asking counts as this many days before it. Swept 1-10
# If it was published in a year or time range of the question, or by a publisher that it cites.
NAMED = 0.2
YEAR_ENDS = timedelta(days=31)  # January still reports on the previous year
RULED_OUT = 0.5  # factor of a passage with words that the question excludes
RERANKED = 20  # how many of the first candidates the reranker scores
RERANKER_SHARE = 0.5  # the reranker's share of a reranked passage's score


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage's match with a question, each part a share (0 to 1) of the best candidate's.

    Attributes:
        article: By BM25 of its whole article.
        words: By its own BM25.
        meaning: By cosine similarity.
    """

    article: float
    words: float
    meaning: float


def score_candidate(
    found: PassageCandidate, evidence: Evidence, asked: ParsedQuery, text: str = ""
) -> PassageCandidate:
    """Return a candidate with its score: a weighted sum of its match, its date and its source.

    An article counts as a whole, because a question's words often lie far apart in it.

    Args:
        found: The candidate.
        evidence: How well it matches the question's words.
        asked: The parsed question.
        text: The passage's text; needed only if the question excludes words.
    """
    score = ARTICLE * evidence.article + WORDS * evidence.words + MEANING * evidence.meaning
    if found.start == 0:
        score += OPENING
    if not asked.time_neutral:
        score += _score_date(found.metadata.published, asked)
    if found.metadata.publisher in asked.publishers:
        score += NAMED
    if any(word.casefold() in text.casefold() for word in asked.excluded):
        score *= RULED_OUT
    return found.with_score(score)


def _score_date(published: datetime | None, asked: ParsedQuery) -> float:
    time_range = asked.time_range
    if time_range is not None and time_range.hard:  # later reports of it are candidates, too
        return NAMED if published is None or time_range.contains(published) else 0.0
    if published is None:
        return NEWER * math.exp(-UNDATED_DAYS / NEWER_DAYS)
    score = _score_age(_utc_day(asked.asked_on) - _utc_day(published))
    if any(published.year == y or (published - YEAR_ENDS).year == y for y in asked.years):
        score += NAMED
    return score + (NAMED if time_range is not None and time_range.contains(published) else 0.0)


def _utc_day(moment: datetime) -> int:
    """Return the number of a time's day in UTC."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).toordinal()


@lru_cache(maxsize=8192)
def _score_age(days: int) -> float:
    """Return the score of an article that was published so many days before the question."""
    age = days if days >= 0 else -AFTERWARDS * days
    return NEWS * math.exp(-age / NEWS_DAYS) + NEWER * math.exp(-age / NEWER_DAYS)


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
