"""Lexical and embedding signals of how well a passage supports a claim."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from rag.nlp.entities import find_names
from rag.nlp.numbers import find_numbers, is_number_supported
from rag.nlp.tokens import content_words, stem_words, tokenize
from rag.verify.alignment import alignment_cost

Vectors = npt.NDArray[np.float32]
MOST_SENTENCES = 8  # sentences of the evidence used for alignment, by words shared with the claim
# Of those, sentences to embed, which takes most of a check's time; 3 to 8 hardly differ
# (docs/benchmarks.md).
MOST_EMBEDDED = 4


# The signals; higher means better supported:
#   patchwork  minus the root of the alignment cost per word
#   phrase     share of the claim's word pairs, stop words included, in the best sentence
#   company    share of pairs of its words that occur together in a sentence
#   new        minus the logarithm of one plus the number of its words not in the evidence
#   names      share of the words of its names; figures: minus its unsupported figures, at most two
#   meaning    best cosine with a sentence
MOST_UNSUPPORTED = 2


def overlap_weights(claim: str, evidence: Sequence[frozenset[str]]) -> dict[str, float]:
    """Return a weight for each word of the claim: rarer in the evidence weighs more."""
    spread = Counter(word for sentence in evidence for word in sentence)
    count = len(evidence)
    return {
        word.stem: 0.5 + math.log((count + 2) / (spread[word.stem] + 1)) / math.log(count + 2)
        for word in content_words(claim)
    }


def most_similar_sentences(
    claim: str, sentences: Sequence[str], most: int = MOST_SENTENCES
) -> list[int]:
    """Return the positions of the `most` sentences with the highest overlap, in text order."""
    split = [stem_words(sentence) for sentence in sentences]
    weights = overlap_weights(claim, split)
    # fsum: a plain sum depends on the order of the set, which differs between processes
    scores = [math.fsum(weights.get(word, 0.0) for word in words) for words in split]
    return sorted(sorted(range(len(split)), key=lambda i: -scores[i])[:most])


def lexical_signals(claim: str, sentences: Sequence[str]) -> dict[str, float]:
    """Return the signals that need no vectors."""
    split = [stem_words(sentence) for sentence in sentences]
    there = frozenset().union(*split) if split else frozenset()
    text = " ".join(sentences)
    named = {w.stem for n in find_names("of " + claim) for w in content_words(n.text)}
    near = [sentences[i] for i in most_similar_sentences(claim, sentences)]
    return {
        "patchwork": -math.sqrt(alignment_cost(claim, near)),
        "phrase": _bigram_overlap(claim, sentences),
        "company": _cooccurrence(claim, split, there),
        "new": -math.log1p(sum(word.stem not in there for word in content_words(claim))),
        "names": len(named & there) / len(named) if named else 1.0,
        "figures": -float(min(MOST_UNSUPPORTED, _count_unsupported(claim, text))),
    }


def _cooccurrence(claim: str, split: Sequence[frozenset[str]], there: frozenset[str]) -> float:
    """Return the share of pairs of the claim's words that occur together in a sentence."""
    mine = stem_words(claim)
    if len(mine) < 2:
        return len(mine & there) / max(1, len(mine))
    together = {pair for words in split for pair in combinations(sorted(mine & words), 2)}
    return len(together) / math.comb(len(mine), 2)


def _count_unsupported(claim: str, text: str) -> int:
    shown = find_numbers(text)
    return sum(not is_number_supported(figure, shown) for figure in find_numbers(claim))


def _bigram_overlap(claim: str, sentences: Sequence[str]) -> float:
    mine = _word_pairs(claim)
    best = max((sum(p in there for p in mine) for there in map(_word_pairs, sentences)), default=0)
    return best / max(1, len(mine))


def _word_pairs(text: str) -> list[tuple[str, str]]:
    return list(pairwise(word.text.lower() for word in tokenize(text)))


def max_similarity(claim: Vectors, evidence: Vectors) -> float:
    """Return the best cosine of the claim with a sentence.

    Args:
        claim: The claim's unit vector, shape (dimension,).
        evidence: The sentences' unit vectors, shape (n, dimension).
    """
    return float((evidence @ claim).max()) if len(evidence) else 0.0


# Set by hand rather than fitted, which generalised better; scale and constant come from a
# logistic regression. Figures: docs/benchmarks.md.
WEIGHTS = {
    "patchwork": 0.93, "phrase": 0.33, "company": 0.27, "new": 0.17, "names": 0.32,
    "figures": 0.07, "meaning": 0.43, "constant": -0.28,
}  # fmt: skip
