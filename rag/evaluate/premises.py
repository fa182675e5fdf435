"""False-premise metrics on pairs of questions with a false and a true premise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from rag.answer.premises import has_false_premise
from rag.evaluate.answers import answer_says, quotes
from rag.evaluate.metrics import Metric, Outcome, outcome_metric
from rag.schema import Answer


@dataclass(frozen=True, slots=True)
class PremisePair:
    """A question with a false premise, and a similar one with a true premise.

    Attributes:
        id: The pair's id.
        false: The question with the false premise.
        true: The question with the true premise.
        corrected: Words any of which corrects the premise.
        asked_on: The day of asking; None for now.
    """

    id: str
    false: str
    true: str
    corrected: tuple[str, ...]
    asked_on: datetime | None = None


def read_premises(lines: Iterable[str]) -> list[PremisePair]:
    """Return the pairs of a JSONL file.

    Args:
        lines: The file's lines, each with the questions `false` and `true`, and `corrected`, a list
            of words any of which corrects the premise; `id` and `asked_on` are optional.

    Raises:
        ValueError: A line is no pair; the message has its number.
    """
    pairs = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            pairs.append(_pair(json.loads(line), number))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"line {number} is not a pair of questions: {error}") from error
    return pairs


def _pair(row: Mapping[str, object], number: int) -> PremisePair:
    moment = datetime.fromisoformat(str(row["asked_on"])) if row.get("asked_on") else None
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    corrected = row["corrected"]
    if not isinstance(corrected, list) or not corrected:
        raise ValueError("`corrected` is a list of words")
    return PremisePair(
        id=str(row.get("id", number)),
        false=str(row["false"]),
        true=str(row["true"]),
        corrected=tuple(map(str, corrected)),
        asked_on=moment,
    )


def measure_premises(
    answers: Iterable[tuple[PremisePair, Answer, Answer]],
) -> list[Metric[Outcome]]:
    """Return the shares of false premises detected and corrected, and of true ones accepted.

    Args:
        answers: Each pair with the answers to its false and its true question.
    """
    named, right, alone = {}, {}, {}
    for pair, to_false, to_true in answers:
        said = has_false_premise(to_false)
        shown = " ".join(quotes(to_false))
        named[pair.id] = True, said
        right[pair.id] = True, said and any(answer_says(shown, words) for words in pair.corrected)
        alone[pair.id] = True, not has_false_premise(to_true) and not to_true.refused
    return [
        outcome_metric("premises", "named", named),
        outcome_metric("premises", "named and put right", right),
        outcome_metric("premises", "true ones left alone", alone),
    ]
