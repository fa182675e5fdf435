"""`backfile evaluate`: the measures over a file of questions, as a table or as JSON."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import BackfileError, ReadError
from rag.settings import Settings
from ui import evaluating_answers, evaluating_duplicates, evaluating_extraction
from ui.measured import report
from ui.plots import plot
from ui.progress import tell

if TYPE_CHECKING:
    from rag.evaluate.retrieval import RetrievalEvaluation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `backfile evaluate` takes."""
    measured = parser.add_subparsers(metavar="WHAT", required=True)
    retrieval = _measured(measured, "retrieval", "how well what answers is found")
    retrieval.set_defaults(command=evaluate)
    _add_retrieval_arguments(retrieval)
    answers = _measured(measured, "answers", "whether answers hold what is known, and are checked")
    answers.set_defaults(command=evaluating_answers.evaluate)
    evaluating_answers.add_arguments(answers)
    extraction = _measured(measured, "extraction", "how much of what pages hold is read")
    extraction.set_defaults(command=evaluating_extraction.evaluate)
    evaluating_extraction.add_arguments(extraction)
    duplicates = _measured(measured, "duplicates", "whether one story printed twice is known")
    duplicates.set_defaults(command=evaluating_duplicates.evaluate)
    evaluating_duplicates.add_arguments(duplicates)


def _measured(measured: Any, name: str, summary: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = measured.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        allow_abbrev=False,
    )
    # Absent, they leave what stands before the word: `backfile evaluate --json retrieval ...`.
    parser.add_argument("--archive", type=Path, metavar="DIR", default=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep this run")
    parser.add_argument(
        "--compare", type=Path, metavar="FILE", help="show how far this run is above a kept one"
    )
    return parser


def _add_retrieval_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "questions",
        type=Path,
        metavar="QUESTIONS",
        help="JSONL: question, gold or answer, asked_on",
    )
    parser.add_argument(
        "--asked-on",
        choices=["given", "withheld"],
        default="given",
        help="use each question's day, or ask all as of now (%(default)s)",
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw the measures: .svg, .png or .pdf"
    )


def evaluate(arguments: argparse.Namespace, settings: Settings) -> int:
    """Ask the archive every question of a file and print how well it found what answers."""
    from rag.archive.archive import Archive
    from rag.evaluate.retrieval import (
        RetrievalEvaluation,
        compare_retrieval,
        evaluate_retrieval,
        read_questions,
    )
    from rag.schema import ALL_RIGHTS

    try:
        lines = arguments.questions.read_text(encoding="utf-8").splitlines()
        questions = read_questions(lines, access=ALL_RIGHTS)
        before = (
            RetrievalEvaluation.loaded(arguments.compare.read_text(encoding="utf-8"))
            if arguments.compare
            else None
        )
    except (OSError, ValueError) as error:
        raise ReadError(f"{arguments.questions}: {error}") from error
    with Archive.open(settings.archive, settings=settings) as archive:
        found = evaluate_retrieval(
            archive,
            questions,
            asked_on=arguments.asked_on,
            progress=lambda done, of: tell(done, of, "questions"),
        )
    if not found.milliseconds:
        raise BackfileError(
            f"no question of {arguments.questions} has an answer to look for, or a gold article "
            "that is in the archive"
        )
    if arguments.plot:
        plot(arguments.plot, found, before)
    return report(
        arguments, found, table(found), compare_retrieval(found, before) if before else ()
    )


def table(found: RetrievalEvaluation) -> str:
    """Return the measures with their 95 % intervals, one line each, gold beside string."""
    from rag.evaluate.retrieval import MEASURES

    sets = [name for name in ("gold", "string") if found.n(name)]
    lines = ["".join([f"{'':10}", *(f"{f'{name}, n = {found.n(name)}':>24}" for name in sets)])]
    for measure in MEASURES:
        scores = [found.score(name, measure) for name in sets]
        cells = [f"{f'{s.mean:.3f}  [{s.low:.3f}, {s.high:.3f}]':>24}" for s in scores]
        lines.append("".join([f"{measure:10}", *cells]))
    for kind in sorted({kind for kind in found.kinds.values() if kind}):
        scores = [found.score(name, "hit@5", kind=kind) for name in sets]
        cells = [f"{f'{s.mean:.3f}  [{s.low:.3f}, {s.high:.3f}]':>24}" for s in scores]
        lines.append("".join([f"hit@5, {kind}\n{'':10}", *cells]))
    times = found.as_json()["ms"]
    lines.append(f"a question takes {times['median']} ms, in 5 of 100 over {times['p95']} ms")
    return "\n".join(lines)
