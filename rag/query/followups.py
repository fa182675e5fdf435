"""Rule-based follow-up resolution: carry names and terms over from earlier turns.

Carried terms are appended to the question in brackets, so the user's own words stay unchanged.
Carrying the terms of the first and the last question is a strong baseline on TREC CAsT.
"""

# ruff: noqa: E501 - word lists

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from rag.nlp.tokens import FUNCTION_WORDS
from rag.query.length_limit import LONGEST_QUESTION, check_length
from rag.query.time_filter import find_time_filter
from rag.schema import Answer

CARRIED_WORDS = 8  # the most terms carried over from earlier turns

# Words that are never carried over: function words and conversational ones.
_STOP = FUNCTION_WORDS | frozenset(
    """yes tell know say said says think show find please explain describe ok okay thanks oh
    interesting mean let's let ones thing things something different important common main
    kind kinds type types sort happen happened happens""".split()
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|such|one"
    r"|ones|the (?:latter|former|same|other|others|two|first|second|company|country|minister|president"
    r"|deal|law|case|report|group|man|woman|city|film|vote|war))\b",
    re.I,
)
_GOES_ON = re.compile(
    r"^\s*(?:and|but|so|or|then|also|what about|how about|why not|what else|who else|where else|how so"
    r"|what for|since when|really|how (?:many|much|long|often|so)\s*\?|(?:why|how|when|where|who|what)\s*\?)"
    r"(?:\b|\s|$)",
    re.I,
)
_NAME = re.compile(
    r"(?<![\w’'])(?:[A-Z](?=[\w’'-]{0,40}?[a-z\d])[\w’'-]++|[A-Z]{2,}+\d*+)"
    r"(?:\s++(?:(?:of|the|de|van|von|bin|al)\s*+)?(?:[A-Z][\w’'-]++|[A-Z]{2,}+))*+"
)
_OPENING = re.compile(
    r"^(?:Yesterday|Today|Tomorrow|Earlier|Later|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Meanwhile"
    r"|However|But|And|The|On|In|At|After|Before|When|While|As|For|Then|Since)\s+(?=[A-Z])"
)
_PERSON = re.compile(r"\b(?:he|him|his|she|her|hers)\b", re.I)
ALONE_WORDS = 3  # content words with which a question without a pronoun is self-contained


def resolve_followup(question: str, history: Sequence[tuple[str, Answer] | str]) -> str:
    """Return a follow-up question with the terms it needs from the conversation.

    Args:
        question: The question, as asked.
        history: The turns before it, oldest first; only the beginning of a very long one is read.

    Returns:
        The question, with carried terms in brackets if it depends on the conversation.

    Raises:
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    check_length(question)
    asked = [(turn if isinstance(turn, str) else turn[0])[:LONGEST_QUESTION] for turn in history]
    if not asked or not needs_history(question):
        return question
    answer = history[-1][1] if not isinstance(history[-1], str) else None
    whole = question
    words: list[str] = []
    for word in carried_over_terms(question, asked, answer):
        longer = with_carried_terms(question, [*words, word])
        if len(longer) <= LONGEST_QUESTION:  # a later, shorter term may still fit
            words, whole = [*words, word], longer
    return whole


def needs_history(question: str) -> bool:
    """Return whether a question depends on earlier turns.

    It does if it has an unresolved pronoun ("he", "there"), begins as a continuation ("and ...") or
    has too few content words.
    """
    names = [m for m in _NAME.finditer(question) if m.start() > 0]
    if _GOES_ON.search(question) or (
        _POINTS_BACK.search(question) and not _is_self_contained(question)
    ):
        return True
    return not names and len(_content_terms(question)) < ALONE_WORDS


def carried_over_terms(question: str, asked: Sequence[str], answer: Answer | None) -> list[str]:
    """Return the terms that a follow-up takes over from earlier turns.

    Args:
        question: The follow-up.
        asked: The earlier questions, oldest first.
        answer: The answer to the last one, if any.

    Returns:
        Names and terms of the first and last question and of the answer that `question` lacks.
    """
    have = {word.casefold() for word in re.findall(r"\w+", question)}
    sources = list(dict.fromkeys([asked[-1], asked[0]]))
    words = _carry_over_time(question, asked[-1])
    if answer is not None and _PERSON.search(question):
        first = " ".join(s.text[:LONGEST_QUESTION] for s in answer.statements[:1])
        words += _names(first)[:1]
    for text in sources:
        words += [
            w for w in _content_terms(text) if not any(w in carried.split() for carried in words)
        ]
    fresh = dict.fromkeys(w for w in words if not {p.casefold() for p in w.split()} <= have)
    return list(fresh)[:CARRIED_WORDS]


def with_carried_terms(question: str, words: Sequence[str]) -> str:
    """Return the question with carried terms appended in brackets."""
    return f"{question} ({' '.join(words)})" if words else question


def _carry_over_time(question: str, last: str) -> list[str]:
    """Return the time expression of the last question if this question has none."""
    now = datetime.now(UTC)
    window = find_time_filter(last, now)
    if window is None or find_time_filter(question, now) is not None:
        return []
    return [last[start:end] for start, end in window.spans]


def _is_self_contained(question: str) -> bool:
    """Return whether a name comes before the pronoun in the question itself."""
    pronoun = _POINTS_BACK.search(question)
    return pronoun is not None and any(
        0 < m.start() < pronoun.start() for m in _NAME.finditer(question)
    )


def _names(text: str) -> list[str]:
    """Return the names in a text, those of several words first, except a sentence's first word."""
    found = [_OPENING.sub("", m[0]) for m in _NAME.finditer(text)]
    return sorted((n for n in found if n.casefold() not in _STOP), key=lambda n: " " not in n)


def _content_terms(text: str) -> list[str]:
    words = re.findall(r"[\w][\w’'-]*", text)
    return [w for w in words if w.casefold() not in _STOP and len(w) > 1]
