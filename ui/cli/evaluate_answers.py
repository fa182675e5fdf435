"""`backfile evaluate answers`: answers, refusals, false premises and verification, measured."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.errors import BackfileError
from rag.schema import ALL_RIGHTS, EVERYTHING, Filters
from rag.settings import Settings
from ui.cli.command import Example, ManualPage, usage_error
from ui.cli.evaluate_report import (
    ReportOptions,
    asked_on_option,
    evaluation_options,
    every_line,
    read_lines,
    report,
)
from ui.cli.options import Date, Number, PathName
from ui.cli.progress import show_progress

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive
    from rag.evaluate.metrics import Metric, Outcome, OutcomeEvaluation
    from rag.evaluate.retrieval import AskedOn, EvaluationQuestion
    from rag.schema import Answer

MOST = 250  # of each set: enough for an interval of 6 in 100 to either side
PERTURBATIONS_PER_ARTICLE = 2  # at the least: most articles allow two or three of the four kinds


@click.command(
    cls=ManualPage,
    notes=[
        (
            "Questions",
            "A question is a JSON object on a line: `question`, `answer`, and, if known, `gold` "
            "and `asked_on`.",
        )
    ],
    examples=[
        Example("Measure answers", "backfile evaluate answers questions.jsonl"),
        Example(
            "Measure refusals too: questions of 2023, asked of the articles before it",
            "backfile evaluate answers questions.jsonl --until 2023-01-01",
        ),
        Example(
            "Measure verification on 1000 sentences of the archive, with and without an error",
            "backfile evaluate answers --altered 1000",
        ),
    ],
)
@click.argument("questions", type=PathName(), required=False, help="JSON lines of questions.")
@click.option(
    "--until",
    type=Date(),
    metavar="DATE",
    help="Measure refusals: questions dated on this day or later are asked, but only earlier "
    "articles are searched, so they should be refused.",
)
@click.option(
    "--premises",
    type=PathName(),
    metavar="FILE",
    help="Measure false premises: JSON lines with the keys `false`, `true`, `corrected` and, if "
    "known, `asked_on`.",
)
@click.option(
    "--claims",
    type=PathName(),
    multiple=True,
    metavar="FILE",
    help="Measure verification on claims with evidence, in the formats of WiCE and QAGS. "
    "May be repeated.",
)
@click.option(
    "--altered",
    type=Number(1),
    metavar="N",
    help="Measure verification on about N sentences of the archive, each once unchanged and once "
    "with one error put in.",
)
@click.option(
    "--most",
    type=Number(1),
    default=MOST,
    show_default=True,
    metavar="N",
    help="Number of questions in each set.",
)
@asked_on_option
@every_line
@evaluation_options
def answers(
    questions: Path | None,
    until: datetime | None,
    premises: Path | None,
    claims: tuple[Path, ...],
    altered: int | None,
    most: int,
    asked_on: AskedOn,
    every_line: bool,
    settings: Settings,
    report_options: ReportOptions,
) -> int:
    """Measure whether answers are right, refused when they should be, and verified.

    Also compares the confidence of answers with how often they are right, and measures the time
    to the first statement.
    """
    if until and not questions:
        raise usage_error("--until needs QUESTIONS")
    if not (questions or premises or claims or altered):
        raise BackfileError(
            "Nothing to measure: give QUESTIONS, --premises, --claims or --altered."
        )
    from rag.evaluate.answers import distinct_questions
    from rag.evaluate.metrics import OutcomeEvaluation, compare
    from rag.evaluate.retrieval import read_questions, unique_questions
    from ui import opening

    before = report_options.load_earlier(OutcomeEvaluation.loads)
    with opening.open_chatbot(settings) as (archive, unmeasured):
        chatbot = _TimedChatbot(unmeasured, asked_on)
        measures: list[Metric[Outcome]] = []
        if questions:
            asked = read_lines(questions, partial(read_questions, access=ALL_RIGHTS))
            if not every_line:
                asked = distinct_questions(unique_questions(asked))
            measures += _answers(archive, chatbot, asked, most)
            if until:
                measures += _refusal(archive, chatbot, asked, until, most)
        if premises:
            measures += _premises(chatbot, premises)
        for path in claims:
            measures += _claims(archive, path)
        if altered:
            measures += _perturbations(archive, altered)
    found = OutcomeEvaluation(tuple(measures), tuple(chatbot.milliseconds))
    if not found.metrics():
        raise BackfileError("Nothing to measure: the files have no questions or claims.")
    return report(found, table(found), compare(found, before) if before else (), report_options)


def table(found: OutcomeEvaluation) -> str:
    """Return the measures with their 95 % intervals, one line each."""
    from rag.evaluate.answers import statements_per_answer

    lines = []
    for m in found.metrics():
        score = m.score()
        shown = f"{score.mean:.3f}  [{score.low:.3f}, {score.high:.3f}]"
        lines.append(f"{m.set:14}{m.name:26}{shown}  n = {m.n}")
    for judged, mean in statements_per_answer(found.metrics()).items():
        lines.append(f"statements per answer, {judged}: {mean:.2f}")
    if found.milliseconds:
        times = found.times()
        lines.append(
            f"time to the first statement: {times['median']} ms median, "
            f"{times['p95']} ms at the 95th percentile"
        )
    return "\n".join(lines)


class _TimedChatbot:
    """Ask the chatbot, and record how long the first statement of each answer took."""

    def __init__(self, chatbot: Chatbot, asked_on: AskedOn) -> None:
        self._chatbot = chatbot
        self._asked_on = asked_on
        self.milliseconds: list[float] = []

    def ask(
        self, question: str, asked_on: datetime | None, filters: Filters = EVERYTHING
    ) -> Answer:
        if self._asked_on == "withheld":
            asked_on = None
        start = time.perf_counter()
        stream = self._chatbot.stream(question, asked_on=asked_on, filters=filters)
        answer = next(stream)
        self.milliseconds.append(1000 * (time.perf_counter() - start))
        for answer in stream:  # noqa: B007  (only the last is returned)
            pass
        return answer


def _answers(
    archive: Archive, chatbot: _TimedChatbot, questions: Sequence[EvaluationQuestion], most: int
) -> list[Metric[Outcome]]:
    from rag.evaluate.answers import measure_answers, measure_calibration, question_sets

    sets = question_sets(archive, questions, most)
    measures: list[Metric[Outcome]] = []
    every: list[tuple[Answer, str]] = []
    for name, asked in (("gold", sets.gold), ("string", sets.string)):
        answers = {}
        for done, q in enumerate(asked, start=1):
            answers[q.id] = chatbot.ask(q.question, q.asked_on, q.filters), q.answer
            show_progress(done, len(asked), f"questions, {name}")
        measures += measure_answers(name, answers) if answers else []
        every += answers.values()
    return measures + measure_calibration(every)


def _refusal(
    archive: Archive,
    chatbot: _TimedChatbot,
    questions: Sequence[EvaluationQuestion],
    day: datetime,
    most: int,
) -> list[Metric[Outcome]]:
    from rag.evaluate.answers import measure_refusal, refusal_sets

    can, cannot = refusal_sets(archive, questions, day, most)
    refused = {}
    for done, q in enumerate([*can, *cannot], start=1):
        answer = chatbot.ask(q.question, q.asked_on, Filters(before=day, access=ALL_RIGHTS))
        refused[q.id] = answer.refused
        show_progress(done, len(can) + len(cannot), "questions, refusal")
    return measure_refusal(refused, (q.id for q in cannot))


def _premises(chatbot: _TimedChatbot, path: Path) -> list[Metric[Outcome]]:
    from rag.evaluate.premises import measure_premises, read_premises

    answers = []
    pairs = read_lines(path, read_premises)
    for done, pair in enumerate(pairs, start=1):
        to_false = chatbot.ask(pair.false, pair.asked_on)
        answers.append((pair, to_false, chatbot.ask(pair.true, pair.asked_on)))
        show_progress(done, len(pairs), "premises")
    return measure_premises(answers)


def _claims(archive: Archive, path: Path) -> list[Metric[Outcome]]:
    from rag.evaluate.claims import Claim, measure_claims, read_claims
    from rag.verify.verifier import Verifier

    claims = read_lines(path, read_claims)
    done = 0

    def probability(claim: Claim) -> float:
        nonlocal done
        done += 1
        show_progress(done, len(claims), f"claims, {path.name}")
        return Verifier(archive.embed).probability(claim.text, claim.evidence)

    return measure_claims(f"{path.parent.name}/{path.stem}", claims, probability)


def _perturbations(archive: Archive, most: int) -> list[Metric[Outcome]]:
    from rag.evaluate.claims import measure_perturbations
    from rag.evaluate.perturbations import perturb

    step = max(1, PERTURBATIONS_PER_ARTICLE * archive.count(EVERYTHING).articles // most)
    articles = islice(archive.articles(EVERYTHING), 0, None, step)
    return measure_perturbations(list(islice(perturb(articles), most)), archive.embed)
