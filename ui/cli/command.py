"""Base classes of the commands: help that reads like a manual page, and exit codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from importlib import import_module
from typing import Any

import click

HELP_WIDTH = 96  # columns; longer lines are hard to read


class ExitCode(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3  # some inputs were rejected, or some names unknown
    NOTHING_NEW = 4  # no news of any saved search
    INTERRUPTED = 130  # 128 and the number of SIGINT, as shells report it
    PIPE_CLOSED = 141  # 128 and the number of SIGPIPE


@dataclass(frozen=True, slots=True)
class Example:
    """A command line to copy, and what it is for."""

    purpose: str
    line: str


class ManualPage(click.Command):
    """Command whose help ends with notes, examples and exit codes.

    Args:
        notes: Titles and texts of further sections.
        examples: Command lines to copy.
        exit_codes: Meanings of the codes that are particular to the command.
    """

    def __init__(
        self,
        *args: Any,
        notes: Iterable[tuple[str, str]] = (),
        examples: Sequence[Example] = (),
        exit_codes: Iterable[tuple[ExitCode, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **{"context_settings": {"max_content_width": HELP_WIDTH}, **kwargs})
        self.notes = tuple(notes)
        self.examples = tuple(examples)
        self.exit_codes = tuple(exit_codes)

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """Return the names of the help option, the same in every context: click caches it."""
        return ["-h", "--help"]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections that follow the options."""
        for title, text in self.notes:
            with formatter.section(title):
                formatter.write_text(text)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write_text(f"{example.purpose}:")
                    formatter.write(f"{'':{formatter.current_indent + 4}}{example.line}\n")
        if self.exit_codes:
            with formatter.section("Exit codes"):
                formatter.write_dl([(str(int(code)), text) for code, text in self.exit_codes])


class ManualGroup(ManualPage, click.Group):
    """Group of commands with such a help page."""

    command_class = ManualPage

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"no_args_is_help": False, **kwargs})

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command named first, or fail with similar names."""
        try:
            _, command, rest = super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            names = self.list_commands(ctx)
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=names, ctx=ctx
            ) from None
        return command.name if command else None, command, rest


class LazyGroup(ManualGroup):
    """Group whose commands are imported when they are used.

    Args:
        sections: For each heading of the list of commands, the modules of its commands by name.
            A module defines its command as a variable of that name.
        aliases: Former names, which still work, and the names they stand for.
    """

    def __init__(
        self,
        *args: Any,
        sections: Mapping[str, Mapping[str, str]],
        aliases: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._sections = sections
        self._modules = {
            name: module for names in sections.values() for name, module in names.items()
        }
        self._aliases = aliases or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, without former names."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of this name; return None if the name is unknown."""
        name = self._aliases.get(cmd_name, cmd_name)
        if name not in self._modules:
            return None
        command = getattr(import_module(self._modules[name]), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of the commands under its headings."""
        for title, names in self._sections.items():
            rows = []
            for name in names:
                command = self.get_command(ctx, name)
                assert command is not None
                rows.append((name, command.get_short_help_str(limit=HELP_WIDTH)))
            with formatter.section(title):
                formatter.write_dl(rows)


def usage_error(message: str) -> click.UsageError:
    """Return the error to raise when the running command is used wrongly."""
    return click.UsageError(message, click.get_current_context())


def usage_line(error: click.UsageError) -> str:
    """Return a usage error as one line: the command, the cause, and where to read on."""
    path = error.ctx.command_path if error.ctx else "backfile"
    cause = _cause(error).rstrip(".")
    end = "" if cause.endswith("?") else "."
    return f"{path}: {cause}{end} See `{path} --help`."


def _cause(error: click.UsageError) -> str:
    parameter = getattr(error, "param", None)
    if isinstance(error, click.NoSuchOption | click.exceptions.NoSuchCommand):
        similar = " or ".join(map(repr, error.possibilities or ()))
        hint = f" Did you mean {similar}?" if similar else ""
        return f"{error.message[:1].lower()}{error.message[1:]}{hint}"
    if parameter is None:
        message = error.format_message()
        return message[:1].lower() + message[1:] if message[1:2].islower() else message
    if isinstance(parameter, click.Argument):
        named = parameter.human_readable_name.removesuffix("...").strip("[]")
    else:
        named = "/".join(parameter.opts)
    if isinstance(error, click.MissingParameter):
        choices = ", ".join(getattr(parameter.type, "choices", ()))
        return f"{named} is missing" + (f": choose one of {choices}" if choices else "")
    return f"{named}: {error.message}"
