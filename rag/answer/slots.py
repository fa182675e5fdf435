"""Slots: what a question asks for, and how closely a sentence ties such a fact to the question.

"How many people were killed?" wants the figure that stands with "killed", not the one that stands
with "missing"; "which country" wants a country. A fact far from the question's words is rarely it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from rag.answer.consensus import Facts, extract_facts
from rag.nlp.analyzers import stem
from rag.nlp.entities import find_names, is_country
from rag.nlp.fates import FATES
from rag.nlp.numbers import Number, find_numbers
from rag.nlp.tokens import Word, content_words, tokenize
from rag.query.answer_type import ExpectedAnswer
from rag.schema import Hit

YEAR_ENDS = timedelta(days=45)  # January reports on the year before, December on the next
REACH = 90  # characters between a fact and a word of the question that belong together
BEFORE_COSTS = 1.3  # "12 were killed" is commoner than "killed 12"
FATE_REACH = 60.0  # the same between a figure and what befell those that it counts
_NOUN_REACH = 40  # characters between a figure and the noun that it counts

_MONEY = re.compile(
    r"\bhow much (?:money|(?:\w+ ){0,8}?(?:cost|pay|paid|worth|earn|earned|raise|raised|spend"
    r"|spent|sell|sold|donate|donated|fined?|price|owe))\b"
    r"|\b(?:price|cost|salary|budget|fine|net worth)\b",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"\b(?:percent|percentage|per cent|proportion|share|rate)\b", re.IGNORECASE)
_AGE = re.compile(r"\bhow old\b|\bat what age\b|\bwhat age\b|\bthe age\b", re.IGNORECASE)
_AGED = re.compile(r"[- ]years?[- ]olds?\b|[,)]|[- ]years? of age\b")
_TIME = re.compile(
    r"\bhow long\b|\bhow many (?:seconds|minutes|hours|days|weeks|months|years)\b", re.IGNORECASE
)
_TIMED = re.compile(
    r"[- ](?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?|centur)", re.IGNORECASE
)
_HOW_MANY = re.compile(r"\bhow many (?P<noun>[\w’'-]+(?: [\w’'-]+)?)", re.IGNORECASE)
_YEAR = re.compile(r"(?<![\d.,$€£-])(?:19|20)\d\d(?![\d.,%]\d|\d)")
_COUNTRY = frozenset(("countri", "nation", "country"))


@dataclass(frozen=True, slots=True)
class Slot:
    """The fact that a question asks for.

    Attributes:
        asked: The expected answer.
        question: The question.
        weights: The weight of each of its words, by stem.
    """

    asked: ExpectedAnswer
    question: str
    weights: Mapping[str, float]


def contradicts_year(question: str, hit: Hit) -> bool:
    """Return whether a question names a year, and a passage is of other years only.

    Args:
        question: The question.
        hit: The passage; the years of its text, its title and its publication count, and the year
            after a publication in its last month.
    """
    asked = set(_YEAR.findall(question))
    if not asked:
        return False
    named = set(_YEAR.findall(f"{hit.metadata.title} {hit.passage.text}"))
    published = hit.metadata.published
    if published is not None:
        named |= {str((published + days).year) for days in (-YEAR_ENDS, timedelta(0), YEAR_ENDS)}
    return bool(named) and not asked & named


def fill_slot(slot: Slot, sentence: str) -> float:
    """Return how well a sentence fills a question's slot, from 0 (not at all) to 1.

    Args:
        slot: What is asked for.
        sentence: The sentence.

    Returns:
        The share of the question's words that stand near its best fact of the asked type; of a
        question without such a type, 0.
    """
    if slot.asked.type == "figure":
        return _fill_figure(slot, sentence)
    facts = _facts(slot, sentence)
    if not facts.starts:
        return 0.0
    words = [word for word in content_words(sentence) if word.stem in slot.weights]
    total = sum(slot.weights.values()) or 1.0
    return (
        max(
            sum({w.stem: slot.weights[w.stem] for w in words if abs(w.start - at) < REACH}.values())
            for at in facts.starts.values()
        )
        / total
    )


def _facts(slot: Slot, sentence: str) -> Facts:
    facts = extract_facts(sentence, slot.question, slot.asked)
    if (
        slot.asked.type == "place"
        and stem(slot.asked.head.split()[-1] if slot.asked.head else "") in _COUNTRY
    ):
        countries = {name.start for name in find_names(sentence) if is_country(name.text)}
        return Facts({key: at for key, at in facts.starts.items() if at in countries})
    return facts


def _fill_figure(slot: Slot, sentence: str) -> float:
    known = {figure.value for figure in find_numbers(slot.question)}
    figures = [figure for figure in find_numbers(sentence) if figure.value not in known]
    if not figures:
        return 0.0
    words = tokenize(sentence)
    total = sum(slot.weights.values()) or 1.0
    return max(
        _fits(slot.question, sentence, figure, words)
        * (0.3 + 0.7 * _near(slot.weights, words, figure) / total)
        for figure in figures
    )


def _near(weights: Mapping[str, float], words: Sequence[Word], figure: Number) -> float:
    return sum(
        {
            w.stem: weights[w.stem]
            for w in words
            if w.stem in weights and -REACH < w.start - figure.start < REACH
        }.values()
    )


def _fits(question: str, sentence: str, figure: Number, words: Sequence[Word]) -> float:
    """Return how well a figure's unit and what it counts fit a question, from 0 to 1."""
    asked_fate = _fate_of_question(question)
    if asked_fate:
        fate = _fate_near(figure, words)
        if fate != asked_fate:
            return 0.0 if fate else 0.3
    after = sentence[figure.end : figure.end + 16]
    if _AGE.search(question):
        return (
            1.0
            if _AGED.match(after) or re.search(r"\bage[ds]?\b[^.]{0,12}$", sentence[: figure.start])
            else 0.3
        )
    if _TIME.search(question):
        return 1.0 if _TIMED.match(after) or figure.unit == "o'clock" else 0.3
    if _PERCENT.search(question):
        return 1.0 if figure.unit == "%" else 0.4
    if _MONEY.search(question):
        return 1.0 if figure.unit in ("$", "£", "€", "¥") else 0.3
    many = _HOW_MANY.search(question)
    if many and figure.unit in ("$", "£", "€", "¥", "%", "o'clock"):
        return 0.2
    if many:
        nouns = {word.stem for word in content_words(many["noun"])}
        counted = any(w.stem in nouns and 0 < w.start - figure.start < _NOUN_REACH for w in words)
        return 1.0 if counted else 0.6
    return 0.8


@lru_cache(maxsize=64)
def _fate_of_question(question: str) -> str:
    stems = {word.stem for word in tokenize(question)}
    found = [name for name, words in FATES.items() if words & stems]
    return found[0] if len(found) == 1 else ""


def _fate_near(figure: Number, words: Sequence[Word]) -> str:
    """Return the fate of those whom a figure counts: the nearest one, those after it first."""
    best, fate = FATE_REACH, ""
    for word in words:
        distance = (
            word.start - figure.end
            if word.start >= figure.end
            else BEFORE_COSTS * (figure.start - word.end)
        )
        for name, stems in FATES.items():
            if word.stem in stems and distance < best:
                best, fate = distance, name
    return fate
