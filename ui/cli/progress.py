"""Progress of a long run, in one line of a terminal that is overwritten."""

from __future__ import annotations

import sys


def show_progress(done: int, of: int, what: str) -> None:
    """Print to stderr how much is done, if it is a terminal."""
    if sys.stderr.isatty():
        end = "\n" if done == of else ""
        print(f"\r{done} of {of} {what}", end=end, file=sys.stderr, flush=True)
