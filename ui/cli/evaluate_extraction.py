"""`backfile evaluate extraction`: the extraction of articles from web pages, measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from rag.errors import BackfileError, ReadError
from rag.settings import Settings
from ui.cli.command import Example, ManualPage
from ui.cli.evaluate_report import ReportOptions, evaluation_options, report
from ui.cli.options import Number, PathName
from ui.cli.progress import show_progress

if TYPE_CHECKING:
    from ingest.evaluate_extraction import ExtractionEvaluation, PageScore


@click.command(
    cls=ManualPage,
    notes=[
        (
            "Ground truth",
            "FOLDER has the layout of Zyte's article-extraction-benchmark: pages in "
            "html/NAME.html or html/NAME.html.gz, and ground-truth.json, which has for each NAME "
            "any of articleBody, headline, datePublished, authors and url.",
        )
    ],
    examples=[
        Example(
            "Measure extraction, and list the 20 worst pages",
            "backfile evaluate extraction benchmark/ --worst 20",
        ),
        Example(
            "Measure it without the pages' own metadata",
            "backfile evaluate extraction benchmark/ --metadata withheld",
        ),
    ],
)
@click.argument("folder", type=PathName("dir"), help="Folder of pages with their ground truth.")
@click.option(
    "--gold",
    type=PathName(),
    metavar="FILE",
    help="JSON with headline, datePublished and authors of pages, where ground-truth.json lacks "
    "them.",
)
@click.option(
    "--worst",
    type=Number(),
    default=10,
    show_default=True,
    metavar="N",
    help="Number of worst pages to list.",
)
@click.option(
    "--metadata",
    type=click.Choice(["given", "withheld"]),
    default="given",
    show_default=True,
    help="Read pages as they are, or without JSON-LD and <meta>.",
)
@evaluation_options
def extraction(
    folder: Path,
    gold: Path | None,
    worst: int,
    metadata: Literal["given", "withheld"],
    settings: Settings,
    report_options: ReportOptions,
) -> int:
    """Measure how well the text, title, date and authors of web pages are extracted.

    trafilatura alone is measured too, for comparison. No archive is needed.
    """
    from ingest.evaluate_extraction import (
        ExtractionEvaluation,
        evaluate_extraction,
        read_pages,
    )
    from rag.evaluate.metrics import compare

    try:
        pages = list(read_pages(folder, gold))
    except (OSError, ValueError) as error:
        raise ReadError(f"{folder}: {error}") from error
    before = report_options.load_earlier(ExtractionEvaluation.loads)
    if not pages:
        raise BackfileError(f"No pages are named in {folder / 'ground-truth.json'}.")
    found = evaluate_extraction(
        pages,
        metadata=metadata,
        progress=lambda done: show_progress(done, len(pages), "pages"),
    )
    text = "\n".join(filter(None, (table(found), worst_pages(found, max(0, worst)))))
    differences = compare(found, before) if before else ()
    return report(found, text, differences, report_options)


def table(found: ExtractionEvaluation) -> str:
    """Return the measures with their 95 % intervals, one line each."""
    return "\n".join(
        f"{metric.name:20}{score.mean:6.3f}  [{score.low:.3f}, {score.high:.3f}]  n = {metric.n}"
        for metric in found.metrics()
        for score in [metric.score()]
    )


def worst_pages(found: ExtractionEvaluation, count: int) -> str:
    """Return a line for each of the worst pages, with its errors; none for a page without."""
    pages = [page for page in found.worst(count) if (page.quality or 0) < 1]
    lines = ["", "worst pages: recall and precision of the text, title, date, authors"]
    return "\n".join([*lines, *map(_page_line, pages)]) if pages else ""


def _page_line(page: PageScore) -> str:
    story = f"{page.story.recall:5.3f}  {page.story.precision:5.3f}" if page.story else "-      -"
    verdicts = [
        "-" if right is None else "right" if right else "wrong" for right in (page.title, page.day)
    ]
    authors = "-"
    if page.authors is not None:
        right, count, expected = page.authors
        authors = f"{right} of {expected}" + (f", {count - right} wrong" if count > right else "")
    return f"{story:14}  {verdicts[0]:6}  {verdicts[1]:6}  {authors:16}  {page.name}"
