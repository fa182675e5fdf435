"""The command line with small batches and chunks, so that a short ingest has many of them.

python -m tests.support.small_batches ingest ...
"""

from __future__ import annotations

import sys

from ingest import batching, preparers
from ui.cli import main


def use_small_batches() -> None:
    """Make batches of 8 articles, and send little ahead."""
    batching.BATCH_ARTICLES = 8
    preparers.CHUNK_CHARACTERS = 2_000
    preparers.AHEAD_CHARACTERS = 10_000


if __name__ == "__main__":
    use_small_batches()
    sys.exit(main(sys.argv[1:]))
