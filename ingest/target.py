"""Protocol of the archive that an ingest reads from and writes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from rag.schema import Access, Article, Span


class AddCounts(Protocol):
    """Counts of a batch that was added."""

    @property
    def new(self) -> int:
        """The number of new articles."""

    @property
    def changed(self) -> int:
        """The number of articles with a new revision."""

    @property
    def unchanged(self) -> int:
        """The number of articles that the archive had already."""

    @property
    def passages(self) -> int:
        """The number of passages that were indexed."""

    @property
    def withdrawn(self) -> int:
        """The number of articles left out because they have been withdrawn."""


class IngestTarget(Protocol):
    """The archive that an ingest writes to: `rag.archive.archive.Archive`, or a fake."""

    @property
    def embeddings(self) -> Any:
        """The embedding model."""

    def add(self, batch: Iterable[tuple[Article, Sequence[Span]]]) -> AddCounts:
        """Add articles with the spans of their passages, in one transaction."""

    def withdraw(self, article_ids: Iterable[str], *, reason: str = "") -> int:
        """Withdraw articles, whether present or yet to come; return how many were present."""

    def content_hashes(self, article_ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return the content hashes of all revisions of these articles, by id."""

    def article(self, article_id: str, *, access: Access) -> Article | None:
        """Return the current revision of an article, or None."""
