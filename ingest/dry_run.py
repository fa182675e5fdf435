"""What an ingest would do, found out without writing anything."""

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

What = Literal["new", "changed"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What would become of a batch; passages are not split, so none are counted."""

    new: int
    changed: int
    unchanged: int = 0
    passages: int = 0
    withdrawn: int = 0


class _NoLimit:
    """A model that reads everything at once: nothing is split to find out what is new."""

    max_tokens = 2**31

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [0] * len(texts)


@dataclass
class DryRunArchive:
    """An archive that only says what it would do: `articles` are those it would write."""

    held: IngestTarget | None = None
    articles: list[tuple[What, ArticleMetadata]] = field(default_factory=list)
    embeddings: _NoLimit = field(default_factory=_NoLimit)
    _seen: dict[str, frozenset[str]] = field(default_factory=dict)

    def content_hashes(self, article_ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return the fingerprints of those that are there, or would be by now."""
        ids = list(article_ids)
        known = self.held.content_hashes(ids) if self.held else {}
        seen = {i: self._seen[i] for i in ids if i in self._seen}
        return {i: known.get(i, frozenset()) | seen.get(i, frozenset()) for i in {*known, *seen}}

    def article(self, article_id: str, *, access: Access) -> Article | None:
        """Return an article that is there as it stands; None of those that would be."""
        return self.held.article(article_id, access=access) if self.held else None

    def withdraw(self, article_ids: Iterable[str], *, reason: str = "") -> int:
        """Return how many would be taken down; one that is not here would be kept out."""
        return len(list(article_ids))

    def add(self, batch: Iterable[tuple[Article, Sequence[Span]]]) -> Counts:
        """Note what is new and what is changed."""
        new = changed = 0
        for article, _ in batch:
            known = self.content_hashes([article.id]).get(article.id)
            self._seen[article.id] = (known or frozenset()) | {content_hash(article)}
            self.articles.append(("changed" if known else "new", article.metadata))
            changed, new = (changed + 1, new) if known else (changed, new + 1)
        return Counts(new, changed)


@dataclass(frozen=True, slots=True)
class ReadOnlyFetchHistory:
    """The visits of an archive, of which nothing is kept."""

    visits: FetchHistory | None = None

    def last(self, url: str) -> FetchRecord | None:
        return self.visits.last(url) if self.visits else None

    def save(self, visits: Iterable[FetchRecord]) -> None:
        """Forget them: nothing is written."""


class ReadOnlyFileLocations(FileLocations):
    """The places of an archive, to which none is added."""

    def save(self, read: Iterable[tuple[str, str]]) -> None:
        """Forget them: nothing is written."""


class ReadOnlyOrigins(ArticleOrigins):
    """The origins of an archive's articles; what a rehearsal adds is kept in memory alone."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._added: dict[str, str] = {}

    def of(self, article_id: str) -> str:
        """Return the host that an article was, or would have been, fetched from."""
        return self._added.get(article_id) or super().of(article_id)

    def save(self, hosts: Mapping[str, str]) -> None:
        """Remember where new articles came from; nothing is written."""
        for article_id, host in hosts.items():
            self._added.setdefault(article_id, host)

    def replace(self, hosts: Mapping[str, str]) -> None:
        """Remember other hosts for articles; nothing is written."""
        self._added.update(hosts)
