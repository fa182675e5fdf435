"""Figures of a claim: whose they are in the evidence, and sums and differences of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, permutations

from rag.nlp.entities import is_country, names_match
from rag.nlp.numbers import Number, is_number_supported
from rag.nlp.tokens import Word, content_words
from rag.verify.evidence import EvidenceSentence
from rag.verify.terms import names_in, numbers_in

MOST_COMBINED = 24  # figures of the evidence that are added and subtracted
MOST_IF_CALLED = 80  # if the claim calls its figure a difference or a sum
NEAR_BY = 60  # characters between a word and its figure, at the most
SPELT_UNTIL = 6  # "two sides", "six days": counted by the writer, not copied
_VAGUE = frozenset("hundred hundreds thousand thousands million millions dozen dozens".split())
_TOLERANCE = 0.006  # of a share or a mean, which is rounded
SURELY_COMPUTED = 1000  # from which a sum or difference of two figures is hardly by chance
_COMPUTED = re.compile(
    r"\b(?:more|less|fewer|difference|total|altogether|together|combined|in all|sum|average|mean|"
    r"per|each|a (?:year|month|week|day)|higher|lower|rise|rose|grew|grow\w*|fell|fall|drop\w*|"
    r"gap|cheaper|dearer|increase\w*|decrease\w*|double\w*|twice|triple\w*|times|half|third|quarter|"
    r"ahead|behind|margin|short|over)\b",
    re.IGNORECASE,
)
_AFTER = re.compile(r"(?<!\s)\s+(?:for|by|to|from|of)\s+(?=[A-Z])")


def is_computed(figure: Number, claim: str, shown: Sequence[Number]) -> bool:
    """Return whether a figure is the sum, difference, mean or ratio of others in one unit.

    A small one must be called so: "5 more", "a total of 12".

    Args:
        figure: The figure.
        claim: The claim, with the words that say how it was computed.
        shown: The figures of the evidence.
    """
    is_year = not figure.unit and 1900 <= figure.value < 2100
    called = bool(_COMPUTED.search(claim))
    if is_year or not (called or figure.unit or figure.value >= SURELY_COMPUTED):
        return False
    distinct: dict[tuple[float, str], Number] = {}
    for other in shown:
        if other.unit not in ("o'clock", "to"):
            distinct.setdefault((other.value, other.unit), other)
    given = list(distinct.values())[: MOST_IF_CALLED if called else MOST_COMBINED]
    alike = [each.value for each in given if each.unit == figure.unit or not figure.unit]
    target = abs(figure.value)
    results = [v for a, b in combinations(alike, 2) for v in (a + b, a - b)]
    if any(abs(target - abs(v)) <= 1e-9 * max(target, 1.0) for v in results):
        return True
    return called and any(_near(target, v) for v in _quotients(figure, given, alike))


def _quotients(figure: Number, given: Sequence[Number], alike: Sequence[float]) -> Iterator[float]:
    """Yield shares, multiples, means, and differences per year or person: (260 - 255) / 5."""
    parts = [each.value for each in given if not each.unit and 1 < each.value <= 100]
    wholes = [*alike, *(a - b for a, b in combinations(alike, 2))]
    if figure.unit:
        yield from (whole / part for whole in wholes for part in parts)
    scale = 100.0 if figure.unit == "%" else 1.0
    if figure.unit in ("", "%"):
        yield from (
            scale * one.value / other.value
            for one, other in permutations(given, 2)
            if other.value and one.unit == other.unit
        )


def _near(one: float, other: float) -> bool:
    return abs(one - abs(other)) <= _TOLERANCE * max(abs(other), 1e-9) and one > 0


def is_counted(figure: Number) -> bool:
    """Return whether a figure is vague, or a small one in words without a unit: "two sides"."""
    if figure.text.lower() in _VAGUE:
        return True
    return not figure.unit and figure.value <= SPELT_UNTIL and not re.search(r"\d", figure.text)


def is_range(figure: Number, shown: Sequence[Number]) -> bool:
    """Return whether a figure such as "2021 to 2022" has both its ends in the evidence."""
    if figure.unit != "to" or "to" not in figure.text:
        return False
    return all(
        is_number_supported(end, shown) for end in numbers_in(figure.text.replace("to", ";"))
    )


def misattributed_figure(claim: str, sentences: Iterable[EvidenceSentence]) -> str:
    """Return a figure that the claim says of one name, and all of the evidence of others.

    "Hurts agreed to a $260 million deal" is such a claim if the only sentences with $260 million
    are about Jackson. Only large figures and those with a unit are compared.

    Args:
        claim: The claim.
        sentences: The sentences of the evidence.

    Returns:
        The figure's text; "" without one.
    """
    listed = list(sentences)
    for figure in numbers_in(claim):
        if (not figure.unit and figure.value < 100) or figure.unit in ("o'clock",):
            continue
        owner = _owner(claim, figure)
        if not owner:
            continue
        having = [s for s in listed if is_number_supported(figure, numbers_in(s.text))]
        if having and all(_is_of_other(owner, s) for s in having):
            return figure.text
    return ""


def crosses_figure(claim: str, sentence: str) -> bool:
    """Return whether a claim ties a word to the figure of another part of the sentence.

    "The plant employs 60 people", of "employs 420 people, of whom 60 work in the warehouse":
    between the verb and its figure another one stands.

    Args:
        claim: The claim, whose figures the sentence has.
        sentence: The sentence.
    """
    theirs = numbers_in(sentence)
    places: dict[str, list[int]] = {}
    for word in content_words(sentence):
        places.setdefault(word.stem, []).append(word.start)
    words = [w for w in content_words(claim) if not w.text[0].isdigit()]
    figures = numbers_in(claim)
    for figure in figures:
        if figure.text.lower() == "one":  # "one of the four engines"
            continue
        same = [n for n in theirs if n.value == figure.value and n.unit == figure.unit]
        last = max((f.end for f in figures if f.end <= figure.start), default=0)
        then = min((f.start for f in figures if f.start >= figure.end), default=len(claim))
        before = [w for w in words if last <= w.start and w.end <= figure.start][-1:]
        after = [w for w in words if figure.end <= w.start < then][:2]
        beside = [w for w in (*before, *after) if w.stem in places and not _within(w, figures)]
        others = [n.start for n in theirs if n.value != figure.value and n.unit == figure.unit]
        if (
            same
            and beside
            and not any(
                all(not _parted(places[w.stem], number.start, others) for w in beside)
                for number in same
            )
        ):
            return True
    return False


def _within(word: Word, figures: Sequence[Number]) -> bool:
    return any(figure.start <= word.start < figure.end for figure in figures)


def _parted(places: Sequence[int], figure: int, others: Sequence[int]) -> bool:
    """Return whether another figure stands between a figure and every place of a word near it."""
    near = [place for place in places if abs(place - figure) <= NEAR_BY]
    return bool(near) and all(
        any(min(place, figure) < other < max(place, figure) for other in others) for place in near
    )


def _owner(claim: str, figure: Number) -> str:
    """Return the name that a claim says a figure of: that before it, or after "for" behind it."""
    names = [n for n in names_in(claim) if not is_country(n.text)]
    after = _AFTER.match(claim, figure.end)
    if after:
        following = next((n for n in names if n.start == after.end()), None)
        if following is not None:
            return following.text
    before = [n for n in names if n.end <= figure.start]
    return before[-1].text if before else ""


def _is_of_other(owner: str, sentence: EvidenceSentence) -> bool:
    """Return True if a sentence, and what stands before it, is about other names only."""
    named = [n.text for n in names_in(sentence.text)]
    if any(names_match(owner, name) for name in named):
        return False
    around = [n.text for text in (*sentence.before, sentence.title) for n in names_in(text)]
    if any(names_match(owner, name) for name in around):
        return False
    return bool(named or around)
