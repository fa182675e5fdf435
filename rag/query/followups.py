"""A follow-up made to stand alone, by rules: who and what went before is carried over.

What is carried is put behind the question in brackets, so that the words asked are left as they
were.  Carrying the first question's words and those of the last is a strong rule on TREC CAsT.
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

CARRIED_WORDS = 8  # of earlier questions and answers, at the most

# Words that carry nothing over: function words, and those of the conversation itself.
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
ALONE_WORDS = 3  # content words that make a question without a pronoun stand by itself


def resolve_followup(question: str, history: Sequence[tuple[str, Answer] | str]) -> str:
    """Return `question` so that it can be asked without what went before it, oldest first.

    Raises QuestionTooLongError; of a longer turn before it, only the beginning is read.
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
        if len(longer) <= LONGEST_QUESTION:  # else a shorter word may fit
            words, whole = [*words, word], longer
    return whole


def needs_history(question: str) -> bool:
    """Whether it points back ("he", "there"), goes on ("and ..."), or says too little."""
    names = [m for m in _NAME.finditer(question) if m.start() > 0]
    if _GOES_ON.search(question) or (
        _POINTS_BACK.search(question) and not _self_contained(question)
    ):
        return True
    return not names and len(_content(question)) < ALONE_WORDS


def carried_over_terms(question: str, asked: Sequence[str], answer: Answer | None) -> list[str]:
    """Names and words of the first question, the last one and its answer that are not in this."""
    have = {word.casefold() for word in re.findall(r"\w+", question)}
    sources = list(dict.fromkeys([asked[-1], asked[0]]))
    words = _carried_window(question, asked[-1])
    if answer is not None and _PERSON.search(question):
        first = " ".join(s.text[:LONGEST_QUESTION] for s in answer.statements[:1])
        words += _names(first)[:1]
    for text in sources:
        words += [w for w in _content(text) if not any(w in carried.split() for carried in words)]
    fresh = dict.fromkeys(w for w in words if not {p.casefold() for p in w.split()} <= have)
    return list(fresh)[:CARRIED_WORDS]


def with_carried_terms(question: str, words: Sequence[str]) -> str:
    return f"{question} ({' '.join(words)})" if words else question


def _carried_window(question: str, last: str) -> list[str]:
    """The words of the last question's window, whole, where this question has none."""
    now = datetime.now(UTC)
    window = find_time_filter(last, now)
    if window is None or find_time_filter(question, now) is not None:
        return []
    return [last[start:end] for start, end in window.spans]


def _self_contained(question: str) -> bool:
    """Whether a pronoun has its noun in the question itself: a name comes before it."""
    pronoun = _POINTS_BACK.search(question)
    return pronoun is not None and any(
        0 < m.start() < pronoun.start() for m in _NAME.finditer(question)
    )


def _names(text: str) -> list[str]:
    """Names in the text, those of several words first; a sentence's opening word is none."""
    found = [_OPENING.sub("", m[0]) for m in _NAME.finditer(text)]
    return sorted((n for n in found if n.casefold() not in _STOP), key=lambda n: " " not in n)


def _content(text: str) -> list[str]:
    words = re.findall(r"[\w][\w’'-]*", text)
    return [w for w in words if w.casefold() not in _STOP and len(w) > 1]
