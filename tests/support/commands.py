"""Run `backfile` commands, in this process or in one of their own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from ui.cli import main

ROOT = Path(__file__).parents[2]


class Result(NamedTuple):
    """Exit code and output of a command."""

    code: int
    stdout: str
    stderr: str


def run(*arguments: object, stdin: str = "", folder: Path | None = None, **settings: str) -> Result:
    """Run a command in this process, in a folder; `settings` are environment variables for it.

    Standard input is no terminal, and no setting of the caller's own environment is read.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with (
        patch.dict(os.environ, environment(**settings), clear=True),
        patch("sys.stdin", io.StringIO(stdin)),
        chdir(folder or Path.cwd()),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return Result(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]


def run_process(*arguments: object, **settings: str) -> Result:
    """Run a command in a process of its own and wait for it."""
    done = subprocess.run(
        command(*arguments),
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def start(*arguments: object, environ: dict[str, str] | None = None, **popen: Any) -> Any:
    """Start a command in a process of its own; the rest is for `subprocess.Popen`."""
    return subprocess.Popen(command(*arguments), env=environment(**environ or {}), **popen)


def command(*arguments: object) -> list[str]:
    """Return the command line of a command, for a process of its own."""
    return [sys.executable, "-m", "ui.cli", *map(str, arguments)]


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment without Backfile's settings, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BACKFILE_")}
    return {**kept, "PYTHONPATH": str(ROOT), **settings}
