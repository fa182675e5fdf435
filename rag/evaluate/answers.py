"""Answer metrics: correctness, verbatim quotation, refusal and calibration."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from rag.answer.coreference import is_verbatim_text
from rag.evaluate.metrics import F1, PRECISION, RECALL, Metric, Outcome, outcome_metric
from rag.evaluate.retrieval import EvaluationQuestion
from rag.nlp.tokens import tokenize
from rag.retrieval.backend import SearchBackend
from rag.schema import ALL_RIGHTS, Answer
from rag.verify.fact_checks import normalize

CONFIDENCES = 5  # rows of the calibration
COUNTED = 3  # statements that count; a timeline has more, which would be easier
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class QuestionSets:
    """Questions by how their answers are judged.

    Attributes:
        gold: Questions with a gold article in the archive.
        string: Questions with only an answer to look for, which the archive may not have.
    """

    gold: tuple[EvaluationQuestion, ...]
    string: tuple[EvaluationQuestion, ...]


def question_sets(
    archive: SearchBackend, questions: Iterable[EvaluationQuestion], most: int
) -> QuestionSets:
    """Return the questions that have an answer to look for.

    Args:
        archive: The archive, in which gold articles are looked up.
        questions: The questions.
        most: The most questions of each set; more are sampled.
    """
    asked = [q for q in questions if q.answer]
    gold = [q for q in asked if any(_is_in_archive(archive, a) for a in q.gold)]
    known = {q.id for q in gold}
    string = [q for q in asked if q.id not in known]
    return QuestionSets(tuple(sample(gold, most)), tuple(sample(string, most)))


def distinct_questions(questions: Iterable[EvaluationQuestion]) -> list[EvaluationQuestion]:
    """Return the first question of those with the same words, which may differ in their day."""
    first: dict[str, EvaluationQuestion] = {}
    for question in questions:
        first.setdefault(question.question, question)
    return list(first.values())


def _is_in_archive(archive: SearchBackend, article_id: str) -> bool:
    return archive.article(article_id, access=ALL_RIGHTS) is not None


def sample(items: Sequence[Item], most: int, *, seed: int = 1) -> list[Item]:
    """Return at most `most` of the items, drawn at random with a fixed seed."""
    drawn = random.Random(seed)  # nosec B311 # a repeatable sample, no secret
    return drawn.sample(items, most) if len(items) > most else list(items)


def answer_says(text: str, answer: str) -> bool:
    """Return whether a text contains an answer's words in a row, ignoring case and typography.

    Possessives match ("Mississippi's capital" contains "Mississippi"), and an answer's leading
    "the" or "a" is ignored.

    Args:
        text: The text to search.
        answer: The known answer.
    """
    wanted, there = _words(answer), _words(text)
    if wanted and wanted[0] in {"the", "a", "an"}:
        wanted = wanted[1:]
    size = len(wanted)
    return bool(size) and any(there[i : i + size] == wanted for i in range(len(there) - size + 1))


def _words(text: str) -> list[str]:
    apart = re.sub(r"'(?=s\b)|(?<=s)'", " ", normalize(text)).replace("'", "")
    return [word.text for word in tokenize(apart)]


def quotes(answer: Answer) -> list[str]:
    """Return the quoted text of each statement's citations."""
    return [" ".join(c.quote for c in s.citations) for s in answer.statements]


def measure_answers(
    judged: str, answers: Mapping[str, tuple[Answer, str]]
) -> list[Metric[Outcome]]:
    """Return metrics of how many answers contain the known one, and in which statement.

    Only quotations of the first three statements count, without bracketed additions. "verbatim" is
    measured per statement; "in the passages" is the upper bound for any choice of sentences.

    Args:
        judged: The name of the question set.
        answers: Pairs of an answer and the known one, by question id.
    """
    first: dict[str, Outcome] = {}
    anywhere: dict[str, Outcome] = {}
    within: dict[str, Outcome] = {}
    verbatim: dict[str, Outcome] = {}
    refused: dict[str, Outcome] = {}
    for key, (answer, known) in answers.items():
        quoted = quotes(answer)
        first[key] = True, bool(quoted) and answer_says(quoted[0], known)
        anywhere[key] = True, any(answer_says(quote, known) for quote in quoted[:COUNTED])
        within[key] = True, any(answer_says(hit.passage.text, known) for hit in answer.hits)
        refused[key] = False, answer.refused
        for i, (statement, quote) in enumerate(zip(answer.statements, quoted, strict=True)):
            verbatim[f"{key}#{i + 1}"] = True, is_verbatim_text(statement.text, quote)
    return [
        outcome_metric(judged, "first statement", first),
        outcome_metric(judged, "in the answer", anywhere),
        outcome_metric(judged, "in the passages", within),
        outcome_metric(judged, "refused", refused),
        outcome_metric(judged, "verbatim", verbatim),
    ]


