"""Metrics of an evaluation: their intervals, the difference between two runs, saving and loading.

Intervals are those of the percentile bootstrap (Efron, 1979) over the items that were judged; runs
are compared paired, on the items of both.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt

RESAMPLES = 1000  # samples of the bootstrap

Item = TypeVar("Item")
Rows = npt.NDArray[np.int64]  # (samples, n): which items are in each sample
Values = npt.NDArray[np.float64]  # (samples,)
Outcome = tuple[bool, bool]  # whether it is so, and whether it was said to be so
_Counts = npt.NDArray[np.float64]  # (..., 4): right yes, wrong yes, wrong no, right no


@dataclass(frozen=True, slots=True)
class Score:
    """A metric's value over all items, and its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one run is than another on the items of both, with its 95 % interval."""

    judged: str
    measure: str
    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Statistic:
    """A function of samples of items; `compute` gives one value for each row of `Rows`."""

    name: str
    compute: Callable[[Sequence[Any], Rows], Values]


@dataclass(frozen=True, slots=True)
class Metric(Generic[Item]):
    """A statistic over what was found for each item, by the item's id."""

    set: str
    name: str
    items: Mapping[str, Item]
    statistic: Statistic

    @property
    def n(self) -> int:
        """The number of items."""
        return len(self.items)

    def score(self) -> Score:
        """Return the value with its 95 % interval."""
        return bootstrap(list(self.items.values()), self.statistic)


class Evaluation(ABC):
    """The metrics of one run."""

    kind: ClassVar[str] = ""  # completes "not a saved evaluation"

    @abstractmethod
    def metrics(self) -> Sequence[Metric[Any]]:
        """Return every metric, in the order in which they are shown."""

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """Return what `evaluate --json` prints."""

    @abstractmethod
    def to_saved(self) -> Any:
        """Return the run as a JSON value, for `from_saved` to read."""

    @classmethod
    @abstractmethod
    def from_saved(cls, value: Any) -> Self:
        """Return the run that `to_saved` gave; the value may be any JSON value."""

    def saved(self) -> str:
        """Return the run as JSON text, for `loaded` to read."""
        return json.dumps(self.to_saved())

    @classmethod
    def loaded(cls, text: str) -> Self:
        """Return the run from what `saved` gave.

        Raises:
            ValueError: The text is no saved run of this kind.
        """
        try:
            return cls.from_saved(json.loads(text))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"not a saved evaluation{cls.kind}") from error


def bootstrap(values: Sequence[Any], statistic: Statistic | None = None, *, seed: int = 1) -> Score:
    """Return a statistic of `values`, by default their mean, with its 95 % interval.

    Args:
        values: What was found for each item; of none, the score is 0.
        statistic: What is computed of them.
        seed: Of the samples that are drawn; the same values give the same score.
    """
    if not values:
        return Score(0.0, 0.0, 0.0)
    compute = (statistic or MEAN).compute
    n = len(values)
    drawn = np.random.default_rng(seed).integers(0, n, (RESAMPLES, n))
    low, high = np.percentile(compute(values, drawn), (2.5, 97.5))
    (whole,) = compute(values, np.arange(n)[np.newaxis])
    return Score(float(whole), float(low), float(high))


def compare(new: Evaluation, old: Evaluation) -> list[Difference]:
    """Return how far `new` is above `old`, metric by metric, over the items of both.

    A difference whose interval does not hold 0 is hardly chance. Metrics without common items are
    left out.
    """
    before = {(metric.set, metric.name): metric for metric in old.metrics()}
    differences = []
    for ours in new.metrics():
        theirs = before.get((ours.set, ours.name))
        pairs = [
            (ours.items[i], theirs.items[i]) for i in ours.items if theirs and i in theirs.items
        ]
        if pairs:
            score = bootstrap(pairs, _difference(ours.statistic))
            differences.append(
                Difference(ours.set, ours.name, len(pairs), score.mean, score.low, score.high)
            )
    return differences


def _difference(statistic: Statistic) -> Statistic:
    def compute(pairs: Sequence[tuple[Any, Any]], rows: Rows) -> Values:
        new, old = zip(*pairs, strict=True)
        return statistic.compute(new, rows) - statistic.compute(old, rows)

    return Statistic(statistic.name, compute)


