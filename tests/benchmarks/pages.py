"""Measure the pages read per second by one process, and by one per core.

    python -m tests.benchmarks.pages [--pages N] [--rounds R]

The pages are those of ../shared/data/extraction, over and over.
"""

from __future__ import annotations

import argparse
import gzip
import os
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from ingest.readers import ReaderOptions, read

PAGES = Path(__file__).parents[3] / "shared" / "data" / "extraction" / "html"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    workers = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        for n, page in enumerate(islice(cycle(sorted(PAGES.iterdir())), options.pages)):
            Path(folder, f"{n:05}").write_bytes(gzip.decompress(page.read_bytes()))
        next(read(folder))  # what is imported on the way is not counted
        ratios = []
        for _ in range(options.rounds):  # in turns, so that a busy minute falls on both
            took = [seconds(folder, number) for number in (1, workers)]
            ratios.append(took[0] / took[1])
            rates = ", ".join(f"{options.pages / one:.0f}" for one in took)
            print(f"pages/s by 1 process and by {workers}: {rates}; ratio {ratios[-1]:.2f}")
        print(f"median ratio {median(ratios):.2f}")


def seconds(folder: str, workers: int) -> float:
    start = time.perf_counter()
    for _ in read(folder, reading=ReaderOptions(workers=workers)):
        pass
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
