"""Batches of texts of about the same number of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapreplace


def padded_batches(lengths: Sequence[int], limit: int) -> Iterator[list[int]]:
    """Yield text positions, longest first, in batches of at most `limit` padded tokens."""
    longest_first = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    while longest_first:
        size = max(1, limit // max(1, lengths[longest_first[0]]))
        yield longest_first[:size]
        del longest_first[:size]


def even_batches(lengths: Sequence[int], most: int, workers: int = 1) -> list[list[int]]:
    """Return text positions in batches of about `most` tokens, of about the same length.

    Args:
        lengths: Tokens of each text.
        most: Tokens per batch.
        workers: How many batches are computed at once; each gets as many, if there are as many
            texts.
    """
    rounds = max(1, -(-sum(lengths) // (most * workers)))  # 1 for texts without tokens, too
    found = [(0, n, list[int]()) for n in range(min(rounds * workers, len(lengths)))]
    for place in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        taken, number, batch = found[0]
        batch.append(place)
        heapreplace(found, (taken + lengths[place], number, batch))
    return [batch for _, _, batch in found]
