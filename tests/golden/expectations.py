"""Expected outputs: read, write and compare them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "expected"
HELP = FOLDER / "help"
TOLERANCE = 1e-3  # of floats: another processor rounds otherwise
_CHECKOUT = re.compile(r"(?<=file:)[^\s\"]*?(?=/ingest/sample/)")  # ids of files hold their folder


def read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def write(name: str, facts: Any, words: Any) -> None:
    """Write both files of a kind; none for words where there are none."""
    FOLDER.mkdir(exist_ok=True)
    for file, value in ((name, facts), (f"{name}.words", words)):
        if value:
            text = _CHECKOUT.sub("", json.dumps(value, ensure_ascii=False, indent=1))
            (FOLDER / f"{file}.json").write_text(f"{text}\n", encoding="utf-8")


def help_file(name: str) -> Path:
    return HELP / f"{name.replace(' ', '-') or 'backfile'}.txt"


def write_help(pages: dict[str, str]) -> None:
    HELP.mkdir(parents=True, exist_ok=True)
    for stale in HELP.glob("*.txt"):
        stale.unlink()
    for name, page in pages.items():
        help_file(name).write_text(page, encoding="utf-8")


def differences(expected: Any, found: Any, path: str = "") -> list[str]:
    """Return where two values differ, one line each; floats may differ by TOLERANCE."""
    expected, found = _jsonable(expected), _jsonable(found)
    if isinstance(expected, dict) and isinstance(found, dict):
        lines = []
        for key in dict.fromkeys([*expected, *found]):
            at = f"{path} > {key}" if path else key
            if key not in found:
                lines.append(f"{at}: missing, expected {_short(expected[key])}")
            elif key not in expected:
                lines.append(f"{at}: not expected: {_short(found[key])}")
            else:
                lines += differences(expected[key], found[key], at)
        return lines
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [line for i, (a, b) in pairs for line in differences(a, b, f"{path}[{i}]")]
    if _is_float(expected) and _is_float(found):
        same = abs(expected - found) <= TOLERANCE
    else:
        same = type(expected) is type(found) and expected == found
    return [] if same else [f"{path}: expected {_short(expected)}, found {_short(found)}"]


def _is_float(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)


def _jsonable(value: Any) -> Any:
    if isinstance(value, str):
        return _CHECKOUT.sub("", value)
    return list(value) if isinstance(value, tuple) else value


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:300]}…"
