"""`backfile evaluate retrieval`: search measured on questions."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.errors import BackfileError
from rag.schema import ALL_RIGHTS
from rag.settings import Settings
from ui.cli.command import Example, ManualPage
from ui.cli.evaluate_plot import plot
from ui.cli.evaluate_report import (
    ReportOptions,
    asked_on_option,
    evaluation_options,
    every_line,
    read_lines,
    report,
)
from ui.cli.options import PathName
from ui.cli.progress import show_progress

if TYPE_CHECKING:
    from rag.evaluate.retrieval import AskedOn, RetrievalEvaluation


@click.command(
    cls=ManualPage,
    notes=[
        (
            "Questions",
            "A question is a JSON object on a line: `question`; `gold`, the IDs of the articles "
            "that answer it, or `answer`, a string to look for; and `asked_on`, its date. "
            "feedback.jsonl in the archive's folder, which the page writes, has this format. A "
            "question that is on several lines counts once, with the `gold` of all of them.",
        )
    ],
    examples=[
        Example("Measure search", "backfile evaluate retrieval questions.jsonl"),
        Example(
            "Compare with a saved result, as a picture too",
            "backfile evaluate retrieval questions.jsonl --compare before.json --plot both.svg",
        ),
    ],
)
@click.argument("questions", type=PathName(), help="JSON lines of questions.")
@asked_on_option
@click.option(
    "--plot",
    "picture",
    type=PathName(),
    metavar="FILE",
    help="Plot the measures: .svg, .png or .pdf.",
)
@every_line
@evaluation_options
def retrieval(
    questions: Path,
    asked_on: AskedOn,
    picture: Path | None,
    every_line: bool,
    settings: Settings,
    report_options: ReportOptions,
) -> int:
    """Measure how well search finds the passages that answer questions.

    Prints hit@k, recall, MRR and nDCG, and how long a question takes.
    """
    from rag.archive.archive import Archive
    from rag.evaluate.metrics import compare
    from rag.evaluate.retrieval import (
        RetrievalEvaluation,
        evaluate_retrieval,
        read_questions,
        unique_questions,
    )

    asked = read_lines(questions, partial(read_questions, access=ALL_RIGHTS))
    if not every_line:
        asked = unique_questions(asked)
    before = report_options.load_earlier(RetrievalEvaluation.loads)
    with Archive.open(settings.archive, settings=settings) as archive:
        found = evaluate_retrieval(
            archive,
            asked,
            asked_on=asked_on,
            progress=lambda done, of: show_progress(done, of, "questions"),
        )
    if not found.milliseconds:
        raise BackfileError(
            f"Nothing to measure in {questions}: no question has an `answer`, or a `gold` article "
            "that is in the archive."
        )
    if picture:
        plot(picture, found, before)
    differences = compare(found, before) if before else ()
    return report(found, table(found), differences, report_options)


def table(found: RetrievalEvaluation) -> str:
    """Return the measures with their 95 % intervals, one line each.

    Questions judged by gold articles and those judged by answer strings have a column each.
    """
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
    lines.append(
        f"time per question: {times['median']} ms median, {times['p95']} ms at the 95th percentile"
    )
    return "\n".join(lines)
