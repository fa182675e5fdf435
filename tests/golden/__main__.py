"""Write the expected outputs again: `python -m tests.golden [KIND ...]`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

# Before numpy is imported, as the commands do: see `ui.cli`.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from tests.golden import calls, expectations

OVER_ARCHIVE = ("answers", "timelines", "searches", "windows", "histograms")
OVER_FOLDER = ("commands", "figures", "answer_figures")
KINDS = ("help", "ingest", *OVER_ARCHIVE, *OVER_FOLDER)


def write(kinds: Sequence[str]) -> None:
    """Write the expected outputs of these kinds, over a sample archive made for it."""
    if "help" in kinds:
        expectations.write_help(calls.help_pages())
    with tempfile.TemporaryDirectory() as temporary, calls.plain_environment():
        folder = Path(temporary) / "archive"
        reports = calls.ingest_sample(folder)
        if "ingest" in kinds:
            expectations.write("ingest", *reports)
        with calls.open_archive(folder) as archive:
            for kind in (kind for kind in OVER_ARCHIVE if kind in kinds):
                expectations.write(kind, *getattr(calls, kind)(archive))
        for kind in (kind for kind in OVER_FOLDER if kind in kinds):
            expectations.write(kind, *getattr(calls, kind)(folder))


if __name__ == "__main__":
    named = sys.argv[1:] or KINDS
    if unknown := set(named) - set(KINDS):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    write(named)
