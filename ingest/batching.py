"""Batches of articles, bounded in number, size and waiting time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from rag.schema import Article

# Articles per transaction: large enough to fill the embedding batches, small enough for memory.
BATCH_ARTICLES = 64
BATCH_CHARACTERS = 2_000_000  # bound of a batch of long articles
BATCH_SECONDS = 10.0  # bound for pages that are fetched slowly


def batches(articles: Iterable[Article]) -> Iterator[list[Article]]:
    """Yield articles in batches, each as soon as it is full or its time is up."""
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
