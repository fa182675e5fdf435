"""Sentence selection: choose the sentences of an extractive answer among the scored ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.answer.sentence_scoring import COPIED, SentenceCandidate
from rag.nlp.tokens import word_overlap
from rag.schema import Span

# Measured: docs/benchmarks.md#sentence-selection.
MOST_STATEMENTS = 2
ADDS_WITHIN = 1.5  # largest difference in score to the best statement of a second one. Swept .5-4
FAR_BELOW = 4.0  # the same in a list
CONTEXT_WITHIN = 2.0  # largest difference in score of a sentence quoted before the best. Swept 1-9
CONTINUES_WITHIN = 2.0  # the same of a sentence quoted after the best. Swept 1-5
RELEVANT_FROM = 2.5  # minimum relevance of further sentences; unrelated ones have 1-2
SAYS_LITTLE_NEW = 0.5  # the same for a second statement without a fact of the asked type
TEMPLATE_FROM = 3  # articles with the best statement's wording that make it a template
LONGEST_STATEMENT = 600  # characters
HOLDS = 0.6  # features from which a sentence holds the asked type, tied to the question
TIED = 0.2
STANDS_ALONE = 0.8  # "fills" from which a sentence needs no other before it. Swept .4-1.1


def choose_sentences(
    found: Sequence[SentenceCandidate], most: int = MOST_STATEMENTS
) -> list[SentenceCandidate]:
    """Return the best statement, and further ones that add something to it, best first.

    A statement is a sentence, with the one beside it if it needs that to be understood or to hold
    the answer. A second one adds another fact of the asked type; a list takes what isn't repeated.

    Args:
        found: Scored sentences, best first.
        most: Largest number of statements; above MOST_STATEMENTS, a list.
    """
    picked: list[SentenceCandidate] = []
    for candidate in found:
        if len(picked) == most:
            break
        if not picked or _adds(candidate, picked, listed=most > MOST_STATEMENTS):
            picked.append(complete_statement(candidate))
    apart = _find_other_wording(found) if most <= MOST_STATEMENTS else None
    if apart is not None and all(_article(apart) != _article(one) for one in picked):
        picked[1:] = [complete_statement(apart)]
    return picked


def _find_other_wording(found: Sequence[SentenceCandidate]) -> SentenceCandidate | None:
    """Return the best sentence of other articles if several share the best one's wording.

    Articles that repeat one wording are one source, however many publishers they name, and mustn't
    be all that a reader sees.
    """
    best = found[0] if found else None
    if best is None:
        return None
    alike = {_article(c) for c in found if word_overlap(c.text, best.text) >= COPIED}
    if len(alike) < TEMPLATE_FROM:
        return None
    others = (
        c
        for c in found
        if _article(c) not in alike
        and c.score >= best.score - FAR_BELOW
        and c.relevance >= RELEVANT_FROM
        and not (c.features["fragment"] or c.features["asks"])
    )
    return next(others, None)


def _article(candidate: SentenceCandidate) -> str:
    return candidate.hit.passage.article_id


def _adds(
    candidate: SentenceCandidate, picked: Sequence[SentenceCandidate], *, listed: bool
) -> bool:
    """Return whether a sentence says something relevant that the statements before it don't."""
    best = picked[0]
    if (
        candidate.score < best.score - (FAR_BELOW if listed else ADDS_WITHIN)
        or candidate.relevance < RELEVANT_FROM
        or candidate.features["fragment"]
        or candidate.features["asks"]
        or _lacks_answer(candidate, best)
    ):
        return False
    alike = max(word_overlap(candidate.text, other.text) for other in picked)
    if alike >= COPIED or any(_overlap(candidate, other) for other in picked):
        return False
    known = frozenset().union(*(other.facts for other in picked))
    return listed or bool(candidate.facts - known) or (not known and alike < SAYS_LITTLE_NEW)


def _overlap(one: SentenceCandidate, other: SentenceCandidate) -> bool:
    same = one.hit.passage == other.hit.passage
    return same and one.span.start < other.span.end and other.span.start < one.span.end


def complete_statement(candidate: SentenceCandidate) -> SentenceCandidate:
    """Return a sentence, joined with the one beside it that holds the answer or leads up to it.

    Many news paragraphs have one sentence, and half of the answer is often in the next one.
    """
    beside = [
        other
        for other in (candidate.before, candidate.after)
        if other and not other.features["asks"] and _length_joined(candidate, other)
    ]
    if not _is_tied(candidate):
        better = [other for other in beside if _slot(other) > _slot(candidate)]
        if better:
            return _join(candidate, max(better, key=_slot))
    before = candidate.before
    alone = candidate.features.get("fills", 0.0) >= STANDS_ALONE
    if before in beside and before is not None and not alone:
        near = before.base_score >= candidate.base_score - CONTEXT_WITHIN
        return _join(candidate, before) if near else candidate
    after = candidate.after
    if after in beside and after is not None and _continues(candidate, after):
        return _join(candidate, after)
    return candidate


def _continues(candidate: SentenceCandidate, after: SentenceCandidate) -> bool:
    """Return whether the next sentence is nearly as good: half of an answer often stands there."""
    near = after.base_score >= candidate.base_score - CONTINUES_WITHIN
    return near and after.relevance >= RELEVANT_FROM


def _is_tied(candidate: SentenceCandidate) -> bool:
    """Return whether a sentence holds a fact of the asked type, near the question's words."""
    return candidate.features["holds"] >= HOLDS and candidate.features.get("fills", 0.0) > TIED


def _slot(candidate: SentenceCandidate) -> float:
    return candidate.features["holds"] + candidate.features.get("fills", 0.0)


def _length_joined(one: SentenceCandidate, other: SentenceCandidate) -> bool:
    start, end = min(one.span.start, other.span.start), max(one.span.end, other.span.end)
    return end - start <= LONGEST_STATEMENT


def _lacks_answer(candidate: SentenceCandidate, best: SentenceCandidate) -> bool:
    """Return whether the best sentence has the asked type or speaker and the candidate hasn't."""
    return any(
        best.features[wanted] >= 0.9 and candidate.features[wanted] < least
        for wanted, least in (("holds", 0.1), ("speaks", 0.9))
    )


def _join(one: SentenceCandidate, other: SentenceCandidate) -> SentenceCandidate:
    span = Span(min(one.span.start, other.span.start), max(one.span.end, other.span.end))
    passage = one.hit.passage
    text = passage.text[span.start - passage.start : span.end - passage.start]
    return replace(one, span=span, text=text, facts=one.facts | other.facts)
