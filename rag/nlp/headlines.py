"""Whether a query is the headline of an article, word for word or nearly."""

from __future__ import annotations

import re
from collections import Counter

LEAST_WORDS = 3  # "Last week" may be anything
NEARLY = 0.85  # of the words of both that are shared: a headline retyped, or without a word
_WORD = re.compile(r"\w+")
_PART = re.compile(r"\s[|–—-]\s")  # before a site's name: "Storm ends | Courier"


def is_headline(query: str, title: str) -> bool:
    """Return whether `query` is `title`, but for a word, marks and the site's name after it."""
    ours = _words(query)
    if ours.total() < LEAST_WORDS:
        return False
    without_site = title.removesuffix(_PART.split(title)[-1]) or title
    return any(_shared(ours, _words(part)) >= NEARLY for part in {title, without_site})


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.casefold()))


def _shared(ours: Counter[str], theirs: Counter[str]) -> float:
    """Return the Dice coefficient of two bags of words."""
    return 2 * (ours & theirs).total() / (ours.total() + theirs.total())
