"""Articles made ready to be written: a vector for each passage, embedded only where it is new."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rag.schema import Article, Span
from rag.store.articles import Entry, Record, digest_of, embedding_text
from rag.store.passages import Vectors


def with_vectors(
    record: Record,
    articles: Sequence[tuple[Article, str, tuple[Span, ...]]],
    embed: Callable[[Sequence[str]], Vectors],
) -> list[Entry]:
    """Return the entries of articles, each with its fingerprint and passages.

    A passage that any revision of the article had, under the same title and day, keeps its
    vector; the others are embedded in one call, which is not made where there are none.
    """
    texts = [
        [embedding_text(article.head, article.text[s.start : s.end]) for s in spans]
        for article, _, spans in articles
    ]
    digests = [tuple(map(digest_of, of_one)) for of_one in texts]
    known: dict[bytes, bytes] = {}
    for article, _, _ in articles:
        known.update(record.known_vectors(article.id))
    vectors = {digest: np.frombuffer(vector, np.float32) for digest, vector in known.items()}
    pairs = zip((d for ds in digests for d in ds), (t for ts in texts for t in ts), strict=True)
    missing = {digest: text for digest, text in pairs if digest not in vectors}
    if missing:
        vectors.update(zip(missing, embed(list(missing.values())), strict=True))
    empty = np.empty((0, 0), np.float32)
    return [
        Entry(article, mark, spans, ds, np.stack([vectors[d] for d in ds]) if ds else empty)
        for (article, mark, spans), ds in zip(articles, digests, strict=True)
    ]
