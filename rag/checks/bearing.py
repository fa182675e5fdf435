"""How well a passage bears a claim out: measured signals of words and of meaning."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rag.text.figures import borne_out, days, figures
from rag.text.names import names
from rag.text.words import content, stems, words

Vectors = npt.NDArray[np.float32]
MOST_SENTENCES = 8  # of the evidence, by words in common with the claim, that are embedded


# The signals, each from 0 (nothing in common) to about 1 (all):
#   words      weighted share of the claim's words that stand anywhere in the evidence
#   together   the same, in the best three sentences together; best: in the one best sentence
#   pairs      share of its neighbouring words that are neighbours there; run: the longest run
#   figures    share of its figures and days; names: of the words of its names
#   wording    share of all its words in the one best sentence; phrase: of its word pairs
#   phrases    share of its word pairs anywhere; triples: of three words in a row
#   meaning    best cosine with a sentence; window: with two neighbours
#   length     words of the claim, in tens


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
        **_wording(claim, sentences),
    }


def _wording(claim: str, sentences: Sequence[str]) -> dict[str, float]:
    """Return what of the claim's wording, the empty words too, stands there in the same order."""
    mine = [word.text.lower() for word in words(claim)]
    split = [[word.text.lower() for word in words(sentence)] for sentence in sentences]
    twos, threes = list(pairwise(mine)), list(zip(mine, mine[1:], mine[2:], strict=False))
    there = [set(pairwise(listed)) for listed in split]
    all_twos = set().union(*there)
    all_threes = {t for w in split for t in zip(w, w[1:], w[2:], strict=False)}
    return {
        "wording": max((_part(mine, set(listed)) for listed in split), default=0.0),
        "phrases": _part(twos, all_twos),
        "triples": _part(threes, all_threes),
        "phrase": max((_part(twos, pairs) for pairs in there), default=0.0),
    }


def _part(mine: Sequence[object], there: Collection[object]) -> float:
    return sum(each in there for each in mine) / max(1, len(mine))


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


# Logistic regression, balanced, C = .1, on one half of WiCE dev, QAGS CNN/DM and QAGS XSum, each
# of equal weight; on the other halves, the threshold of each chosen on the first: .75, .78, .71.
WEIGHTS = {
    "words": 1.12, "together": 0.08, "best": -0.34, "pairs": 0.13, "run": 0.38, "figures": 0.45,
    "names": 0.58, "length": 0.01, "meaning": 0.87, "window": 0.97, "wording": 1.32,
    "phrases": 0.31, "triples": 0.08, "phrase": 0.59, "constant": -4.56,
}  # fmt: skip
