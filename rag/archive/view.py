"""ArchiveView: what a reader of the current archive and a snapshot of a past one have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from rag.schema import Access, Article, Filters, Hit, PassageCandidate
from rag.store.articles import ArticleStore
from rag.store.filters import CURRENT, readable
from rag.store.hits import read_hits


class ArchiveView(ABC):
    """Lookup and search over the revisions that are valid at one moment."""

    _valid = CURRENT  # SQL condition: which revisions belong to this view

    def __init__(self, record: ArticleStore) -> None:
        self._record = record

    @abstractmethod
    def vector_candidates(
        self, query: str, k: int, *, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return the `k` passages nearest to the query by cosine, best first, without texts."""

    @abstractmethod
    def bm25_candidates(
        self, query: str, k: int, *, filters: Filters = Filters(), phrases: Sequence[str] = ()
    ) -> list[PassageCandidate]:
        """Return the `k` passages that score best by BM25, best first, without texts."""

    def vector_search(self, query: str, k: int, *, filters: Filters = Filters()) -> list[Hit]:
        """Return the `k` passages nearest to the query by cosine, best first."""
        found = self.vector_candidates(query, k, filters=filters)
        return list(self.load_hits(found, access=filters.access).values())

    def bm25_search(
        self, query: str, k: int, *, filters: Filters = Filters(), phrases: Sequence[str] = ()
    ) -> list[Hit]:
        """Return the `k` passages that score best by BM25 over the query's words, best first."""
        found = self.bm25_candidates(query, k, filters=filters, phrases=phrases)
        return list(self.load_hits(found, access=filters.access).values())

    def load_hits(
        self, found: Iterable[PassageCandidate], *, access: Access = ()
    ) -> dict[int, Hit]:
        """Return the hits of the candidates that are still here, by number, in order.

        Their metadata include corrections by articles that may be read with these rights.
        """
        return read_hits(self._record, found, self._valid, access)

    def publishers(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the publishers' names, the one with most articles first."""
        return tuple(name for name, *_ in self._record.publishers(self._valid, access) if name)

    def authors(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the authors' names, sorted."""
        return tuple(self._record.authors(self._valid, access))

    def _if_readable(self, article: Article | None, access: Access) -> Article | None:
        """Return the article if these rights allow to read it, now and in this revision."""
        if article is None or not Filters(access=access).may_read(article.access):
            return None
        return article if readable(self._record.database, [article.id], access) else None
