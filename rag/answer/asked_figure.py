"""Figure that a question asks for: what it counts or measures, and the numbers that do.

Missing is not dead, damage is no cost and a rise is no cut: a number answers only with the unit,
the noun and the fate that are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.nlp.analyzers import stem
from rag.nlp.entities import find_names
from rag.nlp.fates import FATES
from rag.nlp.numbers import Number, find_numbers
from rag.nlp.tokens import TOKEN, Word, content_words, stem_words, tokenize
from rag.query.parser import ParsedQuery

NOUN_WITHIN = 3  # content words after a figure, among which is the noun that it counts
REACH = 40  # characters after a figure in which its noun and unit are looked for
CLAUSE_COST = 25  # characters that a comma or semicolon between a figure and a word counts for

Unit = Literal["count", "money", "share", "change", "duration", "age", "distance", "any"]


def _stems(words: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words.split())


_FATES = tuple(FATES.values())
# Directions of a change: a rise is no cut.
_CHANGES = (
    _stems("raise raised raises raising rise rose risen rises increase increased increases grow "
           "grew grown jump jumped climb climbed hike hiked higher up gain gained"),
    _stems("cut cuts cutting fall fell fallen falls drop dropped drops decrease decreased reduce "
           "reduced lower lowered decline declined down shrink shrank lose lost"),
)  # fmt: skip
_PEOPLE = _stems(
    "people person persons men women man woman others lives life victims victim residents civilians"
    " human souls bodies"
)
_MONEY_UNITS = _stems(
    "dollar dollars euro euros pound pounds yen yuan crown crowns krona kronor kroner franc francs "
    "rupee rupees peso pesos rouble roubles ruble rubles lira rand real reais zloty forint cent "
    "cents pence"
)
_MONEY_SIGNS = frozenset("$£€¥")
_TIME_UNITS = _stems(
    "second seconds minute minutes hour hours day days night nights week weeks month months year "
    "years decade decades century centuries"
)
_LENGTH_UNITS = _stems(
    "mile miles kilometer kilometers kilometre kilometres meter meters metre metres km feet foot "
    "inch inches yard yards"
)
_ORDINAL = re.compile(r"(?:\d(?:st|nd|rd)|first|second|third|\wth)$", re.IGNORECASE)
# A toll that may come: "could double to 180".
_POSSIBLE = re.compile(r"\b(?:could|may|might|would|will|feared)\b[^.;,]{0,60}$", re.IGNORECASE)
_ITEM = re.compile(r"[.)] ")  # after the number of an item in a list
_AGE = re.compile(r"[- ]years?[- ]old\b|, (?=who|has|was|is|will)|,(?= )", re.IGNORECASE)
_MONEY_ASKED = re.compile(
    r"\bhow much\b.{0,80}\b(?:costs?|worth|pa(?:y|ys|id)|prices?|priced|spen[dt]|damages?|fined?"
    r"|sell|sold|fetch|money|donat\w+|earn\w*|raised?(?= for)|offer\w*|salary|wages?|budget|debt"
    r"|owe[sd]?|bail|settle\w*|award\w*)\b"
    r"|\b(?:prices?|costs?|fares?|fees?|wages?|salary|jackpot|bail|budget|damage)\b",
    re.IGNORECASE,
)
_MONEY_TOPIC = re.compile(
    r"\b(?:prices?|costs?|fares?|fees?|wages?|salar(?:y|ies)|jackpots?|budgets?|damages?|earnings"
    r"|revenues?|profits?|debts?)\b",
    re.IGNORECASE,
)
_SHARE_ASKED = re.compile(
    r"\b(?:percentage|proportion|what (?:share|percent)|per ?cent|rate)\b", re.IGNORECASE
)
_CHANGE_ASKED = re.compile(
    r"\bby how much\b"
    r"|\bhow much\b.{0,80}\b(?:raise[ds]?(?! for)|rise|rose|increase[ds]?|cut|drop\w*|fall"
    r"|fell|change[ds]?)\b",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(
    r"\b(?:how many|(?:what|which)(?: is| was)? the number of)\s+", re.IGNORECASE
)
_VERBS = frozenset(
    "is are was were do does did has have had will would can could be been got in on at of from"
    " after by for with to".split()
)
_ATTRIBUTED = re.compile(
    r"\b(?:do|does|did)\b.{1,80}\b(?:say|claim|report|estimate|believe|think|expect)\b"
    r"|\baccording to\b",
    re.IGNORECASE,
)
_ASKING = _stems(
    "how many much what which number amount total old long far often time percentage percent share"
    " proportion"
)


@dataclass(frozen=True, slots=True)
class AskedFigure:
    """Figure that a question asks for.

    Attributes:
        unit: The kind of unit.
        noun: Stems of the counted noun with its adjectives; empty if nothing is counted.
        fate: Stems for what happened to those counted, such as "die"; empty for anything else.
        change: Stems of the change that is measured, such as "raise"; empty for anything else.
        event: Stems of the question's other words, which say of what event or thing.
        names: The names in the question.
        known: The figures that the question contains itself.
        attributed: Whether somebody's figure is asked for: "does the White House say". Another
            source's newer one doesn't replace it.
        text: The question's terms.
    """

    unit: Unit
    noun: frozenset[str]
    fate: frozenset[str]
    change: frozenset[str]
    event: frozenset[str]
    names: tuple[str, ...]
    known: frozenset[float]
    attributed: bool
    text: str


def asked_figure(question: ParsedQuery) -> AskedFigure | None:
    """Return the figure that a question asks for; None if it asks for something else."""
    if question.expected.type != "figure":
        return None
    text = question.query
    stems = stem_words(text)
    fate = next((words for words in _FATES if stems & words), frozenset[str]())
    noun = _counted_noun(text)
    if fate:
        noun -= fate
    unit = _asked_unit(text, noun)
    names = tuple(name.text for name in find_names(text))
    change = next((words for words in _CHANGES if stems & words), frozenset[str]())
    event = stems - noun - fate - change - _ASKING - _TIME_UNITS
    known = frozenset(figure.value for figure in find_numbers(text))
    change = change if unit == "change" else frozenset()
    attributed = _ATTRIBUTED.search(question.text) is not None
    return AskedFigure(unit, noun, fate, change, event, names, known, attributed, text)


def _counted_noun(text: str) -> frozenset[str]:
    """Return the stems between "how many" and the verb; empty without "how many"."""
    match = _HOW_MANY.search(text)
    if match is None:
        return frozenset()
    run: list[str] = []
    for word in tokenize(text[match.end() :]):
        if word.text.lower() in _VERBS or len(run) == NOUN_WITHIN:
            break
        run.append(word.stem)
    return frozenset(run)


def _asked_unit(text: str, noun: frozenset[str]) -> Unit:
    low = text.lower()
    if noun & _TIME_UNITS or "how long" in low:
        return "duration"
    if noun & _LENGTH_UNITS or "how far" in low or "how tall" in low:
        return "distance"
    if noun & _MONEY_UNITS:
        return "money"
    if "how old" in low or re.search(r"\bage\b", low):
        return "age"
    if noun:
        return "count"
    if _CHANGE_ASKED.search(text):
        return "change"
    if _MONEY_ASKED.search(text):
        return "money"
    if _SHARE_ASKED.search(text):
        return "share"
    return "any"


def matching_numbers(asked: AskedFigure, sentence: str) -> list[tuple[Number, str]]:
    """Return the numbers of a sentence that have the asked unit, noun and fate, with their words.

    Args:
        asked: The figure asked for.
        sentence: The sentence.
    """
    words = tokenize(sentence)
    found = []
    for number in find_numbers(sentence):
        if _ORDINAL.search(number.text) or number.value in asked.known or number.unit == "o'clock":
            continue
        if asked.fate and _POSSIBLE.search(sentence[: number.start]):
            continue
        if _ITEM.match(sentence, number.end) and not sentence[: number.start].strip():
            continue
        if not _has_unit(asked, number, sentence):
            continue
        if asked.noun and asked.unit == "count" and not _counts(asked, number, sentence):
            continue
        if asked.fate and not _is_nearest(
            asked.fate, tuple(FATES.values()), number, words, sentence
        ):
            continue
        if asked.change and not _is_nearest(asked.change, _CHANGES, number, words, sentence):
            continue
        found.append((number, _in_words(asked, number, sentence)))
    return found


def _has_unit(asked: AskedFigure, number: Number, sentence: str) -> bool:
    after = [word.stem for word in tokenize(sentence[number.end : number.end + REACH])[:2]]
    first = after[0] if after else ""
    is_money = number.unit in _MONEY_SIGNS or first in _MONEY_UNITS
    is_share = number.unit == "%" or any(stem("point") == word for word in after)
    if asked.unit == "money":
        return is_money
    if asked.unit == "share":
        return is_share
    if asked.unit == "change":
        return is_money or is_share
    if is_money or number.unit == "%":
        return asked.unit == "any"
    if asked.unit == "duration":
        wanted = asked.noun & _TIME_UNITS or _TIME_UNITS
        return bool(wanted & set(after)) and not re.match(
            r"[- ]years?[- ]old", sentence[number.end :]
        )
    if asked.unit == "distance":
        return bool(_LENGTH_UNITS & set(after))
    if asked.unit == "age":
        aged = re.search(r"\b(?:aged?|was|is|at|turn(?:s|ed)|of) $", sentence[: number.start])
        return bool(_AGE.match(sentence, number.end)) or bool(aged)
    return first not in _TIME_UNITS | _LENGTH_UNITS and not _is_year(number)


def topic_unit(topic: str) -> str:
    """Return the kind of unit in which a topic is measured: "money" for fares; "" if unknown."""
    return "money" if _MONEY_TOPIC.search(topic) else "share" if _SHARE_ASKED.search(topic) else ""


def measured_numbers(sentence: str) -> list[Number]:
    """Return the numbers of a sentence that measure or count: no ordinals, years or times."""
    return [
        number
        for number in find_numbers(sentence)
        if not (_ORDINAL.search(number.text) or _is_year(number) or number.unit == "o'clock")
    ]


def measured_units(sentence: str) -> frozenset[str]:
    """Return the kinds of units in a sentence: "money", "share", "duration" or "distance"."""
    units: set[str] = set()
    for number in find_numbers(sentence):
        after = [word.stem for word in tokenize(sentence[number.end : number.end + REACH])[:2]]
        if number.unit in _MONEY_SIGNS or (after and after[0] in _MONEY_UNITS):
            units.add("money")
        elif number.unit == "%" or stem("point") in after:
            units.add("share")
        elif _TIME_UNITS & set(after):
            units.add("duration")
        elif _LENGTH_UNITS & set(after):
            units.add("distance")
    return frozenset(units)


def _is_year(number: Number) -> bool:
    return 1900 <= number.value <= 2100 and number.text.isdigit() and len(number.text) == 4


def _counts(asked: AskedFigure, number: Number, sentence: str) -> bool:
    """Return whether a number counts the asked noun; people may be left out ("killed 65")."""
    after = sentence[number.end : number.end + REACH]
    following = content_words(after)[:NOUN_WITHIN]
    stems = {word.stem for word in following}
    if asked.noun & _PEOPLE and asked.fate:
        noun = _noun_after(after)
        return noun is None or noun.stem in asked.noun | _PEOPLE | asked.fate
    nouns = asked.noun - {w.stem for name in asked.names for w in content_words(name)}
    return bool((nouns or asked.noun) & stems)


def _noun_after(after: str) -> Word | None:
    """Return the word right after a number if it can be the noun that the number counts."""
    words = tokenize(after)
    if not words or words[0].start > 1 or words[0].is_stop_word:
        return None
    return words[0]


def _is_nearest(
    asked: frozenset[str],
    groups: Sequence[frozenset[str]],
    number: Number,
    words: Sequence[Word],
    sentence: str,
) -> bool:
    """Return whether the word nearest to a number, among those of all groups, is one asked for."""
    every = frozenset[str]().union(*groups)
    near = [word for word in words if word.stem in every]
    if not near:
        return False

    def distance(word: Word) -> int:
        start, end = (
            sorted((word.end, number.start))
            if word.start < number.start
            else (number.end, word.start)
        )
        between = sentence[start:end]
        return len(between) + CLAUSE_COST * (between.count(",") + between.count(";"))

    return min(near, key=distance).stem in asked


MODIFIER = re.compile(
    r"\b(?:at least|more than|over|nearly|almost|about|around|some|up to|as many as|fewer than"
    r"|less than|under|roughly|approximately|only|just over|just under) (?:the )?$",
    re.IGNORECASE,
)


def _in_words(asked: AskedFigure, number: Number, sentence: str) -> str:
    """Return a number in the sentence's words, with "at least" before and its unit after it."""
    before = MODIFIER.search(sentence[max(0, number.start - REACH) : number.start])
    start = number.start - len(before[0]) if before else number.start
    end = number.end
    for match in list(TOKEN.finditer(sentence, number.end, number.end + REACH))[:NOUN_WITHIN]:
        word = stem(match[0])
        gap = sentence[end : match.start()]
        if gap.strip(" -") or len(gap) > 1:
            break
        counted = asked.noun | _MONEY_UNITS | _TIME_UNITS | _LENGTH_UNITS | _stems("point points")
        if word not in counted and word not in _stems("old percentage"):
            if end == number.end and match[0][0].isupper():
                continue
            break
        end = match.end()
    return sentence[start:end]
