"""`backfile reindex`: build all indexes again."""

from __future__ import annotations

import click

from rag.schema import EVERYTHING
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.options import archive_options


@click.command(
    cls=ManualPage,
    examples=[
        Example("Rebuild the indexes of the archive in demo/", "backfile reindex --archive demo")
    ],
)
@archive_options
def reindex(settings: Settings, as_json: bool) -> int:
    """Rebuild all indexes from the database.

    Nothing is embedded. Searches that are running use the old indexes until the new ones are
    complete.
    """
    from rag.archive.archive import Archive
    from ui import render

    with Archive.open(settings.archive, mode="write", settings=settings, create=False) as archive:
        archive.rebuild_indexes()
        counts = archive.count(EVERYTHING)
    if as_json:
        print(render.json_text({"articles": counts.articles, "passages": counts.passages}))
    else:
        print(f"indexes rebuilt: {counts.passages:,} passages")
    return ExitCode.DONE
