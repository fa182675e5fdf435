"""Recognise queries that are an article's headline, exactly or nearly."""

from __future__ import annotations

import re
from collections import Counter

LEAST_WORDS = 3  # "Last week" could be anything
NEARLY = 0.85  # Dice coefficient from which they match: a headline retyped, or with a word missing
_WORD = re.compile(r"\w+")
_PART = re.compile(r"\s[|–—-]\s")  # before the site's name: "Storm ends | Courier"


def is_headline(query: str, title: str) -> bool:
    """Return True if `query` is `title` except for a word, punctuation or the site's name."""
    ours = _words(query)
    if ours.total() < LEAST_WORDS:
        return False
    without_site = title.removesuffix(_PART.split(title)[-1]) or title
    return any(_dice(ours, _words(part)) >= NEARLY for part in {title, without_site})


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.casefold()))


def _dice(ours: Counter[str], theirs: Counter[str]) -> float:
    """Return the Dice coefficient of two bags of words."""
    return 2 * (ours & theirs).total() / (ours.total() + theirs.total())
