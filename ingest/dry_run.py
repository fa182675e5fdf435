"""Dry run: find out what an ingest would do without writing anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ingest.target import IngestTarget
from rag.schema import Access, Article, ArticleMetadata, Span
from rag.store.articles import content_hash
from rag.store.crawl_state import FetchHistory, FetchRecord, FileLocations
from rag.store.database import Database
from rag.store.held_changes import ArticleOrigins

Outcome = Literal["new", "changed"]


@dataclass(frozen=True, slots=True)
class DryRunCounts:
    """Counts of a batch that would be added; passages aren't computed."""

    new: int
    changed: int
    unchanged: int = 0
    passages: int = 0
    withdrawn: int = 0


class _NoLimit:
    """Token limit that never splits, because the passages aren't needed."""

    max_tokens = 2**31

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [0] * len(texts)


@dataclass
class DryRunArchive:
    """Archive that writes nothing; `articles` lists those it would write."""

    existing: IngestTarget | None = None
    articles: list[tuple[Outcome, ArticleMetadata]] = field(default_factory=list)
    embeddings: _NoLimit = field(default_factory=_NoLimit)
    _seen: dict[str, frozenset[str]] = field(default_factory=dict)

    def content_hashes(self, article_ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return the content hashes of articles present, or that would be by now."""
        ids = list(article_ids)
        known = self.existing.content_hashes(ids) if self.existing else {}
        seen = {i: self._seen[i] for i in ids if i in self._seen}
        return {i: known.get(i, frozenset()) | seen.get(i, frozenset()) for i in {*known, *seen}}

    def article(self, article_id: str, *, access: Access) -> Article | None:
        """Return the archive's article; None for one that would only be added."""
        return self.existing.article(article_id, access=access) if self.existing else None

    def withdraw(self, article_ids: Iterable[str], *, reason: str = "") -> int:
        """Return how many articles would be withdrawn."""
        return len(list(article_ids))

    def add(self, batch: Iterable[tuple[Article, Sequence[Span]]]) -> DryRunCounts:
        """Record which articles are new or changed."""
        new = changed = 0
        for article, _ in batch:
            known = self.content_hashes([article.id]).get(article.id)
            self._seen[article.id] = (known or frozenset()) | {content_hash(article)}
            self.articles.append(("changed" if known else "new", article.metadata))
            changed, new = (changed + 1, new) if known else (changed, new + 1)
        return DryRunCounts(new, changed)


@dataclass(frozen=True, slots=True)
class ReadOnlyFetchHistory:
    """Fetch history of an archive that is read but not written."""

    visits: FetchHistory | None = None

    def last(self, url: str) -> FetchRecord | None:
        """Return the last recorded fetch of `url`."""
        return self.visits.last(url) if self.visits else None

    def save(self, visits: Iterable[FetchRecord]) -> None:
        """Do nothing."""


class ReadOnlyFileLocations(FileLocations):
    """File locations of an archive that are read but not written."""

    def save(self, read: Iterable[tuple[str, str]]) -> None:
        """Do nothing."""


class ReadOnlyOrigins(ArticleOrigins):
    """Origins of an archive's articles; additions are kept in memory only."""

    def __init__(self, database: Database) -> None:
        """Open the origins of `database`."""
        super().__init__(database)
        self._added: dict[str, str] = {}

    def of(self, article_id: str) -> str:
        """Return the host that an article was, or would have been, fetched from."""
        return self._added.get(article_id) or super().of(article_id)

    def save(self, hosts: Mapping[str, str]) -> None:
        """Remember the hosts of new articles in memory."""
        for article_id, host in hosts.items():
            self._added.setdefault(article_id, host)

    def replace(self, hosts: Mapping[str, str]) -> None:
        """Remember other hosts of articles in memory."""
        self._added.update(hosts)
