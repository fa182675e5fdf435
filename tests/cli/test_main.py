"""The commands as a whole: names, help, examples, usage errors and shell completion."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pytest

from rag.errors import BackfileError
from rag.schema import Answer, Filters, Statement
from ui.cli import main
from ui.cli.chat import chat_loop
from ui.cli.command import LazyGroup, ManualPage
from ui.cli.main import ALIASES, cli
from ui.cli.options import Scope

ROOT = Path(__file__).parents[2]


def each_command(
    command: click.Command = cli, parent: click.Context | None = None
) -> Iterator[tuple[str, ManualPage]]:
    """Yield every command with its whole name, groups included."""
    assert isinstance(command, ManualPage)
    context = click.Context(command, info_name=command.name, parent=parent)
    yield context.command_path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from each_command(inner, context)


def parse(words: list[str]) -> click.Context:
    """Parse a command line without running it, and return the context of its command."""
    context = cli.make_context("backfile", words)
    while isinstance(context.command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest:
            break
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, rest, parent=context)
    return context


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    try:
        code = main(words)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else -1
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def in_process(code: str, **environ: str) -> str:
    """Run Python code in a process of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


COMMANDS = dict(each_command())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_summary_and_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, *name.split()[1:], "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: {name} [OPTIONS]")
    assert COMMANDS[name].get_short_help_str(limit=72).endswith(".")  # one line in the list
    assert COMMANDS[name].examples
    assert all(example.line in out for example in COMMANDS[name].examples)


@pytest.mark.parametrize(
    "line", [example.line for command in COMMANDS.values() for example in command.examples]
)
def test_example_parses(line: str) -> None:
    first, *words = shlex.split(line.removeprefix('eval "$(').removesuffix(')"'))
    assert first == "backfile"
    end = next((i for i, word in enumerate(words) if word in ("<", ">", "|")), len(words))
    parse(words[:end])


@pytest.mark.parametrize(("former", "name"), ALIASES.items())
def test_former_name_is_hidden_but_works(
    former: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = run(capsys, "--help")[1]
    assert f"  {name} " in listed
    assert f"  {former} " not in listed
    assert run(capsys, former, "--help") == run(capsys, name, "--help")
    ids = [] if name == "reindex" else ["some.example/1"]
    code, _, err = run(capsys, former, *ids, "--archive", str(tmp_path / "none"))
    assert code == 1
    assert "backfile ingest" in err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "backfile: missing command. See `backfile --help`."),
        (
            ["serch"],
            "backfile: no such command 'serch'. Did you mean 'search' or 'user' or 'serve'? "
            "See `backfile --help`.",
        ),
        (
            ["status", "--jsn"],
            "backfile status: no such option '--jsn'. Did you mean '--json'? "
            "See `backfile status --help`.",
        ),
        (
            ["search", "x", "-k", "many"],
            "backfile search: -k: 'many' is not a number from 1 to 1000. "
            "See `backfile search --help`.",
        ),
        (
            ["search", "x", "--after", "2024-10-24", "--before", "2024-10-24"],
            "backfile search: --after must be earlier than --before. See `backfile search --help`.",
        ),
        (
            ["withdraw"],
            "backfile withdraw: ID is missing. See `backfile withdraw --help`.",
        ),
        (
            ["evaluate", "duplicates", "x", "--each", "0"],
            "backfile evaluate duplicates: --each: '0' is not a number from 1. "
            "See `backfile evaluate duplicates --help`.",
        ),
        (
            ["evaluate", "answers", "--altered", "9", "--until", "2024-10-24"],
            "backfile evaluate answers: --until needs QUESTIONS. "
            "See `backfile evaluate answers --help`.",
        ),
        (
            ["ingest", "x", "--every", "15"],
            "backfile ingest: --every: '15' is not a duration: write 90s, 15m, 6h or 1d. "
            "See `backfile ingest --help`.",
        ),
        (
            ["reembed", "--model", "x", "--abandon"],
            "backfile reembed: --model and --abandon cannot be combined. "
            "See `backfile reembed --help`.",
        ),
        (
            ["completion"],
            "backfile completion: SHELL is missing: choose one of bash, zsh, fish. "
            "See `backfile completion --help`.",
        ),
        (
            ["completion", "tcsh"],
            "backfile completion: SHELL: 'tcsh' is not one of 'bash', 'zsh', 'fish'. "
            "See `backfile completion --help`.",
        ),
        (["reembed"], "backfile reembed: --model is missing. See `backfile reembed --help`."),
        (
            ["rejects", "--show", "1", "--accept", "2"],
            "backfile rejects: --show, --accept and --forget cannot be combined. "
            "See `backfile rejects --help`.",
        ),
        (
            ["rejects", "stray"],
            "backfile rejects: unexpected argument 'stray'. See `backfile rejects --help`.",
        ),
        (
            ["status", "a\nb\x1b[31m"],
            "backfile status: got unexpected extra argument (a b). See `backfile status --help`.",
        ),
    ],
)
def test_usage_error_is_one_line_with_a_hint(
    words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, *words) == (2, "", f"{line}\n")


