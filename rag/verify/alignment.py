"""Cost of aligning a claim with a passage: new words and jumps between places.

A sentence merged from two, or one that lost half of a clause, has only words of the passage, and
may still state something new: "Ines wrote | the book was sold by the museum".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.nlp.analyzers import stem
from rag.nlp.tokens import STOP_WORDS

_WORD = re.compile(r"[^\W_]+")
_STOPS = frozenset(",;:()–—\"“”`.!?-'")
_WITHIN = frozenset({"-", "'", "’", " - ", "- ", " -"})  # within a word or a score: 28 - 24

# Costs of the steps, set by hand in the order that merged sentences in QAGS CNN/DM suggest, not
# fitted. By the number of the step's two ends that are clause boundaries: docs/benchmarks.md.
JUMP = (1.2, 0.8, 0.5)  # to another sentence
SKIP = (0.5, 0.25, 0.1)  # forward in the same sentence: an aside is left out
BACK = 0.7  # back in the same sentence
AGAIN = 0.1  # the same word again
NEW = 1.0  # a word that the passage doesn't have
NEW_STOP_WORD = 0.35  # a new stop word: the, of

_NOWHERE = -1  # before the first word found


@dataclass(frozen=True, slots=True)
class _Place:
    """A word of the passage, its sentence, and whether a clause starts or ends with it."""

    stem: str
    is_stop_word: bool
    sentence: int
    opens: bool
    closes: bool


def alignment_cost(claim: str, sentences: Sequence[str]) -> float:
    """Return the lowest cost per word of aligning a claim with sentences.

    Dynamic programming over the claim's words and their places in the sentences (Viterbi).

    Returns:
        0 if the claim is one piece of the sentences, 1 if none of its words occurs.
    """
    words = _split_places(claim, 0)
    there = [place for i, text in enumerate(sentences) for place in _split_places(text, i)]
    at: dict[str, list[int]] = {}
    for i, word in enumerate(there):
        at.setdefault(word.stem, []).append(i)
    costs = {_NOWHERE: 0.0}  # by the place of the last word that was found
    for word in words:
        new = NEW_STOP_WORD if word.is_stop_word else NEW
        after = {last: cost + new for last, cost in costs.items()}
        for place in at.get(word.stem, ()):
            reached = min(
                cost + _step(there, last, place, word.opens) for last, cost in costs.items()
            )
            after[place] = min(reached, after.get(place, reached))
        costs = _prune(after)
    return min(costs.values()) / max(1, len(words))


def _split_places(text: str, sentence: int) -> list[_Place]:
    found = list(_WORD.finditer(text))
    gaps = [text[a.end() : b.start()] for a, b in pairwise(found)]
    breaks = [True, *(gap not in _WITHIN and not _STOPS.isdisjoint(gap) for gap in gaps), True]
    return [
        _Place(stem(w[0]), w[0].lower() in STOP_WORDS, sentence, breaks[i], breaks[i + 1])
        for i, w in enumerate(found)
    ]


def _step(there: Sequence[_Place], last: int, place: int, clause: bool) -> float:
    """Return the cost of continuing at `place` after `last`.

    Args:
        there: The words of the sentences.
        last: The last place.
        place: The next place.
        clause: A clause starts here in the claim.
    """
    if last == _NOWHERE or place == last + 1:
        return 0.0
    if place == last:
        return AGAIN
    ends = there[last].closes + there[place].opens
    jump = JUMP[2 if clause else ends]
    if there[last].sentence != there[place].sentence:
        return jump
    return min(jump, SKIP[ends] if place > last else BACK)


def _prune(costs: Mapping[int, float]) -> dict[int, float]:
    """Return the costs that a jump from the cheapest place would not undercut."""
    most = min(costs.values()) + JUMP[0]
    return {place: cost for place, cost in costs.items() if cost <= most}
