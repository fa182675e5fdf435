"""`backfile evaluate duplicates`: whether one story printed twice is told from two stories."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import BackfileError, ReadError
from rag.schema import Article
from rag.settings import Settings
from ui.measured import report
from ui.progress import tell

if TYPE_CHECKING:
    from rag.evaluate.duplicates import DuplicatesEvaluation

EACH = 300  # pairs of a kind: eight kinds, so that 1 in 100 is seen to lie within 1
MISTAKEN = 20  # pairs shown of which the wrong thing was said


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `backfile evaluate duplicates` takes."""
    parser.add_argument(
        "articles",
        nargs="+",
        type=Path,
        metavar="ARTICLES",
        help="files or folders of articles, of which reprints are made; no archive is needed",
    )
    parser.add_argument(
        "--each", type=_number, default=EACH, metavar="N", help="pairs of a kind (%(default)s)"
    )
    parser.add_argument(
        "--seed", type=_number, default=1, metavar="N", help="draws the pairs (%(default)s)"
    )
    parser.add_argument(
        "--judged",
        type=Path,
        metavar="FILE",
        help="JSONL: one, other (ids), same; what a person found pairs of real articles to be",
    )


def evaluate(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make pairs of the articles and print how many were told rightly, and which were not."""
    from rag.evaluate.duplicates import evaluate_duplicates, read_judged
    from rag.evaluate.metrics import Evaluation, compare

    try:
        judged = read_judged(_lines(arguments.judged)) if arguments.judged else {}
        before = (
            Evaluation.loaded("\n".join(_lines(arguments.compare))) if arguments.compare else None
        )
    except (OSError, ValueError) as error:
        raise ReadError(str(error)) from error
    articles = _articles(arguments.articles)
    if len(articles) < 2:
        raise BackfileError("a pair needs two articles: name files or folders that hold some")
    found = evaluate_duplicates(
        articles,
        each=arguments.each,
        seed=arguments.seed,
        judged=judged,
        progress=lambda done, of: tell(done, of, "pairs"),
    )
    differences = compare(Evaluation(found.measures), before) if before else ()
    return report(arguments, found, table(found), differences)


def table(found: DuplicatesEvaluation) -> str:
    """Return the measures with their 95 % intervals and the first of the pairs mistaken."""
    from ui import render

    lines = []
    for m in found.measures:
        score = m.score()
        shown = f"{score.mean:.3f}  [{score.low:.3f}, {score.high:.3f}]"
        lines.append(f"{m.set:22}{m.name:12}{shown}  n = {m.n:,}")
    if found.mistaken:
        lines += ["", f"mistaken, {len(found.mistaken):,} pairs:"]
    for pair in found.mistaken[:MISTAKEN]:
        taken = "two stories" if pair.same else "one story"
        ids = f"{pair.one.id} and {pair.other.id}"
        lines.append(render.terminal_text(f"  {pair.kind}, taken for {taken}: {ids}"))
    return "\n".join(lines)


def _articles(paths: list[Path]) -> list[Article]:
    from ingest.readers import read

    articles: dict[str, Article] = {}
    for path in paths:
        for found in read(path):
            if isinstance(found, Article):
                articles.setdefault(found.id, found)
    return list(articles.values())


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)
