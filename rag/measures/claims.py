"""The measures of the verifier: claims with their evidence, and sentences altered in one thing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.measures.alterations import Alteration
from rag.measures.scores import Measure, Outcome
from rag.schema import ArticleHead, Hit, Passage
from rag.text.sentences import sentences
from rag.verification import Embed, Verdict, Verifier

Scored = Sequence[tuple[float, bool]]


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
    evidence = tuple(text[s.start : s.end] for s in sentences(text))
    claims = []
    for i, each in enumerate(row["summary_sentences"]):
        yes = sum(r["response"] == "yes" for r in each["responses"])
        supported = yes * 2 > len(each["responses"])
        claims.append(Claim(f"{group}.{i}", each["sentence"], evidence, supported, group))
    return claims


def balanced_accuracy(scored: Scored, threshold: float) -> float:
    """Return the mean of the shares of true and of false claims judged rightly."""
    yes = [score >= threshold for score, truth in scored if truth]
    no = [score < threshold for score, truth in scored if not truth]
    return (sum(yes) / max(1, len(yes)) + sum(no) / max(1, len(no))) / 2


def best_threshold(scored: Scored) -> float:
    """Return the threshold with the best balanced accuracy on `scored`."""
    values = sorted({score for score, _ in scored})
    return max(values, key=lambda t: balanced_accuracy(scored, t), default=0.5)


def measure_claims(
    name: str, claims: Sequence[Claim], probability: Callable[[Claim], float]
) -> list[Measure]:
    """Return the balanced accuracy on the odd groups, the threshold chosen on the even ones.

    The weights of the signals were chosen on the even groups too.
    """
    scored = [(claim, probability(claim)) for claim in claims]
    threshold = best_threshold([(p, c.supported) for c, p in scored if c.group % 2 == 0])
    outcomes = {c.id: (c.supported, p >= threshold) for c, p in scored if c.group % 2}
    return [Measure(name, "balanced accuracy", outcomes, "balanced accuracy")]


def measure_alterations(altered: Sequence[Alteration], embed: Embed) -> list[Measure]:
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
        *(Measure("altered", f"caught, {kind}", outcomes) for kind, outcomes in caught.items()),
        Measure("altered", "unaltered passed", passed),
    ]


def _verified(verifier: Verifier, claim: str, passage: str) -> Verdict:
    cited = Hit(Passage("", 1, 0, len(passage), passage), ArticleHead("", ""), 1.0)
    return verifier.verify(claim, [cited], article=passage)
