"""Lookup of articles, revisions and statistics by id and property, without the search indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Lock

from cachetools import LRUCache

from rag.archive.stats import (
    ArchiveStatus,
    CoverageGap,
    archive_status,
    daily_counts,
    find_gaps,
)
from rag.archive.view import ArchiveView
from rag.schema import (
    ALL_RIGHTS,
    Access,
    Article,
    ArticleMetadata,
    Filters,
    Passage,
)
from rag.store.articles import ArticleStore
from rag.store.filters import column_values, readable, restricts_readers
from rag.store.revisions import Revision, complete_id, find_ids, read_revisions

RIGHTS_REMEMBERED = 64  # sets of rights whose publishers are kept


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of articles that pass some filters, and of their passages."""

    articles: int
    passages: int


class ArchiveLookup(ArchiveView):
    """Read-only view of an archive's store: what an id, a URL or a property leads to.

    Attributes:
        path: The archive's folder.
    """

    def __init__(self, path: Path, store: ArticleStore) -> None:
        """Look up in a store.

        Args:
            path: The archive's folder.
            store: The store of articles, open.
        """
        super().__init__(store)
        self.path = path
        # publishers by version and rights
        self._publishers: LRUCache[tuple[int, Access], tuple[str, ...]]
        self._publishers = LRUCache(RIGHTS_REMEMBERED)
        self._listing = Lock()

    def content_hashes(self, article_ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return the content hashes of all revisions of articles, by id.

        Args:
            article_ids: The ids to look up; articles that are not in the archive are left out.

        Returns:
            The hashes of each article, by its id.
        """
        return self._store.fingerprints(article_ids)

    def article(
        self, article_id: str, revision: int | None = None, *, access: Access = ()
    ) -> Article | None:
        """Return the current or another revision of an article.

        Args:
            article_id: The article's id.
            revision: The number of the revision; None for the current one.
            access: The reader's rights, as in `Filters`. Articles that need another right are
                treated as missing.

        Returns:
            The article; None if the archive doesn't have it, or not that revision.
        """
        return self._if_readable(self._store.article(article_id, revision), access)

    def articles(self, filters: Filters = Filters()) -> Iterator[Article]:
        """Yield the articles that pass the filters, in the order in which they were added.

        Args:
            filters: The filters; by default, all articles that need no right.

        Yields:
            Articles, in their current revisions.
        """
        return self._store.articles(filters)

    def count(self, filters: Filters = Filters()) -> Counts:
        """Return the number of articles that pass the filters, and of their passages.

        Args:
            filters: The filters; by default, all articles that need no right.

        Returns:
            The numbers of articles and of passages.
        """
        return Counts(*self._store.count(filters))

    def revisions(self, article_id: str, *, access: Access = ()) -> tuple[Revision, ...]:
        """Return all revisions of an article, oldest first; none if it isn't in the archive.

        Args:
            article_id: The article's id.
            access: The reader's rights, as in `article`.

        Returns:
            The revisions, with the times at which they were added and replaced.
        """
        if not readable(self._store.database, [article_id], access):
            return ()
        reader = Filters(access=access)
        found = read_revisions(self._store.database, article_id)
        return tuple(one for one in found if reader.may_read(one.article.metadata))

    def find_ids(self, name: str, *, access: Access = ()) -> list[str]:
        """Return the ids of the articles that a name refers to.

        Args:
            name: An id, or the URL of one or several articles.
            access: The reader's rights, as in `article`.

        Returns:
            The ids; empty if the name is unknown.
        """
        return self.readable_ids(find_ids(self._store.database, name), access=access)

    def complete_id(self, beginning: str, *, access: Access = ()) -> list[str]:
        """Return the ids with a prefix, at most as many as a user can choose from.

        Args:
            beginning: The first characters of an id.
            access: The reader's rights, as in `article`.

        Returns:
            The ids, sorted.
        """
        return self.readable_ids(complete_id(self._store.database, beginning), access=access)

    def publishers(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the publishers' names, the one with the most articles first.

        Args:
            access: The reader's rights, as in `article`.

        Returns:
            The distinct names; articles without a publisher have none.
        """
        if not restricts_readers(self._store.database, access):
            access = ALL_RIGHTS
        key = (self.version, access)
        with self._listing:
            known = self._publishers.get(key)
        if known is None:  # listing them takes 4 ms, at every search
            named = self._store.passages.current.publishers(access)
            known = super().publishers(access=access) if named is None else tuple(named)
            with self._listing:
                self._publishers[key] = known
        return known

    def sections(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the sections' names, the one with the most articles first.

        Args:
            access: The reader's rights, as in `article`.

        Returns:
            The distinct names.
        """
        return tuple(column_values(self._store.database, "section", access))

    def languages(self, *, access: Access = ()) -> tuple[str, ...]:
        """Return the language tags of the articles, the most frequent one first.

        Args:
            access: The reader's rights, as in `article`.

        Returns:
            The distinct tags, such as "en" or "en-GB".
        """
        return tuple(column_values(self._store.database, "language", access))

    @property
    def version(self) -> int:
        """Number of the last change; results may differ between versions."""
        return self._store.database.sequence()

    def near_duplicates(
        self, article_ids: Iterable[str], *, filters: Filters = Filters()
    ) -> dict[str, tuple[ArticleMetadata, ...]]:
        """Return the near-duplicates of each article, by id, the original first.

        Args:
            article_ids: The ids to look up; articles without near-duplicates are left out.
            filters: The filters that the near-duplicates must pass.

        Returns:
            The metadata of the near-duplicates, by article id.
        """
        return self._store.duplicates.near_duplicates(article_ids, filters=filters)

    def surrounding_passages(
        self, passage: Passage, before: int = 1, after: int = 1, *, access: Access = ()
    ) -> list[Passage]:
        """Return a passage with its neighbours, in the order of the text.

        Args:
            passage: A passage of a hit or a citation.
            before: The number of passages before it.
            after: The number of passages after it.
            access: The reader's rights, as in `article`.

        Returns:
            The passages; only the given one if its revision isn't in the archive.
        """
        article = self.article(passage.article_id, passage.revision, access=access)
        spans = self._store.spans(passage.article_id, passage.revision)
        here = next((i for i, s in enumerate(spans) if s.start == passage.start), None)
        if article is None or here is None:
            return [passage]
        return [
            Passage(article.id, article.revision, s.start, s.end, article.text[s.start : s.end])
            for s in spans[max(0, here - before) : here + after + 1]
        ]

    def status(self, *, access: Access = ()) -> ArchiveStatus:
        """Return the archive's statistics: articles by publisher, dates, size on disk, last ingest.

        Args:
            access: The reader's rights; other articles are not counted.

        Returns:
            The statistics: see `ArchiveStatus`.
        """
        return archive_status(self.path, self._store, access)

    def daily_counts(self, filters: Filters = Filters()) -> dict[str, dict[date, int]]:
        """Return the number of articles of each publisher on each day of publication.

        Args:
            filters: The filters that the articles must pass; by default, all that need no right.

        Returns:
            Counts by day (UTC) by publisher; days without articles are left out.
        """
        return daily_counts(self._store.database, filters)

    def coverage_gaps(self, filters: Filters = Filters()) -> tuple[CoverageGap, ...]:
        """Return the time ranges without articles that are unusually long for their publisher.

        Args:
            filters: The filters that the articles must pass; by default, all that need no right.

        Returns:
            The gaps: see `CoverageGap`.
        """
        return find_gaps(self._store.database, filters)
