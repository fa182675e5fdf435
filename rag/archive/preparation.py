"""Preparing articles to be written: splitting, embedding, names and near-duplicate sketches.

`prepare` needs an article and an embedding model, but no archive and no lock: it may run in any
process, on any machine. Drafts and prepared articles are plain values that can be sent there and
back. `Archive.write` writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rag.schema import Article, Span
from rag.store.articles import PreparedArticle, content_hash, embedding_text, text_digest
from rag.store.duplicate_clusters import sketch_of
from rag.store.names import names_of
from rag.store.passages import Vectors

Embed = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class Draft:
    """An article that is to be written.

    Attributes:
        article: The article.
        spans: Its passages; None to split it.
        known: Digests of the passages whose vectors the archive has: they aren't embedded again.
    """

    article: Article
    spans: tuple[Span, ...] | None = None
    known: frozenset[bytes] = frozenset()


def prepare(
    drafts: Sequence[Draft], *, embeddings: Any, embed: Embed, model: str
) -> list[PreparedArticle]:
    """Compute everything about articles that doesn't depend on the archive.

    Passages with the same text, title and day are embedded once, all in one call; without any,
    there is no call.

    Args:
        drafts: The articles.
        embeddings: The embedding model, which counts the tokens of passages.
        embed: Returns the unit vector of each text with that model, shape (n, dimension).
        model: The model's name.

    Returns:
        One prepared article for each draft, in order.

    Raises:
        ReadError: A text is not valid Unicode.
        ValueError: The embedding model reads so few tokens that no passage fits.
        ModelError: The model failed.
    """
    from rag.chunking import split_article, token_limit  # only for writing

    limit = token_limit(embeddings)
    divided = [
        tuple(split_article(one.article, limit)) if one.spans is None else one.spans
        for one in drafts
    ]
    texts = [
        [embedding_text(one.article.metadata, one.article.text[s.start : s.end]) for s in spans]
        for one, spans in zip(drafts, divided, strict=True)
    ]
    digests = [tuple(map(text_digest, of_one)) for of_one in texts]
    missing = {
        digest: text
        for one, of_digests, of_texts in zip(drafts, digests, texts, strict=True)
        for digest, text in zip(of_digests, of_texts, strict=True)
        if digest not in one.known
    }
    embedded = embed(list(missing.values())) if missing else np.empty((0, 0), np.float32)
    vectors = dict(zip(missing, embedded, strict=True))
    return [
        _prepared(one, spans, of_digests, vectors, model)
        for one, spans, of_digests in zip(drafts, divided, digests, strict=True)
    ]


def _prepared(
    draft: Draft,
    spans: tuple[Span, ...],
    digests: tuple[bytes, ...],
    vectors: dict[bytes, Vectors],
    model: str,
) -> PreparedArticle:
    article = draft.article
    reused = tuple(n for n, digest in enumerate(digests) if digest in draft.known)
    own = [vectors[digest] for digest in digests if digest not in draft.known]
    rows = np.zeros((len(spans), len(own[0]) if own else 0), np.float32)
    if own:
        rows[[n for n in range(len(spans)) if n not in reused]] = own
    return PreparedArticle(
        article,
        content_hash(article),
        spans,
        digests,
        rows,
        names=tuple(names_of(article)),
        sketch=sketch_of(article),
        reused=reused,
        model=model if own else "",
    )


def fill_reused(
    entry: PreparedArticle, known: Mapping[bytes, bytes], embed: Embed
) -> PreparedArticle:
    """Return a prepared article with the vectors of its reused passages.

    Args:
        entry: The article.
        known: The vectors of its earlier revisions, little-endian float32, by digest.
        embed: Embeds those that have been erased since it was prepared.
    """
    lost = [n for n in entry.reused if entry.digests[n] not in known]
    fresh = dict(zip(lost, embed([_text_of(entry, n) for n in lost]), strict=True)) if lost else {}
    found = {
        n: fresh[n] if n in fresh else np.frombuffer(known[entry.digests[n]], "<f4")
        for n in entry.reused
    }
    rows = [found.get(n, row) for n, row in enumerate(entry.vectors)]
    return replace(entry, vectors=np.stack(rows).astype(np.float32), reused=())


def _text_of(entry: PreparedArticle, position: int) -> str:
    span = entry.spans[position]
    return embedding_text(entry.article.metadata, entry.article.text[span.start : span.end])
