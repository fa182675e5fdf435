"""Refuse archaic and off-house words in prose, so that they don't come back.

    python -m tests.lint.prose

Prints `path:line: word -> suggestion` for each finding and exits with 1 if there are any. Archaic
phrases, and those of `phrases.py`, are refused in all text of the packages and the documentation;
off-house words only in docstrings and comments, outside of quotes and backticks, because
identifiers and data may need them.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lint.phrases import PHRASES

ROOT = Path(__file__).parents[2]
PACKAGES = ("rag", "ingest", "ui")
TEXTS = (*PACKAGES, "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "mkdocs.yml")
TEXT_SUFFIXES = (".py", ".json", ".po", ".md", ".js", ".html", ".yml", ".toml")
SAMPLE = "ingest/sample"  # articles, which are data

ARCHAIC = {
    r"borne out": "supported",
    r"\banew\b": "again",
    r"told of": "reported, passed to",
    r"whoever": "the user, the caller",
    r"to be had": "available",
    r"is none": "isn't one, is missing",
}
OFF_HOUSE = {
    r"holdings": "archive",
    r"tellings|(?:a|the|one|each|every|other|of) telling": "near-duplicate, copy",
    r"t(?:ake|akes|aken|aking|ook) back": "withdraw, reclaim",
    r"g(?:ive|ives|iven|iving|ave) back": "return",
    r"readmit(?:s|ted|ting)?": "reinstate",
    r"top_k": "k",
    r"the nouns": "the value types",
    r"litter(?:ed|s)?": "boilerplate",
    r"shel(?:f|ves)|houses?": "archive, publisher",
    r"desks?": "session, archive",
    r"(?<!running )heads?": "metadata, start",
    r"(?<!balanced )accuracy": "recall@k, the name of the measure",
    r"word index(?:es)?": "text index",
    r"time windows?|stretch(?:es)?(?: of time)?": "time range",
    r"hub pages?": "link page",
    r"mend(?:s|ed|ing)?": "repair, fix",
    r"way out": "fix",
    r"vouch(?:es|ed|ing)?": "trust, confirm",
    r"take[ns]?(?: it)? for granted": "assume",
    r"lest|whence|whither|wherein|therein|thereof|thereby|whereupon": "modern English",
    r"hitherto|forthwith|heretofore|nought|naught|aught|erstwhile|whilst": "modern English",
    r"for want of|in lieu of|of a piece": "modern English",
}
QUESTIONS = re.compile(r"(?:What|Who|Whether|Which|Where|How)\b")

# Right uses of these words, by path and word, with the reason.
ALLOWED = {
    ("ingest/readers/bylines.py", "desk"): "a department of a newsroom, credited in bylines",
    ("ingest/readers/bylines.py", "desks"): "departments of a newsroom, credited in bylines",
    ("ingest/readers/non_authors.py", "desk"): "a department of a newsroom, credited in bylines",
    ("ingest/readers/non_authors.py", "desks"): "departments of a newsroom, credited in bylines",
    ("rag/query/answer_type.py", "head"): "the head noun of a phrase, as grammar calls it",
}

_ARCHAIC = {re.compile(pattern): use for pattern, use in ARCHAIC.items()}
_OFF_HOUSE = {
    re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE): use for pattern, use in OFF_HOUSE.items()
}
# A phrase may go over lines, and from one string or comment to the next.
_BETWEEN = r"[\s\"'#*]+"
_PHRASES = {
    re.compile(_BETWEEN.join(map(re.escape, phrase.split())), re.IGNORECASE): use
    for phrase, use in PHRASES.items()
}
_QUOTED = re.compile(r"`[^`\n]*`|\"[^\"\n]*\"|“[^”\n]*”")
_DIRECTIVE = re.compile(r"#\s*(?:noqa|type:|fmt:|ruff:)")


@dataclass(frozen=True)
class Finding:
    """Words that are refused, and words to use instead."""

    path: str
    line: int
    words: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.words} -> {self.instead}"


def check(root: Path = ROOT) -> list[Finding]:
    """Return the findings in a source tree, by path and line."""
    found: list[Finding] = []
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        found += _find_archaic(name, text)
        found += _find_phrases(name, text)
        if path.suffix == ".py" and name.startswith(tuple(f"{package}/" for package in PACKAGES)):
            found += _find_off_house(name, text)
            found += _find_questions(name, text)
    found = [one for one in found if (one.path, one.words.lower()) not in ALLOWED]
    return sorted(set(found), key=lambda one: (one.path, one.line, one.words))


def main(root: Path = ROOT) -> int:
    """Print the findings of a source tree; return the exit code."""
    found = check(root)
    for one in found:
        print(one)  # noqa: T201
    return 1 if found else 0


def _files(root: Path) -> Iterator[Path]:
    for name in TEXTS:
        entry = root / name
        for path in sorted(entry.rglob("*")) if entry.is_dir() else [entry]:
            is_sample = path.is_relative_to(root / SAMPLE)
            if path.is_file() and path.suffix in TEXT_SUFFIXES and not is_sample:
                yield path


def _find_archaic(name: str, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, use in _ARCHAIC.items():
            for match in pattern.finditer(line):
                yield Finding(name, number, match[0], use)


def _find_phrases(name: str, text: str) -> Iterator[Finding]:
    for pattern, use in _PHRASES.items():
        for match in pattern.finditer(text):
            yield Finding(name, text.count("\n", 0, match.start()) + 1, match[0], use)


def _find_off_house(name: str, text: str) -> Iterator[Finding]:
    for first, block in _prose(text):
        unquoted = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), block)
        for number, line in enumerate(unquoted.split("\n"), first):
            for pattern, use in _OFF_HOUSE.items():
                for match in pattern.finditer(line):
                    yield Finding(name, number, match[0], use)


def _find_questions(name: str, text: str) -> Iterator[Finding]:
    for line, docstring in _docstrings(text):
        if match := QUESTIONS.match(docstring):
            yield Finding(name, line, match[0], "a noun or an imperative first")


def _prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield the docstrings and comments of a module, with the line of each."""
    yield from _docstrings(text)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and not _DIRECTIVE.match(token.string):
            yield token.start[0], token.string


def _docstrings(text: str) -> Iterator[tuple[int, str]]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, kinds) and ast.get_docstring(node):
            first = node.body[0]
            assert isinstance(first, ast.Expr)
            assert isinstance(first.value, ast.Constant)
            yield first.lineno, str(first.value.value)


if __name__ == "__main__":
    sys.exit(main())
