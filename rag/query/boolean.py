"""Boolean queries: words, "phrases", AND, OR, NOT and brackets.

Words that stand side by side must all occur. Nothing is a syntax error: an operator without an
operand is left out, and what is open at the end is closed there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.query.length_limit import check_length

DEEPEST = 20  # nested brackets; further ones are left out
MOST_TERMS = 64  # words and phrases; further ones are left out
_TOKEN = re.compile(r"[()]|-?+[\"“„]([^\"”“]{0,1000}+)[\"”“]?|[^\s()\"“”„]{1,1000}+")
_OPERATORS = ("AND", "OR", "NOT")


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or several that must stand side by side."""

    text: str


@dataclass(frozen=True, slots=True)
class Not:
    """Articles that the operand doesn't match."""

    operand: Query


@dataclass(frozen=True, slots=True)
class And:
    """Articles that all operands match."""

    operands: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Articles that at least one operand matches."""

    operands: tuple[Query, ...]


Query = Term | Not | And | Or


def parse_boolean(words: str) -> Query | None:
    """Parse a Boolean query.

    Args:
        words: Words and "phrases", with AND, OR, NOT (in capitals), brackets, and - for NOT.

    Returns:
        The query; None if it has no word.

    Raises:
        QuestionTooLongError: It is longer than LONGEST_QUESTION.
    """
    check_length(words)
    return _Parser(list(_tokens(words))).disjunction(0)


def positive_terms(query: Query | None) -> list[str]:
    """Return the words and phrases that a match may have: those outside of NOT."""
    if query is None or isinstance(query, Not):
        return []
    if isinstance(query, Term):
        return [query.text]
    return [text for operand in query.operands for text in positive_terms(operand)]


def _tokens(words: str) -> Iterator[tuple[str, str]]:
    """Yield pairs of a sort and a text: "(", ")", an operator, or "term"."""
    terms = 0
    for match in _TOKEN.finditer(words):
        text = match[0]
        if text in "()" or text in _OPERATORS:
            yield text, ""
            continue
        if text[0] == "-":
            yield "NOT", ""
        bare = match[1] if match[1] is not None else text.lstrip("-")
        terms += 1
        if re.search(r"\w", bare) and terms <= MOST_TERMS:
            yield "term", " ".join(bare.split())


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def _next(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def disjunction(self, depth: int) -> Query | None:
        found: list[Query] = []
        while True:
            one = self._conjunction(depth)
            found += [] if one is None else [one]
            if self._next() != "OR":
                break
            self._at += 1
        if not found:
            return None
        return found[0] if len(found) == 1 else Or(tuple(found))

    def _conjunction(self, depth: int) -> Query | None:
        found: list[Query] = []
        while (sort := self._next()) not in ("", "OR"):
            if sort == ")" and depth:
                break
            one = None
            if sort in (")", "AND"):
                self._at += 1
            else:
                one = self._operand(depth)
            found += [] if one is None else [one]
        if not found:
            return None
        return found[0] if len(found) == 1 else And(tuple(found))

    def _operand(self, depth: int) -> Query | None:
        negated = False
        while self._next() == "NOT":
            negated = not negated
            self._at += 1
        sort = self._next()
        one: Query | None = None
        if sort == "term":
            one = Term(self._tokens[self._at][1])
            self._at += 1
        elif sort == "(":
            self._at += 1
            if depth < DEEPEST:
                one = self.disjunction(depth + 1)
                self._at += self._next() == ")"
        return Not(one) if negated and one is not None else one
