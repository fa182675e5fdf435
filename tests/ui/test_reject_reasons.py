"""Reasons of rejects for programs: no advice that needs the command line."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ui.reject_reasons import reason_for_programs

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"`backfile |(?<![\w-])--[a-z]")


def _literals() -> list[str]:
    """Return the texts of ingest/ and rag/store/ that name a command, with X for their values."""
    found = []
    for path in sorted((ROOT / "ingest").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        notes = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        inside = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr)
            for part in ast.walk(node)
            if part is not node
        }
        for node in ast.walk(tree):
            if id(node) in notes | inside:
                continue
            if isinstance(node, ast.JoinedStr):
                parts = (getattr(one, "value", "X") for one in node.values)
                found.append("".join(one if isinstance(one, str) else "X" for one in parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return [text for text in found if COMMAND.search(text)]


def test_no_reason_advises_a_command() -> None:
    literals = _literals()
    assert len(literals) >= 8
    for text in literals:
        for reason in (text, f"could not be read: {text}", f"{text}. Later: more"):
            assert not COMMAND.search(reason_for_programs(reason)), text


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "no text: text, body are empty or missing, keys are a, b; use `--map text=KEY`",
            "no text: text, body are empty or missing, keys are a, b; send the text as `text`",
        ),
        (
            "host tarn.lan has the private address 10.0.0.7: `--allow-host tarn.lan` permits it",
            "host tarn.lan has the private address 10.0.0.7. The server's operator can allow it.",
        ),
        (
            "requires a login: pass `--headers FILE` or `--cookies FILE` (401)",
            "requires a login: send the page as a file (401)",
        ),
        (
            "held as 5f0c: b.example may not change a.example/1, an article of a.example. "
            'To allow it: `backfile sources add "Tarn" --host a.example --host b.example`. '
            "Accept: `backfile rejects --accept 5f0c`",
            "held as 5f0c: b.example may not change a.example/1, an article of a.example. "
            "The server's operator can allow it. Accept it in the view Archive of the page.",
        ),
        ("too short: 7 characters", "too short: 7 characters"),
        ("unknown: run `backfile repair --all`", "unknown"),
        ("`backfile x`", "not added"),
    ],
)
def test_reason_for_programs_says_what_a_program_can_do(reason: str, said: str) -> None:
    assert reason_for_programs(reason) == said
