"""What was asked of a system, what was true, and the score of it with its interval."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rag.evaluate.retrieval import RESAMPLES, Difference, Score

Statistic = Literal["share", "precision", "recall", "f1", "balanced accuracy"]
Outcome = tuple[bool, bool]  # whether it was so, and whether it was said to be so
_Counts = npt.NDArray[np.float64]  # (..., 4): right yes, wrong yes, wrong no, right no


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: what was true and what was said of each item, and how that is summed up.

    A `share` is that of the items of which yes was said, whatever was true.
    """

    set: str
    name: str
    outcomes: Mapping[str, Outcome]
    statistic: Statistic = "share"

    @property
    def n(self) -> int:
        return len(self.outcomes)

    def score(self) -> Score:
        """Return the measure with its 95 % interval, by the percentile bootstrap over items."""
        counts = _counts(list(self.outcomes.values()))
        low, high = np.percentile(_summed(self.statistic, _resampled(counts)), (2.5, 97.5))
        return Score(float(_summed(self.statistic, counts.sum(axis=0))), float(low), float(high))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every measure of a run, in the order in which they are shown."""

    measures: tuple[Measure, ...]
    milliseconds: tuple[float, ...] = ()  # to the first statement of each answer

    def as_json(self) -> dict[str, Any]:
        """Return what `evaluate answers --json` prints."""
        measures = [
            {"set": m.set, "measure": m.name, "n": m.n}
            | {name: round(value, 4) for name, value in asdict(m.score()).items()}
            for m in self.measures
        ]
        return {"measures": measures, "first_statement_ms": self.times()}

    def times(self) -> dict[str, float]:
        """Return the median and the 95th percentile of the milliseconds."""
        median, p95 = np.percentile(self.milliseconds or (0.0,), (50, 95))
        return {"median": round(float(median), 1), "p95": round(float(p95), 1)}

    def saved(self) -> str:
        """Return the whole evaluation as JSON text, for `loaded` to read."""
        return json.dumps(
            [
                {
                    "set": m.set,
                    "measure": m.name,
                    "statistic": m.statistic,
                    "outcomes": {item: list(o) for item, o in m.outcomes.items()},
                }
                for m in self.measures
            ]
        )

    @classmethod
    def loaded(cls, text: str) -> Evaluation:
        """Return an evaluation from what `saved` gave; ValueError where the text is none."""
        try:
            return cls(tuple(_loaded(fields) for fields in json.loads(text)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError("not a saved evaluation of answers") from error


def _loaded(fields: Mapping[str, Any]) -> Measure:
    outcomes = {item: (bool(a), bool(b)) for item, (a, b) in fields["outcomes"].items()}
    if fields["statistic"] not in _SUMS:
        raise ValueError(f"no statistic {fields['statistic']}")
    return Measure(fields["set"], fields["measure"], outcomes, fields["statistic"])


def compare(new: Evaluation, old: Evaluation) -> list[Difference]:
    """Return how far `new` is above `old`, measure by measure, over the items of both.

    A difference whose interval does not hold 0 is hardly chance.
    """
    before = {(m.set, m.name): m for m in old.measures}
    differences = []
    for ours in new.measures:
        theirs = before.get((ours.set, ours.name))
        both = [item for item in ours.outcomes if theirs and item in theirs.outcomes]
        if theirs is None or not both:
            continue
        mine = _counts([ours.outcomes[item] for item in both])
        other = _counts([theirs.outcomes[item] for item in both])
        drawn = [_summed(ours.statistic, _resampled(c)) for c in (mine, other)]
        low, high = np.percentile(drawn[0] - drawn[1], (2.5, 97.5))
        totals = [_summed(ours.statistic, c.sum(axis=0)) for c in (mine, other)]
        mean = float(totals[0] - totals[1])
        differences.append(
            Difference(ours.set, ours.name, len(both), mean, float(low), float(high))
        )
    return differences


def _counts(outcomes: Sequence[Outcome]) -> _Counts:
    rows = [(t and s, not t and s, t and not s, not t and not s) for t, s in outcomes]
    return np.asarray(rows, np.float64).reshape(-1, 4)


def _resampled(counts: _Counts, *, seed: int = 1) -> _Counts:
    """Return the counts of RESAMPLES samples of the items, drawn with replacement."""
    if not len(counts):
        return np.zeros((RESAMPLES, 4))
    drawn = np.random.default_rng(seed).integers(0, len(counts), (RESAMPLES, len(counts)))
    return counts[drawn].sum(axis=1)  # type: ignore[no-any-return]


def _summed(statistic: Statistic, counts: _Counts) -> _Counts:
    return _SUMS[statistic](*np.moveaxis(counts, -1, 0))


def _part(some: _Counts, of: _Counts) -> _Counts:
    return some / np.maximum(of, 1.0)


_SUMS: dict[str, Callable[..., _Counts]] = {
    "share": lambda tp, fp, fn, tn: _part(tp + fp, tp + fp + fn + tn),
    "precision": lambda tp, fp, fn, tn: _part(tp, tp + fp),
    "recall": lambda tp, fp, fn, tn: _part(tp, tp + fn),
    "f1": lambda tp, fp, fn, tn: _part(2 * tp, 2 * tp + fp + fn),
    "balanced accuracy": lambda tp, fp, fn, tn: (_part(tp, tp + fn) + _part(tn, tn + fp)) / 2,
}
