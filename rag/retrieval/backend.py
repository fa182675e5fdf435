"""SearchBackend: the interface of an archive that search, answering and evaluation use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from rag.schema import Access, Answer, Article, ArticleMetadata, Filters, Hit, PassageCandidate

Order = Literal["newest first", "oldest first"]

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder


@runtime_checkable
class SearchBackend(Protocol):
    """A searchable archive: `Archive`, `ArchiveSnapshot`, or a fake in tests.

    A search ranks candidates, which have no text; `load_hits` reads the texts of those that are
    shown. The backend owns its `reranker`, so every search uses the same one.
    """

    @property
    def reranker(self) -> BaseCrossEncoder | None:
        """The cross-encoder that reranks the best candidates; None for none."""

    def vector_candidates(
        self, query: str, k: int, *, filters: Filters = ...
    ) -> list[PassageCandidate]:
        """Return the `k` passages nearest to the query by cosine, best first, without texts.

        Args:
            query: Any text.
            k: The most passages to return.
            filters: The filters that the articles must pass.
        """

    def bm25_candidates(
        self, query: str, k: int, *, filters: Filters = ..., phrases: Sequence[str] = ...
    ) -> list[PassageCandidate]:
        """Return the `k` passages that score best by BM25, best first, without texts.

        Args:
            query: The search terms, any of which may match.
            k: The most passages to return.
            filters: The filters that the articles must pass.
            phrases: Phrases whose passages score extra.
        """

    def article_candidates(
        self, query: str, k: int, *, filters: Filters = ...
    ) -> list[PassageCandidate]:
        """Return the `k` articles whose whole texts score best by BM25, as their first passages.

        Args:
            query: The search terms, any of which may match.
            k: The most articles to return.
            filters: The filters that the articles must pass.
        """

    def dated_articles(
        self, k: int, *, filters: Filters = ..., order: Order = ...
    ) -> list[PassageCandidate]:
        """Return the `k` newest or oldest articles that have a date, as their first passages.

        Args:
            k: The most articles to return.
            filters: The filters that the articles must pass.
            order: "newest first", the default, or "oldest first".
        """

    def spelling_candidates(
        self, words: Sequence[str], k: int, *, edits: int, filters: Filters = ...
    ) -> list[PassageCandidate]:
        """Return passages that have all of these words, each with at most so many letters changed.

        Args:
            words: Words of a name, in order.
            k: The most passages to return.
            edits: The most letters of a word that may differ; 0 for the words themselves, which
                must then be adjacent.
            filters: The filters that the articles must pass.
        """

    def passage_vectors(self, found: Sequence[PassageCandidate], /) -> npt.NDArray[np.float32]:
        """Return the candidates' vectors, of shape (n, dimension); zeros for one without a vector.

        Args:
            found: Candidates of a search.
        """

    def similarities(self, query: str, found: Sequence[PassageCandidate], /) -> list[float]:
        """Return the cosine similarity of each candidate to the query; -1.0 if it has no vector.

        Args:
            query: Any text.
            found: Candidates of a search.
        """

    def load_hits(
        self, found: Iterable[PassageCandidate], /, *, access: Access = ...
    ) -> dict[int, Hit]:
        """Return the hits of the candidates that are still in the archive, by number, in order.

        Args:
            found: Candidates of a search.
            access: The reader's rights, as in `Filters`.
        """

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the texts' vectors, an array of shape (n, dimension) with rows of length one."""

    def article(self, article_id: str, /, *, access: Access = ...) -> Article | None:
        """Return an article.

        Args:
            article_id: The article's id.
            access: The reader's rights, as in `Filters`.

        Returns:
            The article; None if it is missing or these rights don't allow reading it.
        """

    def publishers(self, *, access: Access = ...) -> tuple[str, ...]:
        """Return the publishers' names, the one with the most articles first."""

    def publisher_domains(self, *, access: Access = ...) -> dict[str, tuple[str, ...]]:
        """Return the publishers whose articles have addresses on each domain, by domain."""

    def authors(self, *, access: Access = ...) -> tuple[str, ...]:
        """Return the authors' names, sorted."""

    def near_duplicates(
        self, article_ids: Iterable[str], *, filters: Filters = ...
    ) -> dict[str, tuple[ArticleMetadata, ...]]:
        """Return the near-duplicates of each article, by id, the original first.

        Args:
            article_ids: The ids to look up; articles without near-duplicates are left out.
            filters: The filters that the near-duplicates must pass.
        """


@runtime_checkable
class DatedBackend(Protocol):
    """An archive as it was at a moment: `ArchiveSnapshot`."""

    @property
    def day(self) -> datetime:
        """The moment."""

    def with_correction_notes(self, answer: Answer, *, access: Access = ...) -> Answer:
        """Return an answer with notices of the moment and of later corrections."""
