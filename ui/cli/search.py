"""`backfile search`: print the best passages."""

from __future__ import annotations

import click

from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.options import (
    DATES,
    Scope,
    archive_options,
    check_publishers,
    question_argument,
    required_question,
    scope_options,
)


@click.command(
    cls=ManualPage,
    notes=[DATES],
    examples=[
        Example(
            "Search articles of four weeks",
            "backfile search sanctions on generals --after 2024-10-20 --before 2024-11-17",
        ),
        Example("Print the three best passages as JSON", "backfile search drones -k 3 --json"),
        Example(
            "Search the archive as it was on 1 November, without later corrections",
            "backfile search drones --as-of 2024-11-01",
        ),
    ],
)
@question_argument(help="The question. Read from standard input if it is - or missing.")
@scope_options(k=10, k_is_for="print")
@archive_options
def search(words: tuple[str, ...], scope: Scope, settings: Settings, as_json: bool) -> int:
    """Print the passages that match a question best, best first.

    Dates and publishers named in the question limit the search; these limits are printed before the
    passages. If no passage matches within these dates, the closest from other dates are printed.
    """
    question = required_question(words)
    from rag.archive.archive import Archive
    from rag.retrieval.hybrid import retrieve
    from ui import render
    from ui.cli import format as text

    with Archive.open(settings.archive, settings=settings) as archive:
        archive.indexes.scan_vectors()  # opening the index would take longer
        check_publishers(archive, scope.filters)
        found = retrieve(
            archive.as_of(scope.as_of) if scope.as_of else archive,
            question,
            scope.k,
            filters=scope.filters,
            asked_on=scope.asked_on,
        )
    if as_json:
        relaxed = {"relaxed": found.relaxed} if found.relaxed else {}
        print(render.json_text([render.hit_value(hit) | relaxed for hit in found.nearest_hits]))
    else:
        print(text.retrieval_text(found, text.terminal_width()))
    return ExitCode.DONE