def per_sample(name: str, measure: Callable[[Sequence[Item]], float]) -> Statistic:
    """Return the statistic that calls `measure` with the items of each sample."""

    def compute(items: Sequence[Item], rows: Rows) -> Values:
        return np.array([measure([items[i] for i in row]) for row in rows.tolist()], np.float64)

    return Statistic(name, compute)


def _mean(values: Sequence[float], rows: Rows) -> Values:
    means: Values = np.asarray(values, np.float64)[rows].mean(axis=1)
    return means


def _of_outcomes(name: str, of_counts: Callable[..., Values]) -> Statistic:
    def compute(outcomes: Sequence[Outcome], rows: Rows) -> Values:
        counts = np.asarray(
            [(t and s, not t and s, t and not s, not t and not s) for t, s in outcomes], np.float64
        )
        return of_counts(*np.moveaxis(counts[rows].sum(axis=1), -1, 0))

    return Statistic(name, compute)


def _part(some: _Counts, of: _Counts) -> _Counts:
    return some / np.maximum(of, 1.0)


MEAN = Statistic("mean", _mean)
# Of outcomes. The share is that of the items of which yes was said, whatever was true.
SHARE = _of_outcomes("share", lambda tp, fp, fn, tn: _part(tp + fp, tp + fp + fn + tn))
PRECISION = _of_outcomes("precision", lambda tp, fp, fn, tn: _part(tp, tp + fp))
RECALL = _of_outcomes("recall", lambda tp, fp, fn, tn: _part(tp, tp + fn))
F1 = _of_outcomes("f1", lambda tp, fp, fn, tn: _part(2 * tp, 2 * tp + fp + fn))
BALANCED_ACCURACY = _of_outcomes(
    "balanced accuracy",
    lambda tp, fp, fn, tn: (_part(tp, tp + fn) + _part(tn, tn + fp)) / 2,
)
OUTCOME_STATISTICS = {s.name: s for s in (SHARE, PRECISION, RECALL, F1, BALANCED_ACCURACY)}


def outcome_metric(
    set: str, name: str, outcomes: Mapping[str, Outcome], statistic: Statistic = SHARE
) -> Metric[Outcome]:
    """Return a metric of yes-or-no outcomes: what was true and what was said of each item."""
    return Metric(set, name, outcomes, statistic)


@dataclass(frozen=True, slots=True)
class OutcomeEvaluation(Evaluation):
    """A run whose metrics are all of outcomes: of answers, claims, premises or duplicates."""

    kind: ClassVar[str] = " of answers"
    measured: tuple[Metric[Outcome], ...]
    milliseconds: tuple[float, ...] = ()  # to the first statement of each answer

    def metrics(self) -> tuple[Metric[Outcome], ...]:
        """Return every metric, in the order in which they are shown."""
        return self.measured

    def as_json(self) -> dict[str, Any]:
        """Return what `evaluate answers --json` prints."""
        return {"measures": self.rows(), "first_statement_ms": self.times()}

    def rows(self) -> list[dict[str, Any]]:
        """Return the metrics with their scores as JSON values."""
        return [
            {"set": metric.set, "measure": metric.name, "n": metric.n}
            | {name: round(value, 4) for name, value in asdict(metric.score()).items()}
            for metric in self.measured
        ]

    def times(self) -> dict[str, float]:
        """Return the median and the 95th percentile of the milliseconds."""
        median, p95 = np.percentile(self.milliseconds or (0.0,), (50, 95))
        return {"median": round(float(median), 1), "p95": round(float(p95), 1)}

    def to_saved(self) -> list[dict[str, Any]]:
        """Return the metrics with each item's outcome, as a JSON value."""
        return [
            {
                "set": metric.set,
                "measure": metric.name,
                "statistic": metric.statistic.name,
                "outcomes": {item: list(outcome) for item, outcome in metric.items.items()},
            }
            for metric in self.measured
        ]

    @classmethod
    def from_saved(cls, value: Iterable[Mapping[str, Any]]) -> Self:
        """Return the run that `to_saved` gave."""
        return cls(tuple(map(_loaded, value)))


def _loaded(fields: Mapping[str, Any]) -> Metric[Outcome]:
    outcomes = {item: (bool(a), bool(b)) for item, (a, b) in fields["outcomes"].items()}
    statistic = OUTCOME_STATISTICS[fields["statistic"]]
    return Metric(fields["set"], fields["measure"], outcomes, statistic)
