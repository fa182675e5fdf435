"""Corrections: notes on corrected articles, and detection of retracted statements."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from rag.schema import Answer, Notice, Statement

# Phrases before the error: "not nine", "incorrectly said that nine", "misstated it as nine".
_WRONG = re.compile(
    r"(?i)\b(?:not|instead of|rather than|"
    r"(?:incorrectly|wrongly|mistakenly|erroneously)\s+\w+(?:\s+that)?|"
    r"mis(?:stated|identified|spelled|quoted)[^.;,]{0,80}?\bas)\s+(?P<wrong>[^.;,:()]{1,80})"
)
_WORD = re.compile(r"\w[\w.,'’%-]*\w|\w")
# Shorter than STOP_WORDS, because a correction may be about "before", "not" or "more" alone.
_SMALL = frozenset(
    "the a an and or of in on at to for from by with as was were is are be been had has have it "
    "its he she they his her their that this which who said says not would could will".split()
)


def is_retracted(sentence: str, correction: str) -> bool:
    """Return whether a sentence states something that its publisher has corrected.

    It does if it has a word that the correction calls wrong and another word of the correction.

    Args:
        sentence: The sentence.
        correction: The correction notice of its article.
    """
    words, said = _words(sentence), _words(correction)
    for found in _WRONG.finditer(correction):
        here = _words(found["wrong"])
        wrong = {word for word in here if said[word] <= here[word]}  # not used elsewhere in it
        if wrong and wrong <= words.keys() and any(said[word] > here[word] for word in words):
            return True
    return False


def cites_retracted(statement: Statement) -> bool:
    """Return whether a statement repeats what a cited article's publisher has corrected."""
    return any(is_retracted(statement.text, c.metadata.correction) for c in statement.citations)


def add_correction_notes(answer: Answer) -> Answer:
    """Return an answer with a notice of the correction of each article that it cites."""
    metadata = {citation.metadata.article_id: citation.metadata for citation in answer.citations}
    corrections = [
        Notice("corrected", title=one.title, correction=one.correction)
        for one in metadata.values()
        if one.correction
    ]
    return replace(answer, notices=(*corrections, *answer.notices)) if corrections else answer


def _words(text: str) -> Counter[str]:
    found = (word.casefold() for word in _WORD.findall(text))
    return Counter(word for word in found if word not in _SMALL)
