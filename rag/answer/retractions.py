"""What a publisher has corrected: said with the answer, and never given as it was before."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from rag.schema import Answer, Notice, Statement

# What follows is what was wrong: "not nine", "incorrectly said that nine", "misstated it as nine".
_WRONG = re.compile(
    r"(?i)\b(?:not|instead of|rather than|"
    r"(?:incorrectly|wrongly|mistakenly|erroneously)\s+\w+(?:\s+that)?|"
    r"mis(?:stated|identified|spelled|quoted)[^.;,]{0,80}?\bas)\s+(?P<wrong>[^.;,:()]{1,80})"
)
_WORD = re.compile(r"\w[\w.,'’%-]*\w|\w")
# Fewer than STOP_WORDS: a correction may be about "before", "not" or "more" alone.
_SMALL = frozenset(
    "the a an and or of in on at to for from by with as was were is are be been had has have it "
    "its he she they his her their that this which who said says not would could will".split()
)


def is_retracted(sentence: str, correction: str) -> bool:
    """Whether a sentence says what its publisher has taken back since.

    It does if it has a word that the correction calls wrong, and another one of the correction's.
    """
    words, said = _words(sentence), _words(correction)
    for found in _WRONG.finditer(correction):
        here = _words(found["wrong"])
        wrong = {word for word in here if said[word] <= here[word]}  # and nowhere else
        if wrong and wrong <= words.keys() and any(said[word] > here[word] for word in words):
            return True
    return False


def cites_retracted(statement: Statement) -> bool:
    """Whether a statement says what the publisher of an article that it cites has taken back."""
    return any(is_retracted(statement.text, c.metadata.correction) for c in statement.citations)


def add_correction_notes(answer: Answer) -> Answer:
    """Return the answer with a note of what was corrected in each article that it cites."""
    heads = {citation.metadata.article_id: citation.metadata for citation in answer.citations}
    corrections = [
        Notice("corrected", title=head.title, correction=head.correction)
        for head in heads.values()
        if head.correction
    ]
    return replace(answer, notices=(*corrections, *answer.notices)) if corrections else answer


def _words(text: str) -> Counter[str]:
    found = (word.casefold() for word in _WORD.findall(text))
    return Counter(word for word in found if word not in _SMALL)
