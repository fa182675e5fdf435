"""Two servers and two ingests on one PostgreSQL record, for as long as is wanted.

    python -m tests.benchmarks.sharing [--seconds N] [--record ADDRESS]

The first ingest shares its folder with the first server, the second one has a folder of its own.
Each adds articles, changes some that the other one adds too, and deletes some. Each server searches
for every new article until it finds it. At the end, each folder is checked by the doctor, and has
to hold what the ingests were told was written.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.archive.archive import Archive, Mode
from rag.archive.doctor import find_problems
from rag.schema import Article
from rag.settings import Settings
from tests.support.fakes import WordEmbeddings
from tests.support.postgres import PostgresServer
from tests.support.processes import Process

SECONDS = 300
LATEST = 5.0  # seconds until a new article answers on every server
PAUSE = 0.3  # seconds between two additions of an ingest
COMMON = 20  # articles that both ingests change
STOP = "stop"  # the file that ends the processes
DIGITS = "bcdfghklmn"  # letters instead of digits: numbers are no words to search for


@dataclass(frozen=True, slots=True)
class Shared:
    """The result of a run.

    Attributes:
        added: Articles that were added.
        latencies: Seconds until each answered on a server, for both servers.
        problems: What went wrong; empty if nothing did.
    """

    added: int
    latencies: tuple[float, ...]
    problems: tuple[str, ...]


def open_archive(root: Path, folder: str, mode: Mode, record: str) -> Archive:
    """Open the archive in one of the machines' folders."""
    settings = Settings(archive=root / folder, record=record)
    return Archive.open(root / folder, mode=mode, settings=settings, embeddings=WordEmbeddings())


def word_of(name: str, number: int) -> str:
    """Return a word that one article alone has."""
    return f"q{name}{''.join(DIGITS[int(digit)] for digit in str(number))}"


def ingest(root: Path, folder: str, name: str, record: str) -> None:
    """Add, change and delete articles until the run is stopped; log what is written."""
    with open_archive(root, folder, "write", record) as archive:
        for number in _rounds(root):
            word = word_of(name, number)
            new = Article(id=word, title=f"Bridge {word}", text=f"The bridge {word} was opened.")
            common = f"common/{number % COMMON}"
            text = f"The bridge has its revision {number} of {name}."
            archive.add([new, Article(id=common, title="A bridge", text=text)])
            _log(root, f"ingest-{name}", {"id": word, "at": time.time()})
            if number % 5 == 4:
                gone = word_of(name, number - 2)
                archive.delete(gone)
                _log(root, f"ingest-{name}", {"deleted": gone})
            time.sleep(PAUSE)


def serve(root: Path, folder: str, record: str) -> None:
    """Search for every new article until it is found; log how long that took."""
    with open_archive(root, folder, "read", record) as archive:
        (root / f"ready-{folder}").touch()
        pending: dict[str, float] = {}
        seen: set[str] = set()
        for _ in _rounds(root):
            entries = read_log(root, "ingest-*")
            written = {one["id"]: one["at"] for one in entries if "id" in one}
            pending |= {word: written[word] for word in written.keys() - seen}
            seen |= written.keys()
            for one in entries:  # what was deleted before it was found never is
                pending.pop(one.get("deleted", ""), None)
            for word, at in list(pending.items()):
                found = {hit.passage.article_id for hit in archive.search(f"bridge {word}", k=5)}
                late = time.time() - at
                if word in found or late > 10 * LATEST:
                    _log(root, f"serve-{folder}", {"word": word, "seconds": late})
                    del pending[word]
            time.sleep(0.05)


def _rounds(root: Path) -> Iterator[int]:
    number = 0
    while not (root / STOP).exists():
        yield number
        number += 1


def _log(root: Path, name: str, entry: dict[str, Any]) -> None:
    with (root / f"{name}.log").open("a") as log:
        print(json.dumps(entry), file=log, flush=True)


def read_log(root: Path, names: str) -> list[dict[str, Any]]:
    """Return the entries of logs, those of each in order."""
    logs = sorted(root.glob(f"{names}.log"))
    lines = (line for log in logs for line in log.read_text().splitlines(keepends=True))
    return [json.loads(line) for line in lines if line.endswith("\n")]


def share(record: str, root: Path, seconds: float) -> Shared:
    """Run two servers and two ingests for some seconds.

    Args:
        record: The address of an empty record.
        root: A folder for the machines' folders.
        seconds: How long the ingests write.
    """
    with open_archive(root, "a", "write", record) as archive:
        archive.add(Article(id="first", title="First", text="The first bridge."))
    servers = [Process(target=serve, args=(root, folder, record)) for folder in ("a", "b")]
    ingests = [Process(target=ingest, args=(root, *of, record)) for of in (("a", "x"), ("c", "y"))]
    for process in servers:
        process.start()
    while not all((root / f"ready-{folder}").exists() for folder in ("a", "b")):
        time.sleep(0.1)
    for process in ingests:
        process.start()
    time.sleep(seconds)
    (root / STOP).touch()
    for process in (*ingests, *servers):
        process.join()
    ended = [f"a process ended with {p.exitcode}" for p in (*servers, *ingests) if p.exitcode]
    written = read_log(root, "ingest-*")
    added = {one["id"] for one in written if "id" in one}
    latencies = tuple(one["seconds"] for one in read_log(root, "serve-*"))
    left = added - {one["deleted"] for one in written if "deleted" in one}
    found = [problem for folder in "abc" for problem in check(root, folder, record, left)]
    return Shared(len(added), latencies, (*ended, *found))


def check(root: Path, folder: str, record: str, left: set[str]) -> Iterator[str]:
    """Yield what is wrong with a folder: it should have these articles, and the common ones."""
    with open_archive(root, folder, "read", record) as archive:
        yield from map(str, find_problems(archive))
        held = {one.id for one in archive.articles()}
    own = {one for one in held if one != "first" and not one.startswith("common/")}
    if own != left:
        yield f"{folder} lacks {sorted(left - own)} and has {sorted(own - left)} too many"


def main() -> int:
    """Run and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--record", default="", help="an empty record; a server is started without")
    options = parser.parse_args()
    server = None if options.record else PostgresServer()
    try:
        with tempfile.TemporaryDirectory() as root:
            record = options.record or server.create_database()  # type: ignore[union-attr]
            done = share(record, Path(root), options.seconds)
    finally:
        if server is not None:
            server.close()
    late = sorted(done.latencies)
    print(
        f"{done.added} articles in {options.seconds:.0f} s; answered on both servers after "
        f"{statistics.median(late):.2f} s (median), {late[int(0.95 * len(late))]:.2f} s (p95), "
        f"{late[-1]:.2f} s (longest)"
    )
    for problem in done.problems:
        print(problem)
    return int(bool(done.problems) or late[-1] > LATEST)


if __name__ == "__main__":
    sys.exit(main())
