"""Refusal of questions that the archive can't answer, and calibrated confidence of answers.

Without a chat model a threshold decides, with one the model, whose refusal is recognised here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from rag.answer.prompts import DOES_NOT_SAY
from rag.answer.sentence_scoring import SentenceCandidate
from rag.citations import read_citations
from rag.nlp.entities import find_names, names_match
from rag.query.answer_type import score_speaker
from rag.query.parser import ParsedQuery
from rag.schema import Answer, Filters, Hit, Notice
from rag.verify.hedges import split_hedge

# Relevance below which a question is refused. Measured: docs/benchmarks.md#refusal; again with
# `backfile evaluate answers FILE --until DAY`.
REFUSE_BELOW = 5.6
FRESH_BELOW = 4.0  # the same for articles of the month before: most questions are about news
FRESH = timedelta(days=30)
ONE_DAY = timedelta(days=1)  # an article of the day of asking may be dated later than its midnight
MOST_CLOSEST = 3


def refusal_reason(question: ParsedQuery, found: Sequence[SentenceCandidate]) -> Notice | None:
    """Return the reason why the archive has no answer; None if it has one.

    Args:
        question: The parsed question.
        found: Scored sentences, best first.
    """
    if not found:
        return Notice("nothing_relevant")
    asked = question.expected
    if asked.whose and not asked.sides and not any(c.features["speaks"] for c in found):
        return Notice("speakers_missing", speakers=[_lower_first(asked.whose)])
    if asked.sides and not any(
        score_speaker(side, c.text, c.hit.passage.text) for c in found for side in asked.sides
    ):
        return Notice("speakers_missing", speakers=asked.sides)
    if not any(c.relevance >= _relevance_threshold(c, question.asked_on) for c in found):
        missing = _find_missing_names(question, found)
        if missing:
            return Notice("names_missing", names=missing)
        return Notice("off_topic")
    if asked.layout == "best first" and not question.parts and _is_of_elsewhere(question, found[0]):
        return Notice("off_topic")
    return None


def _is_of_elsewhere(question: ParsedQuery, best: SentenceCandidate) -> bool:
    """Return whether the best passage lacks a name of which, or in which, something is asked.

    "Who is the mayor of Tarn?" isn't answered by the mayor of Velsund.
    """
    there = f"{best.hit.metadata.title}\n{best.hit.passage.text}"
    low = there.lower()
    missing = [
        name
        for name in question.names
        if re.search(rf"\b{_TIES}\s(?:the\s)?{re.escape(name)}", question.text)
        and not all(word.lower() in low for word in re.findall(r"\w{3,}", name))
    ]
    if not missing:
        return False
    called = [name.text for name in find_names(there)]
    return any(not any(names_match(name, other) for other in called) for name in missing)


_TIES = r"(?:of|in|at|near|from|to|for|visit|visited|visiting)"


def _relevance_threshold(candidate: SentenceCandidate, asked_on: datetime) -> float:
    """Return the lowest relevance with which a sentence answers a question asked on that day."""
    published = candidate.hit.metadata.published
    fresh = published is not None and asked_on - FRESH <= published <= asked_on + ONE_DAY
    return FRESH_BELOW if fresh else REFUSE_BELOW


def _find_missing_names(question: ParsedQuery, found: Sequence[SentenceCandidate]) -> list[str]:
    if _GERMAN.match(question.text):  # all its nouns have capitals
        return []
    texts = " ".join(f"{c.hit.metadata.title} {c.hit.passage.text}" for c in found).lower()
    return [name for name in question.names if name.lower() not in texts]


_GERMAN = re.compile(
    r"(?:wann|wer|wen|wem|wo|wohin|woher|wie|warum|wieso|weshalb|welche[rsmn]?)\b", re.IGNORECASE
)


def _lower_first(whose: str) -> str:
    return whose if whose[:1].isupper() else whose[:1].lower() + whose[1:]


def is_refusal(sentence: str) -> bool:
    """Return whether a chat model's sentence says only that the archive has no answer.

    "The articles give no final figure, but 95 people have died [1]" says something else as well.
    """
    low = sentence.lower().replace("’", "'")
    if DOES_NOT_SAY.lower().rstrip(".") not in low and not _REFUSAL.search(low):
        return False
    hedge, rest = split_hedge(read_citations(sentence).text)
    return not rest if hedge else not _CONTRAST.search(low)


_CONTRAST = re.compile(r"\b(?:but|however|although|though|yet|only that)\b")
_REFUSAL = re.compile(
    r"\b(?:passages?|archive|articles?|context|provided (?:text|information)) (?:do(?:es)?|did)"
    r"(?: not|n't) (?:say|mention|contain|provide|give|answer|state|specify|include)"
    r"|\bi(?: cannot| can't| am unable to|'m sorry| am sorry)\b"
)


def refusal_answer(
    question: ParsedQuery,
    hits: Sequence[Hit],
    why: Notice,
    filters: Filters,
    notices: Sequence[Notice] = (),
) -> Answer:
    """Return a refusal, with the closest articles and the filters that limited the search.

    Args:
        question: The parsed question.
        hits: The hits of the search, best first.
        why: The reason.
        filters: The filters of the search.
        notices: Further notices.
    """
    return Answer(
        question=question.text,
        hits=tuple(hits),
        refused=True,
        refusal=why,
        nearest_hits=nearest_hits(hits),
        understood=question.describe(),
        notices=(*_describe_limits(filters), *notices),
    )


def excluded_hit_reason(hit: Hit, question: ParsedQuery, filters: Filters) -> Notice:
    """Return a notice of how an article that answers the question lies outside of the filters.

    Args:
        hit: The article's hit.
        question: The parsed question, whose time range counts as well.
        filters: The filters of the search.
    """
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


def _describe_limits(filters: Filters) -> tuple[Notice, ...]:
    limits = {
        name: value
        for name in ("publishers", "after", "before")
        if (value := getattr(filters, name))
    }
    return (Notice("search_limited", **limits),) if limits else ()


def nearest_hits(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Return the best hit of each of the nearest articles, one per cluster of near-duplicates."""
    first: dict[str, Hit] = {}
    for hit in hits:
        if not any(copy.article_id in first for copy in hit.copies):
            first.setdefault(hit.passage.article_id, hit)
    return tuple(first.values())[:MOST_CLOSEST]


# Logistic regression on the best sentence's score. Measured: docs/benchmarks.md#confidence; again
# with `backfile evaluate answers QUESTIONS`, the rows of "calibration".
SLOPE = 0.4
MIDDLE = 8.8  # score at which half of the answers are right
SELDOM = 0.4  # confidence below which the reader is warned: of such answers .39 are right


def answer_confidence(ranked: Sequence[SentenceCandidate]) -> float:
    """Return the probability, from 0 to 1, that the best sentences contain the answer."""
    if not ranked:
        return 0.0
    return 1 / (1 + math.exp(SLOPE * (MIDDLE - ranked[0].own_score)))


def low_confidence_notice(probability: float) -> tuple[Notice, ...]:
    """Return the notice of low confidence; none if the confidence is high enough."""
    return (Notice("low_confidence"),) if probability < SELDOM else ()
