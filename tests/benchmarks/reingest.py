"""Measure how much faster unchanged input is ingested again.

    python -m tests.benchmarks.reingest [--articles N]

Each is a process of its own, as `backfile ingest` is run; the seconds are those it reports, without
the start of Python.  Nothing may be embedded the second time.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import Any

from tests.benchmarks.__main__ import ARTICLES, ROOT

FLOOR = 20.0  # times faster


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.reingest")
    parser.add_argument("--articles", type=int, default=300)
    options = parser.parse_args()
    if not ARTICLES.exists():
        print(f"nothing to measure with: {ARTICLES} is not there")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "articles.jsonl"
        with gzip.open(ARTICLES, "rt", encoding="utf-8") as lines:
            source.write_text("".join(islice(lines, options.articles)), encoding="utf-8")
        first, again = (_ingest(source, Path(folder) / "archive") for _ in range(2))
    assert again["new"] == again["changed"] == again["passages"] == 0, again
    ratio = first["seconds"] / again["seconds"]
    print(
        f"{options.articles} articles: first {first['seconds']:.2f} s "
        f"({first['passages']} passages), again {again['seconds']:.2f} s, ratio {ratio:.1f}"
    )
    return 0 if ratio >= FLOOR else 1


def _ingest(source: Path, archive: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "ui.cli", "ingest", str(source), "--json"]
    done = subprocess.run(
        [*command, "--archive", str(archive)], cwd=ROOT, capture_output=True, text=True
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


if __name__ == "__main__":
    sys.exit(main())
