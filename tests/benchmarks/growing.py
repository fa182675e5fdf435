"""Measure what 1,000 new articles cost in archives of 10,000 to 1,000,000 passages.

    python -m tests.benchmarks.growing SOURCE [--sizes N ...] [--keep DIR] [--runs N] [--plot FILE]

The articles are twins of SOURCE's (see `tests.benchmarks.searching`), their vectors are given, so
that nothing is embedded, and they go in as `backfile ingest` would write them: the archive is
opened for writing, they are added in batches, and it is closed.  DIR keeps the archives, one for
each size; every run adds articles to them.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.archive import preparation
from rag.archive.archive import Archive
from rag.index.chroma_files import ChromaFiles
from rag.index.compact_vectors import CompactVectors
from rag.index.sync import IndexSync
from rag.index.tantivy_index import TantivyIndex
from rag.schema import Article, Passage, Span
from rag.store.articles import ArticleStore, embedding_text
from rag.store.duplicate_clusters import DuplicateClusters
from rag.store.names import NameStore
from rag.store.passages import Vectors
from tests.benchmarks import bulk
from tests.benchmarks.parts import Place, timed
from tests.benchmarks.searching import GivenVectors, articles_of, turned, twin_of

SIZES = (10_000, 200_000, 1_000_000)
NEW = 1_000  # articles
PASSAGES = 9  # of an article
BATCH = 100  # articles
CEILING = 1.3  # times the cost in the smallest archive
EMBEDDING = 155  # passages a second of two cores, to say what it is of a whole ingest
# Parts of the processor time, and the functions that they are spent in.
PARTS: dict[str, Sequence[Place]] = {
    "opening": [(Archive, "open")],
    "looking for leftovers": [(IndexSync, "remove_leftovers")],
    "record": [(ArticleStore, "put")],
    "  near-duplicates": [(DuplicateClusters, "assign")],
    "  names": [(NameStore, "write")],
    "finding names": [(preparation, "names_of")],
    "text indexes": [(TantivyIndex, "write")],
    "vectors": [(ChromaFiles, "add")],
    "  sealing them": [(ChromaFiles, "mark_synced")],
    "compact vectors": [(CompactVectors, "catch_up")],
    "closing": [(Archive, "close")],
}


@dataclass(frozen=True, slots=True)
class Growth:
    """The cost of one run in an archive of `passages`, in seconds; parts are processor time."""

    passages: int
    wall: float
    processor: float
    parts: dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.growing")
    parser.add_argument("source", type=Path, help="an archive of real articles")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--keep", type=Path, help="a folder for the archives")
    parser.add_argument("--runs", type=int, default=1, help="the median of so many is printed")
    parser.add_argument("--plot", type=Path, help="write a plot of cost against size (extra plots)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.source, options.keep or Path(folder), options.sizes, options.runs)
    report(found)
    if options.plot:
        plot(found, options.plot)
    return 0 if found[-1].wall <= CEILING * found[0].wall else 1


def measure(source: Path, folder: Path, sizes: Sequence[int], runs: int = 1) -> list[Growth]:
    """Return the cost in an archive of each size, the median of some runs by wall time.

    Args:
        source: An archive of real articles.
        folder: The folder that has the archives, or gets them.
        sizes: Numbers of passages, ascending.
        runs: Runs at each size.
    """
    found = []
    for size in sizes:
        place = folder / f"{size}"
        if not place.exists():
            bulk.make(source, place, size)
        every = sorted((_run(source, place) for _ in range(runs)), key=lambda one: one.wall)
        found.append(every[len(every) // 2])
        report(found[-1:])
    return found


def report(found: Sequence[Growth]) -> None:
    """Print the costs side by side."""
    print(f"{'passages':>24}" + "".join(f"{one.passages:12,}" for one in found))
    rows = {"wall time": [one.wall for one in found]}
    rows["processor time"] = [one.processor for one in found]
    rows |= {part: [one.parts.get(part, 0.0) for one in found] for part in PARTS}
    for name, seconds in rows.items():
        print(f"{name:24}" + "".join(f"{value:11.2f}s" for value in seconds))
    if len(found) > 1:
        ratio = found[-1].wall / found[0].wall
        processor = found[-1].processor / found[0].processor
        print(
            f"{ratio:.2f} times the smallest by wall time, {processor:.2f} by processor time; "
            f"{whole_ratio(found):.2f} with embedding at {EMBEDDING}/s"
        )
    sys.stdout.flush()


def whole_ratio(found: Sequence[Growth]) -> float:
    """Return how much longer the last ingest takes than the first one, embedding included."""
    embedding = NEW * PASSAGES / EMBEDDING
    return (found[-1].wall + embedding) / (found[0].wall + embedding)


def plot(found: Sequence[Growth], file: Path) -> None:
    """Write a plot of cost against size.

    Args:
        found: The costs.
        file: The image, of any format that matplotlib writes.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5), dpi=100)
    sizes = [one.passages for one in found]
    axes.plot(sizes, [one.wall for one in found], "o-", label="all")
    for part in ("finding names", "record", "text indexes", "vectors"):
        seconds = [one.parts.get(part, 0.0) for one in found]
        axes.plot(sizes, seconds, "o--", label=part.strip())
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("passages in the archive")
    axes.set_ylabel("seconds for 1,000 new articles")
    axes.legend()
    figure.tight_layout()
    figure.savefig(file)


def _run(source: Path, place: Path) -> Growth:
    given = GivenVectors()
    batches = _new_articles(source, place, given)
    before = _passages(place)
    with timed(PARTS) as parts:
        wall, processor = time.perf_counter(), time.process_time()
        with Archive.open(place, mode="write", embeddings=given) as archive:
            for batch in batches:
                archive.add(batch)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return Growth(before, wall, processor, parts)


def _new_articles(
    source: Path, place: Path, given: GivenVectors
) -> list[list[tuple[Article, list[Span]]]]:
    """Return articles that the archive doesn't have, in batches."""
    chance = np.random.default_rng(7)
    with Archive.open(source) as real, Archive.open(place) as archive:
        some = list(itertools.islice(articles_of(real), NEW))
        number = 1_000
        while archive.article(f"{some[0][0].id}/twin/{number}") is not None:
            number += 1
    made = [_new_article(*one, number, chance, given) for one in some]
    return [made[i : i + BATCH] for i in range(0, len(made), BATCH)]


def _new_article(
    article: Article,
    passages: list[Passage],
    vectors: Vectors,
    number: int,
    chance: np.random.Generator,
    given: GivenVectors,
) -> tuple[Article, list[Span]]:
    one, parts = twin_of(article, passages, number)
    texts = (embedding_text(one.metadata, part.text) for part in parts)
    given.of.update(zip(texts, turned(vectors, chance), strict=True))
    return one, [Span(part.start, part.end) for part in parts]


def _passages(place: Path) -> int:
    with Archive.open(place) as archive:
        return archive.count().passages


if __name__ == "__main__":
    sys.exit(main())
