"""The `backfile` command: what is asked for on a command line, and what is printed of it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rag.errors import BackfileError
from rag.settings import Settings
from ui import caring, evaluating, history, ingesting, takedowns, trusting
from ui.scope import check_publishers, scope_of

# Only what every command needs is imported here: `backfile --help` answers in under .5 s.
# The archive, the chatbot and the page are imported by the commands that use them.

DONE, FAILED = 0, 1
INTERRUPTED, PIPE_CLOSED = 130, 141  # 128 and the signal's number, as a shell says it

EXAMPLES = """\
examples:
  backfile ingest --sample                      put the sample archive in
  backfile ingest articles.jsonl pages/         put your own articles in; again tomorrow
  backfile ask "What did South Korea threaten?"
  backfile search --after 2024-10-01 --publisher "Harbour Courier" drones
  backfile serve                                ask in a browser
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; every failure is one line on stderr."""
    arguments = _parser().parse_args(argv)
    _leave_others_room()
    _tolerate_any_character()
    try:
        settings = Settings.from_environment(
            archive=arguments.archive,
            # `sources --host` names another thing
            host=arguments.host if arguments.command is serve else None,
            port=arguments.port if arguments.command is serve else None,
        )
        code: int = arguments.command(arguments, settings)
        sys.stdout.flush()
        return code
    except BackfileError as error:
        from ui.render import terminal_text

        print(f"backfile: {terminal_text(str(error))}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("backfile: stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # `backfile search ... | head`: nobody reads on, and the flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _leave_others_room() -> None:
    """Have numpy, not loaded yet, multiply with one thread, unless the environment says otherwise.

    OpenBLAS' threads wait for each other by turning in circles: beside three busy processes on two
    cores fourteen sentences' vectors took 1.8 s (1.4 of a processor) with two threads and .6 s (.3)
    with one; on an idle machine .27 and .32 s.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _tolerate_any_character() -> None:
    """Print what the terminal's encoding lacks as its number, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


# The commands


def ask(arguments: argparse.Namespace, settings: Settings) -> int:
    """Answer one question, or on a terminal, without one, each that is typed."""
    scope = scope_of(arguments)
    question = _question(arguments)
    from ui import answer_formats, conversation, opening, render

    with opening.open_chatbot(settings) as (archive, chatbot):
        check_publishers(archive, scope.filters)
        chatbot = chatbot.as_of(scope.as_of) if scope.as_of else chatbot
        if question is None:
            conversation.hold(chatbot, scope)
        elif arguments.json:
            answer = chatbot.ask(
                question, k=scope.k, filters=scope.filters, asked_on=scope.asked_on
            )
            print(render.json_text(answer_formats.answer_value(answer)))
        else:
            conversation.show_answer(chatbot, question, scope)
    return DONE


def search(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the passages that answer a question best."""
    scope = scope_of(arguments)
    question = _question(arguments) or ""
    from rag.archive.archive import Archive
    from rag.retrieval.hybrid import retrieve
    from ui import conversation, render, terminal

    with Archive.open(settings.archive, settings=settings) as archive:
        check_publishers(archive, scope.filters)
        found = retrieve(
            archive.as_of(scope.as_of) if scope.as_of else archive,
            question,
            scope.k,
            filters=scope.filters,
            asked_on=scope.asked_on or scope.as_of,
        )
    if arguments.json:
        relaxed = {"relaxed": found.relaxed} if found.relaxed else {}
        print(render.json_text([render.hit_value(hit) | relaxed for hit in found.nearest_hits]))
    else:
        print(terminal.retrieval_text(found, conversation.width()))
    return DONE


def serve(arguments: argparse.Namespace, settings: Settings) -> int:
    """Open the page and keep it open until Ctrl-C."""
    from ui.web import app

    app.serve(settings)
    return DONE


def status(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print what is in the archive."""
    from rag.archive.archive import Archive
    from rag.schema import ALL_RIGHTS
    from ui import render, terminal

    with Archive.open(settings.archive, settings=settings) as archive:
        found = archive.status(access=ALL_RIGHTS)
    if arguments.json:
        print(render.json_text(render.status_value(found)))
    else:
        print(terminal.status_text(found))
    return DONE


# What was asked for


def _question(arguments: argparse.Namespace) -> str | None:
    """Return the question, from stdin if it is piped in; None on a terminal without one."""
    words = " ".join(arguments.question)
    if words == "-":
        words = sys.stdin.read()
    if not words and arguments.command is ask and sys.stdin.isatty() and not arguments.json:
        return None
    if not words and not sys.stdin.isatty():
        words = sys.stdin.read()
    if not words.strip():
        arguments.parser.error("say what to look for")
    return words.strip()


# The grammar


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="backfile",
        description="Ask a news archive; every sentence of an answer cites its passage.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: object, summary: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            allow_abbrev=False,
        )
        added.set_defaults(command=run, parser=added)
        added.add_argument(
            "--archive",
            type=Path,
            metavar="DIR",
            help="the archive's folder (BACKFILE_ARCHIVE, else ./archive)",
        )
        if name != "serve":
            added.add_argument("--json", action="store_true", help="print the whole value as JSON")
        return added

    _add_scope(command("ask", ask, "answer a question from the archive, with citations"), k=8)
    _add_scope(command("search", search, "print the passages that answer a question best"), k=10)
    ingesting.add_ingest_arguments(
        command("ingest", ingesting.ingest, "put articles into the archive, new or changed")
    )
    ingesting.add_rejects_arguments(
        command("rejects", ingesting.rejects, "list what was refused and why, or try it again")
    )
    trusting.add_sources_arguments(
        command("sources", trusting.sources, "say whose fetched content may change whose articles")
    )
    history.add_show_arguments(command("show", history.show, "show an article and its past"))
    takedowns.add_remove_arguments(
        command("remove", takedowns.remove, "take articles down, to stay out when fed again")
    )
    takedowns.add_readmit_arguments(
        command("readmit", takedowns.readmit, "let articles in again that were taken down")
    )
    serving = command("serve", serve, "open the page where one asks the archive")
    serving.add_argument("--host", help="address to listen on (BACKFILE_HOST, else 127.0.0.1)")
    serving.add_argument("--port", type=_port, help="port to listen on (BACKFILE_PORT, else 7860)")
    command("status", status, "say what is in the archive")
    caring.add_commands(command)
    evaluating.add_arguments(
        command("evaluate", evaluating.evaluate, "measure how well questions are answered")
    )
    return parser


class _Version(argparse.Action):
    """Prints the version when asked to, so that no other command waits for it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from rag.version import version

        print(f"backfile {version()}")
        parser.exit()


def _add_scope(parser: argparse.ArgumentParser, *, k: int) -> None:
    parser.add_argument(
        "question", nargs="*", metavar="QUESTION", help="in words; - or nothing reads it from stdin"
    )
    parser.add_argument(
        "-k", type=_count, default=k, metavar="N", help="number of passages (%(default)s)"
    )
    parser.add_argument("--asked-on", metavar="DATE", help="answer as if asked on that day (today)")
    parser.add_argument(
        "--as-of", metavar="DAY", help="the archive as it stood at the end of that day"
    )
    parser.add_argument("--after", metavar="DAY", help="only articles of that day or later")
    parser.add_argument(
        "--before", metavar="DAY", help="only articles before that day, which is itself left out"
    )
    parser.add_argument(
        "--publisher", action="append", metavar="NAME", help="only this publisher; may be repeated"
    )
    parser.epilog = 'Dates: 2024-10-24, 2024-10, "24 October 2024", "last week".'


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1000")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
