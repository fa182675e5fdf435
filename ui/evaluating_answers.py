"""`backfile evaluate answers`: answers, refusals, premises and the verifier, over files of them."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import BackfileError, ReadError
from rag.schema import ALL_RIGHTS, EVERYTHING, Filters
from rag.settings import Settings
from ui.measured import report
from ui.progress import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeVar

    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive
    from rag.evaluate.metrics import Evaluation, Measure
    from rag.evaluate.retrieval import EvaluationQuestion
    from rag.schema import Answer

    Read = TypeVar("Read")

MOST = 250  # of each set: enough for an interval of 6 in 100 to either side
ALTERED_OF_AN_ARTICLE = 2  # at the least: most articles allow two or three of the four kinds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `backfile evaluate answers` takes."""
    parser.add_argument(
        "questions",
        nargs="?",
        type=Path,
        metavar="QUESTIONS",
        help="JSONL: question, answer, and gold, asked_on",
    )
    parser.add_argument(
        "--until",
        metavar="DAY",
        help="measure refusal: later questions of QUESTIONS, asked of the articles before that day",
    )
    parser.add_argument(
        "--premises", type=Path, metavar="FILE", help="JSONL: false, true, corrected, asked_on"
    )
    parser.add_argument(
        "--claims",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="claims and their evidence, as WiCE or QAGS write them; may be repeated",
    )
    parser.add_argument(
        "--altered",
        type=_number,
        default=0,
        metavar="N",
        help="check about N sentences of the archive, each altered in one thing, and unaltered",
    )
    parser.add_argument(
        "--most", type=_number, default=MOST, metavar="N", help="of each set (%(default)s)"
    )


def evaluate(arguments: argparse.Namespace, settings: Settings) -> int:
    """Measure what was asked for and print it, one measure a line."""
    from rag.evaluate.metrics import Evaluation, compare
    from ui import opening

    before = (
        _read(arguments.compare, lambda lines: Evaluation.loaded("\n".join(lines)))
        if arguments.compare
        else None
    )
    with opening.open_chatbot(settings) as (archive, chatbot):
        found = _evaluated(arguments, archive, chatbot)
    if not found.measures:
        raise BackfileError("nothing to measure: give QUESTIONS, --premises, --claims or --altered")
    return report(arguments, found, table(found), compare(found, before) if before else ())


def table(found: Evaluation) -> str:
    """Return the measures with their 95 % intervals, one line each."""
    lines = []
    for m in found.measures:
        score = m.score()
        shown = f"{score.mean:.3f}  [{score.low:.3f}, {score.high:.3f}]"
        lines.append(f"{m.set:14}{m.name:26}{shown}  n = {m.n}")
    if found.milliseconds:
        times = found.times()
        lines.append(
            f"the first statement takes {times['median']} ms, in 5 of 100 over {times['p95']} ms"
        )
    return "\n".join(lines)


def _evaluated(arguments: argparse.Namespace, archive: Archive, chatbot: Chatbot) -> Evaluation:
    from rag.evaluate.metrics import Evaluation
    from rag.evaluate.retrieval import read_questions

    asking = _Asking(chatbot)
    measures: list[Measure] = []
    if arguments.questions:
        questions = _read(arguments.questions, partial(read_questions, access=ALL_RIGHTS))
        measures += _answers(archive, asking, questions, arguments.most)
        if arguments.until:
            measures += _refusal(archive, asking, questions, arguments.until, arguments.most)
    if arguments.premises:
        measures += _premises(asking, arguments.premises)
    for path in arguments.claims:
        measures += _claims(archive, path)
    if arguments.altered:
        measures += _altered(archive, arguments.altered)
    return Evaluation(tuple(measures), tuple(asking.milliseconds))


class _Asking:
    """Asks the chatbot, and keeps how long the first statement of each answer took."""

    def __init__(self, chatbot: Chatbot) -> None:
        self._chatbot = chatbot
        self.milliseconds: list[float] = []

    def ask(
        self, question: str, asked_on: datetime | None, filters: Filters = EVERYTHING
    ) -> Answer:
        start = time.perf_counter()
        stream = self._chatbot.stream(question, asked_on=asked_on, filters=filters)
        answer = next(stream)
        self.milliseconds.append(1000 * (time.perf_counter() - start))
        for answer in stream:  # noqa: B007  (the last one is what is wanted)
            pass
        return answer


def _answers(
    archive: Archive, asking: _Asking, questions: Sequence[EvaluationQuestion], most: int
) -> list[Measure]:
    from rag.evaluate.answers import measure_answers, measure_calibration, question_sets

    sets = question_sets(archive, questions, most)
    measures: list[Measure] = []
    every: list[tuple[Answer, str]] = []
    for name, asked in (("gold", sets.gold), ("string", sets.string)):
        answers = {}
        for done, q in enumerate(asked, start=1):
            answers[q.id] = asking.ask(q.question, q.asked_on, q.filters), q.answer
            tell(done, len(asked), f"questions, {name}")
        measures += measure_answers(name, answers) if answers else []
        every += answers.values()
    return measures + measure_calibration(every)


def _refusal(
    archive: Archive,
    asking: _Asking,
    questions: Sequence[EvaluationQuestion],
    until: str,
    most: int,
) -> list[Measure]:
    from rag.evaluate.answers import measure_refusal, refusal_sets

    try:
        day = datetime.fromisoformat(until).replace(tzinfo=UTC)
    except ValueError as error:
        raise BackfileError(f"--until {until}: write it as 2023-01-31") from error
    can, cannot = refusal_sets(archive, questions, day, most)
    refused = {}
    for done, q in enumerate([*can, *cannot], start=1):
        answer = asking.ask(q.question, q.asked_on, Filters(before=day, access=ALL_RIGHTS))
        refused[q.id] = answer.refused
        tell(done, len(can) + len(cannot), "questions, refusal")
    return measure_refusal(refused, (q.id for q in cannot))


def _premises(asking: _Asking, path: Path) -> list[Measure]:
    from rag.evaluate.premises import measure_premises, read_premises

    answers = []
    pairs = _read(path, read_premises)
    for done, pair in enumerate(pairs, start=1):
        to_false = asking.ask(pair.false, pair.asked_on)
        answers.append((pair, to_false, asking.ask(pair.true, pair.asked_on)))
        tell(done, len(pairs), "premises")
    return measure_premises(answers)


def _claims(archive: Archive, path: Path) -> list[Measure]:
    from rag.evaluate.claims import Claim, measure_claims, read_claims
    from rag.verify.verifier import Verifier

    claims = _read(path, read_claims)
    done = 0

    def probability(claim: Claim) -> float:
        nonlocal done
        done += 1
        tell(done, len(claims), f"claims, {path.name}")
        return Verifier(archive.embed).probability(claim.text, claim.evidence)

    return measure_claims(f"{path.parent.name}/{path.stem}", claims, probability)


def _altered(archive: Archive, most: int) -> list[Measure]:
    from rag.evaluate.claims import measure_perturbations
    from rag.evaluate.perturbations import perturb

    step = max(1, ALTERED_OF_AN_ARTICLE * archive.count(EVERYTHING).articles // most)
    articles = islice(archive.articles(EVERYTHING), 0, None, step)
    return measure_perturbations(list(islice(perturb(articles), most)), archive.embed)


def _read(path: Path, read: Callable[[Iterable[str]], Read]) -> Read:
    try:
        return read(path.read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError) as error:
        raise ReadError(f"{path}: {error}") from error


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)
