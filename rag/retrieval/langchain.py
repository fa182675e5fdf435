"""NewsRetriever: the archive's search as a LangChain retriever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import Relaxed, retrieve
from rag.schema import Filters, Hit


class NewsRetriever(BaseRetriever):
    """LangChain retriever over an archive: `invoke`, `ainvoke`, `batch`.

    Each document is a passage, best first. Its metadata:

    - `source`: the article's URL, or its id if it has none
    - `start_index`, `start`, `end`: the passage's position in the article's text, in characters
    - `article_id`, `title`, `publisher`, `url`, and `published` as ISO 8601 or None
    - `score`: higher is better
    - `copies`: ids of near-duplicates
    - `relaxed`, only if a constraint of the question was ignored: "headline" or "named" if the
      question is the headline of an article of another time, publisher or author; "empty" if
      nothing lies in its time range and the documents are of other days

    Attributes:
        archive: An `Archive`, an `ArchiveSnapshot`, or any other `SearchBackend`.
        k: The most documents to return; `invoke(query, k=3)` overrides it.
        filters: The filters that the articles must pass; a call may override them.
        asked_on: The day from which "last week" is counted, now if None; a call may override it.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    archive: SearchBackend
    k: int = 8
    filters: Filters = Filters()
    asked_on: datetime | None = None

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        filters: Filters | None = None,
        asked_on: datetime | None = None,
    ) -> list[Document]:
        hits, relaxed = self._find(
            query,
            self.k if k is None else k,
            self.filters if filters is None else filters,
            asked_on or self.asked_on,
        )
        return [to_document(hit, relaxed) for hit in hits]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **how: Any
    ) -> list[Document]:
        return await asyncio.to_thread(
            self._get_relevant_documents, query, run_manager=run_manager.get_sync(), **how
        )

    def _find(
        self, query: str, k: int, filters: Filters, asked_on: datetime | None
    ) -> tuple[Sequence[Hit], Relaxed]:
        """Return the hits, best first, and the constraint that the search ignored."""
        found = retrieve(self.archive, query, k, filters=filters, asked_on=asked_on)
        return found.nearest_hits, found.relaxed


def to_document(hit: Hit, relaxed: Relaxed = "") -> Document:
    """Return a hit as a LangChain document, with the metadata that `NewsRetriever` describes.

    Args:
        hit: The hit.
        relaxed: The constraint of the question that the search ignored; "" for none.
    """
    article, passage = hit.metadata, hit.passage
    metadata: dict[str, Any] = {
        "source": article.url or passage.article_id,
        "start_index": passage.start,
        "article_id": passage.article_id,
        "start": passage.start,
        "end": passage.end,
        "score": hit.score,
        "title": article.title,
        "publisher": article.publisher,
        "url": article.url,
        "published": article.published.isoformat() if article.published else None,
        "copies": [copy.article_id for copy in hit.copies],
    }
    if relaxed:
        metadata["relaxed"] = relaxed
    return Document(page_content=passage.text, metadata=metadata)
