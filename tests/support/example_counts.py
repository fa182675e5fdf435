"""How much a test tries: some in `make test`, more in `make test-full`."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100  # of hypothesis' examples, if nothing says how many


def tries(usual: int) -> int:
    """Return how many examples to try where `usual` would do, by the profile of hypothesis."""
    return max(1, usual * settings().max_examples // USUAL)
