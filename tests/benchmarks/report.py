"""Measure ingest, searches and growth, and write the table of docs/benchmarks.md.

    python -m tests.benchmarks.report [--source ARCHIVE] [--keep DIR] [--sizes N ...]
        [--articles N] [--runs N] [--only ingest search growth] [--print]

Without SOURCE, an archive of real articles, the first ARTICLES of ../shared are one.  DIR keeps
the archives of twins that are made from it, one for each size (see `tests.benchmarks.searching`).
Only the rows that are measured are replaced: the others keep their figures and their day.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tests.benchmarks import bulk, growing, searching
from tests.benchmarks.__main__ import BASELINE, ROOT, ingest_ours, ingest_theirs
from tests.benchmarks.table import Row, describe_machine, replace_rows

PAGE = ROOT / "docs" / "benchmarks.md"
IMAGE = ROOT / "docs" / "images" / "growing.png"
SIZES = (10_000, 200_000)  # passages
KINDS = ("ingest", "search", "growth")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.report")
    parser.add_argument("--source", type=Path, help="an archive of real articles")
    parser.add_argument("--keep", type=Path, help="a folder for the archives of twins")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="in passages")
    parser.add_argument("--articles", type=int, default=600, help="articles of each ingest")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--baseline-python", type=Path, default=BASELINE / "bin" / "python")
    parser.add_argument("--print", action="store_true", help="leave the page as it is")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(options, Path(folder)):
            print(row.format("now"), flush=True)
            rows.append(row)
    if not options.print:
        day = f"{datetime.now(UTC):%Y-%m-%d}"
        page = replace_rows(PAGE.read_text("utf-8"), rows, day, describe_machine())
        PAGE.write_text(page, "utf-8")
    return 0


def measure(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Yield the rows that are asked for.

    Args:
        options: The command's options.
        folder: A temporary folder.
    """
    if "ingest" in options.only:
        yield _measure_ingest(options, folder)
    if not {"search", "growth"} & set(options.only):
        return
    source = options.source or folder / "source" / "archive"
    if not source.exists():
        source.parent.mkdir()
        ingest_ours(source.parent, options.articles)
    kept = options.keep or folder
    for size in options.sizes:
        if not (kept / f"{size}").exists():
            bulk.make(source, kept / f"{size}", size)
    if "search" in options.only:
        for size in options.sizes:
            yield from _search_rows(searching.measure(kept / f"{size}"))
    if "growth" in options.only:
        found = growing.measure(source, kept, options.sizes, options.runs)
        yield _growth_row(found)
        if not options.print:
            growing.plot(found, IMAGE)


def _measure_ingest(options: argparse.Namespace, folder: Path) -> Row:
    ratios, rates = [], []
    for run in range(options.runs):
        place = folder / f"ingest-{run}"
        place.mkdir()
        ours = ingest_ours(place, options.articles).seconds
        theirs = ingest_theirs(place, options.articles, options.baseline_python)
        ratios.append(theirs / ours)
        rates.append(options.articles / ours)
    return Row(
        f"ingest of {options.articles:,} articles, times as fast as LangChain's tutorial",
        f"{statistics.median(ratios):.2f}",
        f"{min(ratios):.2f} to {max(ratios):.2f}",
        f"{statistics.median(rates):.1f} articles a second",
    )


def _search_rows(found: searching.Searches) -> Iterator[Row]:
    for kind, times in found.times.items():
        low, middle, high = np.percentile(times, [5, 50, 95])
        parts = ", ".join(f"{part} {ms:.1f}" for part, ms in found.parts.items())
        yield Row(
            f"search of {found.passages:,} passages, {kind}",
            f"{middle:.0f} ms",
            f"{low:.0f} to {high:.0f} ms (5th to 95th percentile)",
            f"{parts} (ms of a processor); at most {found.resident:,} MB"
            if kind == "no window"
            else "",
        )


def _growth_row(found: Sequence[growing.Growth]) -> Row:
    first, last = found[0], found[-1]
    names = [name for name, seconds in last.parts.items() if seconds >= 0.05 * last.processor]
    parts = ", ".join(f"{n.strip()} {first.parts[n]:.1f} to {last.parts[n]:.1f}" for n in names)
    return Row(
        f"{growing.NEW:,} new articles into {last.passages:,} passages, "
        f"times as long as into {first.passages:,}",
        f"{growing.whole_ratio(found):.2f}; without embedding {last.wall / first.wall:.2f}",
        f"{first.wall:.0f} to {last.wall:.0f} s without embedding",
        f"{parts} (s of a processor)",
    )


if __name__ == "__main__":
    sys.exit(main())
