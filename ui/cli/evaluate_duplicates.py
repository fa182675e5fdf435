"""`backfile evaluate duplicates`: the detection of near-duplicates, measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.errors import BackfileError
from rag.schema import Article
from rag.settings import Settings
from ui.cli.command import Example, ManualPage
from ui.cli.evaluate_report import ReportOptions, evaluation_options, read_lines, report
from ui.cli.options import Number, PathName
from ui.cli.progress import show_progress

if TYPE_CHECKING:
    from rag.evaluate.duplicates import DuplicatesEvaluation

EACH = 300  # pairs of each of eight kinds: a rate of 1 % is measured to within 1 %
MISTAKES_SHOWN = 20


@click.command(
    cls=ManualPage,
    examples=[
        Example("Measure on your own articles", "backfile evaluate duplicates articles.jsonl"),
        Example(
            "Compare with the judgements of a person",
            "backfile evaluate duplicates articles.jsonl --judged pairs.jsonl",
        ),
    ],
)
@click.argument(
    "paths",
    type=PathName(),
    nargs=-1,
    required=True,
    metavar="ARTICLES...",
    help="Files or folders of articles. No archive is needed.",
)
@click.option(
    "--each",
    type=Number(1),
    default=EACH,
    show_default=True,
    metavar="N",
    help="Number of pairs of each kind.",
)
@click.option(
    "--seed",
    type=Number(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Seed of the random choice of pairs.",
)
@click.option(
    "--judged",
    type=PathName(),
    metavar="FILE",
    help="JSON lines of pairs that a person has judged: one, other (IDs), same.",
)
@evaluation_options
def duplicates(
    paths: tuple[Path, ...],
    each: int,
    seed: int,
    judged: Path | None,
    settings: Settings,
    report_options: ReportOptions,
) -> int:
    """Measure how well near-duplicates are distinguished from different stories.

    Reprints are made from your articles (cut, edited, under other headlines), and paired with
    their originals and with the most similar other articles.
    """
    from rag.evaluate.duplicates import DuplicatesEvaluation, evaluate_duplicates, read_judged
    from rag.evaluate.metrics import compare

    judgements = read_lines(judged, read_judged) if judged else {}
    before = report_options.load_earlier(DuplicatesEvaluation.loads)
    articles = _read_articles(paths)
    if len(articles) < 2:
        raise BackfileError(
            "Cannot make pairs: fewer than two articles found. Name more files or folders."
        )
    found = evaluate_duplicates(
        articles,
        each=each,
        seed=seed,
        judged=judgements,
        progress=lambda done, of: show_progress(done, of, "pairs"),
    )
    differences = compare(found, before) if before else ()
    return report(found, table(found), differences, report_options)


def table(found: DuplicatesEvaluation) -> str:
    """Return the measures with their 95 % intervals, and the first pairs judged wrongly."""
    from ui import render

    lines = []
    for m in found.metrics():
        score = m.score()
        shown = f"{score.mean:.3f}  [{score.low:.3f}, {score.high:.3f}]"
        lines.append(f"{m.set:22}{m.name:12}{shown}  n = {m.n:,}")
    if found.mistaken:
        lines += ["", f"mistakes, {len(found.mistaken):,} pairs:"]
    for pair in found.mistaken[:MISTAKES_SHOWN]:
        taken = "different stories" if pair.same else "near-duplicates"
        ids = f"{pair.one.id} and {pair.other.id}"
        lines.append(render.terminal_text(f"  {pair.kind}, taken for {taken}: {ids}"))
    return "\n".join(lines)


def _read_articles(paths: Sequence[Path]) -> list[Article]:
    from ingest.readers import read

    articles: dict[str, Article] = {}
    for path in paths:
        for found in read(path):
            if isinstance(found, Article):
                articles.setdefault(found.id, found)
    return list(articles.values())
