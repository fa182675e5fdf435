"""MkDocs hooks: pages generated from the commands, the changelog and the contributing guide."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[1]

CLI_INTRODUCTION = """\
# Command line reference

Generated from `backfile --help`. Every command takes `--archive DIR`; without it, the archive is
the folder named by `BACKFILE_ARCHIVE`, else `./archive`. Most commands take `--json` and then
print one JSON value for other programs. [Exit codes](operations.md#exit-codes) and
[settings](settings.md) are the same for all of them.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to the site."""
    from ui.cli.main import cli

    pages = {
        "cli.md": cli_reference(cli, "backfile"),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        "contributing.md": site_links((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")),
    }
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files


def site_links(markdown: str) -> str:
    """Return a file of the repository's root with its links as the site needs them."""
    return markdown.replace("](docs/", "](").replace("](CHANGELOG.md", "](changelog.md")


def cli_reference(command: click.Command, name: str) -> str:
    """Return the Markdown reference of a command and all its subcommands.

    Args:
        command: The root of the command tree.
        name: The name the program is called by.
    """
    context = click.Context(command, info_name=name, **command.context_settings)
    return "\n".join((CLI_INTRODUCTION, *_sections(command, context, level=2)))


def _sections(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    yield f"{'#' * level} {context.command_path}\n"
    yield f"```text\n{context.get_usage().removeprefix('Usage: ')}\n```\n"
    if command.help:
        yield f"{help_as_markdown(command.help)}\n"
    if rows := list(_rows(command, context)):
        yield "| argument or option | meaning |\n| --- | --- |"
        yield from (f"| `{name}` | {meaning} |" for name, meaning in rows)
        yield ""
    yield from _closing_sections(command, context)
    if isinstance(command, click.Group):
        for sub_name in command.list_commands(context):
            sub = command.get_command(context, sub_name)
            if sub is not None and not sub.hidden:
                inner = click.Context(
                    sub, info_name=sub_name, parent=context, **sub.context_settings
                )
                yield from _sections(sub, inner, min(level + 1, 4))


def _closing_sections(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield what a command's help has after its options, such as examples."""
    formatter = click.HelpFormatter(width=100)
    command.format_epilog(context, formatter)
    printed = textwrap.dedent(formatter.getvalue()).strip("\n")
    for part in re.split(r"\n+(?=\S)", printed):
        title, _, text = part.strip("\n").partition("\n")
        text = textwrap.dedent(text).strip()
        if not text:
            yield f"{_paragraph(title)}\n"
        elif re.search(r"^ |\S  +\S", text, re.MULTILINE):  # indented lines, or columns
            yield f"**{title.rstrip(':')}**\n\n```text\n{text}\n```\n"
        else:
            yield f"**{title.rstrip(':')}:** {_paragraph(text)}\n"


def _rows(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and not getattr(parameter, "hidden", False):
            option, meaning = record
            yield option.replace("|", "\\|"), " ".join(meaning.split()).replace("|", "\\|")


def help_as_markdown(text: str) -> str:
    r"""Return a click help text as Markdown: paragraphs after a `\b` line become code blocks."""
    text = inspect.cleandoc(text).partition("\f")[0]
    return "\n\n".join(map(_paragraph, re.split(r"\n[ \t]*\n", text.strip("\n"))))


def _paragraph(paragraph: str) -> str:
    first, _, rest = paragraph.partition("\n")
    if first.strip() == "\b":
        return f"```text\n{textwrap.dedent(rest)}\n```"
    return " ".join(paragraph.split()).replace("<", "&lt;").replace("*", r"\*")
