"""Terms of a sentence: words, names, figures and dates, each with a key that equal ones share."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rag.nlp.entities import Name, find_names
from rag.nlp.numbers import DateMention, Number, find_dates, find_numbers
from rag.nlp.tokens import tokenize
from rag.verify.synonyms import group_of

TermKind = Literal["word", "stop word", "name", "figure", "date"]


@lru_cache(maxsize=4096)
def names_in(text: str) -> tuple[Name, ...]:
    """Return the names in a text, as `find_names` does; sentences are compared many times."""
    return tuple(find_names(text))


@lru_cache(maxsize=4096)
def numbers_in(text: str) -> tuple[Number, ...]:
    """Return the numbers in a text, as `find_numbers` does."""
    return tuple(find_numbers(text))


@dataclass(frozen=True, slots=True)
class Term:
    """A word, a part of a name, a figure or a date of a sentence.

    Attributes:
        text: The term's text.
        start: Its start in the sentence, in characters.
        end: Its end, exclusive.
        kind: Its kind.
        key: Equal for forms of one word, and for one figure in different notations.
    """

    text: str
    start: int
    end: int
    kind: TermKind
    key: str

    @property
    def lower(self) -> str:
        """The text in lower case, with straight apostrophes."""
        return self.text.lower().replace("’", "'")

    @property
    def is_possessive(self) -> bool:
        """True for "Hurts'" and "Jackson’s"."""
        return self.text.endswith(("'s", "’s"))


@lru_cache(maxsize=4096)
def split_terms(text: str) -> tuple[Term, ...]:
    """Return the terms of a sentence, in order."""
    figures: list[Number | DateMention] = [*numbers_in(text), *find_dates(text)]
    figures.sort(key=lambda each: each.start)
    names = names_in(text)
    terms = [_figure_term(each) for each in figures]
    taken = _Ranges([(each.start, each.end) for each in figures])
    named = _Ranges([(each.start, _name_end(text, each)) for each in names])
    for word in tokenize(text):
        if taken.overlaps(word.start, word.end):
            continue
        is_name = named.overlaps(word.start, word.end) and word.capital
        kind: TermKind = "name" if is_name else "stop word" if word.is_stop_word else "word"
        terms.append(Term(word.text, word.start, word.end, kind, word.stem))
    return tuple(sorted(terms, key=lambda term: term.start))


def _figure_term(figure: Number | DateMention) -> Term:
    if isinstance(figure, Number):
        key = f"#{figure.value:g}"
        return Term(figure.text, figure.start, figure.end, "figure", key)
    key = f"@{figure.year}-{figure.month}-{figure.day}{figure.weekday}"
    return Term(figure.text, figure.start, figure.end, "date", key)


def _name_end(text: str, name: Name) -> int:
    return name.end + 2 if re.match(r"['’]s", text[name.end : name.end + 2]) else name.end


class _Ranges:
    """Sorted ranges that don't overlap, to look positions up in."""

    def __init__(self, ranges: list[tuple[int, int]]) -> None:
        self._ranges = sorted(ranges)
        self._starts = [start for start, _ in self._ranges]

    def overlaps(self, start: int, end: int) -> bool:
        """Return True if a range has a character of `start` to `end`."""
        place = bisect_right(self._starts, end - 1) - 1
        return place >= 0 and self._ranges[place][1] > start


def same_term(one: Term, other: Term) -> bool:
    """Return True if two terms are the same in different forms: "inspected" and "inspectors".

    A figure equals another with the same value, and a date another that has all its parts.
    """
    if one.key == other.key:
        return True
    if one.kind == "date" and other.kind == "date":
        return _parts_agree(one.key, other.key)
    if "word" not in (one.kind, other.kind) or {"figure", "date"} & {one.kind, other.kind}:
        return False
    return group_of(one.key) == group_of(other.key) or _same_root(one.key, other.key)


ROOT = 5  # letters that two words must share at their start to have one root


def _same_root(one: str, other: str) -> bool:
    if one[:ROOT] != other[:ROOT]:
        return False
    shorter = min(len(one), len(other))
    return shorter >= ROOT and one[:shorter] == other[:shorter] and abs(len(one) - len(other)) <= 4


def _parts_agree(one: str, other: str) -> bool:
    mine, theirs = (re.findall(r"\d+|[a-z]+", key) for key in (one, other))
    if len(mine) != len(theirs):
        return False
    return all(a == b or "0" in (a, b) for a, b in zip(mine, theirs, strict=True))
