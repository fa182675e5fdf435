"""Measure the API at arrival rates, and with one reader who floods it.

    python -m tests.benchmarks.api ARCHIVE [--seconds 60] [--rates 20,60]

The real server, over the loopback address, on the same cores as this program. Searches arrive at a
fixed rate, whether or not earlier ones are answered; each counts from the moment at which it should
have been sent. Then eight readers, each with an address of its own, ask one question after another,
at first alone and then beside a ninth who sends questions as fast as they are answered or refused.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.browser.conftest import ROOT, free_port
from tests.support.commands import command, environment

ONE_READER = "127.0.0.1"
FLOODER = "127.0.0.200"
READERS = 8
FLOOD = 40  # questions of the flooder in flight
WARM_UP = 40  # searches before the first measurement


@dataclass
class Round:
    """Durations of the answered requests, in seconds, and all statuses."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    retry_after: Counter[str] = field(default_factory=Counter)

    def percentile(self, share: float) -> float:
        """Return the duration in milliseconds within which a share of the requests was answered."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0

    def __str__(self) -> str:
        statuses = ", ".join(f"{n} x {status}" for status, n in sorted(self.statuses.items()))
        return (
            f"{statuses}; answered: median {self.percentile(0.5):.0f} ms, "
            f"p95 {self.percentile(0.95):.0f} ms, p99 {self.percentile(0.99):.0f} ms"
        )


@contextmanager
def server(archive: Path) -> Iterator[tuple[str, int]]:
    """Serve an archive until the block ends; yield the address and the process's number."""
    environ = environment(BACKFILE_WRITE_ACCESS="none")
    started = command("serve", "--port", free_port(), "--archive", archive)
    with subprocess.Popen(
        started, env=environ, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        try:
            yield line.split()[4].partition("?")[0], running.pid
        finally:
            running.send_signal(signal.SIGTERM)  # background jobs ignore SIGINT
            running.wait(timeout=60)


def memory(process: int) -> float:
    """Return a process's resident memory in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def client(address: str, source: str, connections: int = 200) -> httpx.AsyncClient:
    """Return a client with an address of its own."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    transport = httpx.AsyncHTTPTransport(local_address=source, limits=limits)
    return httpx.AsyncClient(base_url=address, transport=transport, timeout=60.0)


async def search_at(address: str, rate: float, seconds: float, queries: Sequence[str]) -> Round:
    """Send searches at a rate, and return how they were answered."""
    found, chosen = Round(), random.Random(rate)
    async with client(address, ONE_READER) as opened, asyncio.TaskGroup() as tasks:
        began = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(_search(opened, chosen.choice(queries), due, found))
    return found


async def _search(opened: httpx.AsyncClient, query: str, due: float, found: Round) -> None:
    try:
        response = await opened.post("/v1/search", json={"query": query})
    except httpx.HTTPError as error:
        found.statuses[type(error).__name__] += 1
        return
    found.statuses[str(response.status_code)] += 1
    if response.status_code == 200:
        found.seconds.append(time.perf_counter() - due)
    elif response.status_code == 429:
        found.retry_after[response.headers["retry-after"]] += 1


async def ask_in_turn(
    address: str, seconds: float, queries: Sequence[str], *, flood: bool
) -> tuple[Round, Round]:
    """Have readers ask, beside a flooder or alone; return the answers of both."""
    polite, greedy = Round(), Round()
    until = time.perf_counter() + seconds
    async with asyncio.TaskGroup() as tasks:
        for number in range(READERS):
            source = f"127.0.0.{number + 2}"
            tasks.create_task(_ask(address, source, 1, until, queries, polite))
        if flood:
            tasks.create_task(_ask(address, FLOODER, FLOOD, until, queries, greedy))
    return polite, greedy


async def _ask(
    address: str, source: str, at_once: int, until: float, queries: Sequence[str], found: Round
) -> None:
    chosen = random.Random(source)
    async with client(address, source, at_once) as opened:

        async def ask() -> None:
            while time.perf_counter() < until:
                sent = time.perf_counter()
                question = f"What happened with {chosen.choice(queries)}?"
                response = await opened.post("/v1/ask", json={"question": question})
                found.statuses[str(response.status_code)] += 1
                if response.status_code == 200:
                    found.seconds.append(time.perf_counter() - sent)
                else:
                    await asyncio.sleep(0.05)

        await asyncio.gather(*(ask() for _ in range(at_once)))


async def measure(address: str, process: int, rates: Sequence[float], seconds: float) -> None:
    """Measure a server that runs, and print the figures."""
    async with client(address, ONE_READER) as opened:
        names = (await opened.get("/v1/names", params={"limit": 200})).json()["names"]
        queries = [one["name"] for one in names]
        status = (await opened.get("/v1/status")).json()
        print(f"{status['articles']:,} articles, {status['passages']:,} passages")
        for query in queries[:WARM_UP]:
            await opened.post("/v1/search", json={"query": query})
            await asyncio.sleep(0.1)
    for rate in rates:
        before = memory(process)
        half = await search_at(address, rate, seconds / 2, queries)
        middle = memory(process)
        rest = await search_at(address, rate, seconds / 2, queries)
        half.seconds += rest.seconds
        half.statuses += rest.statuses
        half.retry_after += rest.retry_after
        print(f"{rate:.0f} searches/s for {seconds:.0f} s: {half}")
        print(f"  Retry-After: {dict(half.retry_after)}")
        print(f"  memory: {before:.0f} MB, {middle:.0f} MB, {memory(process):.0f} MB")
    for flood in (False, True):
        polite, greedy = await ask_in_turn(address, seconds / 2, queries, flood=flood)
        print(f"{READERS} readers ask{' beside a flooder' if flood else ''}: {polite}")
        if flood:
            print(f"  the flooder: {greedy}")


def main() -> None:
    """Measure the server over an archive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rates", default="20,60")
    given = parser.parse_args()
    rates = [float(rate) for rate in given.rates.split(",")]
    with server(given.archive) as (address, process):
        asyncio.run(measure(address, process, rates, given.seconds))


if __name__ == "__main__":
    main()
