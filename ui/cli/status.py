"""`backfile status`: an overview of the archive."""

from __future__ import annotations

from dataclasses import asdict

import click

from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.options import archive_options


@click.command(
    cls=ManualPage,
    examples=[
        Example("Show the archive in demo/", "backfile status --archive demo"),
        Example("Print the figures for a script", "backfile status --json"),
        Example("Measure again what embeds fastest here", "backfile status --measure"),
    ],
)
@archive_options
@click.option(
    "--measure",
    is_flag=True,
    help="Measure again which library embeds passages fastest on this machine.",
)
def status(settings: Settings, as_json: bool, measure: bool) -> int:
    """Show an overview of the archive.

    Counts articles, passages and near-duplicates, by publisher and date. Also shows gaps (days on
    which a publisher that usually has articles has none), the last ingest, the embedding model, and
    which library embeds passages on this machine.
    """
    from rag.archive.archive import Archive
    from rag.models.archive_model import settings_for_archive
    from rag.models.loading import embedding_report
    from rag.schema import ALL_RIGHTS
    from ui import render
    from ui.cli import format as text

    with Archive.open(settings.archive, settings=settings) as archive:
        found = archive.status(access=ALL_RIGHTS)
    backend = embedding_report(
        settings_for_archive(settings, found.embedding_model),
        measure="again" if measure else "never",
    )
    if as_json:
        print(render.json_text(render.status_value(found) | {"embedding": asdict(backend)}))
    else:
        print(text.status_text(found, backend))
    return ExitCode.DONE
