"""Verify claims against passages: exact checks first, then a support score or an NLI model."""

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
# Maps pairs of (passage, claim) to probabilities of entailed, neutral and contradicted.
Entails = Callable[[Sequence[tuple[str, str]]], Sequence[tuple[float, float, float]]]

# Probability from which a claim is supported, or partly supported: a compromise between the best
# thresholds of three datasets (docs/benchmarks.md). Claims that fail an exact check have none.
SUPPORTED_FROM = 0.50
PARTLY_FROM = 0.40
ENTAILED_FROM = 0.5  # of an entailment model
NEAREST_JUDGED = 3  # nearest sentences that an entailment model also judges alone


@dataclass(frozen=True, slots=True)
class Verdict:
    """Support of a claim, the reason if it lacks support, and its probability (0 to 1)."""

    support: Support
    reason: Notice | None = None
    probability: float = 1.0


class Verifier:
    """Verifies claims against passages; caches the passages' sentence vectors."""

    def __init__(self, embed: Embed, *, entails: Entails | None = None) -> None:
        """Create a verifier.

        Args:
            embed: Returns the unit vectors of texts.
            entails: Entailment model to use instead of the support score.
        """
        self._embed = embed
        self._entails = entails
        self._vectors: dict[str, npt.NDArray[np.float32]] = {}

    def verify(self, claim: str, hits: Sequence[Hit], *, article: str = "") -> Verdict:
        """Decide whether passages together support a claim.

        Args:
            claim: The claim.
            hits: The passages.
            article: Full text of their articles, to complete bare surnames.
        """
        if not hits:
            return Verdict("not supported", Notice("no_citation"), 0.0)
        passage = "\n\n".join(hit.passage.text for hit in hits)
        bare = re.sub(r"(?:(?<!\s)\s+)?+\[[^\]]{0,300}\]\s*+", " ", claim).strip()
        if not _is_verbatim(claim, passage):  # otherwise the brackets are the article's own
            claim = bare
        wrong = _check_attribution(claim, passage, article)
        if wrong is not None:
            return wrong
        if _is_verbatim(claim, passage):
            return Verdict("supported")
        return _run_exact_checks(claim, hits, passage) or self._judge(claim, passage)

    def _judge(self, claim: str, passage: str) -> Verdict:
        if self._entails is not None:
            return _judge_entailment(self._entails, claim, passage)
        probability = self.probability(claim, passage)
        if probability >= SUPPORTED_FROM:
            return Verdict("supported", probability=probability)
        if probability >= PARTLY_FROM:
            return Verdict("partly", Notice("partly_supported"), probability)
        return Verdict("not supported", Notice("not_in_passage"), probability)

    def probability(self, claim: str, passage: str | Sequence[str]) -> float:
        """Return the probability by the support score that a passage supports a claim."""
        signals = self.signals(claim, passage)
        return 1 / (1 + math.exp(-sum(WEIGHTS[name] * value for name, value in signals.items())))

    def signals(self, claim: str, passage: str | Sequence[str]) -> dict[str, float]:
        """Return the signals of the support score.

        Args:
            claim: The claim.
            passage: The passage, or its sentences.
        """
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


def _is_verbatim(claim: str, passage: str) -> bool:
    """Return True if the claim consists of complete sentences of the passage."""
    words = normalize(claim).strip(" .\"'")
    return bool(words) and bool(
        re.search(rf"(?:^|[.!?\"'\n] ?){re.escape(words)}(?:[.!?\"']|$)", normalize(passage))
    )


def _check_attribution(claim: str, passage: str, article: str) -> Verdict | None:
    said_by = lost_attribution(claim, passage)
    if said_by:
        return Verdict("partly", Notice("passage_attributes", speaker=said_by), 0.5)
    other = wrong_speaker(claim, passage, article)
    if other:
        return Verdict("contradicted", Notice("passage_quotes_other", speaker=other), 0.0)
    return None


def _run_exact_checks(claim: str, hits: Sequence[Hit], passage: str) -> Verdict | None:
    for quote in altered_quotes(claim, passage):
        return Verdict("not supported", Notice("quote_altered", quote=quote), 0.0)
    metadata = " ".join(
        f"{h.metadata.title}. {h.metadata.publisher} {' '.join(h.metadata.authors)}" for h in hits
    )
    published = max((h.metadata.published for h in hits if h.metadata.published), default=None)
    for text in wrong_numbers(claim, f"{passage}\n{metadata}", published):
        return Verdict("not supported", Notice("number_missing", number=text), 0.0)
    for name in wrong_names(claim, f"{passage}\n{metadata}"):
        return Verdict("not supported", Notice("name_missing", name=name), 0.0)
    for titled in wrong_titles(claim, passage):
        return Verdict("contradicted", Notice("title_missing", title=titled), 0.0)
    if polarity_mismatch(claim, passage):
        return Verdict("contradicted", Notice("passage_says_opposite"), 0.0)
    if swapped_roles(claim, passage):
        return Verdict("contradicted", Notice("passage_swaps_roles"), 0.0)
    return None


def _judge_entailment(entails: Entails, claim: str, passage: str) -> Verdict:
    texts = [passage[s.start : s.end] for s in split_sentences(passage)]
    near = " ".join(texts[i] for i in most_similar_sentences(claim, texts, NEAREST_JUDGED))
    # A model truncates long passages, and was mostly trained on pairs of sentences.
    judged = entails([(passage, claim), (near, claim)])
    entailed = max(probabilities[0] for probabilities in judged)
    contradicted = max(probabilities[2] for probabilities in judged)
    if entailed >= ENTAILED_FROM:
        return Verdict("supported", probability=entailed)
    if contradicted >= 0.5:
        return Verdict("contradicted", Notice("passage_differs"), entailed)
    return Verdict("not supported", Notice("not_in_passage"), entailed)
