"""Measure how long commands take to start: `--help`, `search`, and `serve` to its first answer.

    python -m tests.benchmarks.starting ARCHIVE [--runs 5]

Each figure is the median of whole processes, from their start to their output: the time that
passes, and that of all processors. The archive's files are in the page cache, since the first run
isn't counted. `serve` is measured until it has answered its first question, over HTTP.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from rag.index.compact_vectors import FILE

CEILINGS = {"--help": 0.3, "search": 1.2, "serve": 5.0}  # seconds on an idle machine
QUESTION = "sanctions on generals"
PATIENCE = 120.0  # seconds for a server to answer


class Seconds(NamedTuple):
    """Durations of a process."""

    wall: float
    processor: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.starting")
    parser.add_argument("archive", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if not (options.archive / FILE).exists():
        print(f"{options.archive} has no {FILE}: a search opens the vector index instead.")
    archive = ["--archive", str(options.archive)]
    commands: dict[str, Callable[[], Seconds]] = {
        "--help": lambda: run(["--help"]),
        "search": lambda: run(["search", QUESTION, *archive]),
        "serve": lambda: first_answer(["serve", *archive]),
    }
    is_slow = False
    for name, measure in commands.items():
        measure()  # reads the files into the page cache
        found = [measure() for _ in range(options.runs)]
        wall, processor = (statistics.median(column) for column in zip(*found, strict=True))
        spread = f"{min(found).wall:.2f}-{max(found).wall:.2f}"
        print(
            f"{name:7} {wall:5.2f} s ({spread}), {processor:5.2f} s of the processors; "
            f"at most {CEILINGS[name]} s"
        )
        is_slow |= wall > CEILINGS[name]
    return int(is_slow)


def run(arguments: Sequence[str]) -> Seconds:
    """Run a command to its end."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", *arguments], stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"backfile {' '.join(arguments)} failed")
    return Seconds(wall, used.ru_utime + used.ru_stime)


def first_answer(arguments: Sequence[str]) -> Seconds:
    """Start a server and ask it a question; return what that took, and stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        began = time.monotonic()
        server = subprocess.Popen(
            [sys.executable, "-m", "ui.cli", *arguments, "--port", str(port)],
            stdout=log,
            stderr=log,
        )
        try:
            _ask(f"http://127.0.0.1:{port}/v1/ask", server)
            wall = time.monotonic() - began
            processor = _processor_seconds(server.pid)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE)
    return Seconds(wall, processor)


def _ask(address: str, server: subprocess.Popen[bytes]) -> None:
    body = json.dumps({"question": QUESTION}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        with suppress(OSError), urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            json.load(answer)["statements"]
            return
        time.sleep(0.02)
    raise SystemExit("the server gave no answer")


def _processor_seconds(pid: int) -> float:
    """Return the processor time of a process so far, in seconds; Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
