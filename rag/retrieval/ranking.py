"""What a passage found is worth to a question: by its date, its publisher, and a reranker."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rag.query.parser import ParsedQuery
from rag.schema import PassageCandidate

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder

# Swept over 121 gold questions and 330 others of shared/data/questions.jsonl, each asked once, over
# all passages of the 11,746 articles; the optima are flat.  hit@1 and MRR@10 of gold, `asked_on`
# given: .603 and .744 with a share of .3, 20 days and nothing else, .645 and .775 with a lead of
# .08, .653 and .778 as they stand; `asked_on` withheld .512 and .621 with a lead of .08, .554 and
# .651 as they stand.
# Tried since without gain, over 120 gold questions and 341 others: pairs of words that stand near
# each other, a title worth as much as the text, a dense share of .4, a lead of .18.  Of 42 gold
# questions that miss the first place 28 have an article there that holds the answer as well.
NEWS_WEIGHT = 1.0  # a passage of the day of asking counts twice.  Swept 1-4
NEWS_DAYS = 15.0  # and falls off with this time constant.  Swept 5-20
NEWER_WEIGHT = 0.3  # and so much more with a slow fall: of two old stories the newer.  Swept 0-3
NEWER_DAYS = 1500.0  # its time constant.  Swept 365-3000
# What has no date counts as if so old, or else the undated would stand behind all that is dated:
# of 640 questions over MultiHop-RAG's facts, a third of them undated, recall @4 .747 and not .729.
UNDATED_DAYS = 1000
YEAR_WEIGHT = 0.2  # what was published in a year that the words name.  Swept .1-1
YEAR_ENDS = timedelta(days=31)  # after it: December's news is looked back on in January
AFTERWARDS = 10.0  # a day after the day of asking counts as so many before.  Swept 2-10
SOFT_WEIGHT = 0.3  # what lies in a soft window counts so much more; not swept
REPORTED_LATER = 0.8  # what a passage counts that lies in those days
# On 250 of MultiHop-RAG's questions, recall of facts @4 and @10: .682 and .828 without those of an
# unknown publisher and 1.0 more for a cited one, .689 and .829 with them, .733 and .845 as it is.
CITED_WEIGHT = 0.5  # what a publisher counts more that the question cites.  Swept .3-1
RULED_OUT = 0.5  # what a passage counts with words that the question rules out
# A paper's second article on a question counts so much less, its third twice that: of the first
# five articles 2.1 publishers rather than 1.8, at no cost of hits (.001 of MRR@10).  Swept .01-.1
PUBLISHER_AGAIN = 0.05
AGAIN_AT_MOST = 3
SPREAD = 40  # first candidates whose publishers are looked at
RERANKED = 20  # first candidates that a reranker sees
RERANKER_SHARE = 0.5  # of a reranked passage's score


def apply_boosts(found: PassageCandidate, asked: ParsedQuery, text: str = "") -> PassageCandidate:
    """Return what was found, weighed by its date, its publisher and what is ruled out.

    Its `text` is looked at only where the question rules words out.
    """
    weight = _weight_of_time(found.metadata.published, asked)
    if found.metadata.publisher in asked.publishers:
        weight *= 1 + CITED_WEIGHT
    if asked.excluded:
        said = text.casefold()
        weight *= RULED_OUT if any(w.casefold() in said for w in asked.excluded) else 1.0
    return found.with_score(found.score * weight)


def _weight_of_time(published: datetime | None, asked: ParsedQuery) -> float:
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
    """Return what was found, the first of it in an order that is half the reranker's.

    `texts` are the words of the first RERANKED, by number; what has none is here no more.
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
    """Return what was found, a publisher's further articles behind others' that are as good."""
    waiting, taken = list(ranked[:SPREAD]), list[PassageCandidate]()
    articles: dict[str, set[str]] = {}

    def worth(found: PassageCandidate) -> float:
        others = articles.get(found.metadata.publisher, set()) - {found.metadata.article_id}
        return found.score * (1 - PUBLISHER_AGAIN * min(AGAIN_AT_MOST, len(others)))

    while waiting:
        best = max(waiting, key=worth)
        waiting.remove(best)
        taken.append(best.with_score(worth(best)))
        if best.metadata.publisher:
            articles.setdefault(best.metadata.publisher, set()).add(best.metadata.article_id)
    least = taken[-1].score if taken else 0.0
    return taken + [found.with_score(min(found.score, least)) for found in ranked[SPREAD:]]
