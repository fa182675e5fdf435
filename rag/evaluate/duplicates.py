"""Near-duplicate metrics: precision, recall, and the pairs that were misjudged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag.evaluate.hard_negatives import hardest_non_duplicates
from rag.evaluate.metrics import (
    PRECISION,
    RECALL,
    Metric,
    Outcome,
    OutcomeEvaluation,
    outcome_metric,
)
from rag.evaluate.synthetic_reprints import Pair, synthetic_reprints
from rag.nlp.near_duplicates import band_keys, is_same_story, minhash, text_signature
from rag.schema import Article

Judged = Mapping[frozenset[str], bool]  # two ids -> whether a person judged them to be one story


@dataclass(frozen=True, slots=True)
class DuplicatesEvaluation(OutcomeEvaluation):
    """Metrics of a run, and the pairs that were misjudged."""

    mistaken: tuple[Pair, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the output of `evaluate duplicates --json`."""
        return {
            "measures": self.rows(),
            "mistaken": [
                {"kind": p.kind, "one": p.one.id, "other": p.other.id, "same": p.same}
                for p in self.mistaken
            ],
        }


def evaluate_duplicates(
    articles: Sequence[Article],
    *,
    each: int,
    seed: int = 1,
    judged: Judged | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DuplicatesEvaluation:
    """Evaluate near-duplicate detection on pairs made of real articles.

    Args:
        articles: The articles.
        each: The number of pairs of each kind.
        seed: The seed with which articles are drawn.
        judged: Human verdicts on pairs of real articles; others count as different stories.
        progress: Called with the number of pairs done and in all.
    """
    judged = judged or {}
    pairs = [
        replace(pair, same=judged.get(frozenset((pair.one.id, pair.other.id)), pair.same))
        for pair in (
            *synthetic_reprints(articles, each=each, seed=seed),
            *hardest_non_duplicates(articles, each=each),
        )
    ]
    said: dict[str, bool] = {}
    together: dict[str, bool] = {}
    for done, pair in enumerate(pairs, start=1):
        said[pair.id], together[pair.id] = _detect(pair)
        if progress:
            progress(done, len(pairs))
    return DuplicatesEvaluation(
        tuple(_measures(pairs, said, together)),
        mistaken=tuple(pair for pair in pairs if said[pair.id] != pair.same),
    )


def read_judged(lines: Iterable[str]) -> dict[frozenset[str], bool]:
    """Return the human verdicts of a JSONL file, by pair of ids.

    Args:
        lines: The file's lines, each with `one` and `other` (ids) and `same`.

    Raises:
        ValueError: A line is no verdict; the message has its number.
    """
    judged = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            judged[frozenset((str(row["one"]), str(row["other"])))] = bool(row["same"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"line {number} is not a judged pair: {error}") from error
    return judged


def _detect(pair: Pair) -> tuple[bool, bool]:
    """Return whether a pair is detected as one story, and whether its bands make it a candidate."""
    one, other = text_signature(pair.one), text_signature(pair.other)
    together = not set(band_keys(minhash(one))).isdisjoint(band_keys(minhash(other)))
    return together and is_same_story(one, other), together


def _measures(
    pairs: Sequence[Pair], said: Mapping[str, bool], together: Mapping[str, bool]
) -> Iterator[Metric[Outcome]]:
    everything = {pair.id: (pair.same, said[pair.id]) for pair in pairs}
    yield outcome_metric("all", "precision", everything, PRECISION)
    yield outcome_metric("all", "recall", everything, RECALL)
    copies = [pair for pair in pairs if pair.same]
    yield outcome_metric("all", "compared", {p.id: (True, together[p.id]) for p in copies})
    for kind in dict.fromkeys(pair.kind for pair in pairs):
        for same, name in ((True, "recognised"), (False, "told apart")):
            of_kind = [pair for pair in pairs if pair.kind == kind and pair.same == same]
            if of_kind:
                outcomes = {p.id: (True, said[p.id] == same) for p in of_kind}
                yield outcome_metric(kind, name, outcomes)
