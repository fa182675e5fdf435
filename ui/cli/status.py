"""`backfile status`: an overview of the archive."""

from __future__ import annotations

import click

from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.options import archive_options


@click.command(
    cls=ManualPage,
    examples=[
        Example("Show the archive in demo/", "backfile status --archive demo"),
        Example("Print the figures for a script", "backfile status --json"),
    ],
)
@archive_options
def status(settings: Settings, as_json: bool) -> int:
    """Show an overview of the archive.

    Counts articles, passages and near-duplicates, by publisher and date. Also shows gaps (days on
    which a publisher that usually has articles has none), the last ingest, and the embedding model.
    """
    from rag.archive.archive import Archive
    from rag.schema import ALL_RIGHTS
    from ui import render
    from ui.cli import format as text

    with Archive.open(settings.archive, settings=settings) as archive:
        found = archive.status(access=ALL_RIGHTS)
    print(render.json_text(render.status_value(found)) if as_json else text.status_text(found))
    return ExitCode.DONE
