"""Articles as PostgreSQL can store them: without U+0000, which no text of it may contain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from rag.schema import Article, ArticleMetadata, Span

NUL = "\0"
_FIELDS = [field.name for field in fields(ArticleMetadata)]


def without_nul(
    article: Article, spans: Sequence[Span] | None
) -> tuple[Article, Sequence[Span] | None]:
    """Return an article without U+0000, and the spans of its passages at their new places.

    Args:
        article: The article.
        spans: Its passages, if it is split already.
    """
    values = {name: _strip(getattr(article.metadata, name)) for name in _FIELDS}
    if NUL not in article.text and all(
        values[name] == getattr(article.metadata, name) for name in _FIELDS
    ):
        return article, spans
    stripped = Article(text=_strip(article.text), metadata=replace(article.metadata, **values))
    if spans is not None:
        spans = [
            Span(
                span.start - article.text.count(NUL, 0, span.start),
                span.end - article.text.count(NUL, 0, span.end),
            )
            for span in spans
        ]
    return stripped, spans


def _strip(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(NUL, "")
    if isinstance(value, tuple):
        return tuple(map(_strip, value))
    return value
