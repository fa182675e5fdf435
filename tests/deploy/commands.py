"""Command lines and environments of the deployment files, read as the real program reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.settings import Settings
from ui.cli.main import cli


def starts_server(arguments: Sequence[str]) -> bool:
    """Return whether `backfile` with these arguments is `serve`, all of whose options exist."""
    context = cli.make_context("backfile", list(arguments))
    rest = [*context._protected_args, *context.args]
    _, command, inner = cli.resolve_command(context, rest)
    assert command is not None
    command.make_context(command.name, inner, parent=context)
    return command.name == "serve"


def settings_of(environment: Mapping[str, str]) -> Settings:
    """Return the settings that a process with this environment reads."""
    return Settings.from_environment(environment)
