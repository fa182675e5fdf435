"""The command line reference generated from click commands."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import click
import pytest

from tests.docs.documents import ROOT


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    pytest.importorskip("mkdocs")
    spec = importlib.util.spec_from_file_location("docs_hooks", ROOT / "docs" / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@click.group()
def program() -> None:
    """Do things."""


@program.command(epilog="\b\nexamples:\n  greet one\n    program greet Ann | wc")
@click.argument("name")
@click.option("--times", default=1, show_default=True, metavar="N", help="how often | at most 3")
@click.option("--secret", hidden=True, help="not for users")
def greet(name: str, times: int, secret: str) -> None:
    """Greet somebody
    by NAME.

    \b
    Colours:
      red   loud
      blue  quiet
    """


@program.command(hidden=True)
def old() -> None:
    """An alias."""


@program.group(
    epilog="\b\nNote:\n  one sentence, and another one\n  that goes on in the next line."
)
def nested() -> None:
    """More things."""


@nested.command()
def inner() -> None:
    """One of them."""


def test_reference_has_each_command_with_usage_and_options(hooks: ModuleType) -> None:
    text = hooks.cli_reference(program, "program")
    headings = [line for line in text.splitlines() if line.startswith("##")]
    assert headings == [
        "## program",
        "### program greet",
        "### program nested",
        "#### program nested inner",
    ]
    assert "program greet [OPTIONS] NAME" in text
    assert r"| `--times N` | how often \| at most 3  [default: 1] |".replace("  ", " ") in text


def test_reference_leaves_hidden_parts_out(hooks: ModuleType) -> None:
    text = hooks.cli_reference(program, "program")
    assert "--secret" not in text
    assert "alias" not in text


def test_reference_keeps_preformatted_help(hooks: ModuleType) -> None:
    text = hooks.cli_reference(program, "program")
    assert "Greet somebody by NAME." in text
    assert "```text\nColours:\n  red   loud\n  blue  quiet\n```" in text
    assert "**examples**\n\n```text\ngreet one\n  program greet Ann | wc\n```" in text


def test_reference_wraps_no_prose_in_code(hooks: ModuleType) -> None:
    text = hooks.cli_reference(program, "program")
    assert "**Note:** one sentence, and another one that goes on in the next line." in text
