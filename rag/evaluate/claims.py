"""Verifier metrics on claim-verification datasets and perturbed sentences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from rag.evaluate.metrics import BALANCED_ACCURACY, Metric, Outcome, outcome_metric
from rag.evaluate.perturbations import Perturbation
from rag.nlp.sentences import split_sentences
from rag.schema import ArticleMetadata, Hit, Passage
from rag.verify.verifier import Embed, Verdict, Verifier

Scored = Sequence[tuple[float, bool]]

# Uncertainty of a score, as a share of the scores' standard deviation, when a threshold is chosen.
# Measured: docs/benchmarks.md#statement-checks.
UNSURE = 0.2


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim with its evidence and its human verdict.

    Attributes:
        id: The claim's id.
        text: The claim.
        evidence: The sentences of its evidence.
        supported: Whether people judged that the evidence supports it.
        group: The number of its source, such as one article's summary; claims of one group stay in
            one half.
    """

    id: str
    text: str
    evidence: tuple[str, ...]
    supported: bool
    group: int


def read_claims(lines: Iterable[str]) -> list[Claim]:
    """Return the claims of a JSONL file in the format of WiCE or QAGS.

    WiCE has `claim`, `evidence` (sentences) and `label`. QAGS has `article` and
    `summary_sentences`, each a `sentence` with its `responses`, more than half of which must be
    yes.

    Args:
        lines: The file's lines.

    Raises:
        ValueError: A line is no claim; the message has its number.
    """
    claims: list[Claim] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            claims += _claims(json.loads(line), number - 1)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"line {number} holds no claim: {error}") from error
    return claims


def _claims(row: Mapping[str, Any], group: int) -> list[Claim]:
    if "claim" in row:
        supported = row["label"] == "supported"
        return [Claim(str(group), row["claim"], tuple(row["evidence"]), supported, group)]
    text = row["article"]
    evidence = tuple(text[s.start : s.end] for s in split_sentences(text))
    claims = []
    for i, each in enumerate(row["summary_sentences"]):
        yes = sum(r["response"] == "yes" for r in each["responses"])
        supported = yes * 2 > len(each["responses"])
        claims.append(Claim(f"{group}.{i}", each["sentence"], evidence, supported, group))
    return claims


def best_threshold(scored: Scored) -> float:
    """Return the threshold with the best expected balanced accuracy.

    Each score counts as above a threshold with a logistic probability, so that a single claim
    hardly moves the result. Candidates are the midpoints between scores.

    Args:
        scored: Pairs of a score and whether the claim is supported.
    """
    values = sorted({score for score, _ in scored})
    if len(values) < 2:
        return values[0] if values else 0.5
    scores, truth = np.array([s for s, _ in scored]), np.array([t for _, t in scored], bool)
    width = UNSURE * float(scores.std())
    middles = [values[0], *((a + b) / 2 for a, b in pairwise(values))]

    def expected(threshold: float) -> float:
        above = 0.5 + 0.5 * np.tanh((scores - threshold) / (2 * width))
        right = np.where(truth, above, 1 - above)
        return sum(float(right[truth == said].mean()) for said in set(truth.tolist()))

    return max(middles, key=expected)


def measure_claims(
    name: str, claims: Sequence[Claim], probability: Callable[[Claim], float]
) -> list[Metric[Outcome]]:
    """Return balanced accuracy on each half of the groups, with the threshold chosen on the other.

    Both halves are reported, because a single one has too few claims for a reliable figure.

    Args:
        name: The name of the dataset.
        claims: The claims.
        probability: Returns the probability that a claim is supported.
    """
    scored = [(claim, probability(claim)) for claim in claims]
    return [_measure_other_half(name, scored, parity) for parity in (0, 1)]


def _measure_other_half(
    name: str, scored: Sequence[tuple[Claim, float]], parity: int
) -> Metric[Outcome]:
    chosen_on = [(p, c.supported) for c, p in scored if c.group % 2 == parity]
    threshold = best_threshold(chosen_on)
    outcomes = {c.id: (c.supported, p >= threshold) for c, p in scored if c.group % 2 != parity}
    exchanged = ", halves exchanged" if parity else ""
    return outcome_metric(name, f"balanced accuracy{exchanged}", outcomes, BALANCED_ACCURACY)


def measure_perturbations(altered: Sequence[Perturbation], embed: Embed) -> list[Metric[Outcome]]:
    """Return the shares of perturbed sentences rejected, by kind, and of original ones accepted.

    Args:
        altered: The perturbed sentences.
        embed: Embeds texts.
    """
    verifier = Verifier(embed)
    caught: dict[str, dict[str, Outcome]] = {}
    passed: dict[str, Outcome] = {}
    for i, each in enumerate(altered):
        wrong = _verify(verifier, each.altered, each.passage).support != "supported"
        for kind in ("all kinds", each.kind):
            caught.setdefault(kind, {})[str(i)] = True, wrong
        passed[str(i)] = (
            True,
            _verify(verifier, each.original, each.passage).support == ("supported"),
        )
    return [
        *(
            outcome_metric("altered", f"caught, {kind}", outcomes)
            for kind, outcomes in caught.items()
        ),
        outcome_metric("altered", "unaltered passed", passed),
    ]


def _verify(verifier: Verifier, claim: str, passage: str) -> Verdict:
    cited = Hit(Passage("", 1, 0, len(passage), passage), ArticleMetadata("", ""), 1.0)
    return verifier.verify(claim, [cited], article=passage)
