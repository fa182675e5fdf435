"""`backfile backup` and `backfile restore`: the archive as one file."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.options import PathName, archive_options

if TYPE_CHECKING:
    from rag.archive.backup import Manifest


@click.command(
    cls=ManualPage,
    examples=[
        Example("Back up the archive in demo/", "backfile backup demo.backup --archive demo"),
    ],
)
@click.argument("file", type=PathName(), help="The file to write. It must not exist yet.")
@archive_options
def backup(file: Path, settings: Settings, as_json: bool) -> int:
    """Write the archive to one file, with a checksum.

    The archive can be used meanwhile: the backup holds it as it was at one moment. The list of
    trusted sources (sources.toml) is not included. Only the owner may read the file.
    """
    from rag.archive.backup import write_backup
    from rag.archive.side_home import UnsetHome, home_of
    from rag.store.articles import ArticleStore

    home = home_of(settings)
    if is_lost := isinstance(home, UnsetHome):
        print("without saved items, which are in the record: set BACKFILE_RECORD", file=sys.stderr)
    store = ArticleStore(settings.archive)
    try:
        manifest = write_backup(store, file, None if is_lost else home)
        _print_manifest("backed up", manifest, as_json=as_json)
    finally:
        store.close()
    return ExitCode.DONE


@click.command(
    cls=ManualPage,
    examples=[
        Example(
            "Restore a backup to a new archive", "backfile restore demo.backup --archive restored"
        ),
    ],
)
@click.argument("file", type=PathName(), help="A file that `backfile backup` wrote.")
@archive_options
def restore(file: Path, settings: Settings, as_json: bool) -> int:
    """Create an archive from a backup.

    The folder must not hold an archive yet. The indexes are built from the backup; nothing is
    embedded.
    """
    from rag.archive.backup import restore_backup

    _print_manifest("restored", restore_backup(file, settings.archive), as_json=as_json)
    return ExitCode.DONE


def _print_manifest(done: str, manifest: Manifest, *, as_json: bool) -> None:
    from ui import render

    if as_json:
        print(render.json_text(asdict(manifest)))
    else:
        counts = f"{manifest.articles:,} articles, {manifest.passages:,} passages"
        print(f"{done}: {counts}, as of change {manifest.sequence}, {manifest.made}")
