"""Sentence selection: choose the sentences of an extractive answer among the scored ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rag.answer.sentence_scoring import SentenceCandidate
from rag.nlp.tokens import stem_words
from rag.schema import Span

# Measured: docs/benchmarks.md#sentence-selection.
MOST_STATEMENTS = 3
FAR_BELOW = 4.0  # largest difference in score to the best sentence
JOINED_WITHIN = 3.0  # largest difference in score between joined neighbours. Swept 1.5-5
RELEVANT_FROM = 2.5  # minimum relevance of further sentences; unrelated ones have 1-2
SAYS_THE_SAME = 0.7  # share of the shorter sentence's words from which two are repetitions
LONGEST_STATEMENT = 600  # characters


def choose_sentences(
    found: Sequence[SentenceCandidate], most: int = MOST_STATEMENTS
) -> list[SentenceCandidate]:
    """Return the best sentences that don't repeat each other, best first.

    Two good adjacent sentences are joined, because the second one often continues the first.

    Args:
        found: Scored sentences, best first.
        most: Largest number of sentences; a joined pair counts as one.
    """
    picked: list[SentenceCandidate] = []
    single: dict[int, bool] = {}
    for candidate in found:
        if picked and candidate.score < picked[0].score - FAR_BELOW:
            break
        if picked and (
            candidate.features["fragment"]
            or candidate.relevance < RELEVANT_FROM
            or _lacks_answer(candidate, picked[0])
        ):
            continue
        if any(word_overlap(candidate.text, other.text) >= SAYS_THE_SAME for other in picked):
            continue
        place = _find_neighbour(candidate, picked, single)
        if place is not None:
            picked[place] = _join(picked[place], candidate)
            single[place] = False
        elif len(picked) < most:
            single[len(picked)] = True
            picked.append(candidate)
    if picked and single[0]:
        picked[0] = _join_neighbour(picked[0], [c for c in found if c not in picked])
    return picked


def _join_neighbour(
    best: SentenceCandidate, found: Sequence[SentenceCandidate]
) -> SentenceCandidate:
    """Return the best sentence joined with the better of its neighbours if that is relevant, too.

    Many news paragraphs have one sentence, and half of the answer is often in the next one.
    """
    for other in found:
        if (
            other.relevance >= RELEVANT_FROM
            and not (other.features["fragment"] or other.features["asks"])
            and _is_adjacent(best, other)
        ):
            return _join(best, other)
    return best


def _lacks_answer(candidate: SentenceCandidate, best: SentenceCandidate) -> bool:
    """Return whether the best sentence has the asked type or speaker and the candidate hasn't."""
    return any(
        best.features[wanted] >= 0.9 and candidate.features[wanted] < least
        for wanted, least in (("holds", 0.1), ("speaks", 0.9))
    )


def _find_neighbour(
    candidate: SentenceCandidate, picked: Sequence[SentenceCandidate], single: Mapping[int, bool]
) -> int | None:
    """Return the index of a picked single sentence that is adjacent to the candidate, or None."""
    for place, other in enumerate(picked):
        if single[place] and _is_adjacent(other, candidate):
            return place
    return None


def _is_adjacent(one: SentenceCandidate, other: SentenceCandidate) -> bool:
    """Return whether `other` is adjacent to `one` and scores nearly as well."""
    passage = one.hit.passage
    first, last = sorted((one, other), key=lambda c: c.span.start)
    if other.hit.passage != passage or first.span.end > last.span.start:
        return False
    between = passage.text[first.span.end - passage.start : last.span.start - passage.start]
    return (
        not between.strip()
        and (last is other or "\n" not in between)  # the paragraph before is no introduction
        and other.score >= one.score - JOINED_WITHIN
        and last.span.end - first.span.start <= LONGEST_STATEMENT
    )


def _join(one: SentenceCandidate, other: SentenceCandidate) -> SentenceCandidate:
    span = Span(min(one.span.start, other.span.start), max(one.span.end, other.span.end))
    passage = one.hit.passage
    text = passage.text[span.start - passage.start : span.end - passage.start]
    return replace(one, span=span, text=text)


def word_overlap(one: str, other: str) -> float:
    """Return the share of the shorter text's words that both texts have."""
    a, b = stem_words(one), stem_words(other)
    return len(a & b) / max(1, min(len(a), len(b)))
