"""`backfile record`: move an archive to a shared record, and back."""

from __future__ import annotations

import click

from rag.settings import Settings
from ui.cli.command import Example, ExitCode, LazyGroup, ManualPage
from ui.cli.options import archive_options


@click.group(
    cls=LazyGroup,
    sections={
        "Commands": {
            "push": "ui.cli.record",
            "detach": "ui.cli.record",
        }
    },
    examples=[
        Example("Move the archive in demo/ to the record", "backfile record push --archive demo"),
        Example("Make a folder an archive of its own", "backfile record detach --archive demo"),
    ],
)
def record() -> None:
    """Move an archive to a shared record on PostgreSQL, and back.

    BACKFILE_RECORD names the record: docs/scaling.md.
    """


@click.command(
    cls=ManualPage,
    examples=[
        Example("Move the archive in demo/ to the record", "backfile record push --archive demo")
    ],
)
@archive_options
def push(settings: Settings, as_json: bool) -> int:
    """Copy the archive into the empty database that BACKFILE_RECORD names.

    All numbers stay as they are, and nothing is embedded. The copy is compared with the archive
    before it is committed. Users, saved searches, dossiers, feeds and jobs move along. The folder
    then follows the record. Stop servers of the folder first, and start them with BACKFILE_RECORD.
    """
    from rag.archive.moving import push_archive
    from ui import render
    from ui.side_databases import SIDES

    counts = push_archive(settings.archive, settings, SIDES)
    if as_json:
        print(render.json_text({"articles": counts.articles, "passages": counts.passages}))
    else:
        print(f"pushed {counts.articles:,} articles, {counts.passages:,} passages")
    return ExitCode.DONE


@click.command(
    cls=ManualPage,
    examples=[
        Example("Make a folder an archive of its own", "backfile record detach --archive demo")
    ],
)
@click.option(
    "--alone",
    is_flag=True,
    help="Do without the record's users, saved items and jobs: when the record is gone.",
)
@archive_options
def detach(alone: bool, settings: Settings, as_json: bool) -> int:
    """Make a folder that follows a record an archive of its own.

    Users, saved searches, dossiers, feeds and jobs are copied from the record, which isn't changed,
    as the other folders aren't. Unset BACKFILE_RECORD afterwards.
    """
    from rag.archive.moving import detach_folder
    from ui import render
    from ui.side_databases import SIDES

    detach_folder(settings.archive, settings, SIDES, alone=alone)
    if as_json:
        print(render.json_text({"detached": True}))
    else:
        print("detached: unset BACKFILE_RECORD to use the archive")
    return ExitCode.DONE