def statements_per_answer(measures: Iterable[Metric[Outcome]]) -> dict[str, float]:
    """Return the mean number of statements of the answers that weren't refused, by question set.

    Args:
        measures: Metrics of `measure_answers`, of one or more sets.
    """
    by_name = {(one.set, one.name): one for one in measures}
    means = {}
    for (judged, name), one in by_name.items():
        if name == "verbatim":
            refused = by_name[judged, "refused"].items.values()
            answered = sum(not said for _, said in refused)
            means[judged] = one.n / max(1, answered)
    return means


def measure_calibration(answers: Iterable[tuple[Answer, str]]) -> list[Metric[Outcome]]:
    """Return the share of right answers for each level of confidence.

    Confidence is calibrated if each share lies within the bounds of its row.

    Args:
        answers: Pairs of an answer and the known one.
    """
    rows: dict[int, dict[str, Outcome]] = {}
    for i, (answer, known) in enumerate(answers):
        if answer.confidence is not None and not answer.refused:
            row = min(CONFIDENCES - 1, int(answer.confidence * CONFIDENCES))
            right = any(answer_says(quote, known) for quote in quotes(answer)[:COUNTED])
            rows.setdefault(row, {})[str(i)] = True, right
    width = 1 / CONFIDENCES
    return [
        outcome_metric(
            "calibration", f"right, said {row * width:.1f} to {(row + 1) * width:.1f}", found
        )
        for row, found in sorted(rows.items())
    ]


def refusal_sets(
    archive: SearchBackend, questions: Iterable[EvaluationQuestion], until: datetime, most: int
) -> tuple[list[EvaluationQuestion], list[EvaluationQuestion]]:
    """Return questions that the archive as of a moment can answer, and ones that it can't.

    A question is answerable if a gold article, or one that a search engine gave for it, is from
    before that moment and contains the answer. It is unanswerable if it was asked later.

    Args:
        archive: The archive.
        questions: The questions.
        until: The aware moment.
        most: The most questions of each list.
    """
    asked = [q for q in questions if q.answer]
    later = [q for q in asked if q.asked_on and q.asked_on >= until]
    earlier = [q for q in asked if q.asked_on and q.asked_on < until]
    random.Random(1).shuffle(earlier)  # nosec B311 # a repeatable order, no secret
    answerable = (q for q in earlier if _is_answered(archive, q, until))
    return list(islice(answerable, most)), sample(later, most)


def _is_answered(archive: SearchBackend, question: EvaluationQuestion, until: datetime) -> bool:
    for article_id in (*question.gold, *question.candidates[:MOST_CANDIDATES]):
        article = archive.article(article_id, access=ALL_RIGHTS)
        if article is None or article.published is None:
            continue
        if article.published < until and answer_says(article.text, question.answer):
            return True
    return False


MOST_CANDIDATES = 3  # lower search results contain the answer's words by chance


def measure_refusal(
    refused: Mapping[str, bool], unanswerable: Iterable[str]
) -> list[Metric[Outcome]]:
    """Return precision, recall and F1 of refusals.

    Args:
        refused: Whether each question was refused, by id.
        unanswerable: Ids of the questions that can't be answered.
    """
    impossible = set(unanswerable)
    outcomes = {key: (key in impossible, said) for key, said in refused.items()}
    return [
        outcome_metric("refusal", "f1", outcomes, F1),
        outcome_metric("refusal", "precision", outcomes, PRECISION),
        outcome_metric("refusal", "recall", outcomes, RECALL),
    ]