def test_dates_in_words_are_relative_to_asked_on() -> None:
    context = parse(["search", "x", "--after", "3 days ago", "--asked-on", "2024-10-24"])
    assert f"{context.params['after']:%Y-%m-%d}" == "2024-10-21"
    context = parse(["search", "x", "--before", "yesterday", "--as-of", "2024-10-24"])
    assert f"{context.params['before']:%Y-%m-%d}" == "2024-10-23"


def test_group_option_holds_for_its_command() -> None:
    before = parse(["evaluate", "--json", "--archive", "demo", "retrieval", "q.jsonl"]).params
    after = parse(["evaluate", "retrieval", "q.jsonl", "--archive", "demo", "--json"]).params
    assert before == after
    assert before["archive"] == Path("demo")
    assert before["as_json"] is True
    nearer = parse(["evaluate", "--archive", "a", "answers", "--altered", "1", "--archive", "b"])
    assert nearer.params["archive"] == Path("b")


def test_accept_takes_several_ids(tmp_path: Path) -> None:
    params = parse(["rejects", "--accept", "1", "2", "--json", "--accept", "3"]).params
    assert sorted([*params["accept"], *params["more_ids"]]) == ["1", "2", "3"]


def test_only_the_used_command_is_imported() -> None:
    printed = in_process(
        "import sys\nfrom ui.cli import main\n"
        "try: main(['doctor', '--help'])\nexcept SystemExit: pass\n"
        "print(*(name for name in sys.modules if name.startswith('ui.')))"
    )
    imported = printed.splitlines()[-1].split()
    assert "ui.cli.doctor" in imported
    others = {"ui.cli.ingest", "ui.cli.articles", "ui.cli.evaluate", "ui.cli.chat", "ui.render"}
    assert not others & set(imported)


def test_command_modules_import_nothing_heavy() -> None:
    heavy = ["torch", "chromadb", "gradio", "langchain_core", "numpy", "dateparser", "rich"]
    printed = in_process(
        "import sys, click\nfrom tests.cli.test_main import COMMANDS\n"
        f"print(sorted(set(sys.modules) & set({heavy!r})), len(COMMANDS))"
    )
    assert printed.startswith("[] ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_names_the_command(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "completion", shell)
    assert (code, err) == (0, "")
    assert f"_BACKFILE_COMPLETE={shell}_complete" in out


def complete(line: str) -> list[str]:
    """Return what Tab offers at the end of a line in bash."""
    words = line.split(" ")
    printed = in_process(
        "import sys\nfrom ui.cli import main\nsys.exit(main([]))",
        _BACKFILE_COMPLETE="bash_complete",
        COMP_WORDS=line,
        COMP_CWORD=str(len(words) - 1),
    )
    return printed.split()


def test_completion_offers_commands_options_formats_and_files() -> None:
    assert complete("backfile re") == [
        "plain,rejects",
        "plain,reinstate",
        "plain,restore",
        "plain,reindex",
        "plain,reembed",
        "plain,record",
    ]
    assert complete("backfile evaluate r") == ["plain,retrieval"]
    assert "plain,--asked-on" in complete("backfile search --as")
    assert complete("backfile ingest --as iptc") == ["plain,iptc", "plain,iptc7901"]
    assert complete("backfile ingest art") == ["file,art"]
    assert complete("backfile status --archive d") == ["dir,d"]


def test_help_ends_quietly_on_a_closed_pipe() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "--help"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stderr as stderr:
        printed = stderr.read()
    assert (process.wait(timeout=60), printed) == (141, b"")


class Echo:
    """A chatbot that answers with the question, and fails at "fail"."""

    def __init__(self) -> None:
        self.histories: list[list[str]] = []

    def stream(
        self, question: str, *, history: Sequence[tuple[str, Answer]], **_: Any
    ) -> Iterator[Answer]:
        self.histories.append([asked for asked, _ in history])
        if question == "fail":
            raise BackfileError("The chat model failed.")
        yield Answer(question, statements=(Statement(f"You asked {question}"),))


def test_chat_keeps_the_history_and_survives_errors(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\n\nfail\ntwo\n"))
    chatbot = Echo()
    chat_loop(chatbot, Scope(Filters(), None, 8))  # type: ignore[arg-type]
    assert chatbot.histories == [[], ["one"], ["one"]]
    printed = capsys.readouterr()
    assert "You asked one" in printed.out
    assert "You asked two" in printed.out
    assert printed.err == "backfile: The chat model failed.\n"


def test_names_and_modules_of_groups_agree() -> None:
    groups = [command for command in COMMANDS.values() if isinstance(command, LazyGroup)]
    assert len(groups) == 4
    for group in groups:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            assert command.name == name


@pytest.mark.parametrize("words", [["search", "bridge"], ["user", "list"], ["status"]])
def test_record_without_its_package_says_what_to_install(words: list[str], tmp_path: Path) -> None:
    script = "import sys; sys.modules['psycopg'] = None\nfrom ui.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", script, *words, "--archive", str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "BACKFILE_RECORD": "postgresql://me:secret@127.0.0.1:1/press"},
    )
    assert done.returncode == 1
    assert "run `pip install 'backfile[postgres]'`" in done.stderr
    assert len(done.stderr.splitlines()) == 1
