"""Articles as PostgreSQL can store them: without U+0000, and with ids that its indexes can hold."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from rag.archive.adding import NewArticle
from rag.errors import ReadError
from rag.schema import Article, ArticleMetadata, Span
from rag.store.database import LONGEST_KEY

NUL = "\0"
_FIELDS = [field.name for field in fields(ArticleMetadata)]


def as_storable(item: NewArticle) -> NewArticle:
    """Return an article without U+0000, and the spans of its passages at their new places.

    Args:
        item: The article, with its passages if it is split already.

    Raises:
        ReadError: Its id is too long.
    """
    article, spans = (item, None) if isinstance(item, Article) else item
    if len(article.id.encode(errors="surrogatepass")) > LONGEST_KEY:
        raise ReadError(
            f"the id {article.id[:50]!r}... has more than {LONGEST_KEY:,} bytes, the most that a "
            "shared record allows: shorten it"
        )
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
