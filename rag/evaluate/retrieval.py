"""Retrieval metrics: hit@k, recall, MRR and nDCG, with bootstrap intervals.

The measures are those of ir-measures (trec_eval's definitions). An article's rank is that of its
best passage. The set `gold` counts gold articles, `string` articles that contain the answer's
words.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self

import numpy as np

from rag.evaluate.metrics import MEAN, Evaluation, Metric, Score, bootstrap
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import retrieve
from rag.schema import ALL_RIGHTS, Access, Filters

AskedOn = Literal["given", "withheld"]
DEPTH = 10  # articles that are judged per question
PASSAGES = 40  # passages to search for, so that at least ten articles are among them
MEASURES = ("hit@1", "hit@5", "hit@10", "recall@5", "recall@10", "mrr@10", "ndcg@10")
SHOWN = ("hit@1", "hit@5", "hit@10", "mrr@10")
_IN_IR_MEASURES = {
    "hit@1": "Success@1",
    "hit@5": "Success@5",
    "hit@10": "Success@10",
    "recall@5": "R@5",
    "recall@10": "R@10",
    "mrr@10": "RR@10",
    "ndcg@10": "nDCG@10",
}


@dataclass(frozen=True, slots=True)
class EvaluationQuestion:
    """A question with its gold articles and its answer.

    Attributes:
        id: The question's id.
        question: The question.
        gold: Ids of the articles that answer it.
        answer: Words to look for; "" for none.
        asked_on: The day of asking; None for now.
        kind: The kind of question, by which results can be grouped.
        candidates: Ids of articles that may answer it, best first, from a search engine.
        filters: The filters with which it was asked.
    """

    id: str
    question: str
    gold: tuple[str, ...] = ()
    answer: str = ""
    asked_on: datetime | None = None
    kind: str = ""
    candidates: tuple[str, ...] = ()
    filters: Filters = Filters()


@dataclass(frozen=True, slots=True)
class RetrievalEvaluation(Evaluation):
    """Measures of each question by question set ("gold", "string"), and search times."""

    scores: Mapping[str, Mapping[str, Mapping[str, float]]]  # set -> measure -> question -> value
    milliseconds: tuple[float, ...]
    kinds: Mapping[str, str]

    def metrics(self) -> list[Metric[float]]:
        """Return every measure that has questions, in display order."""
        return [
            Metric(judged, measure, values, MEAN)
            for judged in ("gold", "string")
            for measure in MEASURES
            if (values := self.scores.get(judged, {}).get(measure, {}))
        ]

    def n(self, judged: str) -> int:
        """Return the number of questions in a set."""
        return len(self.scores.get(judged, {}).get("hit@1", {}))

    def score(self, judged: str, measure: str, *, kind: str | None = None) -> Score:
        """Return a measure's mean with its bootstrap interval.

        Args:
            judged: The question set.
            measure: The name of the measure.
            kind: The kind of questions to include; None for all.
        """
        values = self.scores.get(judged, {}).get(measure, {})
        return bootstrap(
            [v for q, v in values.items() if kind is None or self.kinds.get(q) == kind]
        )

    def as_json(self) -> dict[str, Any]:
        """Return the output of `evaluate retrieval --json`."""
        shown: dict[str, Any] = {
            judged: {"n": self.n(judged)}
            | {m: round(self.score(judged, m).mean, 4) for m in SHOWN if self.n(judged)}
            for judged in ("gold", "string")
        }
        times = np.asarray(self.milliseconds or (0.0,))
        shown["ms"] = {
            "median": round(float(np.median(times)), 2),
            "p95": round(float(np.percentile(times, 95)), 2),
        }
        return shown

    def to_saved(self) -> dict[str, Any]:
        """Return each question's measures, the times and the kinds, as a JSON value."""
        return {"scores": self.scores, "milliseconds": self.milliseconds, "kinds": self.kinds}

    @classmethod
    def from_saved(cls, value: Mapping[str, Any]) -> Self:
        """Return the run that `to_saved` saved."""
        return cls(value["scores"], tuple(value["milliseconds"]), value["kinds"])


def read_questions(lines: Iterable[str], *, access: Access = ()) -> list[EvaluationQuestion]:
    """Return the questions of a JSONL file.

    Of several feedback lines with one `id`, only the last is read; other repeated questions are
    read each time (see `unique_questions`).

    Args:
        lines: The file's lines. Each has `question`, and `gold` (article ids), `answer` or both;
            `id`, `asked_on`, `kind` (or `quiz`), `filters` and `candidates` (or `google`) are
            optional. If `answer_string_usable` is false, the answer is not looked for.
        access: The reader's rights, unless a line's filters have their own.

    Raises:
        ValueError: A line is no question; the message has its number.
    """
    found: dict[str, EvaluationQuestion] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            question = _question(row, number, access)
            if "thumb" not in row and question.id in found:
                question = replace(question, id=f"{question.id}, line {number}")
            found[question.id] = question
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"line {number} is not a question: {error}") from error
    return list(found.values())


