"""Articles similar to an article, by the vectors of their passages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

from rag.schema import Article, ArticleMetadata, Filters, Hit

QUERY_CHARACTERS = 600  # of the headline and the beginning; models cut longer texts
PASSAGES = 40  # nearest passages to read; several may be of one article


class Searchable(Protocol):
    """Part of an archive that the search for similar articles needs."""

    def search(
        self, query: str, k: int = ..., *, mode: Literal["vector"] = ..., filters: Filters = ...
    ) -> list[Hit]:
        """Return the `k` passages nearest to the query, best first."""

    def near_duplicates(
        self, article_ids: Iterable[str], *, filters: Filters = ...
    ) -> dict[str, tuple[ArticleMetadata, ...]]:
        """Return the near-duplicates of each article, by id."""


def similar_articles(
    archive: Searchable, article: Article, k: int = 5, *, filters: Filters = Filters()
) -> list[ArticleMetadata]:
    """Return the articles whose passages are nearest to an article's beginning, nearest first.

    Args:
        archive: The archive to search.
        article: The article.
        k: The most articles to return.
        filters: The filters that the articles must pass; by default, all that need no right.

    Returns:
        Their metadata, without the article itself, and with only one of several near-duplicates.
    """
    query = f"{article.title}\n{article.text}"[:QUERY_CHARACTERS].strip()
    if not query:
        return []
    hits = archive.search(query, PASSAGES, mode="vector", filters=filters)
    found = {hit.passage.article_id: hit.metadata for hit in hits}
    copies = archive.near_duplicates([article.id, *found], filters=filters)
    seen = {article.id, *(copy.article_id for copy in copies.get(article.id, ()))}
    similar = []
    for article_id, metadata in found.items():
        if article_id not in seen:
            similar.append(metadata)
            seen |= {article_id, *(copy.article_id for copy in copies.get(article_id, ()))}
    return similar[:k]
