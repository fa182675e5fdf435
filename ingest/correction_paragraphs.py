"""Correction paragraphs in an article's own text."""

from __future__ import annotations

import re

# "Correction:", "Corrected on 3 May:", "Clarification -"; without such a label: _UNLABELLED
_MARKED = re.compile(
    r"(?i)\A\W*(?:editor[’']?s?[’']? note|correct(?:ion|ed)|clarification|erratum|amendment)s?\b"
    r"(?:\s*\([^)]{1,40}\)|\s+(?:on\s+)?[\w ,]{0,20}\d[\w ,]{0,20})?\s*"
    r"[:.–—-]+\s*(?P<correction>\S.*)\Z",
    re.DOTALL,
)
_UNLABELLED = re.compile(
    r"(?i)\b(?:(?:an )?earlier version of this (?:article|story|report)|"
    r"this (?:article|story|report) (?:has been|was) (?:corrected|amended)|"
    r"a previous version of this (?:article|story|report))\b"
)
# An editor's note is a correction only if it contains one of these words.
_CORRECTS = re.compile(
    r"(?i)\b(?:correct(?:s|ed|ing|ion)?|incorrect(?:ly)?|misstated|misidentified|misspelled|"
    r"misquoted|mistakenly|erroneously|wrongly|inaccurate(?:ly)?|clarif(?:y|ied|ies)|amended|"
    r"retract(?:ed|ion)?|earlier version|previous version|in error)\b"
)
_NOTE = re.compile(r"(?i)\A\W*editor[’']?s?[’']? note")
MAX_CHARACTERS = 800  # characters; a longer paragraph is an article about corrections


def find_correction(text: str) -> str:
    """Return the corrections that an article's text contains, on one line; "" if none."""
    corrections = [found for part in text.split("\n") if (found := _correction(part.strip()))]
    return " ".join(dict.fromkeys(corrections))


def _correction(paragraph: str) -> str:
    if not paragraph or len(paragraph) > MAX_CHARACTERS:
        return ""
    marked = _MARKED.match(paragraph)
    if marked and (not _NOTE.match(paragraph) or _CORRECTS.search(marked["correction"])):
        return " ".join(marked["correction"].split())
    return " ".join(paragraph.split()) if _UNLABELLED.search(paragraph) else ""
