"""Read damaged inputs of every kind, each kind in a process of its own, and say what went wrong.

    python -m tests.fuzz [KIND ...] [--count 1000] [--seed 0]

A crash, an exception, ten seconds of work, or more than a gigabyte of memory is a failure; the
number of the input reproduces it. Exits with 1 if there was one.
"""

from __future__ import annotations

import argparse
import faulthandler
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from ingest.readers import Failure, Reject, read
from rag.schema import Article
from tests.fuzz.inputs import damage_input, undamaged_inputs

SECONDS = 10
MEMORY = 2**30


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="the number of the first input")
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)  # in the child
    options = parser.parse_args()
    if options.here:
        return read_here(options.kinds[0], range(options.seed, options.count), options.here)
    failed = 0
    for kind in options.kinds or undamaged_inputs():
        failed += fuzz(kind, options.seed, options.seed + options.count)
    return 1 if failed else 0


def fuzz(kind: str, first: int, end: int) -> int:
    """Read the inputs from `first` to before `end`; return how many of them failed."""
    failed = 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder, "at")
        number = first
        while number < end:
            command = [sys.executable, "-m", "tests.fuzz", kind, "--here", str(at)]
            done = subprocess.run(
                [*command, "--seed", str(number), "--count", str(end)],
                capture_output=True,
                text=True,
            )
            if done.returncode == 0:
                break
            number = int(at.read_text() or number)
            failed += 1
            print(f"{kind} {number}: exit {done.returncode}\n{done.stderr[-2000:]}", flush=True)
            number += 1
    seconds = time.monotonic() - started
    print(f"{kind:12} {end - first} inputs, {failed} failed, {seconds:.0f} s", flush=True)
    return failed


def read_here(kind: str, numbers: range, at: Path) -> int:
    """Read inputs in this process, within limits; the file `at` holds the current number."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "input")
        path.write_bytes(undamaged_inputs()[kind])
        check_file(path)  # imports don't count as growth
        # Of processor time, for a busy machine makes everything slow; in C as well, where no
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
        # Processor time, as a busy machine makes everything slow. The signal also ends C code,
        # where no Python handler would run.
        faulthandler.register(signal.SIGPROF, chain=True)
        for number in numbers:
            at.write_text(str(number))
            path.write_bytes(damage_input(kind, number))
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                check_file(path)
            except BaseException:
                traceback.print_exc()
                return 1
            signal.setitimer(signal.ITIMER_PROF, 0)
    return 0


def check_file(path: Path) -> None:
    """Read a file to its end; assert that every article can be stored."""
    for found in read(path):
        assert not isinstance(found, Failure), found.traceback
        if isinstance(found, Article):
            assert found.id, "an article without an id"
            assert any(char.isalnum() for char in found.text), "an article without a text"
            f"{found.title}{found.text}{found.authors}{found.url}{found.id}".encode()
            assert "\x00" not in found.text, "a zero byte"
        elif isinstance(found, Reject):
            assert found.reason, "a reject without a reason"


if __name__ == "__main__":
    sys.exit(main())
