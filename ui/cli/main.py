"""The `backfile` command: its subcommands, error messages and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from rag.errors import BackfileError
from ui.cli.command import Example, ExitCode, LazyGroup, usage_line

# This module imports only what every command needs, and a command's module imports heavy libraries
# only when the command runs: `backfile --help` takes under 0.2 s of processor time.

COMPLETION_VARIABLE = "_BACKFILE_COMPLETE"  # set by the shells' completion functions
SECTIONS = {
    "Ask": {
        "ask": "ui.cli.ask",
        "chat": "ui.cli.chat",
        "search": "ui.cli.search",
        "check": "ui.cli.check",
        "browse": "ui.cli.browse",
        "names": "ui.cli.browse",
        "serve": "ui.cli.serve",
        "mcp": "ui.cli.mcp",
    },
    "Keep": {
        "saved": "ui.cli.saved",
        "dossier": "ui.cli.dossier",
    },
    "Manage articles": {
        "ingest": "ui.cli.ingest",
        "rejects": "ui.cli.rejects",
        "feeds": "ui.cli.feeds",
        "sources": "ui.cli.sources",
        "show": "ui.cli.articles",
        "withdraw": "ui.cli.articles",
        "reinstate": "ui.cli.articles",
    },
    "Maintain the archive": {
        "status": "ui.cli.status",
        "doctor": "ui.cli.doctor",
        "backup": "ui.cli.backup",
        "restore": "ui.cli.backup",
        "export": "ui.cli.export",
        "reindex": "ui.cli.reindex",
        "reembed": "ui.cli.reembed",
        "record": "ui.cli.record",
    },
    "Users": {
        "user": "ui.cli.user",
        "token": "ui.cli.token",  # nosec B105 # the module of a command
        "audit": "ui.cli.audit",
    },
    "Other": {
        "models": "ui.cli.models",
        "evaluate": "ui.cli.evaluate",
        "completion": "ui.cli.completion",
    },
}
ALIASES = {"remove": "withdraw", "readmit": "reinstate", "rebuild": "reindex"}  # former names


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from rag.version import version

        click.echo(f"backfile {version()}")
        ctx.exit()


@click.group(
    name="backfile",
    cls=LazyGroup,
    sections=SECTIONS,
    aliases=ALIASES,
    notes=[
        (
            "Environment",
            "Every setting can be given as a variable: BACKFILE_ARCHIVE is the folder of the "
            "archive, BACKFILE_CHAT_MODEL the chat model that writes answers. docs/settings.md "
            "lists them all.",
        )
    ],
    examples=[
        Example("Ingest the sample archive", "backfile ingest --sample"),
        Example(
            "Ingest your own articles; run it again to add what is new or changed",
            "backfile ingest articles.jsonl pages/",
        ),
        Example("Ask a question", 'backfile ask "What did South Korea threaten?"'),
        Example(
            "Search one publisher's articles",
            'backfile search drones --publisher "Harbour Courier" --after 2024-10-01',
        ),
        Example("Ask in the browser", "backfile serve"),
    ],
    exit_codes=[
        (ExitCode.DONE, "Done."),
        (ExitCode.FAILED, "Failed; or `doctor` found problems."),
        (ExitCode.USAGE, "Wrong usage."),
        (ExitCode.INCOMPLETE, "Done in part: some inputs were rejected, or some IDs not found."),
        (ExitCode.NOTHING_NEW, "`saved --new`: nothing new came in."),
        (ExitCode.INTERRUPTED, "Interrupted by Ctrl-C."),
        (
            ExitCode.PIPE_CLOSED,
            "Output was cut off by the next program in the pipe, such as `head`.",
        ),
    ],
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Answer questions from a news archive; every sentence of an answer cites its source.

    Run `backfile COMMAND --help` for the options and examples of a command.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The words after `backfile`; those of the process if None.

    Returns:
        The exit code. A failure is one line on stderr.

    Raises:
        SystemExit: The command was used wrongly (2), or printed its help or version (0).
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if instruction := os.environ.get(COMPLETION_VARIABLE):
        from click.shell_completion import shell_complete

        return shell_complete(cli, {}, "backfile", COMPLETION_VARIABLE, instruction)
    _limit_blas_threads()
    _print_any_character()
    try:
        return _run(words)
    except click.exceptions.Exit as end:  # --help or --version
        raise SystemExit(end.exit_code) from None
    except click.UsageError as error:
        _print_error(usage_line(error))
        raise SystemExit(ExitCode.USAGE) from None
    except BackfileError as error:
        _print_error(f"backfile: {error}")
        return ExitCode.FAILED
    except KeyboardInterrupt:
        _print_error("backfile: stopped")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # `backfile search ... | head` closes the pipe; the flush at exit must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.PIPE_CLOSED


def _run(words: list[str]) -> int:
    # Not click's own main(): it prints an empty line at Ctrl-C, and ends the process.
    try:
        with cli.make_context("backfile", words) as context:
            code: int = cli.invoke(context)
    except click.exceptions.Exit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()  # here, so that a closed pipe is noticed
    return code


def _print_error(line: str) -> None:
    from rag.sanitize import single_line

    print(single_line(line), file=sys.stderr)


def _limit_blas_threads() -> None:
    """Limit BLAS to one thread before numpy is imported, unless OPENBLAS_NUM_THREADS is set.

    OpenBLAS' threads wait for each other in busy loops: beside three busy processes on two cores,
    embedding fourteen sentences took 1.8 s (1.4 of processor time) with two threads and .6 s (.3)
    with one; on an idle machine .27 and .32 s.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _print_any_character() -> None:
    """Print characters that the terminal's encoding lacks as escapes, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
