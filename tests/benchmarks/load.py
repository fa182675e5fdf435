"""Measure a server with many clients at once, beside one who asks too much.

    python -m tests.benchmarks.load [--clients 32] [--seconds 60]

The sample archive, extractive answers, the real server. Each client has an address of its own
(127.0.0.2 and on), and one question in flight: for a minute, for another, and for a third in which
one more client adds questions as fast as it can and fetches no answer.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Event

import httpx

from tests.browser.conftest import ROOT, free_port
from tests.support.commands import environment

QUESTIONS = (
    "What did South Korea threaten?",
    "How many soldiers has North Korea sent to Russia?",
    "When was the treaty signed?",
    "What did the Pope say?",
    "Who met in Seoul?",
    "What did President Yoon Suk Yeol say about weapons?",
)
GREEDY = "127.0.0.200"
GREEDY_LEAST = 20  # questions, however short the round is


@dataclass
class Round:
    """Results of the questions of all clients."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    greedy: Counter[int] = field(default_factory=Counter)  # by status, what one too many was told
    busy: str = ""

    @property
    def summary(self) -> str:
        """One line of figures."""
        took = sorted(self.seconds)
        late = took[int(len(took) * 0.95)] if took else 0.0
        middle = median(took) if took else 0.0
        return (
            f"{len(took)} answers, {len(self.errors)} errors, "
            f"median {middle:.2f} s, 95 % within {late:.2f} s"
        )


def hold(address: str, clients: int, seconds: float, *, greedy: bool = False) -> Round:
    """Have so many clients ask for so long, one question each at a time."""
    found, over = Round(), Event()
    with ThreadPoolExecutor(clients + 1) as pool:
        begun = [pool.submit(_ask, address, number, over, found) for number in range(clients)]
        if greedy:
            begun.append(pool.submit(_flood, address, over, found))
        over.wait(seconds)
        over.set()
        for one in begun:
            one.result()
    return found


def _ask(address: str, number: int, over: Event, found: Round) -> None:
    """Ask one question after another from an address of this client's own."""
    source = f"127.0.0.{number + 2}"
    chosen = random.Random(number)
    with _client(address, source) as client:
        while True:
            begun = time.perf_counter()
            try:
                told = client.post("/gradio_api/call/ask", json={"data": [_question(chosen)]})
                told.raise_for_status()
                event = told.json()["event_id"]
                answer = client.get(f"/gradio_api/call/ask/{event}").raise_for_status().text
                if "event: complete" not in answer:
                    found.errors.append(answer[:200])
            except httpx.HTTPError as error:
                found.errors.append(f"{source}: {error!r}")
            found.seconds.append(time.perf_counter() - begun)
            if over.is_set():
                return


def _flood(address: str, over: Event, found: Round) -> None:
    """Add questions as fast as they are rejected, and fetch no answer."""
    with _client(address, GREEDY) as client:
        while not over.is_set() or sum(found.greedy.values()) < GREEDY_LEAST:
            told = client.post("/gradio_api/call/ask", json={"data": [QUESTIONS[0]]})
            found.greedy[told.status_code] += 1
            if told.status_code == 429:
                found.busy = told.json()["detail"]
                over.wait(0.01)


def _question(chosen: random.Random) -> str:
    return f"{chosen.choice(QUESTIONS)[:-1]}, as of {chosen.randint(1, 28)} November 2024?"


def _client(address: str, source: str) -> httpx.Client:
    transport = httpx.HTTPTransport(local_address=source)
    return httpx.Client(base_url=address, timeout=300, transport=transport)


def resident(pid: int) -> float:
    """Return the memory that a process holds, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@contextmanager
def sample_server() -> Iterator[tuple[str, int]]:
    """Serve the sample archive; yield its address and process ID."""
    backfile = [sys.executable, "-m", "ui.cli"]
    with tempfile.TemporaryDirectory() as folder:
        archive = ["--archive", str(Path(folder) / "archive")]
        ingested = [*backfile, "ingest", "--sample", *archive]
        subprocess.run(ingested, env=environment(), check=True, stdout=subprocess.DEVNULL)
        command = [*backfile, "serve", "--port", str(free_port()), *archive]
        with subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as server:
            assert server.stdout is not None
            try:
                yield server.stdout.readline().split()[3].partition("?")[0], server.pid
            finally:
                server.send_signal(signal.SIGINT)
                server.wait(timeout=60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with sample_server() as (address, pid):
        print(f"at the start {resident(pid):.0f} MB")
        held = []
        for name in ("first", "second"):
            found = hold(address, options.clients, options.seconds)
            held.append(resident(pid))
            print(f"{name} minute: {found.summary}; {held[-1]:.0f} MB", flush=True)
            print("\n".join(found.errors[:3]), end="")
        print(f"grown by {100 * (held[1] / held[0] - 1):.1f} % in the second minute")
        found = hold(address, options.clients, options.seconds, greedy=True)
        print(f"beside a greedy one: {found.summary}; {resident(pid):.0f} MB")
        print(f"the greedy one was told {dict(found.greedy)}: {found.busy}")


if __name__ == "__main__":
    main()
