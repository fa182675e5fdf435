"""Comparisons: the two sides that a question compares, each with evidence of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from rag.answer.asked_figure import measured_numbers, measured_units, topic_unit
from rag.answer.premise_conflicts import shared_words
from rag.answer.sentence_scoring import SentenceCandidate
from rag.answer.sentence_selection import RELEVANT_FROM
from rag.nlp.dates import MONTH_NUMBERS, MONTHS
from rag.nlp.entities import find_names, names_match
from rag.nlp.numbers import find_dates
from rag.nlp.tokens import content_words, stem_words

OF_THE_TOPIC = 0.34  # share of the topic's words that a sentence with its title must have
OF_THE_SIDE = 0.6  # share of a side's words, likewise
ALIKE = 3.0  # weight of the words that two sides' sentences share, in points of score
SAME_UNIT = 2.0  # the same for figures of one unit in both
ASKED_UNIT = 3.0  # the same if it is the unit of the topic: fares are in money
TWO_FIGURES = 1.5  # the same for two figures in a sentence about both
NEAR_THE_BEST = 1.0  # a sentence about both sides may score so much less than one of each
NEAR_A_SIDE = 40  # characters between a side and its figure
INTRODUCED = 200  # characters before a sentence in which one of its sides may be named
REPORTED_WITHIN = timedelta(days=7)  # reports on the end of a month may appear so long after it

_AND = r"(?:and|with|to|against|versus|vs\.?|or)"
_ON = r"(?:on|in|over|about|regarding|concerning|when it comes to|with regard to|in terms of)"
_COMPARE_OF = re.compile(
    rf"^(?:please )?(?:compare|contrast) (?P<topic>\S.{{1,120}}?) (?P<link>of|in|for|between|from)"
    rf" (?P<a>\S.{{0,80}}?) {_AND} (?P<b>\S.{{0,80}})$",
    re.IGNORECASE,
)
_COMPARE = re.compile(
    rf"^(?:please )?(?:compare|contrast) (?P<a>\S.{{0,80}}?) {_AND} (?P<b>\S.{{0,80}}?)"
    rf"(?: {_ON} (?P<topic>\S.{{0,120}}))?$",
    re.IGNORECASE,
)
_DIFFER = re.compile(
    rf"^how (?:do|does|did|are|is|was|were) (?P<a>\S.{{0,80}}?) and (?P<b>\S.{{0,80}}?)"
    rf" (?:differ|compare|different)(?: {_ON} (?P<topic>\S.{{0,120}}))?$",
    re.IGNORECASE,
)
_DIFFERENCE = re.compile(
    rf"^what(?:'s|’s| is| are| was| were) the differences? between (?P<a>\S.{{0,80}}?)"
    rf" and (?P<b>\S.{{0,80}}?)(?: {_ON} (?P<topic>\S.{{0,120}}))?$",
    re.IGNORECASE,
)
_MORE = r"(?:more|less|fewer|most|least|better|worse|[a-z]{2,15}(?:er|ier|est))"
_WHICH = re.compile(
    rf"^(?:which|who|what|where)\b(?P<topic>.{{0,80}}?\b{_MORE}\b[^,?]{{0,80}}),"
    rf" (?:in |the )?(?P<a>[^,]{{1,60}}) or (?:in |the )?(?P<b>[^,]{{1,60}})$",
    re.IGNORECASE,
)
_THAN = re.compile(
    rf"^(?:is|are|was|were|did|does|do|has|have|had) (?P<a>\S.{{0,60}}?)"
    rf" (?P<topic>(?:\w{{1,20}} ){{0,3}}?{_MORE}\b.{{0,60}}?) than (?P<b>\S.{{0,60}})$",
    re.IGNORECASE,
)
_MODIFIER = re.compile(r"^(?:the )?(?P<word>\w+)$", re.IGNORECASE)
_MODIFIED = re.compile(r"^(?:the )?(?P<word>\w+) (?P<head>\S.*)$", re.IGNORECASE)
_ORDINAL_OR_TIME = re.compile(
    r"^(?:first|second|third|\w+th|\d+(?:st|nd|rd|th)|old|new|last|(?:19|20)\d\d"
    rf"|{'|'.join(MONTH_NUMBERS)})$",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"(?:He|She|It|They|His|Her|Its|Their)\b")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison.

    Attributes:
        name: The side, in the question's words.
        question: What to search for: the topic with this side.
    """

    name: str
    question: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides that a question compares.

    Attributes:
        topic: What is compared, in the question's words; "" for the sides as a whole.
        sides: The sides.
    """

    topic: str
    sides: tuple[Side, Side]


def parse_comparison(question: str) -> Comparison | None:
    """Return the comparison that a question asks for; None if it asks for none.

    Args:
        question: The question, such as "Compare the fares of 2023 and 2024".
    """
    text = " ".join(question.split()).rstrip("?!. ")
    for pattern in (_COMPARE_OF, _COMPARE, _DIFFER, _DIFFERENCE, _WHICH, _THAN):
        match = pattern.match(text)
        if match is None:
            continue
        parts = match.groupdict()
        topic = (parts.get("topic") or "").strip()
        link = parts.get("link") or ""
        found = _sides(topic, "of" if link == "between" else link, match["a"], match["b"])
        if found is not None:
            return found
    return None


def _sides(topic: str, link: str, a: str, b: str) -> Comparison | None:
    one, modified = _MODIFIER.match(a), _MODIFIED.match(b)
    if not topic and one and modified and _ORDINAL_OR_TIME.match(one["word"]):
        head = modified["head"]  # "the fifth and the sixth flight of Starship"
        first, second = f"{one['word']} {head}", f"{modified['word']} {head}"
        return Comparison(head, (Side(one["word"], first), Side(modified["word"], second)))
    if _ORDINAL_OR_TIME.match(topic.split()[-1] if topic else "x"):
        return None  # "the fifth of ...": the sides stand before the link
    year = _YEAR.search(b)
    if year and not _YEAR.search(a) and a.lower() in MONTH_NUMBERS:
        a = f"{a} {year[0]}"  # "May and June 2022"
    if not stem_words(a + " x1") or not _says_something(a) or not _says_something(b):
        return None
    sides = [
        Side(name, f"{topic} {'in' if _is_time(name) else link} {name}" if topic else name)
        for name in (a, b)
    ]
    sides = [Side(side.name, " ".join(side.question.split())) for side in sides]
    return Comparison(topic, (sides[0], sides[1]))


def _says_something(side: str) -> bool:
    return bool(content_words(side)) or bool(_YEAR.search(side))


def choose_sides(
    comparison: Comparison, ranked: Sequence[Sequence[SentenceCandidate]]
) -> list[SentenceCandidate | None]:
    """Return the best sentence about each side, None for a side without any.

    The two sentences are chosen together: those that say the same kind of thing of both sides fit
    best. A sentence about both sides stands for both.

    Args:
        comparison: The comparison.
        ranked: Scored sentences found for each side, best first.
    """
    one, two = comparison.sides
    fit = [
        [c for c in found if is_about_side(c, side, other, comparison)]
        for found, side, other in zip(ranked, (one, two), (two, one), strict=True)
    ]
    both = [c for c in [*ranked[0], *ranked[1]] if _is_about_both(c, comparison)]
    best = max(both, key=_fit_of_both, default=None)
    pair = _best_pair(fit[0], fit[1], comparison)
    if best is not None and (
        pair is None or _fit_of_both(best) >= max(c.score for c in pair) - NEAR_THE_BEST
    ):
        return [best, best]
    if pair is not None:
        return list(pair)
    unit = topic_unit(comparison.topic)
    return [
        max(
            found,
            key=lambda c: c.score + ASKED_UNIT * (unit in measured_units(c.text)),
            default=None,
        )
        for found in fit
    ]


def _is_about_both(candidate: SentenceCandidate, comparison: Comparison) -> bool:
    """Return whether a sentence is about both sides; one may be named just before it."""
    if candidate.features["fragment"] or candidate.features["asks"]:
        return False
    start = candidate.span.start - candidate.hit.passage.start
    before = candidate.hit.passage.text[max(0, start - INTRODUCED) : start]
    here = [_has_side(candidate.text, side.name) for side in comparison.sides]
    if topic_unit(comparison.topic) and not all(
        _is_measured(candidate.text, side.name) for side in comparison.sides
    ):
        return False
    near = f"{before} {candidate.text} {candidate.hit.metadata.title}"
    around = [_has_side(near, side.name) for side in comparison.sides]
    meant = len(measured_numbers(candidate.text)) > 1 and bool(_PRONOUN.match(candidate.text))
    return (all(here) or (any(here) and all(around) and meant)) and _is_on_topic(
        candidate, comparison
    )


def _is_measured(text: str, side: str) -> bool:
    """Return whether a figure stands near a side: "28 in Arvik and 35 in Lund"."""
    at = text.find(side)
    return at >= 0 and any(
        min(abs(number.start - at - len(side)), abs(at - number.end)) <= NEAR_A_SIDE
        for number in measured_numbers(text)
    )


def _fit_of_both(candidate: SentenceCandidate) -> float:
    return candidate.score + TWO_FIGURES * (len(measured_numbers(candidate.text)) > 1)


def _best_pair(
    ones: Sequence[SentenceCandidate], twos: Sequence[SentenceCandidate], comparison: Comparison
) -> tuple[SentenceCandidate, SentenceCandidate] | None:
    sides = stem_words(" ".join(side.name for side in comparison.sides))
    pairs = [(a, b) for a in ones for b in twos if a.text != b.text]

    def fit(pair: tuple[SentenceCandidate, SentenceCandidate]) -> float:
        a, b = (stem_words(c.text) - sides for c in pair)
        alike = len(a & b) / max(1, min(len(a), len(b)))
        units = measured_units(pair[0].text) & measured_units(pair[1].text)
        measured = SAME_UNIT * bool(units) + ASKED_UNIT * (topic_unit(comparison.topic) in units)
        return pair[0].score + pair[1].score + ALIKE * alike + measured

    return max(pairs, key=fit, default=None)


def is_about_side(
    candidate: SentenceCandidate, side: Side, other: Side, comparison: Comparison
) -> bool:
    """Return whether a sentence is about one side of a comparison, on its topic.

    Args:
        candidate: The sentence.
        side: The side.
        other: The other side.
        comparison: The comparison.
    """
    if candidate.features["fragment"] or candidate.features["asks"]:
        return False
    if candidate.relevance < RELEVANT_FROM - 1.0 or not _is_on_topic(candidate, comparison):
        return False
    if _is_time(side.name):
        return _is_of_time(candidate, side.name, other.name)
    title = candidate.hit.metadata.title
    here, there = _has_side(candidate.text, side.name), _has_side(candidate.text, other.name)
    return here or (not there and _has_side(title, side.name) and not _has_side(title, other.name))


def _is_on_topic(candidate: SentenceCandidate, comparison: Comparison) -> bool:
    topic = stem_words(comparison.topic) - stem_words(
        " ".join(side.name for side in comparison.sides)
    )
    around = f"{candidate.text} {candidate.hit.metadata.title}"
    return not topic or shared_words(topic, comparison.topic, around) >= OF_THE_TOPIC


def _has_side(text: str, side: str) -> bool:
    wanted = stem_words(side) or frozenset(side.lower().split())
    if any(names_match(name.text, side) for name in find_names(text)):
        return True
    return shared_words(wanted, side, text) >= OF_THE_SIDE


def _is_time(side: str) -> bool:
    return all(
        _YEAR.fullmatch(word) or word.lower() in MONTH_NUMBERS or word.lower() in ("the", "of")
        for word in side.split()
    )


def _is_of_time(candidate: SentenceCandidate, side: str, other: str) -> bool:
    """Return whether a sentence is of a year or month: by its words, else by its article's date."""
    own, theirs = _time_words(side), _time_words(other)
    months_named = {
        MONTHS[day.month - 1].lower() for day in find_dates(candidate.text) if day.month
    }
    there = months_named | set(_YEAR.findall(candidate.text))
    if (own - theirs) & there:
        return True
    published = candidate.hit.metadata.published
    if (theirs - own) & there or published is None:
        return False
    years = {int(word) for word in own if word.isdigit()}
    months = {MONTH_NUMBERS[word] for word in own if word in MONTH_NUMBERS}
    moments = (published, published - REPORTED_WITHIN) if months else (published,)
    return any(
        (not years or moment.year in years) and (not months or moment.month in months)
        for moment in moments
    )


def _time_words(side: str) -> frozenset[str]:
    return frozenset(w for w in side.lower().split() if _YEAR.fullmatch(w) or w in MONTH_NUMBERS)
