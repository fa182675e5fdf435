"""ArchiveReader: read-only search, browsing and snapshots, without the writer's lock.

Articles that the database no longer has are never returned, even if an index still has them.
What a search doesn't need is imported when it is used: names, browsing and saved items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from cachetools import LRUCache

from rag.archive.lookup import ArchiveLookup
from rag.archive.snapshot import ArchiveSnapshot
from rag.archive.stats import ArchiveStatus, archive_status
from rag.archive.view import SearchMode
from rag.errors import ArchiveLockedError
from rag.index.search import Indexes, Scored
from rag.models.archive_model import ArchiveModel
from rag.models.langchain_interface import as_langchain
from rag.schema import (
    Access,
    Article,
    ArticleMetadata,
    Filters,
    Hit,
    PassageCandidate,
)
from rag.store.articles import ArticleStore
from rag.store.filters import restricts_readers
from rag.store.hits import read_candidates
from rag.store.lock import writer_lock
from rag.store.passages import Vectors
from rag.store.side_file import FolderHome, SideHome
from rag.store.staged_vectors import MODEL

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder

    from rag.archive.browse import ArticleBrowser, BrowseOrder, BrowsePage, TableOrder
    from rag.archive.follower_state import FollowerState
    from rag.archive.following import RecordFollower
    from rag.archive.names import NameCatalogue
    from rag.archive.saved import Saved

PAST_DAYS = 4  # cached snapshots; each holds the passages that have ended since
T = TypeVar("T")


class ArchiveReader(ArchiveLookup):
    """Read-only view of an archive; any number of processes may use one.

    `Archive` is a subclass; open it with `Archive.open`.

    Attributes:
        path: The archive's folder.
        reranker: The cross-encoder that reranks the best hits of every search; None for none.
        follower: Keeps the folder up to date with a shared record; None without one.
        home: Where users, saved items, feeds and jobs are.
    """

    def __init__(
        self,
        path: Path,
        store: ArticleStore,
        indexes: Indexes,
        model: ArchiveModel,
        generation: int,
        reranker: BaseCrossEncoder | None = None,
    ) -> None:
        """Create a reader; `Archive.open` does so.

        Args:
            path: The archive's folder.
            store: The store of articles, open.
            indexes: The search indexes, open.
            model: The embedding model.
            generation: The number of model switches when `model` was chosen.
            reranker: A cross-encoder; None for none.
        """
        super().__init__(path, store)
        self._indexes = indexes
        self._model, self._generation = model, generation
        self.reranker = reranker
        self.follower: RecordFollower | None = None
        self.home: SideHome = FolderHome(path)
        self._past: LRUCache[tuple[datetime, int], ArchiveSnapshot] = LRUCache(PAST_DAYS)
        self._past_lock = Lock()

    @property
    def store(self) -> ArticleStore:
        """Store of articles in SQLite, from which everything else can be rebuilt."""
        return self._store

    @property
    def indexes(self) -> Indexes:
        """BM25 index and vector index."""
        return self._indexes

    @property
    def embeddings(self) -> Any:
        """Embedding model, opened when it is first used.

        Raises:
            ModelError: The model can't be opened.
        """
        return as_langchain(self._model.open())

    @property
    def saved(self) -> Saved:
        """Saved searches and dossiers; readers may write them while another process ingests."""
        from rag.archive.saved import Saved

        return Saved(self)

    # search

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts with the archive's model.

        Args:
            texts: Any number of texts.

        Returns:
            float32 array of shape (len(texts), dimension); each row has length one.

        Raises:
            ModelError: The model can't be opened, or failed.
        """
        return self._model.remembered_vectors(texts)

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

        def nearest(vector: Vectors) -> list[PassageCandidate]:
            self.refresh()
            return self._to_candidates(self._indexes.search_vectors(vector, k, filters=filters), k)

        return self.with_query_vector(query, nearest)

    def similarities(self, query: str, found: Sequence[PassageCandidate]) -> list[float]:
        """Return the cosine similarity of each candidate to the query; -1.0 if it has no vector.

        Args:
            query: Any text.
            found: Candidates of a search.

        Returns:
            One cosine for each candidate, from -1 to 1, in the order of `found`.
        """
        numbers = [one.number for one in found]
        near = self.with_query_vector(
            query, lambda vector: self._store.passages.near(numbers, vector)
        )
        return [near.get(number, -1.0) for number in numbers]

    def with_query_vector(self, query: str, search: Callable[[Vectors], T]) -> T:
        """Call a search with the query's vector by the archive's current model.

        If another process switches the model meanwhile, the search is repeated.

        Args:
            query: Any text.
            search: Takes the vector, of shape (dimension,) and length one.

        Returns:
            The result of the search.

        Raises:
            EmbeddingMismatchError: The archive now has another model that can't be opened here.
        """
        while True:
            generation = self._sync_model()
            try:
                found = search(self._model.query_vector(query))
            except Exception:  # numpy and Chroma raise various types if vector lengths differ
                if generation == self._store.generation():
                    raise
                continue
            if generation == self._store.generation():
                return found

    def _sync_model(self) -> int:
        """Switch to the archive's current model; return the number of switches so far."""
        generation = self._store.generation()
        if generation != self._generation:
            self._model.change_to(self._store.database.meta(MODEL))
            self._generation = generation
        return generation

    def bm25_candidates(
        self,
        query: str,
        k: int,
        *,
        filters: Filters = Filters(),
        phrases: Sequence[str] = (),
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
        self.refresh()
        return self._to_candidates(
            self._indexes.search_bm25(query, k, filters=filters, phrases=phrases), k
        )

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
        self.refresh()
        return self._to_candidates(self._indexes.search_articles(query, k, filters=filters), k)

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
        self.refresh()
        return self._to_candidates(
            self._indexes.search_spellings(words, k, edits=edits, filters=filters), k
        )

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
        """Return the `k` passages that answer a question or match a query, best first.

        Args:
            query: A question or keywords.
            k: The most passages to return.
            mode: "hybrid", "vector" or "bm25"; see `ArchiveView.search`.
            filters: The filters that the articles must pass.
            asked_on: The day from which "last week" is counted.
            as_of: Search the archive as it was at the end of this day; see `as_of`.

        Returns:
            Hits; a higher score is better.

        Raises:
            InvalidValueError: `mode` is not one of the three, or a day is not a date.
            QuestionTooLongError: The question is too long.
        """
        if as_of is not None:
            then = self.as_of(as_of)
            return then.search(query, k, mode=mode, filters=filters, asked_on=asked_on)
        return super().search(query, k, mode=mode, filters=filters, asked_on=asked_on)

    def as_of(self, day: date) -> ArchiveSnapshot:
        """Return a snapshot of the archive at the end of a day.

        Recent snapshots are cached with the data that they have read.

        Args:
            day: A `date`, or a `datetime` (UTC if naive); one with a time of day means that moment.

        Returns:
            The snapshot; empty if nothing had been added by then.

        Raises:
            InvalidValueError: `day` is not a date.
        """
        then = ArchiveSnapshot(self, day)
        with self._past_lock:
            return self._past.setdefault((then.day, then.sequence), then)

    @cached_property
    def _catalogue(self) -> NameCatalogue:
        from rag.archive.names import NameCatalogue

        self.complete_names()
        return NameCatalogue(self._store, self._valid)

    def complete_names(self) -> None:
        """Find the names of an archive of an earlier version, unless another process writes.

        The first list of names does this, which takes about a minute for 50,000 passages, once; a
        server does it before it answers.
        """
        if self.follower is not None or self._store.names.is_complete():
            return
        try:
            lock = writer_lock(self.path)
        except (ArchiveLockedError, OSError):
            return
        try:
            store = ArticleStore(self.path, writable=True)
            try:
                store.names.catch_up()
            finally:
                store.close()
        finally:
            lock.release()

    def similar(
        self, article: Article, k: int = 5, *, filters: Filters = Filters()
    ) -> list[ArticleMetadata]:
        """Return the articles whose passages are nearest to an article's beginning, nearest first.

        Args:
            article: The article.
            k: The most articles to return.
            filters: The filters that the articles must pass; by default, all that need no right.

        Returns:
            Their metadata, without the article itself, and with one of several near-duplicates.
        """
        from rag.archive.similar import similar_articles

        return similar_articles(self, article, k, filters=filters)

    # browsing

    def browse(
        self,
        words: str = "",
        *,
        filters: Filters = Filters(),
        order: BrowseOrder = "date",
        cursor: str = "",
        limit: int = 50,
    ) -> BrowsePage:
        """Return a page of the articles that match, with their number and counts by property.

        An article matches if its headline and text together have the words, in any inflection;
        stop words are ignored.

        Args:
            words: Words and "phrases" with AND, OR, NOT (in capitals) and brackets; words side by
                side must all occur. "" for all articles.
            filters: The filters that the articles must pass.
            order: "date", newest first and undated ones last, or "relevance", by BM25.
            cursor: The `cursor` of the page before; "" for the first page.
            limit: The most articles on a page, up to 1,000.

        Returns:
            The page: see `BrowsePage`.

        Raises:
            InvalidValueError: `order`, `cursor` or `limit` is invalid.
            QuestionTooLongError: `words` is too long.
        """
        return self._browser.page(words, filters=filters, order=order, cursor=cursor, limit=limit)

    def browse_table(
        self,
        words: str = "",
        *,
        filters: Filters = Filters(),
        order: TableOrder = "date",
        offset: int = 0,
        limit: int = 50,
    ) -> BrowsePage:
        """Return the articles that match from an offset on, for a table with numbered pages.

        Args:
            words: As in `browse`.
            filters: The filters that the articles must pass.
            order: "date", newest first; "oldest" first; by "title" or "publisher", in alphabetical
                order and then newest first; or by "relevance". Articles without the property are
                last.
            offset: Number of articles to skip.
            limit: The most articles on a page, up to 1,000.

        Returns:
            The page, with counts by property and without a cursor: see `BrowsePage`.

        Raises:
            InvalidValueError: `order`, `offset` or `limit` is invalid.
            QuestionTooLongError: `words` is too long.
        """
        return self._browser.table(words, filters=filters, order=order, offset=offset, limit=limit)

    def browse_all(
        self, words: str = "", *, filters: Filters = Filters(), order: BrowseOrder = "date"
    ) -> Iterator[Article]:
        """Yield all articles that match, to export them; they are read as they are asked for.

        Args:
            words: As in `browse`.
            filters: The filters that the articles must pass.
            order: As in `browse`.

        Yields:
            Articles, in their current revisions.

        Raises:
            InvalidValueError: `order` is invalid.
            QuestionTooLongError: `words` is too long.
        """
        return self._browser.articles(words, filters=filters, order=order)

    @cached_property
    def _browser(self) -> ArticleBrowser:
        from rag.archive.browse import ArticleBrowser

        return ArticleBrowser(self._store, self._indexes)

    def status(self, *, access: Access = ()) -> ArchiveStatus:
        """Return the archive's statistics, and how its folder stands to a shared record.

        Args:
            access: The reader's rights, as in `article`; other articles are not counted.

        Returns:
            The statistics: see `ArchiveStatus`.
        """
        found = archive_status(self.path, self._store, access, self._indexes.shared)
        return replace(found, record=self.record_state(access=access))

    def record_state(self, *, access: Access = ()) -> FollowerState | None:
        """Return how the archive's folder stands to the shared record; None without one.

        Args:
            access: The reader's rights. The server of the record, and its errors, are left out for
                a reader of part of the articles.
        """
        if self.follower is None:
            return None
        state = self.follower.state()
        if restricts_readers(self._store.database, access):
            return replace(state, server="", problem="")
        return state

    def refresh(self) -> None:
        """Read the changes that other processes have made; every search does this itself."""
        self._indexes.refresh()

    def _to_candidates(self, found: Scored, k: int) -> list[PassageCandidate]:
        return read_candidates(self._store, found)[:k]
