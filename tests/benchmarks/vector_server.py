"""Measure vector searches by address against those in the folder, and filling a server.

    python -m tests.benchmarks.vector_server ARCHIVE [--queries N] [--keep DIR]

ARCHIVE is only read: a copy of it is put into DIR and on a server that is started for it.  Queries
are vectors of passages with noise, asked in turn of the folder's index, of the server and, once it
is killed, of this machine without it.  Recall is against exact products of all vectors.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from rag.index.search import Indexes, Scored, k_best
from rag.index.vector_server import open_shared_index
from rag.schema import EVERYTHING, Filters
from rag.settings import Settings
from rag.store.articles import ArticleStore
from rag.store.passages import Vectors
from tests.support.chroma_server import ChromaProcess

K = 100  # as hybrid search asks
NOISE = 0.5  # length of the noise; a question's cosine to its best passage is about .7 to .9
SECONDS = 20.0  # for a search: slow ones are measured, too
YEAR_OF = 2  # years back from the newest passage, for the filtered searches

Search = Callable[[Vectors], Scored]


@dataclass(frozen=True, slots=True)
class Measured:
    """Searches of one kind: times in milliseconds, and recall of the best ten."""

    median: float
    p95: float
    recall: float

    def __str__(self) -> str:
        """Return the figures on a line."""
        return f"{self.median:6.1f} ms, p95 {self.p95:6.1f} ms, recall@10 {self.recall:.3f}"


def main() -> int:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with contextlib.ExitStack() as opened:
        folder = asked.keep or Path(opened.enter_context(tempfile.TemporaryDirectory()))
        for name in ("embedded", "served"):
            if not (folder / name).exists():
                shutil.copytree(asked.archive, folder / name)
        server = ChromaProcess()
        opened.callback(server.remove)
        server.start()
        measure(folder, server, asked.queries)
    return 0


def measure(folder: Path, server: ChromaProcess, queries: int) -> None:
    """Fill the server, and measure the searches."""
    settings = Settings(chroma=server.url, chroma_seconds=SECONDS)
    embedded = open_indexes(folder / "embedded", Settings())
    served = open_indexes(folder / "served", settings)
    store = served._store
    everything = store.passages.numbers()
    assert served.shared is not None
    began = time.perf_counter()
    assert served.shared.catch_up(store.database.sequence()), served.shared.status()
    seconds = time.perf_counter() - began
    size = sum(path.stat().st_size for path in server.folder.rglob("*") if path.is_file())
    print(f"{len(everything):,} passages in {served.shared.status().collections} collections")
    print(f"filled in {seconds:.0f} s: {len(everything) / seconds:,.0f} passages/s")
    print(
        f"the server keeps {size / 2**20:,.0f} MiB, {size / len(everything):,.0f} bytes a passage"
    )
    numbers, matrix = store.passages.vectors(everything)
    rng = np.random.default_rng(7)
    chosen = matrix[rng.choice(len(matrix), queries, replace=False)]
    noise = rng.standard_normal(chosen.shape).astype(np.float32)
    noisy = chosen + NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    vectors = noisy / np.linalg.norm(noisy, axis=1, keepdims=True)
    exact = [{number for number, _ in k_best(v, numbers, matrix, 10)} for v in vectors]

    def search(indexes: Indexes, filters: Filters = EVERYTHING) -> Search:
        return lambda vector: indexes.search_vectors(vector, K, filters=filters)

    for indexes in (embedded, served):
        indexes.refresh()
    wide = since_years(store)
    report("all time", vectors, exact, {"folder": search(embedded), "server": search(served)})
    within = {"folder": search(embedded, wide), "server": search(served, wide)}
    among = len(store.passages.passing(wide))
    report(f"since {wide.after:%Y} ({among:,} passages)", vectors, None, within)
    server.kill()
    report("all time, server gone", vectors, exact, {"this machine": search(served)})


def since_years(store: ArticleStore) -> Filters:
    """Return a filter for the last years of an archive."""
    _, times = store.passages.publication_times(0)
    newest = int(np.nanmax(times.astype("datetime64[Y]")[~np.isnat(times)]).astype(int)) + 1970
    return Filters(after=datetime(newest - YEAR_OF + 1, 1, 1, tzinfo=UTC))


def open_indexes(folder: Path, settings: Settings) -> Indexes:
    """Open the indexes of a copy, with compact vectors."""
    store = ArticleStore(folder, writable=True)
    indexes = Indexes(folder, store, None, open_shared_index(settings, store))
    indexes.compact.catch_up(store)
    return indexes


def report(
    what: str, vectors: Vectors, exact: list[set[int]] | None, searches: dict[str, Search]
) -> None:
    """Print the figures of searches that are asked in turn."""
    times: dict[str, list[float]] = {name: [] for name in searches}
    hits: dict[str, list[float]] = {name: [] for name in searches}
    for i, vector in enumerate(vectors):
        for name, search in searches.items():
            began = time.perf_counter()
            found = search(vector)
            times[name].append(1000 * (time.perf_counter() - began))
            if exact is not None:
                hits[name].append(len(exact[i] & {n for n, _ in found[:10]}) / len(exact[i]))
    print(what)
    for name in searches:
        median, p95 = np.quantile(times[name], [0.5, 0.95])
        recall = float(np.mean(hits[name])) if exact is not None else float("nan")
        print(f"  {name:<14} {Measured(float(median), float(p95), recall)}")


if __name__ == "__main__":
    sys.exit(main())
