"""How well retrieval finds the articles that answer: hits, recall, MRR and nDCG, with intervals.

The measures are ir-measures' (trec_eval's definitions).  A hit is an article, at the rank of its
best passage.  `gold` counts the articles that a question's maker points to, `string` those whose
text contains the answer's words.
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
DEPTH = 10  # articles a question is judged on
PASSAGES = 40  # asked for, so that ten articles are among them
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
    """A question with what answers it: articles by id, and words to look for ("" for none).

    `candidates` are articles that may answer it, best first, as a search engine gave them;
    `filters` what the search was narrowed to when it was asked.
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
    """Each question's measures, by what counts as an answer ("gold", "string"), and its time."""

    scores: Mapping[str, Mapping[str, Mapping[str, float]]]  # set -> measure -> question -> value
    milliseconds: tuple[float, ...]
    kinds: Mapping[str, str]

    def metrics(self) -> list[Metric[float]]:
        """Return every measure that has questions, in the order in which they are shown."""
        return [
            Metric(judged, measure, values, MEAN)
            for judged in ("gold", "string")
            for measure in MEASURES
            if (values := self.scores.get(judged, {}).get(measure, {}))
        ]

    def n(self, judged: str) -> int:
        """How many questions were judged so."""
        return len(self.scores.get(judged, {}).get("hit@1", {}))

    def score(self, judged: str, measure: str, *, kind: str | None = None) -> Score:
        """Return a measure's mean with its bootstrap interval, over one kind of question or all."""
        values = self.scores.get(judged, {}).get(measure, {})
        return bootstrap(
            [v for q, v in values.items() if kind is None or self.kinds.get(q) == kind]
        )

    def as_json(self) -> dict[str, Any]:
        """Return what `evaluate retrieval --json` prints."""
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
        """Return the run that `to_saved` gave."""
        return cls(value["scores"], tuple(value["milliseconds"]), value["kinds"])


def read_questions(lines: Iterable[str], *, access: Access = ()) -> list[EvaluationQuestion]:
    """Return the questions of a JSONL file's lines; of several thumbs with one `id` the last.

    A question that stands on two lines counts twice.

    `access` holds the rights with which they are asked, where a line's filters name none.
    A line has `question`, and `gold` (article ids), `answer` or both; `id`, `asked_on`, `kind`
    (or `quiz`), `filters` and `candidates` (or `google`) may be there.  `answer_string_usable:
    false` keeps the answer from being looked for.
    Raises ValueError with the line's number.
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
    """Return filters from their fields: days in ISO 8601, names in lists or alone."""
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
    """Ask the archive each question and judge the articles that come, best first.

    Questions whose gold articles the archive lacks are left out of `gold`; with `asked_on`
    withheld every question is asked as of now.  Where nothing lies in the window that the words
    ask for, the closest articles of other days are judged, as a reader is offered them.
    """
    present = _present(archive, questions)
    asked = [q for q in questions if q.answer or present[q.id]]
    offered: dict[tuple[str, Filters, datetime | None], list[str]] = {}
    found: dict[str, list[str]] = {}
    times = []
    for done, q in enumerate(asked, start=1):
        moment = q.asked_on if asked_on == "given" else None
        asking = (q.question, q.filters, moment)
        if asking not in offered:  # a question that stands twice is asked once
            start = time.perf_counter()
            ranked = retrieve(archive, q.question, PASSAGES, filters=q.filters, asked_on=moment)
            times.append(1000 * (time.perf_counter() - start))
            ids = dict.fromkeys(hit.passage.article_id for hit in ranked.nearest_hits)
            offered[asking] = list(ids)[:DEPTH]
        found[q.id] = offered[asking]
        progress(done, len(asked))
    gold = {q.id: present[q.id] for q in asked if present[q.id]}
    string = _containing(archive, [q for q in asked if q.answer], found)
    return RetrievalEvaluation(
        scores={"gold": measured(gold, found), "string": measured(string, found)},
        milliseconds=tuple(times),
        kinds={q.id: q.kind for q in asked},
    )


def measured(
    relevant: Mapping[str, Iterable[str]], found: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Return every measure of every question: ids that are `relevant`, ids `found` best first."""
    import ir_measures  # .2 s

    measures = {ir_measures.parse_measure(theirs): ours for ours, theirs in _IN_IR_MEASURES.items()}
    # trec_eval leaves a question out that has no relevant article: one nobody finds stands in
    qrels = {q: dict.fromkeys(ids, 1) or {"\0nowhere": 1} for q, ids in relevant.items()}
    run = {q: {a: float(-rank) for rank, a in enumerate(found.get(q, ()))} for q in qrels}
    values: dict[str, dict[str, float]] = {name: dict.fromkeys(qrels, 0.0) for name in MEASURES}
    if qrels:
        for metric in ir_measures.iter_calc(list(measures), qrels, run):
            values[measures[metric.measure]][metric.query_id] = float(metric.value)
    return values


def normalized_words(text: str) -> str:
    """Return the words of a text, folded, one space around each: to look for an answer in it."""
    return " " + re.sub(r"[^a-z0-9]+", " ", text.lower()).strip() + " "


def _present(
    archive: SearchBackend, questions: Sequence[EvaluationQuestion]
) -> dict[str, tuple[str, ...]]:
    wanted = {a for q in questions for a in q.gold}
    here = {a for a in wanted if archive.article(a, access=ALL_RIGHTS) is not None}
    return {q.id: tuple(a for a in q.gold if a in here) for q in questions}


def _containing(
    archive: SearchBackend,
    questions: Sequence[EvaluationQuestion],
    found: Mapping[str, Sequence[str]],
) -> dict[str, list[str]]:
    """Return the found articles that contain each question's answer word for word."""
    words: dict[str, str] = {}
    for article_id in {a for q in questions for a in found[q.id]}:
        article = archive.article(article_id, access=ALL_RIGHTS)
        words[article_id] = normalized_words(f"{article.title} {article.text}") if article else ""
    return {
        q.id: [a for a in found[q.id] if normalized_words(q.answer) in words[a]] for q in questions
    }
