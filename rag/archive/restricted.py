"""RestrictedArchive: an archive as one reader may see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from rag.archive.lookup import Counts
from rag.archive.reader import ArchiveReader
from rag.archive.similar import similar_articles
from rag.archive.snapshot import ArchiveSnapshot
from rag.archive.stats import ArchiveStatus, CoverageGap
from rag.archive.view import ArchiveView, SearchMode
from rag.nlp.name_kinds import Kind
from rag.retrieval.backend import Order
from rag.rights import Access, Rights
from rag.schema import Answer, Article, ArticleMetadata, Filters, Hit, Passage, PassageCandidate
from rag.store.revisions import Revision

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder

    from rag.archive.browse import BrowseOrder, BrowsePage, TableOrder
    from rag.archive.follower_state import FollowerState
    from rag.archive.names import NameCount, NamePage
    from rag.store.passages import Vectors

View = TypeVar("View", ArchiveReader, ArchiveSnapshot)


class _RestrictedView(ArchiveView, Generic[View]):
    """A view whose every method sees with one reader's rights, whatever the caller's are.

    It has no store of its own, so that a method of `ArchiveView` which isn't overridden here fails
    instead of reading what the reader may not see.
    """

    def __init__(self, view: View, rights: Rights) -> None:
        """Restrict a view to what these rights allow."""
        self._view: View = view
        self.rights = rights

    @property
    def reranker(self) -> BaseCrossEncoder | None:
        """Cross-encoder that reranks the best hits; None for none."""
        return self._view.reranker

    def _own(self, filters: Filters) -> Filters:
        return replace(filters, access=self.rights)

    # search

    def vector_candidates(
        self, query: str, k: int, *, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return the `k` nearest passages; see `ArchiveView.vector_candidates`."""
        return self._view.vector_candidates(query, k, filters=self._own(filters))

    def bm25_candidates(
        self, query: str, k: int, *, filters: Filters = Filters(), phrases: Sequence[str] = ()
    ) -> list[PassageCandidate]:
        """Return the `k` passages that score best; see `ArchiveView.bm25_candidates`."""
        return self._view.bm25_candidates(query, k, filters=self._own(filters), phrases=phrases)

    def article_candidates(
        self, query: str, k: int, *, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return the `k` articles that score best; see `ArchiveView.article_candidates`."""
        return self._view.article_candidates(query, k, filters=self._own(filters))

    def spelling_candidates(
        self, words: Sequence[str], k: int, *, edits: int, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return passages with similar words; see `ArchiveView.spelling_candidates`."""
        return self._view.spelling_candidates(words, k, edits=edits, filters=self._own(filters))

    def dated_articles(
        self, k: int, *, filters: Filters = Filters(), order: Order = "newest first"
    ) -> list[PassageCandidate]:
        """Return the `k` newest or oldest articles; see `ArchiveView.dated_articles`."""
        return self._view.dated_articles(k, filters=self._own(filters), order=order)

    def load_hits(
        self, found: Iterable[PassageCandidate], *, access: Access = ()
    ) -> dict[int, Hit]:
        """Return the hits of candidates; see `ArchiveView.load_hits`."""
        hits = self._view.load_hits(found, access=self.rights)
        may_read = self._own(Filters()).may_read
        return {number: hit for number, hit in hits.items() if may_read(hit.metadata)}

    def similarities(self, query: str, found: Sequence[PassageCandidate]) -> list[float]:
        """Return the cosine of each candidate to the query; see `ArchiveReader.similarities`."""
        return self._view.similarities(query, found)

    def passage_vectors(self, found: Sequence[PassageCandidate]) -> Vectors:
        """Return the vectors of candidates; see `ArchiveView.passage_vectors`."""
        return self._view.passage_vectors(found)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; see `ArchiveReader.embed`."""
        return self._view.embed(texts)

    # lookup

    def article(
        self, article_id: str, revision: int | None = None, *, access: Access = ()
    ) -> Article | None:
        """Return an article that the reader may see; see `ArchiveView.article`."""
        return self._view.article(article_id, access=self.rights)

    def near_duplicates(
        self, article_ids: Iterable[str], *, filters: Filters = Filters()
    ) -> dict[str, tuple[ArticleMetadata, ...]]:
        """Return the near-duplicates that the reader may see, of articles that they may see."""
        seen = self.readable_ids(article_ids)
        return self._view.near_duplicates(seen, filters=self._own(filters))

    def readable_ids(self, article_ids: Iterable[str], *, access: Access = ()) -> list[str]:
        """Return those of these articles that the reader may see; see `ArchiveView`."""
        return self._view.readable_ids(article_ids, access=self.rights)

    def names(
        self,
        kind: Kind | None = None,
        prefix: str = "",
        *,
        limit: int = 100,
        filters: Filters = Filters(),
    ) -> tuple[NameCount, ...]:
        """Return the names in the articles that the reader may see; see `ArchiveView.names`."""
        return self._view.names(kind, prefix, limit=limit, filters=self._own(filters))

    def name(
        self,
        name: str,
        kind: Kind | None = None,
        *,
        limit: int = 20,
        filters: Filters = Filters(),
    ) -> NamePage:
        """Return what the reader may see about a name; see `ArchiveView.name`."""
        return self._view.name(name, kind, limit=limit, filters=self._own(filters))

    def publishers(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the publishers of the articles that the reader may see."""
        return self._view.publishers(access=self.rights)

    def publisher_domains(self, *, access: Access = ()) -> dict[str, tuple[str, ...]]:
        """Return the publishers that the reader may see, by domain."""
        return self._view.publisher_domains(access=self.rights)

    def authors(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the authors of the articles that the reader may see."""
        return self._view.authors(access=self.rights)


class RestrictedSnapshot(_RestrictedView[ArchiveSnapshot]):
    """An archive as one reader may see it, as it was at a moment."""

    @property
    def day(self) -> datetime:
        """Moment of the snapshot."""
        return self._view.day

    def search(
        self,
        query: str,
        k: int = 8,
        *,
        mode: SearchMode = "hybrid",
        filters: Filters = Filters(),
        asked_on: date | None = None,
    ) -> list[Hit]:
        """Return the `k` passages that answered a question then; see `ArchiveSnapshot.search`."""
        return super().search(query, k, mode=mode, filters=filters, asked_on=asked_on or self.day)

    def with_correction_notes(self, answer: Answer, *, access: Access = ()) -> Answer:
        """Return an answer with the corrections that the reader may see."""
        return self._view.with_correction_notes(answer, access=self.rights)


class RestrictedArchive(_RestrictedView[ArchiveReader]):
    """An archive as one reader may see it: for anything else it looks as if it weren't there.

    Each method takes the arguments of `ArchiveReader`'s, but sees with the rights given here,
    whatever `access` or the filters say. What is not a method here is not offered: the store, the
    indexes, and every change. Only relevance scores are computed over all articles, so an article
    that may not be seen can change the order of others.

    Attributes:
        rights: The reader's rights.
    """

    @property
    def version(self) -> int:
        """Number of the last change; results may differ between versions."""
        return self._view.version

    def article(
        self, article_id: str, revision: int | None = None, *, access: Access = ()
    ) -> Article | None:
        """Return a revision of an article that the reader may see; see `ArchiveReader.article`."""
        return self._view.article(article_id, revision, access=self.rights)

    def articles(self, filters: Filters = Filters()) -> Iterator[Article]:
        """Yield the articles that the reader may see; see `ArchiveReader.articles`."""
        return self._view.articles(self._own(filters))

    def count(self, filters: Filters = Filters()) -> Counts:
        """Return the numbers of articles that the reader may see, and of their passages."""
        return self._view.count(self._own(filters))

    def revisions(self, article_id: str, *, access: Access = ()) -> tuple[Revision, ...]:
        """Return the revisions that the reader may see; see `ArchiveReader.revisions`."""
        return self._view.revisions(article_id, access=self.rights)

    def find_ids(self, name: str, *, access: Access = ()) -> list[str]:
        """Return the ids that a name refers to; see `ArchiveReader.find_ids`."""
        return self._view.find_ids(name, access=self.rights)

    def complete_id(self, beginning: str, *, access: Access = ()) -> list[str]:
        """Return the ids with a prefix; see `ArchiveReader.complete_id`."""
        return self._view.complete_id(beginning, access=self.rights)

    def sections(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the sections of the articles that the reader may see."""
        return self._view.sections(access=self.rights)

    def languages(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the languages of the articles that the reader may see."""
        return self._view.languages(access=self.rights)

    def surrounding_passages(
        self, passage: Passage, before: int = 1, after: int = 1, *, access: Access = ()
    ) -> list[Passage]:
        """Return a passage with its neighbours; see `ArchiveReader.surrounding_passages`."""
        return self._view.surrounding_passages(passage, before, after, access=self.rights)

    def similar(
        self, article: Article, k: int = 5, *, filters: Filters = Filters()
    ) -> list[ArticleMetadata]:
        """Return the most similar articles that the reader may see; see `ArchiveReader.similar`."""
        return similar_articles(self, article, k, filters=filters)

    def status(self, *, access: Access = ()) -> ArchiveStatus:
        """Return statistics of the articles that the reader may see."""
        return self._view.status(access=self.rights)

    def record_state(self, *, access: Access = ()) -> FollowerState | None:
        """Return how the folder stands to a shared record; see `ArchiveReader.record_state`."""
        return self._view.record_state(access=self.rights)

    def daily_counts(self, filters: Filters = Filters()) -> dict[str, dict[date, int]]:
        """Return counts of the articles that the reader may see, by publisher and day."""
        return self._view.daily_counts(self._own(filters))

    def coverage_gaps(self, filters: Filters = Filters()) -> tuple[CoverageGap, ...]:
        """Return the gaps in what the reader may see; see `ArchiveReader.coverage_gaps`."""
        return self._view.coverage_gaps(self._own(filters))

    def browse(
        self,
        words: str = "",
        *,
        filters: Filters = Filters(),
        order: BrowseOrder = "date",
        cursor: str = "",
        limit: int = 50,
    ) -> BrowsePage:
        """Return a page of the articles that the reader may see; see `ArchiveReader.browse`."""
        return self._view.browse(
            words, filters=self._own(filters), order=order, cursor=cursor, limit=limit
        )

    def browse_table(
        self,
        words: str = "",
        *,
        filters: Filters = Filters(),
        order: TableOrder = "date",
        offset: int = 0,
        limit: int = 50,
    ) -> BrowsePage:
        """Return articles that the reader may see; see `ArchiveReader.browse_table`."""
        return self._view.browse_table(
            words, filters=self._own(filters), order=order, offset=offset, limit=limit
        )

    def browse_all(
        self, words: str = "", *, filters: Filters = Filters(), order: BrowseOrder = "date"
    ) -> Iterator[Article]:
        """Yield all articles that match and may be seen; see `ArchiveReader.browse_all`."""
        return self._view.browse_all(words, filters=self._own(filters), order=order)

    def search(
        self,
        query: str,
        k: int = 8,
        *,
        mode: SearchMode = "hybrid",
        filters: Filters = Filters(),
        asked_on: date | None = None,
        as_of: date | None = None,
    ) -> list[Hit]:
        """Return the `k` passages that answer a question; see `ArchiveReader.search`."""
        if as_of is not None:
            then = self.as_of(as_of)
            return then.search(query, k, mode=mode, filters=filters, asked_on=asked_on)
        return super().search(query, k, mode=mode, filters=filters, asked_on=asked_on)

    def as_of(self, day: date) -> RestrictedSnapshot:
        """Return a snapshot as the reader may see it; see `ArchiveReader.as_of`."""
        return RestrictedSnapshot(self._view.as_of(day), self.rights)

    def refresh(self) -> None:
        """Read the changes that other processes have made; see `ArchiveReader.refresh`."""
        self._view.refresh()
