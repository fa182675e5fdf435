"""How a claim is pieced together from a passage: what is new in it, and where its seams are.

A sentence fused from two, or one that lost the half of a clause, has nothing but the passage's
words and may still say what nobody said: "Ines wrote | the book was sold by the museum".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.nlp.tokens import STOP_WORDS, stem

_WORD = re.compile(r"[^\W_]+")
_STOPS = frozenset(",;:()–—\"“”`.!?-'")
_WITHIN = frozenset({"-", "'", "’", " - ", "- ", " -"})  # within a word, or a score: 28 - 24

# What a step costs: set by hand, in the order that the fused sentences of QAGS CNN/DM suggest (a
# fit to their counts orders them so too), and not fitted.  By the number of its two ends (where
# the passage is left, where it is taken up again) at which a clause begins or ends there.
JUMP = (1.2, 0.8, 0.5)  # to any other place
SKIP = (0.5, 0.25, 0.1)  # forward in the same sentence: an aside is left out
BACK = 0.7  # in the same sentence
AGAIN = 0.1  # the same word once more
NEW = 1.0  # a word that the passage does not have there
NEW_EMPTY = 0.35  # one that carries no meaning: the, of

_NOWHERE = -1  # before the first word that is found


@dataclass(frozen=True, slots=True)
class _Place:
    """A word of the passage, in which sentence, and whether a clause begins or ends with it."""

    stem: str
    empty: bool
    sentence: int
    opens: bool
    closes: bool


def alignment_cost(claim: str, sentences: Sequence[str]) -> float:
    """Return what piecing `claim` together from `sentences` costs a word, by the cheapest way.

    0 where it stands there in one piece, 1 where nothing of it does; dynamic programming over the
    claim's words and the places where each stands (Viterbi).
    """
    words = _places(claim, 0)
    there = [place for i, text in enumerate(sentences) for place in _places(text, i)]
    at: dict[str, list[int]] = {}
    for i, word in enumerate(there):
        at.setdefault(word.stem, []).append(i)
    costs = {_NOWHERE: 0.0}  # by the place of the last word that was found
    for word in words:
        new = NEW_EMPTY if word.empty else NEW
        after = {last: cost + new for last, cost in costs.items()}
        for place in at.get(word.stem, ()):
            reached = min(
                cost + _step(there, last, place, word.opens) for last, cost in costs.items()
            )
            after[place] = min(reached, after.get(place, reached))
        costs = _worth_following(after)
    return min(costs.values()) / max(1, len(words))


def _places(text: str, sentence: int) -> list[_Place]:
    found = list(_WORD.finditer(text))
    gaps = [text[a.end() : b.start()] for a, b in pairwise(found)]
    breaks = [True, *(gap not in _WITHIN and not _STOPS.isdisjoint(gap) for gap in gaps), True]
    return [
        _Place(stem(w[0]), w[0].lower() in STOP_WORDS, sentence, breaks[i], breaks[i + 1])
        for i, w in enumerate(found)
    ]


def _step(there: Sequence[_Place], last: int, place: int, clause: bool) -> float:
    """Return what it costs to go on at `place` after `last`; `clause`: one begins in the claim."""
    if last == _NOWHERE or place == last + 1:
        return 0.0
    if place == last:
        return AGAIN
    ends = there[last].closes + there[place].opens
    jump = JUMP[2 if clause else ends]
    if there[last].sentence != there[place].sentence:
        return jump
    return min(jump, SKIP[ends] if place > last else BACK)


def _worth_following(costs: Mapping[int, float]) -> dict[int, float]:
    """Return the costs that a jump from the cheapest would not undercut."""
    most = min(costs.values()) + JUMP[0]
    return {place: cost for place, cost in costs.items() if cost <= most}
