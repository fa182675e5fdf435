"""Corrections: notes on corrected articles, and detection of retracted statements."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from rag.nlp.analyzers import stem
from rag.nlp.tokens import stem_words
from rag.schema import Answer, Notice, Statement

# Phrases before the error: "not nine", "incorrectly said that nine", "misstated it as nine".
_WRONG = re.compile(
    r"(?i)\b(?:not|instead of|rather than|"
    r"(?:incorrectly|wrongly|mistakenly|erroneously)\s+\w+(?:\s+that)?|"
    r"mis(?:stated|identified|spelled|quoted)[^.;,]{0,80}?\bas)\s+(?P<wrong>[^.;,:()]{1,80})"
)
_WORD = re.compile(r"\w[\w.,'’%-]*\w|\w")
SHARED = 0.34  # share of a correction's specific words in the quotations that it concerns
LEAST_SHARED = 2  # words, unless the correction has fewer
_CORRECTING = frozenset(
    stem(word)
    for word in (
        "correction corrected correct corrects correctly incorrectly incorrect wrong wrongly error "
        "mistake mistakenly misstated misidentified misspelled misquoted mischaracterized "
        "overstated version versions previous earlier original story article headline report "
        "timeline updated update clarify clarified clarification stated state said note reflect "
        "editor included"
    ).split()
)
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
    """Return an answer with a notice of each correction of a cited article that concerns it.

    Most corrections of cited articles are about something else: a name further down, a year.
    """
    quoted: dict[str, list[str]] = {}
    for citation in answer.citations:
        quoted.setdefault(citation.metadata.article_id, []).append(citation.quote)
    metadata = {citation.metadata.article_id: citation.metadata for citation in answer.citations}
    corrections = [
        Notice("corrected", title=one.title, correction=one.correction)
        for key, one in metadata.items()
        if one.correction and _concerns(one.correction, one.title, " ".join(quoted[key]))
    ]
    return replace(answer, notices=(*corrections, *answer.notices)) if corrections else answer


def _concerns(correction: str, title: str, quoted: str) -> bool:
    """Return whether a correction is about what is quoted, by its words that no title shares."""
    specific = stem_words(correction) - _CORRECTING - stem_words(title)
    shared = specific & stem_words(quoted)
    return (
        len(shared) >= min(LEAST_SHARED, len(specific))
        and bool(specific)
        and (len(shared) >= SHARED * len(specific))
    )


def _words(text: str) -> Counter[str]:
    found = (word.casefold() for word in _WORD.findall(text))
    return Counter(word for word in found if word not in _SMALL)
