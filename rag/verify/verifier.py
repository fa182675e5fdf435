"""Is this sentence borne out by this passage? The exact is checked, the rest is measured."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.nlp.sentences import split_sentences
from rag.schema import Hit, Notice, Support
from rag.verify.fact_checks import (
    altered_quotes,
    lost_attribution,
    normalize,
    polarity_mismatch,
    swapped_roles,
    wrong_names,
    wrong_numbers,
    wrong_speaker,
    wrong_titles,
)
from rag.verify.support import (
    MOST_EMBEDDED,
    WEIGHTS,
    lexical_signals,
    max_similarity,
    most_similar_sentences,
)

Vectors = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
# Pairs of (passage, claim) -> for each the probabilities of entailed, neutral, contradicted.
Entails = Callable[[Sequence[tuple[str, str]]], Sequence[tuple[float, float, float]]]

# Probability from which a claim counts as borne out, and below which not even in part.  The sets
# disagree: best are .36 for WiCE, .46 for QAGS XSum, .65 for QAGS CNN/DM, whose summaries copy.
# At .50 of the unsupported claims .04, .26 and .83 pass, and of the supported .30, .44 and .99: no
# more of the former in any set than before patchwork was looked at (.05, .36, .83).
# What differs from a passage in an exact thing never comes here.
SUPPORTED_FROM = 0.50
PARTLY_FROM = 0.40
ENTAILED_FROM = 0.5  # an entailment model's own probability; more than all the rest together
NEAREST_JUDGED = 3  # sentences nearest to a claim that an entailment model sees by themselves


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a claim is borne out, why not, and how probable it is by the signals (0 to 1)."""

    support: Support
    reason: Notice | None = None
    probability: float = 1.0


class Verifier:
    """Verifies claims against passages; keeps the passages' sentence vectors for the next claim.

    `entails` judges instead of the measured signals where an entailment model is set.
    """

    def __init__(self, embed: Embed, *, entails: Entails | None = None) -> None:
        self._embed = embed
        self._entails = entails
        self._vectors: dict[str, npt.NDArray[np.float32]] = {}

    def verify(self, claim: str, hits: Sequence[Hit], *, article: str = "") -> Verdict:
        """Return whether the passages of `hits` together bear `claim` out.

        `article` is the whole text that they are from, for who a bare surname is.
        """
        if not hits:
            return Verdict("not supported", Notice("no_citation"), 0.0)
        passage = "\n\n".join(hit.passage.text for hit in hits)
        bare = re.sub(r"(?:(?<!\s)\s+)?+\[[^\]]{0,300}\]\s*+", " ", claim).strip()
        if not _stands_there(claim, passage):  # else the brackets are the article's own
            claim = bare
        wrong = _attribution(claim, passage, article)
        if wrong is not None:
            return wrong
        if _stands_there(claim, passage):
            return Verdict("supported")
        return _fidelity(claim, hits, passage) or self._bearing(claim, passage)

    def _bearing(self, claim: str, passage: str) -> Verdict:
        if self._entails is not None:
            return _entailed(self._entails, claim, passage)
        probability = self.probability(claim, passage)
        if probability >= SUPPORTED_FROM:
            return Verdict("supported", probability=probability)
        if probability >= PARTLY_FROM:
            return Verdict("partly", Notice("partly_supported"), probability)
        return Verdict("not supported", Notice("not_in_passage"), probability)

    def probability(self, claim: str, passage: str | Sequence[str]) -> float:
        """Return how probable it is by the measured signals that the passage bears `claim` out."""
        signals = self.signals(claim, passage)
        return 1 / (1 + math.exp(-sum(WEIGHTS[name] * value for name, value in signals.items())))

    def signals(self, claim: str, passage: str | Sequence[str]) -> dict[str, float]:
        texts = (
            [passage[s.start : s.end] for s in split_sentences(passage)]
            if isinstance(passage, str)
            else list(passage)
        )
        near = [texts[i] for i in most_similar_sentences(claim, texts, MOST_EMBEDDED)]
        missing = [t for t in (claim, *near) if t not in self._vectors]
        if missing:
            self._vectors.update(zip(missing, self._embed(missing), strict=True))
        vectors = (
            np.stack([self._vectors[t] for t in near]) if near else np.zeros((0, 1), np.float32)
        )
        return {
            **lexical_signals(claim, texts),
            "meaning": max_similarity(self._vectors[claim], vectors),
            "constant": 1.0,
        }


def _stands_there(claim: str, passage: str) -> bool:
    """Whether the claim is the passage's own words, whole sentences of it."""
    words = normalize(claim).strip(" .\"'")
    return bool(words) and bool(
        re.search(rf"(?:^|[.!?\"'\n] ?){re.escape(words)}(?:[.!?\"']|$)", normalize(passage))
    )


def _attribution(claim: str, passage: str, article: str) -> Verdict | None:
    said_by = lost_attribution(claim, passage)
    if said_by:
        return Verdict("partly", Notice("passage_attributes", speaker=said_by), 0.5)
    other = wrong_speaker(claim, passage, article)
    if other:
        return Verdict("contradicted", Notice("passage_quotes_other", speaker=other), 0.0)
    return None


def _fidelity(claim: str, hits: Sequence[Hit], passage: str) -> Verdict | None:
    for quote in altered_quotes(claim, passage):
        return Verdict("not supported", Notice("quote_altered", quote=quote), 0.0)
    heads = " ".join(
        f"{h.metadata.title}. {h.metadata.publisher} {' '.join(h.metadata.authors)}" for h in hits
    )
    published = max((h.metadata.published for h in hits if h.metadata.published), default=None)
    for text in wrong_numbers(claim, f"{passage}\n{heads}", published):
        return Verdict("not supported", Notice("number_missing", number=text), 0.0)
    for name in wrong_names(claim, f"{passage}\n{heads}"):
        return Verdict("not supported", Notice("name_missing", name=name), 0.0)
    for titled in wrong_titles(claim, passage):
        return Verdict("contradicted", Notice("title_missing", title=titled), 0.0)
    if polarity_mismatch(claim, passage):
        return Verdict("contradicted", Notice("passage_says_opposite"), 0.0)
    if swapped_roles(claim, passage):
        return Verdict("contradicted", Notice("passage_swaps_roles"), 0.0)
    return None


def _entailed(entails: Entails, claim: str, passage: str) -> Verdict:
    texts = [passage[s.start : s.end] for s in split_sentences(passage)]
    near = " ".join(texts[i] for i in most_similar_sentences(claim, texts, NEAREST_JUDGED))
    # The nearest sentences by themselves too: a model cuts a long passage, and was mostly trained
    # on pairs of sentences.
    judged = entails([(passage, claim), (near, claim)])
    entailed = max(probabilities[0] for probabilities in judged)
    contradicted = max(probabilities[2] for probabilities in judged)
    if entailed >= ENTAILED_FROM:
        return Verdict("supported", probability=entailed)
    if contradicted >= 0.5:
        return Verdict("contradicted", Notice("passage_differs"), entailed)
    return Verdict("not supported", Notice("not_in_passage"), entailed)
