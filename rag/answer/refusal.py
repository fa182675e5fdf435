"""When and why to refuse a question, and the calibrated confidence of an answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from rag.answer.sentence_scoring import SentenceCandidate
from rag.nlp.entities import find_names
from rag.query.answer_type import indicates_answer
from rag.query.parser import ParsedQuery
from rag.schema import Answer, Filters, Hit, Notice

# A question is refused where no sentence reaches this relevance.  Over all 11,746 articles, 300
# questions of 2023 asked of those before and 300 of 2022 that those can answer: F1 .763, precision
# .96, recall .63.  On 110 and 110 of them .75 at 5.45, .77 at 5.55, .81 at 5.7; but above 5.47 a
# question as plain as "Why is the apple harvest small?" is refused that an old article answers.
# Again: `backfile evaluate answers FILE --until DAY`.
REFUSE_BELOW = 5.45
# What was published in the month before the question need bear on it less: what is asked is mostly
# news.  Swept 4.0-5.0 on the same, with 111 gold questions and 200 others asked in their week: of
# the gold ones .02 are refused, .04 at 4.4, .08 at 5.0, and .730, .721, .694 of all are answered.
FRESH_BELOW = 4.0
FRESH = timedelta(days=30)
ONE_DAY = timedelta(days=1)  # a day without a time is its midnight
MOST_CLOSEST = 3


def refusal_reason(question: ParsedQuery, found: Sequence[SentenceCandidate]) -> Notice | None:
    """Return why the archive has no answer to the question; None if it has one."""
    if not found:
        return Notice("nothing_relevant")
    asked = question.expected
    if asked.whose and not asked.sides and not any(c.features["speaks"] for c in found):
        return Notice("speakers_missing", speakers=[_definite(asked.whose)])
    if asked.sides and not any(
        indicates_answer(side, c.text, c.hit.passage.text) for c in found for side in asked.sides
    ):
        return Notice("speakers_missing", speakers=asked.sides)
    if not any(c.relevance >= _least(c, question.asked_on) for c in found):
        missing = _missing(question, found)
        if missing:
            return Notice("names_missing", names=missing)
        return Notice("off_topic")
    return None


def _least(candidate: SentenceCandidate, asked_on: datetime) -> float:
    """Return the relevance from which on a sentence answers a question of that day."""
    published = candidate.hit.metadata.published
    fresh = published is not None and asked_on - FRESH <= published <= asked_on + ONE_DAY
    return FRESH_BELOW if fresh else REFUSE_BELOW


def _missing(question: ParsedQuery, found: Sequence[SentenceCandidate]) -> list[str]:
    texts = " ".join(f"{c.hit.metadata.title} {c.hit.passage.text}" for c in found).lower()
    return [n.text for n in find_names(question.text) if n.text.lower() not in texts]


def _definite(whose: str) -> str:
    return whose if whose[:1].isupper() else whose[:1].lower() + whose[1:]


def refusal_answer(
    question: ParsedQuery,
    hits: Sequence[Hit],
    why: Notice,
    filters: Filters,
    notices: Sequence[Notice] = (),
) -> Answer:
    """Return the refusal of a question, with the closest articles and the filters' limits."""
    return Answer(
        question=question.text,
        hits=tuple(hits),
        refused=True,
        refusal=why,
        nearest_hits=nearest_hits(hits),
        understood=question.describe(),
        notices=(*_limits(filters), *notices),
    )


def excluded_hit_reason(hit: Hit, question: ParsedQuery, filters: Filters) -> Notice:
    """Return how `hit`, which answers the question, lies outside the filters."""
    published, window = hit.metadata.published, question.time_range
    starts = [filters.after, window.start if window else None]
    ends = [filters.before, window.end if window else None]
    after = max((moment for moment in starts if moment), default=None)
    before = min((moment for moment in ends if moment), default=None)
    source = hit.metadata.publisher or hit.metadata.title
    if published is None:
        return Notice("excluded_article_undated", source=source)
    code = "excluded_article"
    if after and published < after:
        code = "earlier_article"
    elif before and published >= before:
        code = "later_article"
    return Notice(code, source=source, published=published)


def _limits(filters: Filters) -> tuple[Notice, ...]:
    limits = {
        name: value
        for name in ("publishers", "after", "before")
        if (value := getattr(filters, name))
    }
    return (Notice("search_limited", **limits),) if limits else ()


def nearest_hits(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Return the best hit of each of the nearest articles, of a story's tellings one."""
    first: dict[str, Hit] = {}
    for hit in hits:
        if not any(copy.article_id in first for copy in hit.copies):
            first.setdefault(hit.passage.article_id, hit)
    return tuple(first.values())[:MOST_CLOSEST]


# Logistic regression on whether the first three statements hold the known answer, word for word, of
# 461 questions over all 11,746 articles, by the score of the best sentence.  On the halves that it
# was not fitted on, three times over, what it says is off by .02 in the mean; again:
# `backfile evaluate answers QUESTIONS`, the rows of "calibration".
SLOPE = 0.8
MIDDLE = 8.8  # the score at which every other answer holds it
SELDOM = 0.25  # below it the reader is told: of 100 such answers 15 to 20 held it


def answer_confidence(ranked: Sequence[SentenceCandidate]) -> float:
    """Return how probable it is, from 0 to 1, that the best of `ranked` hold what was asked."""
    if not ranked:
        return 0.0
    return 1 / (1 + math.exp(SLOPE * (MIDDLE - ranked[0].score)))


def low_confidence_notice(probability: float) -> tuple[Notice, ...]:
    """Return the notice of a low confidence; none where it is as high as usual."""
    return (Notice("low_confidence"),) if probability < SELDOM else ()
