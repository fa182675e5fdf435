"""Batches of articles: bounded in number, in size and in the time that they take to come."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from rag.schema import Article

# Articles that are looked up, split, embedded and put in one transaction: what a crash may lose,
# and what is in memory at a time. At 64 the embedding's batches are full and a commit is nothing.
BATCH_ARTICLES = 64
BATCH_CHARACTERS = 2_000_000  # a batch of long articles is put earlier
BATCH_SECONDS = 10.0  # and so is one of pages that are fetched slowly


def batches(articles: Iterable[Article]) -> Iterator[list[Article]]:
    """Yield articles in batches, each as soon as it is full or late."""
    batch: list[Article] = []
    size, begun = 0, time.monotonic()
    for article in articles:
        batch.append(article)
        size += len(article.text)
        late = time.monotonic() - begun > BATCH_SECONDS
        if len(batch) >= BATCH_ARTICLES or size >= BATCH_CHARACTERS or late:
            yield batch
            batch, size, begun = [], 0, time.monotonic()
    if batch:
        yield batch
