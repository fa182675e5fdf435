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
    from ingest.scores import ExtractionEvaluation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `backfile evaluate extraction` takes."""
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="ground-truth.json and html/NAME.html.gz, as in Zyte's article-extraction-benchmark",
    )
    parser.add_argument(
        "--gold",
        type=Path,
        metavar="FILE",
        help="JSON by page: headline, datePublished, authors, where ground-truth.json lacks them",
    )
    parser.add_argument(
        "--metadata",
        choices=["given", "withheld"],
        default="given",
        help="read pages as they are, or without JSON-LD and <meta> (%(default)s)",
    )


def evaluate(arguments: argparse.Namespace, settings: Settings) -> int:
    """Read every page of a folder and print how much of it is right."""
    from ingest.evaluation import evaluate_extraction, read_pages
    from ingest.scores import ExtractionEvaluation, compared

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
    return report(arguments, found, table(found), compared(found, before) if before else ())


def table(found: ExtractionEvaluation) -> str:
    """Return the measures with their 95 % intervals, one line each."""
    return "\n".join(
        f"{name:20}{score.mean:6.3f}  [{score.low:.3f}, {score.high:.3f}]  n = {n}"
        for name, (n, score) in found.measures().items()
    )
