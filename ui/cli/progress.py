"""How far a long measurement is, in one line of a terminal that writes itself over."""

from __future__ import annotations

import sys


def tell(done: int, of: int, what: str) -> None:
    """Say on stderr how much is done, where a person looks at it."""
    if sys.stderr.isatty():
        end = "\n" if done == of else ""
        print(f"\r{done} of {of} {what}", end=end, file=sys.stderr, flush=True)
