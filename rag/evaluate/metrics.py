"""Evaluation metrics: bootstrap intervals, comparison of two runs, saving and loading.

Intervals are percentile-bootstrap intervals (Efron, 1979) over the judged items. Two runs are
compared pairwise, on the items that both have.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt

RESAMPLES = 1000  # bootstrap samples

Item = TypeVar("Item")
Rows = npt.NDArray[np.int64]  # (samples, n): which items are in each sample
Values = npt.NDArray[np.float64]  # (samples,)
Outcome = tuple[bool, bool]  # truth, prediction
_Counts = npt.NDArray[np.float64]  # (..., 4): true and false positives, false and true negatives


@dataclass(frozen=True, slots=True)
class Score:
    """A metric's value over all items, with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference of two runs on their common items, with its 95 % interval; positive is better."""

    judged: str
    measure: str
    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Statistic:
    """Function of samples of items; `compute` returns one value for each row of `Rows`."""

    name: str
    compute: Callable[[Sequence[Any], Rows], Values]


@dataclass(frozen=True, slots=True)
class Metric(Generic[Item]):
    """A statistic over the results of a set of items.

    Attributes:
        set: The name of the set.
        name: The name of the metric.
        items: The result of each item, by id.
        statistic: The statistic.
    """

    set: str
    name: str
    items: Mapping[str, Item]
    statistic: Statistic

    @property
    def n(self) -> int:
        """Number of items."""
        return len(self.items)

    def score(self) -> Score:
        """Return the value with its 95 % interval."""
        return bootstrap(list(self.items.values()), self.statistic)


class Evaluation(ABC):
    """Metrics of one run."""

    kind: ClassVar[str] = ""  # completes "not a saved evaluation"

    @abstractmethod
    def metrics(self) -> Sequence[Metric[Any]]:
        """Return every metric, in display order."""

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """Return the output of `evaluate --json`."""

    @abstractmethod
    def to_saved(self) -> Any:
        """Return the run as a JSON value for `from_saved`."""

    @classmethod
    @abstractmethod
    def from_saved(cls, value: Any) -> Self:
        """Return the run that `to_saved` saved; the value may be any JSON value."""

    def dumps(self) -> str:
        """Return the run as JSON text for `loads`."""
        return json.dumps(self.to_saved())

    @classmethod
    def loads(cls, text: str) -> Self:
        """Return the run that `dumps` saved.

        Raises:
            ValueError: The text is not a saved run of this kind.
        """
        try:
            return cls.from_saved(json.loads(text))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"not a saved evaluation{cls.kind}") from error


def bootstrap(values: Sequence[Any], statistic: Statistic | None = None, *, seed: int = 1) -> Score:
    """Return a statistic of the values with its 95 % bootstrap interval.

    Args:
        values: The result of each item; without any, the score is 0.
        statistic: The statistic, the mean by default.
        seed: The seed of the resampling; the same values give the same score.
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
    """Return the difference of two runs for each metric, on the items that both have.

    A difference whose interval excludes 0 is unlikely to be chance. Metrics without common items
    are left out.

    Args:
        new: The run to judge.
        old: The run to compare it with.
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
    """Return a statistic that calls `measure` with the items of each sample."""

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
# Statistics of outcomes. The share counts positive predictions, whether true or false.
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
    """Return a metric of binary outcomes.

    Args:
        set: The name of the set.
        name: The name of the metric.
        outcomes: The truth and the prediction for each item, by id.
        statistic: The statistic, by default the share of positive predictions.
    """
    return Metric(set, name, outcomes, statistic)


@dataclass(frozen=True, slots=True)
class OutcomeEvaluation(Evaluation):
    """Run whose metrics are of binary outcomes: of answers, claims, premises or duplicates."""

    kind: ClassVar[str] = " of answers"
    measured: tuple[Metric[Outcome], ...]
    milliseconds: tuple[float, ...] = ()  # time to the first statement of each answer

    def metrics(self) -> tuple[Metric[Outcome], ...]:
        """Return every metric, in display order."""
        return self.measured

    def as_json(self) -> dict[str, Any]:
        """Return the output of `evaluate answers --json`."""
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
        """Return the run that `to_saved` saved."""
        return cls(tuple(map(_load_outcomes, value)))


def _load_outcomes(fields: Mapping[str, Any]) -> Metric[Outcome]:
    outcomes = {item: (bool(a), bool(b)) for item, (a, b) in fields["outcomes"].items()}
    statistic = OUTCOME_STATISTICS[fields["statistic"]]
    return Metric(fields["set"], fields["measure"], outcomes, statistic)
