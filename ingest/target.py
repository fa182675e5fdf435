"""IngestTarget: the archive as an ingest sees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from rag.schema import Access, Article, Span


class AddCounts(Protocol):
    """What an archive says of a batch that it has put."""

    @property
    def new(self) -> int: ...
    @property
    def changed(self) -> int: ...
    @property
    def unchanged(self) -> int: ...
    @property
    def passages(self) -> int: ...
    @property
    def withdrawn(self) -> int: ...


class IngestTarget(Protocol):
    """The archive that `ingest` writes to: `rag.archive.archive.Archive`, or a fake."""

    @property
    def embeddings(self) -> Any: ...  # a TokenLimit as well: how it counts, how much it reads
    def content_hashes(self, article_ids: Iterable[str]) -> dict[str, frozenset[str]]: ...
    def article(self, article_id: str, *, access: Access) -> Article | None: ...
    def add(self, batch: Iterable[tuple[Article, Sequence[Span]]]) -> AddCounts: ...
    def withdraw(self, article_ids: Iterable[str], *, reason: str = "") -> int: ...
