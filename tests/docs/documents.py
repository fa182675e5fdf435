"""The README and the pages of docs/, and the code blocks in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(
    r"^(?:<!-- needs (?P<needs>[^>]*) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced code block.

    A block after a comment `<!-- needs ... -->` can't be run in a test: it is only checked.
    """

    place: str
    language: str
    text: str
    needs: str = ""


@dataclass(frozen=True)
class Command:
    """A command line of a console block, and the output shown below it."""

    line: str
    shown: str


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the code blocks of a page, in order: those of the languages, or all."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        place = f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, match.start('text'))}"
        found.append(Block(place, match["language"], match["text"], match["needs"] or ""))
    return [block for block in found if not languages or block.language in languages]


def all_blocks(language: str) -> list[Block]:
    """Return the blocks of one language from all pages."""
    return [block for page in PAGES for block in blocks(page, language)]


def commands(block: Block) -> list[Command]:
    """Return the commands of a console block: its lines that begin with a dollar."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    split = (part.partition("\n") for part in parts)
    return [Command(line.split("  #")[0].strip(), shown) for line, _, shown in split]


def shell_lines() -> list[tuple[str, str]]:
    """Return the lines of all `sh` blocks, each with its place."""
    return [
        (block.place, line.split(" #")[0].strip())
        for block in all_blocks("sh")
        for line in block.text.splitlines()
        if line.split(" #")[0].strip()
    ]


def is_shown(shown: str, printed: str) -> bool:
    """Return whether a page shows this output; `...` stands for any lines."""
    pieces = [_lines(piece) for piece in re.split(r"^\.\.\.$", shown, flags=re.MULTILINE)]
    lines = _lines(printed)
    at = 0
    for number, piece in enumerate(pieces):
        where = _find(lines, piece, at)
        if where is None or (number == 0 and where != 0):
            return False
        at = where + len(piece)
    return at == len(lines) or not pieces[-1]


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _find(lines: Sequence[str], piece: Sequence[str], start: int) -> int | None:
    places = range(start, len(lines) - len(piece) + 1)
    return next((at for at in places if list(lines[at : at + len(piece)]) == list(piece)), None)


def missing_paths(text: str) -> set[str]:
    """Return the paths and path patterns in a text that match no file of the project."""
    named = re.findall(r"(?<![\w/.-])(?:rag|ingest|ui|tests|docs)/[\w./*-]*\w/?", text)
    return {path for path in named if not any(ROOT.glob(path))}
