"""`backfile reembed`: change the embedding model."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rag.errors import SettingsError
from rag.schema import ALL_RIGHTS
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage, usage_error
from ui.cli.options import archive_options
from ui.cli.progress import show_progress

if TYPE_CHECKING:
    from rag.archive.archive import Archive


@click.command(
    cls=ManualPage,
    examples=[
        Example(
            "Change to a multilingual model",
            "backfile reembed --model intfloat/multilingual-e5-small",
        ),
        Example("Keep the old model, and delete what was embedded", "backfile reembed --abandon"),
    ],
)
@click.option(
    "--model", metavar="NAME", help="The new model: a folder, or a name on the Hugging Face Hub."
)
@click.option(
    "--abandon",
    is_flag=True,
    help="Give up an interrupted run: delete its vectors and keep the old model.",
)
@archive_options
def reembed(model: str | None, abandon: bool, settings: Settings, as_json: bool) -> int:
    """Embed every passage with another model.

    The archive can be searched and articles added meanwhile, with the old model. Once every
    passage has its new vector, the archive changes to the new model. If interrupted, the same
    command continues where it stopped.
    """
    if abandon == (model is not None):
        raise usage_error(
            "--model and --abandon cannot be combined" if abandon else "--model is missing"
        )
    from rag.archive.archive import Archive

    # Ignores the settings' model: the archive's own is used until the change.
    settings = replace(settings, models="default", embedding_model="")
    with Archive.open(settings.archive, settings=settings) as archive:
        if model is None:
            count = archive.cancel_reembed()
            _print(as_json, {"abandoned": count}, f"deleted the new vectors of {count:,} passages")
            return ExitCode.DONE
        return _reembed(archive, model, as_json=as_json)


def _reembed(archive: Archive, model: str, *, as_json: bool) -> int:
    folder = Path(model).expanduser()
    name = str(folder.resolve()) if folder.is_dir() else model
    if name == archive.status(access=ALL_RIGHTS).embedding_model:
        raise SettingsError(f"The archive is embedded with {name} already.")
    try:
        done = archive.reembed(
            name, on_progress=lambda made, of: show_progress(made, of, "passages")
        )
    except KeyboardInterrupt:
        print("The new vectors are kept; the same command continues from here.", file=sys.stderr)
        raise
    _print(
        as_json,
        asdict(done),
        f"embedded with {done.model}: {done.passages:,} passages in {done.seconds:,.0f} s; "
        "the archive uses this model from now on",
    )
    if done.cut and not as_json:
        print(
            f"Truncated at the model's input limit: {done.cut:,} of {done.passages:,} passages. "
            "Only their beginnings are searched by meaning. To split articles to the limit, ingest "
            "them into a new archive.",
            file=sys.stderr,
        )
    return ExitCode.DONE


def _print(as_json: bool, value: dict[str, Any], line: str) -> None:
    from ui import render

    print(render.json_text(value) if as_json else line)
