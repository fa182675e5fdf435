"""The measures of the verifier: claims with their evidence, and sentences altered in one thing."""

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

# Of the scores' spread, by which a score is taken to be unsure when a threshold is chosen.  With
# 0, the best of a half is often the worst of the other: WiCE dev .70 instead of .76.
UNSURE = 0.2


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, the sentences of its evidence, whether people found it borne out.

    Claims of one `group` (an article's summary) are never parted between the halves.
    """

    id: str
    text: str
    evidence: tuple[str, ...]
    supported: bool
    group: int


def read_claims(lines: Iterable[str]) -> list[Claim]:
    """Return the claims of a JSONL file, as WiCE or QAGS write it; ValueError names a bad line.

    WiCE: `claim`, `evidence` (sentences), `label`.  QAGS: `article`, and `summary_sentences`, each
    a `sentence` with its `responses`, of which more than half must be yes.
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
    """Return the threshold with the best balanced accuracy on `scored`, its scores a little unsure.

    Each counts as above by a logistic function of how far, so that one claim more or less does not
    move it; thresholds are halfway between scores.
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
    """Return the balanced accuracy on the odd groups, the threshold chosen on the even ones.

    And the reverse: a half has too few claims for its figure to be told from luck alone.
    """
    scored = [(claim, probability(claim)) for claim in claims]
    return [_on_other_half(name, scored, parity) for parity in (0, 1)]


def _on_other_half(
    name: str, scored: Sequence[tuple[Claim, float]], parity: int
) -> Metric[Outcome]:
    chosen_on = [(p, c.supported) for c, p in scored if c.group % 2 == parity]
    threshold = best_threshold(chosen_on)
    outcomes = {c.id: (c.supported, p >= threshold) for c, p in scored if c.group % 2 != parity}
    exchanged = ", halves exchanged" if parity else ""
    return outcome_metric(name, f"balanced accuracy{exchanged}", outcomes, BALANCED_ACCURACY)


def measure_perturbations(altered: Sequence[Perturbation], embed: Embed) -> list[Metric[Outcome]]:
    """Return how many altered sentences are caught, kind by kind, and unaltered ones passed."""
    verifier = Verifier(embed)
    caught: dict[str, dict[str, Outcome]] = {}
    passed: dict[str, Outcome] = {}
    for i, each in enumerate(altered):
        wrong = _verified(verifier, each.altered, each.passage).support != "supported"
        for kind in ("all kinds", each.kind):
            caught.setdefault(kind, {})[str(i)] = True, wrong
        passed[str(i)] = (
            True,
            _verified(verifier, each.original, each.passage).support == ("supported"),
        )
    return [
        *(
            outcome_metric("altered", f"caught, {kind}", outcomes)
            for kind, outcomes in caught.items()
        ),
        outcome_metric("altered", "unaltered passed", passed),
    ]


def _verified(verifier: Verifier, claim: str, passage: str) -> Verdict:
    cited = Hit(Passage("", 1, 0, len(passage), passage), ArticleMetadata("", ""), 1.0)
    return verifier.verify(claim, [cited], article=passage)
