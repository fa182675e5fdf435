"""How well a passage bears a claim out: measured signals of words and of meaning."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rag.figures import borne_out, days, figures
from rag.names import names
from rag.words import content, stems

Vectors = npt.NDArray[np.float32]
MOST_SENTENCES = 8  # of the evidence, by words in common with the claim, that are embedded


@dataclass(frozen=True, slots=True)
class Signals:
    """What a claim and its evidence have in common, each from 0 (nothing) to about 1 (all)."""

    words: float  # weighted share of the claim's words that stand anywhere in the evidence
    together: float  # the same, in the best three sentences together
    best: float  # the same, in the one best sentence
    pairs: float  # share of the claim's neighbouring words that are neighbours there
    run: float  # longest common run of words, as a share of the claim
    figures: float  # share of its figures and days
    names: float  # share of the words of its names
    meaning: float  # best cosine with a sentence
    window: float  # best cosine with two neighbouring sentences
    tokens: float  # mean over the claim's tokens of the best cosine with a token of the evidence
    weakest: float  # the mean of the lowest quarter of these
    length: float  # words of the claim, in tens


def overlap_weights(claim: str, evidence: Sequence[frozenset[str]]) -> dict[str, float]:
    """Return how much each word of `claim` tells: rarer in the evidence, more."""
    spread = Counter(word for sentence in evidence for word in sentence)
    count = len(evidence)
    return {
        word.stem: 0.5 + math.log((count + 2) / (spread[word.stem] + 1)) / math.log(count + 2)
        for word in content(claim)
    }


def nearest(claim: str, sentences: Sequence[str], most: int = MOST_SENTENCES) -> list[int]:
    """Return the places of the `most` sentences that share most with `claim`, in text order."""
    split = [stems(sentence) for sentence in sentences]
    weights = overlap_weights(claim, split)
    scores = [sum(weights.get(word, 0.0) for word in words) for words in split]
    return sorted(sorted(range(len(split)), key=lambda i: -scores[i])[:most])


def lexical_signals(claim: str, sentences: Sequence[str]) -> dict[str, float]:
    """Return those of the signals that need no vectors."""
    split = [stems(sentence) for sentence in sentences]
    weights = overlap_weights(claim, split)
    total = sum(weights.values()) or 1.0
    everything = frozenset().union(*split) if split else frozenset()

    def share(words: frozenset[str]) -> float:
        return sum(weight for word, weight in weights.items() if word in words) / total

    together: frozenset[str] = frozenset()
    for _ in range(3):
        together |= max(split, key=lambda words: share(together | words), default=frozenset())
    text = " ".join(sentences)
    ordered = [word.stem for word in content(claim)]
    there = [word.stem for word in content(text)]
    pairs = set(pairwise(there))
    mine = list(pairwise(ordered))
    stated = figures(claim)
    shown = figures(text)
    named = {w.stem for n in names("of " + claim) for w in content(n.text)}
    spoken = {d.text.lower() for d in days(claim)}
    spoken_there = {d.text.lower() for d in days(text)}
    count = len(stated) + len(spoken)
    right = sum(borne_out(f, shown) for f in stated) + len(spoken & spoken_there)
    return {
        "words": share(everything),
        "together": share(together),
        "best": max((share(words) for words in split), default=0.0),
        "pairs": sum(pair in pairs for pair in mine) / max(1, len(mine)),
        "run": _longest_run(ordered, there) / max(1, len(ordered)),
        "figures": right / count if count else 1.0,
        "names": len(named & everything) / len(named) if named else 1.0,
        "length": len(ordered) / 10,
    }


def _longest_run(mine: Sequence[str], there: Sequence[str]) -> int:
    best = 0
    row = [0] * (len(there) + 1)
    for word in mine:
        new = [0] * (len(there) + 1)
        for j, other in enumerate(there):
            if word == other:
                new[j + 1] = row[j] + 1
        best = max(best, *new)
        row = new
    return best


def meaning_signals(claim: Vectors, evidence: Vectors) -> dict[str, float]:
    """Return the signals of meaning: of unit vectors, of the claim and of its nearest sentences."""
    if not len(evidence):
        return {"meaning": 0.0, "window": 0.0}
    pairs = evidence[:-1] + evidence[1:]
    pairs /= np.maximum(np.linalg.norm(pairs, axis=1, keepdims=True), 1e-6)
    best = float((evidence @ claim).max())
    return {"meaning": best, "window": max([best, *(pairs @ claim).tolist()])}


WEIGHTS = {
    "words": 2.0, "together": 2.0, "best": 2.0, "pairs": 1.0, "run": 1.0, "figures": 1.0,
    "names": 1.0, "length": -0.2, "meaning": 2.0, "window": 1.0, "constant": -7.5,
}  # fmt: skip
