"""What the README says is so: every block in it is run, or held against what it speaks of."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from rag.settings import PREFIX, Settings
from tests.commands import Result, environment, run
from ui import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "ingest" / "sample"
SAMPLE_LINES = (SAMPLE / "articles.jsonl").read_text(encoding="utf-8").splitlines()


@dataclass(frozen=True)
class Block:
    language: str
    text: str


def blocks(language: str) -> list[Block]:
    found = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [Block(lang, text) for lang, text in found if lang == language]


def commands(language: str) -> list[str]:
    """The lines that one types: behind a dollar in a console block, each line of a shell one."""
    lines = [line for block in blocks(language) for line in block.text.splitlines()]
    typed = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return typed if language == "console" else [line for line in lines if line.strip()]


@pytest.fixture(scope="module")
def folder(sample_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample archive as `demo`, and articles of the user's own beside it."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copy(SAMPLE / "articles.jsonl", folder)
    asked = ROOT / "tests" / "quality" / "sample_questions.jsonl"
    shutil.copy(asked, folder / "questions.jsonl")
    for name in ("pages", "notes"):
        shutil.copytree(SAMPLE / name, folder / name)
    shutil.copytree(sample_archive, folder / "demo")
    return folder


def backfile(arguments: list[str], folder: Path) -> Result:
    return run(*arguments, folder=folder, COLUMNS="88")


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("command", [c for c in commands("console") if c.startswith("backfile ")])
def test_each_command_of_the_readme_runs(command: str, folder: Path) -> None:
    done = backfile(shlex.split(command)[1:], folder)
    assert done.code == 0, done.stderr
    assert done.stdout.strip()


def test_the_answer_in_the_readme_begins_as_the_real_one_and_quotes(folder: Path) -> None:
    (block,) = (b for b in blocks("console") if "What did South Korea threaten?" in b.text)
    command, _, shown = block.text.partition("\n")
    done = backfile([*shlex.split(command)[2:], "--json"], folder)
    real = [statement["text"] for statement in json.loads(done.stdout)["statements"]]
    statements = [words(part) for part in shown.partition("\nSources\n")[0].split("\n\n")]
    assert statements[0].startswith(real[0])
    texts = words(" ".join(json.loads(line)["text"] for line in SAMPLE_LINES))
    pages = words(" ".join(p.read_text(encoding="utf-8") for p in (SAMPLE / "pages").iterdir()))
    for statement in filter(None, statements):
        quoted = re.sub(r"\s?\[[^\]]*\]", "", statement)  # without names and numbers in brackets
        assert quoted in texts or quoted in pages


@pytest.mark.parametrize("script", [block.text for block in blocks("python")])
def test_each_script_of_the_readme_runs(script: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment(PYTHONWARNINGS="ignore"),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("target", [c.split()[1] for c in commands("console") if c[:5] == "make "])
def test_each_make_command_of_the_readme_exists(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.model
def test_the_article_of_the_readme_goes_in(tmp_path: Path, folder: Path) -> None:
    (block,) = blocks("json")
    (tmp_path / "one.jsonl").write_text(json.dumps(json.loads(block.text)), encoding="utf-8")
    done = backfile(["ingest", "one.jsonl", "--json"], tmp_path)
    assert json.loads(done.stdout)["new"] == 1


@pytest.mark.parametrize("line", [c.split("#")[0].strip() for c in commands("sh")])
def test_each_shell_line_names_what_is_there(line: str) -> None:
    first, *rest = shlex.split(line)
    if first == "backfile":
        cli._parser().parse_args(rest)
    elif first == "export":
        names = {part.split("=")[0] for part in rest} - {"OPENAI_API_KEY"}
        assert names <= {PREFIX + field.name.upper() for field in fields(Settings)}
    else:
        assert (first, rest[0]) == ("pip", "install")
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = re.findall(r"backfile\[(\w+)\]", line)
        assert set(extras) <= set(project["optional-dependencies"])


def test_every_setting_is_in_the_readme() -> None:
    named = set(re.findall(r"`([A-Z_]+)`", README))
    assert {field.name.upper() for field in fields(Settings)} <= named


def test_the_tree_in_the_readme_is_there() -> None:
    (block,) = blocks("text")
    for folder in re.findall(r"(\w+)/", block.text):
        assert any((ROOT / part / folder).is_dir() for part in ("", "rag", "tests"))
