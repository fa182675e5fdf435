"""ArchiveView: base class of the current archive's reader and of snapshots."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Literal, cast, get_args, overload

import numpy as np

from rag.archive.names import NameCatalogue, NameCount, NamePage
from rag.errors import InvalidValueError
from rag.nlp.name_kinds import Kind
from rag.retrieval.backend import Order, SearchBackend
from rag.retrieval.hybrid import retrieve
from rag.schema import Access, Article, Filters, Hit, PassageCandidate
from rag.store.articles import ArticleStore
from rag.store.filters import CURRENT, readable
from rag.store.hits import read_candidates, read_hits
from rag.store.passages import Vectors

if TYPE_CHECKING:
    from langchain_core.documents import Document

    from rag.retrieval.langchain import NewsRetriever

SearchMode = Literal["hybrid", "vector", "bm25"]


class ArchiveView(ABC):
    """Lookup and search over the revisions that are valid at one moment."""

    _valid = CURRENT  # SQL condition on the revisions that belong to this view

    def __init__(self, store: ArticleStore) -> None:
        self._store = store

    @abstractmethod
    def vector_candidates(
        self, query: str, k: int, *, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return the `k` passages nearest to the query by cosine, best first, without texts.

        Args:
            query: Any text.
            k: The most passages to return.
            filters: The filters that the articles must pass.

        Returns:
            The candidates; a higher score is better.
        """

    @abstractmethod
    def bm25_candidates(
        self, query: str, k: int, *, filters: Filters = Filters(), phrases: Sequence[str] = ()
    ) -> list[PassageCandidate]:
        """Return the `k` passages that score best by BM25, best first, without texts.

        Args:
            query: The search terms, any of which may match.
            k: The most passages to return.
            filters: The filters that the articles must pass.
            phrases: Phrases whose passages score extra.

        Returns:
            The candidates; a higher score is better.
        """

    @abstractmethod
    def article_candidates(
        self, query: str, k: int, *, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return the `k` articles whose whole texts score best by BM25, as their first passages.

        Args:
            query: The search terms, any of which may match.
            k: The most articles to return.
            filters: The filters that the articles must pass.

        Returns:
            The candidates; a higher score is better.
        """

    @abstractmethod
    def spelling_candidates(
        self, words: Sequence[str], k: int, *, edits: int, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return passages that have all of these words, each with at most so many letters changed.

        Args:
            words: Words of a name, in order.
            k: The most passages to return.
            edits: The most letters of a word that may differ; 0 for the words themselves, which
                must then be adjacent.
            filters: The filters that the articles must pass.

        Returns:
            The candidates.
        """

    @abstractmethod
    def article(self, article_id: str, *, access: Access = ()) -> Article | None:
        """Return an article.

        Args:
            article_id: The article's id.
            access: The reader's rights, as in `Filters`.

        Returns:
            The article; None if it is missing or these rights don't allow reading it.
        """

    # for users

    @overload
    def get(  # type: ignore[overload-overlap]  # a string is an iterable of strings, too
        self, ids: str, *, access: Access = ()
    ) -> Article | None: ...
    @overload
    def get(self, ids: Iterable[str], *, access: Access = ()) -> list[Article]: ...
    def get(
        self, ids: str | Iterable[str], *, access: Access = ()
    ) -> Article | list[Article] | None:
        """Return articles by their ids.

        Args:
            ids: One id, or several.
            access: The reader's rights, as in `Filters`; `ALL_RIGHTS` for all. Articles that need
                another right are treated as missing.

        Returns:
            For one id the article, or None if it is missing; for several a list of those found,
            in the order of the ids, without repetition.
        """
        if isinstance(ids, str):
            return self.article(ids, access=access)
        found = (self.article(article_id, access=access) for article_id in dict.fromkeys(ids))
        return [article for article in found if article is not None]

    def search(
        self,
        query: str,
        k: int = 8,
        *,
        mode: SearchMode = "hybrid",
        filters: Filters = Filters(),
        asked_on: date | None = None,
    ) -> list[Hit]:
        """Return the `k` passages that answer a question or match a query, best first.

        Args:
            query: A question or keywords.
            k: The most passages to return.
            mode: "hybrid" parses the question (time expressions, publishers, exclusions), fuses
                BM25 with vectors and reranks; if nothing lies in the question's time range, it
                returns the closest passages of other days. "vector" returns the passages nearest
                to the query, scored by cosine similarity, from -1 to 1. "bm25" returns those that
                match its words best, scored by BM25, from 0.
            filters: The filters that the articles must pass; by default, all articles that need no
                right.
            asked_on: The day from which "last week" is counted, now by default (a snapshot's day
                in a snapshot); a naive datetime is UTC. Only "hybrid" uses it.

        Returns:
            Hits; a higher score is better. Scores of different modes aren't comparable.

        Raises:
            InvalidValueError: `mode` is not one of the three, or `asked_on` is not a date.
            QuestionTooLongError: The question is too long.
        """
        if mode not in get_args(SearchMode):
            raise InvalidValueError(
                f"mode is {mode!r}. It may be {', '.join(map(repr, get_args(SearchMode)))}."
            )
        if mode == "hybrid":
            backend = cast("SearchBackend", self)
            return list(
                retrieve(backend, query, k, filters=filters, asked_on=asked_on).nearest_hits
            )
        find = self.vector_candidates if mode == "vector" else self.bm25_candidates
        return list(self.load_hits(find(query, k, filters=filters), access=filters.access).values())

    def as_retriever(
        self, *, k: int = 8, filters: Filters = Filters(), asked_on: date | None = None
    ) -> NewsRetriever:
        """Return a LangChain retriever over this archive; see `NewsRetriever`.

        Args:
            k: The most documents to return; a call may override it.
            filters: As in `search`.
            asked_on: As in `search`.

        Returns:
            The retriever.
        """
        from rag.retrieval.langchain import NewsRetriever  # importing it takes 0.2 s

        return NewsRetriever(archive=self, k=k, filters=filters, asked_on=asked_on)  # type: ignore[arg-type]

    def similarity_search(
        self, query: str, k: int = 4, *, filters: Filters = Filters()
    ) -> list[Document]:
        """Return the `k` passages nearest to the query, as LangChain documents, best first.

        Args:
            query: Any text, embedded as it is.
            k: The most documents to return.
            filters: As in `search`.

        Returns:
            Documents as of `NewsRetriever`; `metadata["score"]` is the cosine similarity.
        """
        return [
            document for document, _ in self.similarity_search_with_score(query, k, filters=filters)
        ]

    def similarity_search_with_score(
        self, query: str, k: int = 4, *, filters: Filters = Filters()
    ) -> list[tuple[Document, float]]:
        """Return the `k` passages nearest to the query with their scores, best first.

        Args:
            query: Any text, embedded as it is.
            k: The most documents to return.
            filters: As in `search`.

        Returns:
            Pairs of a document and its cosine similarity to the query, from -1 to 1. Higher is
            better, unlike the distances that some vector stores return.
        """
        from rag.retrieval.langchain import to_document

        hits = self.search(query, k, mode="vector", filters=filters)
        return [(to_document(hit), float(hit.score)) for hit in hits]

    def names(
        self,
        kind: Kind | None = None,
        prefix: str = "",
        *,
        limit: int = 100,
        filters: Filters = Filters(),
    ) -> tuple[NameCount, ...]:
        """Return the names of people, places and organisations, those with most articles first.

        Names are found in English articles. Forms of a name are one: "Biden" is Joe Biden if
        nearly all articles with that surname are about him.

        Args:
            kind: "person", "place" or "organisation"; None for all of them.
            prefix: How the name, a word in it or another form of it begins; case is ignored.
            limit: The most names to return.
            filters: The filters that the articles must pass.

        Returns:
            Names with their numbers of articles.

        Raises:
            InvalidValueError: `kind` is not one of the three, or `limit` is less than one.
        """
        return self._catalogue.names(kind=kind, prefix=prefix, limit=limit, filters=filters)

    def name(
        self,
        name: str,
        kind: Kind | None = None,
        *,
        limit: int = 20,
        filters: Filters = Filters(),
    ) -> NamePage:
        """Return what the archive has about a person, place or organisation.

        Args:
            name: Any form of the name; case is ignored.
            kind: "person", "place" or "organisation"; None for the one with most articles.
            limit: The most articles to return.
            filters: The filters that the articles must pass.

        Returns:
            The page: see `NamePage`. It has no articles if the name isn't in the archive.

        Raises:
            InvalidValueError: `kind` is not one of the three, or `limit` is less than one.
        """
        return self._catalogue.page(name, kind=kind, limit=limit, filters=filters)

    @cached_property
    def _catalogue(self) -> NameCatalogue:
        return NameCatalogue(self._store, self._valid)

    # for search and answers

    def load_hits(
        self, found: Iterable[PassageCandidate], *, access: Access = ()
    ) -> dict[int, Hit]:
        """Return the hits of the candidates that are still in the archive, by number, in order.

        Args:
            found: Candidates of a search.
            access: The reader's rights, as in `Filters`; they decide which separately published
                corrections the metadata include.

        Returns:
            The hits, by passage number.
        """
        return read_hits(self._store, found, self._valid, access)

    def dated_articles(
        self, k: int, *, filters: Filters = Filters(), order: Order = "newest first"
    ) -> list[PassageCandidate]:
        """Return the `k` newest or oldest articles that have a date, as their first passages.

        Args:
            k: The most articles to return.
            filters: The filters that the articles must pass.
            order: "newest first" or "oldest first".

        Returns:
            The candidates, without a score.
        """
        numbers = self._store.first_passages(
            k, filters, self._valid, oldest=order == "oldest first"
        )
        return read_candidates(self._store, [(number, 0.0) for number in numbers], self._valid)

    def passage_vectors(self, found: Sequence[PassageCandidate]) -> Vectors:
        """Return the vectors of candidates.

        Args:
            found: Candidates of a search.

        Returns:
            float32 array of shape (n, dimension); zeros for a passage without a vector.
        """
        numbers = [one.number for one in found]
        held, vectors = self._store.passages.vectors(np.array(numbers, np.int64))
        row_of = {int(number): row for row, number in enumerate(held)}
        out = np.zeros((len(numbers), vectors.shape[1]), np.float32)
        for row, number in enumerate(numbers):
            if number in row_of:
                out[row] = vectors[row_of[number]]
        return out

    def publisher_domains(self, *, access: Access = ()) -> dict[str, tuple[str, ...]]:
        """Return the publishers whose articles have addresses on each domain, by domain.

        Args:
            access: The reader's rights, as in `Filters`.

        Returns:
            The publishers' names, the one with the most articles first, by domain without "www.".
        """
        found: dict[str, tuple[str, ...]] = {}
        for publisher, host in self._store.domains(self._valid, access):
            domain = host.partition(":")[0].removeprefix("www.")
            if domain:
                found[domain] = tuple(dict.fromkeys((*found.get(domain, ()), publisher)))
        return found

    def publishers(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the publishers' names, the one with the most articles first.

        Args:
            access: The reader's rights, as in `Filters`.

        Returns:
            The distinct names.
        """
        return tuple(name for name, *_ in self._store.publishers(self._valid, access) if name)

    def authors(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the authors' names, sorted.

        Args:
            access: The reader's rights, as in `Filters`.

        Returns:
            The distinct names.
        """
        return tuple(self._store.authors(self._valid, access))

    def readable_ids(self, article_ids: Iterable[str], *, access: Access = ()) -> list[str]:
        """Return those of these articles that a reader may see, in order.

        Args:
            article_ids: Ids of articles of this archive.
            access: The reader's rights, as in `Filters`.

        Returns:
            The ids, without repetition.
        """
        ids = list(dict.fromkeys(article_ids))
        kept = readable(self._store.database, ids, access)
        return [article_id for article_id in ids if article_id in kept]

    def _if_readable(self, article: Article | None, access: Access) -> Article | None:
        """Return the article if these rights allow reading both this and the current revision."""
        if article is None or not Filters(access=access).may_read(article.metadata):
            return None
        return article if readable(self._store.database, [article.id], access) else None
