"""`backfile evaluate extraction`: what is read from pages, beside what a person found in them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import BackfileError, ReadError
from rag.settings import Settings
from ui.measured import report
from ui.progress import tell

if TYPE_CHECKING:
    from ingest.evaluate_extraction import ExtractionEvaluation, PageScore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `backfile evaluate extraction` takes."""
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="ground-truth.json (NAME: any of articleBody, headline, datePublished, authors, url) "
        "and html/NAME.html or NAME.html.gz, as in Zyte's article-extraction-benchmark",
    )
    parser.add_argument(
        "--gold",
        type=Path,
        metavar="FILE",
        help="JSON by page: headline, datePublished, authors, where ground-truth.json lacks them",
    )
    parser.add_argument(
        "--worst", type=int, default=10, metavar="N", help="list the N worst pages (%(default)s)"
    )
    parser.add_argument(
        "--metadata",
        choices=["given", "withheld"],
        default="given",
        help="read pages as they are, or without JSON-LD and <meta> (%(default)s)",
    )


def evaluate(arguments: argparse.Namespace, settings: Settings) -> int:
    """Read every page of a folder and print how much of it is right."""
    from ingest.evaluate_extraction import (
        ExtractionEvaluation,
        compare_extraction,
        evaluate_extraction,
        read_pages,
    )

    try:
        pages = list(read_pages(arguments.folder, arguments.gold))
        before = (
            ExtractionEvaluation.loaded(arguments.compare.read_text(encoding="utf-8"))
            if arguments.compare
            else None
        )
    except (OSError, ValueError) as error:
        raise ReadError(f"{arguments.folder}: {error}") from error
    if not pages:
        raise BackfileError(f"{arguments.folder / 'ground-truth.json'} names no page")
    found = evaluate_extraction(
        pages,
        metadata=arguments.metadata,
        progress=lambda done: tell(done, len(pages), "pages"),
    )
    text = "\n".join(filter(None, (table(found), worst_pages(found, max(0, arguments.worst)))))
    return report(arguments, found, text, compare_extraction(found, before) if before else ())


def table(found: ExtractionEvaluation) -> str:
    """Return the measures with their 95 % intervals, one line each."""
    return "\n".join(
        f"{name:20}{score.mean:6.3f}  [{score.low:.3f}, {score.high:.3f}]  n = {n}"
        for name, (n, score) in found.measures().items()
    )


def worst_pages(found: ExtractionEvaluation, count: int) -> str:
    """Return a line for each of the worst pages that have a fault, and what is wrong with it."""
    pages = [page for page in found.worst(count) if (page.quality or 0) < 1]
    lines = ["", "worst pages: recall and precision of the story, title, day, authors"]
    return "\n".join([*lines, *map(_page_line, pages)]) if pages else ""


def _page_line(page: PageScore) -> str:
    story = f"{page.story.recall:5.3f}  {page.story.precision:5.3f}" if page.story else "-      -"
    said = [
        "-" if right is None else "right" if right else "wrong" for right in (page.title, page.day)
    ]
    authors = "-"
    if page.authors is not None:
        right, named, wanted = page.authors
        authors = f"{right} of {wanted}" + (f", {named - right} wrong" if named > right else "")
    return f"{story:14}  {said[0]:6}  {said[1]:6}  {authors:16}  {page.name}"
