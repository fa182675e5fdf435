"""Measure how long commands take to start: `--help`, `search`, and `serve` to its first answer.

    python -m tests.benchmarks.starting ARCHIVE [--runs 5]

Each figure is the median of whole processes, from their start to their output: the time that
passes, and that of all processors. The archive's files are in the page cache, since the first run
isn't counted, and it compiles the modules. `serve` is asked over HTTP: at once for a search, a
question after it, and the page.
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

# seconds on an idle machine; those of a server to its first answers of each kind
CEILINGS = {"--help": 0.3, "search": 1.2, "/v1/search": 5.0, "/v1/ask": 5.0, "page": 15.0}
# as for users: modules are compiled once
ENVIRONMENT = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
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
    commands: dict[str, Callable[[], dict[str, Seconds]]] = {
        "--help": lambda: {"--help": run(["--help"])},
        "search": lambda: {"search": run(["search", QUESTION, *archive])},
        "serve": lambda: first_answers(["serve", *archive]),
    }
    is_slow = False
    for measure in commands.values():
        measure()  # reads the files into the page cache
        runs = [measure() for _ in range(options.runs)]
        for name in runs[0]:
            is_slow |= show(name, [found[name] for found in runs])
    return int(is_slow)


def show(name: str, found: Sequence[Seconds]) -> bool:
    """Print the median of some runs; return whether it is above the ceiling."""
    wall, processor = (statistics.median(column) for column in zip(*found, strict=True))
    print(
        f"{name:10} {wall:5.2f} s ({min(found).wall:.2f}-{max(found).wall:.2f}), "
        f"{processor:5.2f} s of the processors; at most {CEILINGS[name]} s"
    )
    return wall > CEILINGS[name]


def run(arguments: Sequence[str]) -> Seconds:
    """Run a command to its end."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", *arguments], stdout=subprocess.DEVNULL, env=ENVIRONMENT
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"backfile {' '.join(arguments)} failed")
    return Seconds(wall, used.ru_utime + used.ru_stime)


def first_answers(arguments: Sequence[str]) -> dict[str, Seconds]:
    """Start a server, and return how long its first answers took; stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    requests = {
        "/v1/search": _request(port, "/v1/search", {"query": QUESTION}),
        "/v1/ask": _request(port, "/v1/ask", {"question": QUESTION}),
        "page": urllib.request.Request(f"http://127.0.0.1:{port}/config"),
    }
    found = {}
    with tempfile.TemporaryFile() as log:
        began = time.monotonic()
        server = subprocess.Popen(
            [sys.executable, "-m", "ui.cli", *arguments, "--port", str(port)],
            stdout=log,
            stderr=log,
            env=ENVIRONMENT,
        )
        try:
            for name, request in requests.items():
                _ask(request, server)
                found[name] = Seconds(time.monotonic() - began, _processor_seconds(server.pid))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE)
    return found


def _request(port: int, path: str, body: dict[str, str]) -> urllib.request.Request:
    sent = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    return urllib.request.Request(f"http://127.0.0.1:{port}{path}", sent, headers)


def _ask(request: urllib.request.Request, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        with suppress(OSError), urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            json.load(answer)
            return
        time.sleep(0.02)
    raise SystemExit(f"the server gave no answer to {request.full_url}")


def _processor_seconds(pid: int) -> float:
    """Return the processor time of a process so far, in seconds; Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
