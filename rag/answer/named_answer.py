"""Name that answers a question for who or where, shown first if it is almost surely right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rag.answer.asked_name import AskedName, asked_name
from rag.answer.name_roles import named_in_role
from rag.answer.sentence_scoring import SentenceCandidate
from rag.nlp.entities import Name, find_names, names_match
from rag.nlp.numbers import find_numbers
from rag.nlp.sentences import split_sentences
from rag.nlp.tokens import stem_words
from rag.query.parser import ParsedQuery

NEAR_THE_BEST = 2.5  # largest difference in score to the best sentence
NEAR = 1.0  # likewise to the best sentence that has the name, within which a fuller name is taken
COVERED = 0.75  # share of the question's words that a sentence with its headline must have
STALE = timedelta(days=90)  # a sentence so much older than the newest one isn't of today
COMING = timedelta(days=14)  # what a sentence so old says of the future may be over
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


@dataclass(frozen=True, slots=True)
class NamedAnswer:
    """Name that answers, with the sentence that has it.

    Attributes:
        candidate: The sentence.
        name: The name in the sentence's words.
    """

    candidate: SentenceCandidate
    name: str

    def is_in(self, other: SentenceCandidate) -> bool:
        """Return whether a sentence of the answer is this one, alone or joined with another."""
        return other.hit.passage == self.candidate.hit.passage and self.name in other.text


def find_named_answer(
    question: ParsedQuery, ranked: Sequence[SentenceCandidate]
) -> NamedAnswer | None:
    """Return the sentence that names who or where, with the name.

    Args:
        question: The parsed question.
        ranked: Scored sentences, best first.

    Returns:
        The best such sentence with the name; None if no sentence surely names it, or if
        sentences disagree.
    """
    asked = asked_name(question)
    if asked is None or not ranked:
        return None
    best = ranked[0].score
    found = [
        NamedAnswer(candidate, name.text)
        for candidate in ranked
        if candidate.score >= best - NEAR_THE_BEST
        and not candidate.features["asks"]
        and _is_about(asked, candidate)
        and (name := _name_in(asked, candidate.text)) is not None
    ]
    if not found or any(not names_match(one.name, found[0].name) for one in found):
        return None
    if asked.present and _is_stale(found[0].candidate, ranked):
        return None
    if asked.future and not _is_fresh(found[0].candidate, question.asked_on):
        return None
    near = [one for one in found if one.candidate.score >= found[0].candidate.score - NEAR]
    return max(near, key=lambda one: len(one.name.split()))


def _name_in(asked: AskedName, text: str) -> Name | None:
    """Return the name in one of the sentences of a candidate; None if two of them differ."""
    sentences = (text[span.start : span.end] for span in split_sentences(text))
    found = [name for one in sentences if (name := named_in_role(asked, one)) is not None]
    return found[0] if found and all(names_match(n.text, found[0].text) for n in found) else None


def _is_about(asked: AskedName, candidate: SentenceCandidate) -> bool:
    """Return whether a sentence with its headline has the question's names, numbers and words."""
    metadata = candidate.hit.metadata
    text = f"{metadata.title}. {candidate.text}"
    there = [name.text for name in find_names(text)]
    if not all(any(names_match(name, other) for other in there) for name in asked.names):
        return False
    numbers = {number.value for number in find_numbers(text)}
    years = {metadata.published.year} if metadata.published else set()
    if not asked.numbers <= numbers | years:
        return False
    named = {int(year) for year in _YEAR.findall(candidate.text)}
    if not named <= asked.numbers | years:
        return False  # "won in 2019 and again last year"
    covered = asked.words & stem_words(text)
    return len(covered) >= COVERED * len(asked.words)


def _is_stale(candidate: SentenceCandidate, ranked: Sequence[SentenceCandidate]) -> bool:
    published = candidate.hit.metadata.published
    days = [c.hit.metadata.published for c in ranked if c.hit.metadata.published]
    return published is None or (bool(days) and published < max(days) - STALE)


def _is_fresh(candidate: SentenceCandidate, asked_on: datetime) -> bool:
    published = candidate.hit.metadata.published
    return published is not None and published >= asked_on - COMING
