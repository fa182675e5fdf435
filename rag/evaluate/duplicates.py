"""How well one story printed twice is told from two: precision, recall, and the pairs mistaken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag.evaluate.hard_negatives import hardest_non_duplicates
from rag.evaluate.metrics import Evaluation, Measure
from rag.evaluate.synthetic_reprints import Pair, synthetic_reprints
from rag.nlp.near_duplicates import band_keys, is_same_story, minhash, text_signature
from rag.schema import Article

Judged = Mapping[frozenset[str], bool]  # two ids -> whether a person found them to be one story


@dataclass(frozen=True, slots=True)
class DuplicatesEvaluation:
    """Every measure of a run, and the pairs of which the wrong thing was said."""

    measures: tuple[Measure, ...]
    mistaken: tuple[Pair, ...]

    def saved(self) -> str:
        """Return the measures as text, for `Evaluation.loaded` to read."""
        return Evaluation(self.measures).saved()

    def as_json(self) -> dict[str, Any]:
        """Return what `evaluate duplicates --json` prints."""
        return {
            "measures": [
                {
                    "set": m.set,
                    "measure": m.name,
                    "n": m.n,
                    "mean": round(score.mean, 4),
                    "low": round(score.low, 4),
                    "high": round(score.high, 4),
                }
                for m in self.measures
                for score in [m.score()]
            ],
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
    """Make pairs of `articles`, `each` of a kind, and measure what is said of them.

    A pair of real articles is one story if `judged` says so, else two.
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
        said[pair.id], together[pair.id] = _said(pair)
        if progress:
            progress(done, len(pairs))
    return DuplicatesEvaluation(
        tuple(_measures(pairs, said, together)),
        tuple(pair for pair in pairs if said[pair.id] != pair.same),
    )


def read_judged(lines: Iterable[str]) -> dict[frozenset[str], bool]:
    """Return what was judged in JSONL of `one`, `other` (ids) and `same`.

    Raises ValueError with the line's number.
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


def _said(pair: Pair) -> tuple[bool, bool]:
    """Whether the two are said to be one story, and whether their bands bring them together."""
    one, other = text_signature(pair.one), text_signature(pair.other)
    together = not set(band_keys(minhash(one))).isdisjoint(band_keys(minhash(other)))
    return together and is_same_story(one, other), together


def _measures(
    pairs: Sequence[Pair], said: Mapping[str, bool], together: Mapping[str, bool]
) -> Iterable[Measure]:
    everything = {pair.id: (pair.same, said[pair.id]) for pair in pairs}
    yield Measure("all", "precision", everything, "precision")
    yield Measure("all", "recall", everything, "recall")
    copies = [pair for pair in pairs if pair.same]
    yield Measure("all", "compared", {p.id: (True, together[p.id]) for p in copies}, "share")
    for kind in dict.fromkeys(pair.kind for pair in pairs):
        for same, name in ((True, "recognised"), (False, "told apart")):
            of_kind = [pair for pair in pairs if pair.kind == kind and pair.same == same]
            if of_kind:
                outcomes = {p.id: (True, said[p.id] == same) for p in of_kind}
                yield Measure(kind, name, outcomes, "share")
