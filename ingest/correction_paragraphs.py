"""The paragraphs in which a publisher corrects its own article."""

from __future__ import annotations

import re

# "Correction:", "Corrected on 3 May:", "Clarification -"; and what says it without the word first
_MARKED = re.compile(
    r"(?i)\A\W*(?:editor[’']?s?[’']? note|correct(?:ion|ed)|clarification|erratum|amendment)s?\b"
    r"(?:\s*\([^)]{1,40}\)|\s+(?:on\s+)?[\w ,]{0,20}\d[\w ,]{0,20})?\s*[:.–—-]+\s*(?P<said>\S.*)\Z",
    re.DOTALL,
)
_SAID = re.compile(
    r"(?i)\b(?:(?:an )?earlier version of this (?:article|story|report)|"
    r"this (?:article|story|report) (?:has been|was) (?:corrected|amended)|"
    r"a previous version of this (?:article|story|report))\b"
)
# An editor's note may be about anything; only one of these is a correction.
_CORRECTS = re.compile(
    r"(?i)\b(?:correct(?:s|ed|ing|ion)?|incorrect(?:ly)?|misstated|misidentified|misspelled|"
    r"misquoted|mistakenly|erroneously|wrongly|inaccurate(?:ly)?|clarif(?:y|ied|ies)|amended|"
    r"retract(?:ed|ion)?|earlier version|previous version|in error)\b"
)
_NOTE = re.compile(r"(?i)\A\W*editor[’']?s?[’']? note")
UP_TO = 800  # characters of a paragraph that corrects; a longer one is an article about corrections


def find_correction(text: str) -> str:
    """Return what an article's text says was corrected in it, in one line; "" if nothing."""
    said = [found for part in text.split("\n") if (found := _correction(part.strip()))]
    return " ".join(dict.fromkeys(said))


def _correction(paragraph: str) -> str:
    if not paragraph or len(paragraph) > UP_TO:
        return ""
    marked = _MARKED.match(paragraph)
    if marked and (not _NOTE.match(paragraph) or _CORRECTS.search(marked["said"])):
        return " ".join(marked["said"].split())
    return " ".join(paragraph.split()) if _SAID.search(paragraph) else ""
