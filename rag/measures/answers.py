"""The measures of answers: usable, verbatim, refused rightly, and claims verified rightly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.answers.readable import without_brackets
from rag.checks.fidelity import plain
from rag.evaluation import EvaluationQuestion
from rag.schema import Answer
from rag.text.sentences import sentences
from rag.text.words import words


@dataclass(frozen=True, slots=True)
class AnswerMeasures:
    """Shares of the questions; `verbatim` is a share of the statements."""

    questions: int
    first: float  # the answer stands in the first statement
    anywhere: float  # it stands in one of the statements
    verbatim: float
    refused: float


@dataclass(frozen=True, slots=True)
class RefusalMeasures:
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def says(text: str, answer: str) -> bool:
    """Whether the words of `answer` stand in `text` in a row, whatever the typography."""
    wanted = [w.text for w in words(plain(answer).replace("'", ""))]
    if wanted and wanted[0] in {"the", "a", "an"}:
        wanted = wanted[1:]
    there = [w.text for w in words(plain(text).replace("'", ""))]
    size = len(wanted)
    return bool(size) and any(there[i : i + size] == wanted for i in range(len(there) - size + 1))


def measure_answers(
    ask: Callable[[EvaluationQuestion], Answer], questions: Sequence[EvaluationQuestion]
) -> AnswerMeasures:
    """Ask each question; return how many answers hold the known one."""
    first = anywhere = refused = statements = verbatim = 0
    for question in questions:
        answer = ask(question)
        refused += answer.refused
        quotes = [" ".join(c.quote for c in s.citations) for s in answer.statements]
        first += bool(quotes) and says(quotes[0], question.answer)
        anywhere += any(says(quote, question.answer) for quote in quotes)
        statements += len(quotes)
        verbatim += sum(
            without_brackets(s.text, q) for s, q in zip(answer.statements, quotes, strict=True)
        )
    count = max(1, len(questions))
    return AnswerMeasures(
        len(questions),
        first / count,
        anywhere / count,
        verbatim / max(1, statements),
        refused / count,
    )


def measure_refusal(
    refused: Callable[[EvaluationQuestion], bool],
    answerable: Iterable[EvaluationQuestion],
    unanswerable: Iterable[EvaluationQuestion],
) -> RefusalMeasures:
    """Return precision and recall of refusing the questions that the archive cannot answer."""
    wrongly = sum(refused(question) for question in answerable)
    outcomes = [refused(question) for question in unanswerable]
    rightly = sum(outcomes)
    return RefusalMeasures(
        precision=rightly / max(1, rightly + wrongly), recall=rightly / max(1, len(outcomes))
    )


def balanced_accuracy(scored: Sequence[tuple[float, bool]], threshold: float) -> float:
    """Return the mean of the shares of true and of false claims judged rightly."""
    yes = [score >= threshold for score, truth in scored if truth]
    no = [score < threshold for score, truth in scored if not truth]
    return (sum(yes) / max(1, len(yes)) + sum(no) / max(1, len(no))) / 2


def best_threshold(scored: Sequence[tuple[float, bool]]) -> float:
    """Return the threshold with the best balanced accuracy on `scored`."""
    values = sorted({score for score, _ in scored})
    return max(values, key=lambda t: balanced_accuracy(scored, t), default=0.5)


def read_claims(path: Path) -> list[tuple[str, list[str], bool]]:
    """Return (claim, evidence sentences, supported) of a WiCE or a QAGS file."""
    out: list[tuple[str, list[str], bool]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if "claim" in row:
            out.append((row["claim"], row["evidence"], row["label"] == "supported"))
            continue
        text = row["article"]
        evidence = [text[s.start : s.end] for s in sentences(text)]
        for each in row["summary_sentences"]:
            said = [r["response"] == "yes" for r in each["responses"]]
            out.append((each["sentence"], evidence, sum(said) * 2 > len(said)))
    return out
