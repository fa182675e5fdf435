"""Measure the structure of the code: its size, the paths through it, its docstrings.

    python -m tests.benchmarks.structure

Paths are counted with `sys.setprofile` over the sample archive: the modules and functions of the
project that one question and one new article enter, and the calls from one module into another.
Imports are done before, so that what runs at import time is not counted.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import re
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from tests.lint import prose

# Before numpy is imported, as the commands do: see `ui.cli`.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ROOT = Path(__file__).parents[2]
PACKAGES = ("rag", "ingest", "ui")
# Gradio takes seconds, and none of these commands imports it; `__main__` runs a command.
NOT_IMPORTED = ("ui/web/", "ui/cli/__main__.py")
QUESTION, ASKED_ON = "When was the treaty signed?", datetime(2024, 11, 15, tzinfo=UTC)
ARTICLE = {
    "id": "harbour.example/bridge",
    "title": "Harbour bridge closed after storm",
    "publisher": "Harbour Post",
    "published": "2024-11-14T09:00:00+00:00",
    "text": (
        "The harbour bridge was closed on Monday after the storm. Mayor Ada Quill said that "
        "repairs would take six weeks. Ferries run every hour until then."
    ),
}
ARCHAIC = re.compile("|".join(prose.ARCHAIC))


@dataclass
class Trace:
    """The functions entered, by module, and the calls between modules."""

    functions: set[tuple[str, str]] = field(default_factory=set)
    crossings: int = 0

    @property
    def modules(self) -> set[str]:
        return {module for module, _ in self.functions}

    def profile(self, frame: FrameType, event: str, _: Any) -> None:
        """Count a call; to be given to `sys.setprofile`."""
        if event != "call":
            return
        module = _module_of(frame)
        name = frame.f_code.co_qualname
        if module is None or name.rsplit(".", 1)[-1].startswith("<"):
            return
        self.functions.add((module, name))
        caller = frame.f_back
        while caller is not None and _module_of(caller) is None:
            caller = caller.f_back
        if caller is not None and _module_of(caller) != module:
            self.crossings += 1


def main() -> None:
    files = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    lengths = [len(file.read_text(encoding="utf-8").splitlines()) for file in files]
    print(f"modules {len(files)}, lines {sum(lengths):,}, median {statistics.median(lengths):g}")
    _print_docstrings(files)
    _print_prose()
    for file in files:
        if not file.relative_to(ROOT).as_posix().startswith(NOT_IMPORTED):
            import_module(_module_name(file))
    with tempfile.TemporaryDirectory() as folder, _quiet():
        traces = _traces(Path(folder))
    for name, path in traces.items():
        print(
            f"{name}: {len(path.modules)} modules, {len(path.functions)} functions, "
            f"{path.crossings:,} calls between modules"
        )


# Paths


def _traces(folder: Path) -> dict[str, Trace]:
    """Return the paths of the first question after opening, and of one new article."""
    from rag import Archive, Chatbot
    from ui.cli.main import main as backfile

    archive = ["--archive", str(folder / "archive")]
    file = folder / "article.jsonl"
    file.write_text(json.dumps(ARTICLE), encoding="utf-8")
    assert backfile(["ingest", "--sample", *archive]) == 0
    with Archive.open(folder / "archive") as opened:
        chatbot = Chatbot(opened)
        asked = _followed(lambda: chatbot.ask(QUESTION, asked_on=ASKED_ON))
    ingested = _followed(lambda: backfile(["ingest", str(file), *archive]))
    return {"Chatbot.ask": asked, "backfile ingest": ingested}


def _followed(call: Callable[[], object]) -> Trace:
    path = Trace()
    threading.setprofile(path.profile)
    sys.setprofile(path.profile)
    try:
        call()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return path


def _module_of(frame: FrameType) -> str | None:
    name = str(frame.f_globals.get("__name__", ""))
    return name if name.split(".", 1)[0] in PACKAGES else None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


# Docstrings


def _print_docstrings(files: list[Path]) -> None:
    public = {name: node for file in files for name, node in _public(file)}
    exported = {
        name: node
        for name, node in public.items()
        if any(name == api or name.startswith(f"{api}.") for api in _exported())
    }
    for title, nodes in (("public names", public), ("names exported by rag", exported)):
        documented = sum(bool(ast.get_docstring(node)) for node in nodes.values())
        google = sum(map(_is_google, nodes.values()))
        print(
            f"{title} {len(nodes)}, with a docstring {documented} ({documented / len(nodes):.0%}), "
            f"in Google style {google} ({google / len(nodes):.0%})"
        )
    texts = [text for file in files for text in _docstrings(file)]
    wrong = sum(bool(prose.QUESTIONS.match(text)) for text in texts)
    print(f"docstrings {len(texts)}, beginning with a question word {wrong}")


Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _public(file: Path) -> Iterator[tuple[str, Definition]]:
    """Yield the public classes, functions and methods of a module with their full names."""
    if file.stem.startswith("_") and file.stem != "__init__":
        return
    scopes = [(_module_name(file), ast.parse(file.read_text(encoding="utf-8")).body)]
    while scopes:
        scope, body = scopes.pop()
        for node in body:
            if isinstance(node, Definition) and not node.name.startswith("_"):
                yield f"{scope}.{node.name}", node
                if isinstance(node, ast.ClassDef):
                    scopes.append((f"{scope}.{node.name}", node.body))


def _is_google(node: Definition) -> bool:
    """Return whether a docstring has the sections that its signature asks for."""
    text = ast.get_docstring(node)
    if not text:
        return False
    if isinstance(node, ast.ClassDef) or any("property" in d for d in _decorators(node)):
        return True
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    given += [extra for extra in (node.args.vararg, node.args.kwarg) if extra]
    takes = any(argument.arg not in ("self", "cls", "_") for argument in given)
    gives = node.returns is not None and ast.unparse(node.returns) not in ("None", "NoReturn")
    has = set(re.findall(r"^(Args|Returns|Yields):$", text, re.MULTILINE))
    return ("Args" in has or not takes) and (bool(has & {"Returns", "Yields"}) or not gives)


def _decorators(node: Definition) -> list[str]:
    return [ast.unparse(decorator) for decorator in node.decorator_list]


def _exported() -> set[str]:
    import rag

    values = (getattr(rag, name) for name in rag.__all__)
    return {f"{v.__module__}.{v.__qualname__}" for v in values if hasattr(v, "__qualname__")}


def _docstrings(file: Path) -> Iterator[str]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield text


def _module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _print_prose() -> None:
    files = [ROOT / "README.md", *(ROOT / "docs").rglob("*")]
    files += [file for package in PACKAGES for file in (ROOT / package).rglob("*")]
    lines = 0
    for file in files:
        sample = (ROOT / "ingest" / "sample") in file.parents
        if file.suffix in (".py", ".json", ".md") and not sample:
            text = file.read_text(encoding="utf-8")
            lines += sum(bool(ARCHAIC.search(line)) for line in text.splitlines())
    print(f"lines with archaic phrases {lines}")


if __name__ == "__main__":
    main()
