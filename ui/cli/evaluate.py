"""`backfile evaluate`: the group of its commands."""

from __future__ import annotations

import click

from rag.settings import Settings
from ui.cli.command import Example, ExitCode, LazyGroup
from ui.cli.options import archive_options


@click.group(
    cls=LazyGroup,
    sections={
        "Commands": {
            "retrieval": "ui.cli.evaluate_retrieval",
            "answers": "ui.cli.evaluate_answers",
            "extraction": "ui.cli.evaluate_extraction",
            "duplicates": "ui.cli.evaluate_duplicates",
        }
    },
    examples=[
        Example(
            "Measure search on your own questions", "backfile evaluate retrieval questions.jsonl"
        ),
        Example(
            "Save a run, and compare a later one with it",
            "backfile evaluate retrieval questions.jsonl --compare before.json --save after.json",
        ),
    ],
)
@archive_options
def evaluate(settings: Settings, as_json: bool) -> int:
    """Measure search, answers, page extraction and near-duplicates.

    Each measure is printed with its 95 % confidence interval.
    """
    return ExitCode.DONE
