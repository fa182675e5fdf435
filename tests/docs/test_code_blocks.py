"""Code blocks of the README and the documentation: run, or checked against the code."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import tomllib
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import fields
from pathlib import Path

import click
import pytest

from ingest.trusted_sources import read_trusted_sources
from rag.evaluate.retrieval import read_questions
from rag.settings import PREFIX, Settings
from tests.docs.documents import (
    PAGES,
    ROOT,
    Command,
    all_blocks,
    blocks,
    commands,
    is_shown,
    shell_lines,
)
from tests.support.commands import run
from ui.cli.main import cli

SAMPLE = ROOT / "ingest" / "sample"
NOT_OURS = {"OPENAI_API_KEY"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture
def folder(sample_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the sample archive as `demo`, and a user's own files beside it."""
    here = tmp_path / "here"
    shutil.copytree(sample_archive, here / "demo")
    shutil.copy(SAMPLE / "articles.jsonl", here)
    shutil.copy(ROOT / "tests" / "quality" / "sample_questions.jsonl", here / "questions.jsonl")
    for name in ("pages", "notes"):
        shutil.copytree(SAMPLE / name, here / name)
    monkeypatch.chdir(here)
    return here


@pytest.mark.model
@pytest.mark.parametrize(
    "page", [p for p in PAGES if blocks(p, "console", "python")], ids=lambda page: page.stem
)
def test_page_blocks_run(page: Path, folder: Path) -> None:
    for block in blocks(page, "console", "python"):
        if block.language == "python":
            printed = _run_script(block.text, block.place, is_complete=not block.needs)
            assert printed.strip() or block.needs, f"{block.place} prints nothing"
        else:
            for command in commands(block):
                _check_command(command, block.place)


def _check_command(command: Command, place: str) -> None:
    """Run a command of a console block, and compare its output with what is shown."""
    program, *arguments = shlex.split(command.line)
    if program == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert re.search(rf"^{arguments[0]}:", makefile, re.MULTILINE), f"{place}: {command.line}"
        return
    assert program == "backfile", f"{place}: {command.line}"
    done = run(*arguments, COLUMNS="88")
    assert done.code == 0, f"{place}: {command.line}: {done.stderr}"
    assert done.stdout.strip(), f"{place}: {command.line} prints nothing"
    if command.shown.strip():
        assert is_shown(command.shown, done.stdout), f"{place} is not:\n{done.stdout}"


def _run_script(script: str, place: str, *, is_complete: bool) -> str:
    """Run a script, or compile it if it needs something tests lack; return its output.

    It runs in a thread of its own: where Playwright is open, this one has an event loop already.
    """
    code = compile(script, place, "exec")
    printed = io.StringIO()
    if is_complete:
        with (
            redirect_stdout(printed),
            warnings.catch_warnings(action="ignore"),
            ThreadPoolExecutor(1) as thread,
        ):
            thread.submit(exec, code, {"__name__": "__main__"}).result()
    return printed.getvalue()


def test_readme_shows_an_answer_first() -> None:
    first = blocks(PAGES[0])[0]
    assert first.language == "console"
    assert len(commands(first)[0].shown.splitlines()) > 10


@pytest.mark.parametrize(("place", "line"), shell_lines())
def test_shell_line_names_existing_options(place: str, line: str) -> None:
    first, *rest = shlex.split(line)
    if first == "backfile":
        _parse(rest)
    elif first == "export":
        names = {part.split("=")[0] for part in rest} - NOT_OURS
        assert names <= {PREFIX + field.name.upper() for field in fields(Settings)}
    else:
        assert (first, rest[0]) == ("pip", "install"), place
        assert set(re.findall(r"\.\[(\w+)\]", line)) <= set(PROJECT["optional-dependencies"])


def _parse(arguments: list[str]) -> None:
    """Parse a command line as `backfile` does, without running it."""
    command: click.Command = cli
    context, name = None, "backfile"
    while isinstance(command, click.Group):
        context = command.make_context(name, arguments, parent=context)
        rest = [*context._protected_args, *context.args]
        if command.invoke_without_command and not rest:
            return
        found, inner, arguments = command.resolve_command(context, rest)
        assert found is not None
        assert inner is not None
        name, command = found, inner
    command.make_context(name, arguments, parent=context)


@pytest.mark.model
def test_json_blocks_are_articles_or_questions(folder: Path) -> None:
    found = [(block.place, json.loads(block.text)) for block in all_blocks("json")]
    assert found
    for number, (place, value) in enumerate(found):
        if "question" in value:
            assert read_questions([json.dumps(value)]), place
            continue
        Path("one.jsonl").write_text(json.dumps(value), encoding="utf-8")
        assert run("ingest", "one.jsonl", "--archive", f"one-{number}").code == 0, place


def test_toml_blocks_are_trusted_sources(tmp_path: Path) -> None:
    for block in all_blocks("toml"):
        (tmp_path / "sources.toml").write_text(block.text, encoding="utf-8")
        assert read_trusted_sources(tmp_path).sources, block.place


def test_settings_table_matches_the_defaults() -> None:
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = dict(_setting_rows(table))
    assert rows == {f.name.upper(): _shown(f.default) for f in fields(Settings)}


def _setting_rows(table: str) -> Iterator[tuple[str, str]]:
    for names, default in re.findall(
        r"^\| ((?:`[A-Z_]+`(?:, )?)+) \| (?:`(.*?)`)? ?\|", table, re.M
    ):
        for name in re.findall(r"[A-Z_]+", names):
            yield name, default


def _shown(default: object) -> str:
    return str(int(default)) if isinstance(default, float) else str(default)


def test_shown_output_may_leave_lines_out() -> None:
    printed = "one\ntwo\n\nthree\n"
    assert is_shown("one\ntwo\nthree\n", printed)
    assert is_shown("one\n...\n", printed)
    assert is_shown("...\nthree\n", printed)
    assert not is_shown("one\n", printed)
    assert not is_shown("two\nthree\n", printed)
    assert not is_shown("one\n...\nfour\n", printed)
