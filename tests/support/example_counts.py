"""Number of examples that a test tries: some in `make test`, more in `make test-full`."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100  # hypothesis's default number of examples


def example_count(usual: int) -> int:
    """Return the number of examples to try, `usual` scaled by the hypothesis profile."""
    return max(1, usual * settings().max_examples // USUAL)
