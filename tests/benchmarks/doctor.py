"""Measure `backfile doctor` on 200,000 passages: wall and processor seconds.

    python -m tests.benchmarks.doctor [--passages N] [--keep DIR]

The articles are drawn at random, ten passages of 180 words each, and their vectors are random unit
vectors of 384 dimensions: nothing is embedded.  An archive that is kept is measured again as it is.
Measured on two cores that others kept busy: 20 s of a processor, 44 s in all, first among them.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings

from rag.archive.archive import Archive
from rag.schema import Article, Span
from tests.benchmarks.__main__ import ROOT

CEILING = 60.0  # seconds
PASSAGES, WORDS = 10, 180  # of an article, of a passage
DIMENSIONS = 384
BATCH = 200  # articles
VOCABULARY = 40_000


class RandomVectors(Embeddings):
    """Each text has a random direction, seeded by its length and position in the call."""

    name = "random"

    def __init__(self) -> None:
        self._chance = np.random.default_rng(7)

    def embed_array(self, texts: list[str]) -> np.ndarray:
        return self._chance.normal(size=(len(texts), DIMENSIONS)).astype(np.float32)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.embed_array(texts).tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.doctor")
    parser.add_argument("--passages", type=int, default=200_000)
    parser.add_argument("--keep", type=Path, help="a folder for the archive, to measure it again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive = options.keep or Path(folder) / "archive"
        if not archive.exists():
            _make(archive, options.passages // PASSAGES)
        before, began = _processor_seconds(), time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "ui.cli", "doctor", "--archive", str(archive)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        wall, busy = time.perf_counter() - began, _processor_seconds() - before
    print(done.stdout + done.stderr, end="")
    print(f"{wall:.1f} s, of them {busy:.1f} s of a processor")
    return 0 if done.returncode == 0 and wall < CEILING else 1


def _make(folder: Path, articles: int) -> None:
    chance = np.random.default_rng(11)
    began = time.perf_counter()
    with Archive.open(folder, mode="write", embeddings=RandomVectors()) as archive:
        for first in range(0, articles, BATCH):
            numbers = range(first, min(first + BATCH, articles))
            archive.add(_article(n, chance) for n in numbers)
    print(f"made: {articles:,} articles in {time.perf_counter() - began:.0f} s", flush=True)


def _article(number: int, chance: np.random.Generator) -> tuple[Article, list[Span]]:
    drawn = chance.zipf(1.2, PASSAGES * WORDS) % VOCABULARY
    parts = [
        " ".join(f"w{word}" for word in drawn[i : i + WORDS]) + "."
        for i in range(0, len(drawn), WORDS)
    ]
    article = Article(id=f"bench/{number}", title=f"Article {number}", text=" ".join(parts))
    return article, list(_spans(parts))


def _spans(parts: list[str]) -> Iterator[Span]:
    start = 0
    for part in parts:
        yield Span(start, start + len(part))
        start += len(part) + 1


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
