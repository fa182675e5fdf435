"""What an archive holds, and how it is searched: all that asks for no lock.

What the record no longer holds is never returned, whatever an index says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from cachetools import LRUCache

from rag.archive.snapshot import ArchiveSnapshot
from rag.archive.stats import ArchiveStatus, archive_status
from rag.archive.view import ArchiveView, SearchMode
from rag.index.index_pair import IndexPair, Scored
from rag.models.archive_model import ArchiveModel
from rag.schema import (
    ALL_RIGHTS,
    Access,
    Article,
    ArticleMetadata,
    Filters,
    Hit,
    Passage,
    PassageCandidate,
)
from rag.store.articles import ArticleStore
from rag.store.filters import kinds_of, readable
from rag.store.hits import read_candidates
from rag.store.passages import Vectors
from rag.store.revisions import Revision, complete_id, find_ids, read_revisions
from rag.store.staged_vectors import MODEL

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder

PAST_DAYS = 4  # that are kept to be asked for again: each holds what has ended since
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Counts:
    articles: int
    passages: int


class ArchiveReader(ArchiveView):
    """The articles of an open archive, to be read and searched by any number of processes."""

    def __init__(
        self,
        path: Path,
        record: ArticleStore,
        indexes: IndexPair,
        model: ArchiveModel,
        generation: int,
        reranker: BaseCrossEncoder | None = None,
    ) -> None:
        """`generation` is how often the record had changed its model when `model` was named."""
        super().__init__(record)
        self.path = path
        self._indexes = indexes
        self._model, self._generation = model, generation
        self.reranker = reranker
        # the publishers, as of a sequence and for some rights
        self._names: tuple[tuple[int, Access], tuple[str, ...]] = ((-1, ()), ())
        self._past: LRUCache[tuple[datetime, int], ArchiveSnapshot] = LRUCache(PAST_DAYS)
        self._past_lock = Lock()

    @property
    def store(self) -> ArticleStore:
        return self._record

    @property
    def indexes(self) -> IndexPair:
        return self._indexes

    @property
    def embeddings(self) -> Any:
        """The embedding model, opened when first asked for."""
        return self._model.open()

    # what it holds

    def content_hashes(self, article_ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return the fingerprints of every revision of those articles that are here, by id."""
        return self._record.fingerprints(article_ids)

    def article(
        self, article_id: str, revision: int | None = None, *, access: Access = ()
    ) -> Article | None:
        """Return an article as it stands, or one of its revisions; None where it is not here.

        `access` holds the rights of who reads, as in `Filters`: without any, an article that asks
        for one is not here.
        """
        return self._if_readable(self._record.article(article_id, revision), access)

    def articles(self, filters: Filters = Filters()) -> Iterator[Article]:
        """Yield the articles that pass the filters."""
        return self._record.articles(filters)

    def count(self, filters: Filters = Filters()) -> Counts:
        """Return how many articles pass the filters, and how many passages they have."""
        return Counts(*self._record.count(filters))

    def revisions(self, article_id: str, *, access: Access = ()) -> tuple[Revision, ...]:
        """Return every version of an article, the first first; none where it is not here.

        `access` holds the rights of who reads, as in `article`.
        """
        if not readable(self._record.database, [article_id], access):
            return ()
        reader = Filters(access=access)
        found = read_revisions(self._record.database, article_id)
        return tuple(one for one in found if reader.may_read(one.article.access))

    def find_ids(self, name: str, *, access: Access = ()) -> list[str]:
        """Return the id that is `name`, else those of the articles at that address."""
        return self._readable(find_ids(self._record.database, name), access)

    def complete_id(self, beginning: str, *, access: Access = ()) -> list[str]:
        """Return the ids that begin so, or as many as one may want to choose from."""
        return self._readable(complete_id(self._record.database, beginning), access)

    def _readable(self, article_ids: list[str], access: Access) -> list[str]:
        kept = readable(self._record.database, article_ids, access)
        return [article_id for article_id in article_ids if article_id in kept]

    def publishers(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the publishers' names, the one with most articles first."""
        if access is not ALL_RIGHTS and not self._record.database.holds_restricted():
            access = ALL_RIGHTS
        key = (self.version, access)
        if self._names[0] != key:  # 4 ms over 11,746 articles, at every search
            self._names = (key, super().publishers(access=access))
        return self._names[1]

    def sections(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the sections' names, the one with most articles first."""
        return tuple(kinds_of(self._record.database, "section", access))

    def languages(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the languages of the articles, as they are tagged, the commonest first."""
        return tuple(kinds_of(self._record.database, "language", access))

    @property
    def version(self) -> int:
        """The number of the last change: what is found from it on may differ."""
        return self._record.database.sequence()

    def near_duplicates(
        self, article_ids: Iterable[str], *, filters: Filters = Filters()
    ) -> dict[str, tuple[ArticleMetadata, ...]]:
        """Return the other tellings of each article's story that pass the filters, leader first.

        Articles that tell a story alone are left out.
        """
        return self._record.stories.near_duplicates(article_ids, filters=filters)

    def surrounding_passages(
        self, passage: Passage, before: int = 1, after: int = 1, *, access: Access = ()
    ) -> list[Passage]:
        """Return the passages around one, itself among them, in the order of the text."""
        article = self.article(passage.article_id, passage.revision, access=access)
        spans = self._record.spans(passage.article_id, passage.revision)
        here = next((i for i, s in enumerate(spans) if s.start == passage.start), None)
        if article is None or here is None:
            return [passage]
        return [
            Passage(article.id, article.revision, s.start, s.end, article.text[s.start : s.end])
            for s in spans[max(0, here - before) : here + after + 1]
        ]

    def status(self, *, access: Access = ()) -> ArchiveStatus:
        """Return what the archive holds for these rights, by publisher, and its size on disk."""
        return archive_status(self.path, self._record, access)

    # searching

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the texts' vectors (n, dimension), of length one, as passages are embedded."""
        return self._model.vectors(texts)

    def vector_candidates(
        self, query: str, k: int, *, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return the `k` passages nearest to the query by cosine, best first, without texts."""

        def nearest(vector: Vectors) -> list[PassageCandidate]:
            self.refresh()
            return self._found(self._indexes.search_vectors(vector, k, filters=filters), k)

        return self.with_query_vector(query, nearest)

    def similarities(self, query: str, found: Sequence[PassageCandidate]) -> list[float]:
        """Return how near what was found is to the query; -1.0 for what has no vector any more."""
        numbers = [one.number for one in found]
        near = self.with_query_vector(
            query, lambda vector: self._record.passages.near(numbers, vector)
        )
        return [near.get(number, -1.0) for number in numbers]

    def with_query_vector(self, query: str, search: Callable[[Vectors], T]) -> T:
        """Return what is found by the query's vector, of the model that the archive has now.

        Where another process has embedded the archive anew meanwhile, it is searched once more.
        """
        while True:
            generation = self._sync_model()
            try:
                found = search(self._model.query_vector(query))
            except Exception:  # vectors of two lengths, as numpy or Chroma puts it
                if generation == self._record.generation():
                    raise
                continue
            if generation == self._record.generation():
                return found

    def _sync_model(self) -> int:
        """Take the archive's model of now, and return how often it has been changed."""
        generation = self._record.generation()
        if generation != self._generation:
            self._model.change_to(self._record.database.meta(MODEL))
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
        """Return the `k` passages that score best by BM25, best first, without texts."""
        self.refresh()
        return self._found(self._indexes.search_bm25(query, k, filters=filters, phrases=phrases), k)

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
            query: As in `ArchiveView.search`, like all that follow.
            k: The most passages to return.
            mode: "hybrid", "vector" or "bm25".
            filters: What the articles must be.
            asked_on: The day from which "last week" is counted.
            as_of: Search the archive as it was at the end of this day, see `as_of`.

        Returns:
            Hits, a higher score is better.

        Raises:
            InvalidValueError: `mode` is none of the three, or a day is not a date.
            QuestionTooLongError: The question is too long to be understood.
        """
        if as_of is not None:
            then = self.as_of(as_of)
            return then.search(query, k, mode=mode, filters=filters, asked_on=asked_on)
        return super().search(query, k, mode=mode, filters=filters, asked_on=asked_on)

    def as_of(self, day: date) -> ArchiveSnapshot:
        """Return the archive as it stood at the end of a day, to be searched.

        Asked for again, it is the same one: what has ended since is read once.
        """
        then = ArchiveSnapshot(self, day)
        with self._past_lock:
            return self._past.setdefault((then.day, then.sequence), then)

    def refresh(self) -> None:
        """See what another process has written since; every search does so itself."""
        self._indexes.refresh()

    def _found(self, found: Scored, k: int) -> list[PassageCandidate]:
        return read_candidates(self._record, found)[:k]