def unique_questions(questions: Iterable[EvaluationQuestion]) -> list[EvaluationQuestion]:
    """Return each question once, with the gold articles of all of its lines.

    A quiz file repeats some questions many times: counted by line, few questions decide, and the
    interval is too narrow. Questions of the same words, day of asking and filters are the same.
    """
    found: dict[tuple[str, datetime | None, Filters], EvaluationQuestion] = {}
    for one in questions:
        key = " ".join(one.question.casefold().split()), one.asked_on, one.filters
        first = found.setdefault(key, one)
        found[key] = replace(
            first,
            gold=tuple(dict.fromkeys((*first.gold, *one.gold))),
            answer=first.answer or one.answer,
            candidates=tuple(dict.fromkeys((*first.candidates, *one.candidates))),
        )
    return list(found.values())


def _question(row: Mapping[str, Any], number: int, access: Access) -> EvaluationQuestion:
    asked_on = row.get("asked_on")
    moment = datetime.fromisoformat(asked_on) if asked_on else None
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    usable = row.get("answer_string_usable", True)
    return EvaluationQuestion(
        id=str(row.get("id", number)),
        question=str(row["question"]),
        gold=tuple(row.get("gold") or ()),
        answer=str(row.get("answer") or "") if usable else "",
        asked_on=moment,
        kind=str(row.get("kind") or row.get("quiz") or ""),
        candidates=tuple(row.get("candidates") or row.get("google") or ()),
        filters=_filters({"access": access} | (row.get("filters") or {})),
    )


def _filters(row: Mapping[str, Any]) -> Filters:
    """Return filters from JSON fields: dates in ISO 8601, names as lists or single strings."""
    fields: dict[str, Any] = {
        name: datetime.fromisoformat(value) if name in ("after", "before") and value else value
        for name, value in row.items()
    }
    return Filters(**fields)


def evaluate_retrieval(
    archive: SearchBackend,
    questions: Sequence[EvaluationQuestion],
    *,
    asked_on: AskedOn = "given",
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> RetrievalEvaluation:
    """Search the archive for each question and measure the ranking of articles.

    If nothing lies in a question's time range, the closest articles of other days are judged,
    because readers see those.

    Args:
        archive: The archive.
        questions: The questions; the set `gold` has those with a gold article in the archive.
        asked_on: "given" uses each question's day of asking, "withheld" the current time.
        progress: Called with the number of questions done and in all.
    """
    present = _find_present(archive, questions)
    asked = [q for q in questions if q.answer or present[q.id]]
    offered: dict[tuple[str, Filters, datetime | None], list[str]] = {}
    found: dict[str, list[str]] = {}
    times = []
    for done, q in enumerate(asked, start=1):
        moment = q.asked_on if asked_on == "given" else None
        asking = (q.question, q.filters, moment)
        if asking not in offered:  # repeated questions are searched once
            start = time.perf_counter()
            ranked = retrieve(archive, q.question, PASSAGES, filters=q.filters, asked_on=moment)
            times.append(1000 * (time.perf_counter() - start))
            ids = dict.fromkeys(hit.passage.article_id for hit in ranked.nearest_hits)
            offered[asking] = list(ids)[:DEPTH]
        found[q.id] = offered[asking]
        progress(done, len(asked))
    gold = {q.id: present[q.id] for q in asked if present[q.id]}
    string = _find_containing(archive, [q for q in asked if q.answer], found)
    return RetrievalEvaluation(
        scores={"gold": measure_rankings(gold, found), "string": measure_rankings(string, found)},
        milliseconds=tuple(times),
        kinds={q.id: q.kind for q in asked},
    )


def measure_rankings(
    relevant: Mapping[str, Iterable[str]], found: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Return every measure of every question.

    Args:
        relevant: Ids of the relevant articles, by question.
        found: Ids of the articles found, best first, by question.
    """
    import ir_measures  # importing it takes 0.2 s

    measures = {ir_measures.parse_measure(theirs): ours for ours, theirs in _IN_IR_MEASURES.items()}
    # trec_eval skips questions without a relevant article, so a placeholder keeps them in
    qrels = {q: dict.fromkeys(ids, 1) or {"\0nowhere": 1} for q, ids in relevant.items()}
    run = {q: {a: float(-rank) for rank, a in enumerate(found.get(q, ()))} for q in qrels}
    values: dict[str, dict[str, float]] = {name: dict.fromkeys(qrels, 0.0) for name in MEASURES}
    if qrels:
        for metric in ir_measures.iter_calc(list(measures), qrels, run):
            values[measures[metric.measure]][metric.query_id] = float(metric.value)
    return values


def normalized_words(text: str) -> str:
    """Return a text's words in lower case, each surrounded by one space, for substring search."""
    return " " + re.sub(r"[^a-z0-9]+", " ", text.lower()).strip() + " "


def _find_present(
    archive: SearchBackend, questions: Sequence[EvaluationQuestion]
) -> dict[str, tuple[str, ...]]:
    wanted = {a for q in questions for a in q.gold}
    here = {a for a in wanted if archive.article(a, access=ALL_RIGHTS) is not None}
    return {q.id: tuple(a for a in q.gold if a in here) for q in questions}


def _find_containing(
    archive: SearchBackend,
    questions: Sequence[EvaluationQuestion],
    found: Mapping[str, Sequence[str]],
) -> dict[str, list[str]]:
    """Return the found articles that contain each question's answer verbatim."""
    words: dict[str, str] = {}
    for article_id in {a for q in questions for a in found[q.id]}:
        article = archive.article(article_id, access=ALL_RIGHTS)
        words[article_id] = normalized_words(f"{article.title} {article.text}") if article else ""
    return {
        q.id: [a for a in found[q.id] if normalized_words(q.answer) in words[a]] for q in questions
    }
