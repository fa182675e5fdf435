"""Articles as PostgreSQL can store them: without U+0000, which no text of it may contain."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from rag.archive.adding import NewArticle
from rag.schema import Article, ArticleMetadata, Span

NUL = "\0"
_FIELDS = [field.name for field in fields(ArticleMetadata)]


def without_nul(item: NewArticle) -> NewArticle:
    """Return an article without U+0000, and the spans of its passages at their new places.

    Args:
        item: The article, with its passages if it is split already.
    """
    article, spans = (item, None) if isinstance(item, Article) else item
    values = {name: getattr(article.metadata, name) for name in _FIELDS}
    stripped = {name: _strip(value) for name, value in values.items()}
    if NUL not in article.text and stripped == values:
        return item
    metadata = replace(article.metadata, **stripped)
    clean = Article(text=_strip(article.text), metadata=metadata)
    if spans is None:
        return clean
    return clean, [_moved(article.text, span) for span in spans]


def _moved(text: str, span: Span) -> Span:
    return Span(
        span.start - text.count(NUL, 0, span.start), span.end - text.count(NUL, 0, span.end)
    )


def _strip(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(NUL, "")
    if isinstance(value, tuple):
        return tuple(map(_strip, value))
    return value
