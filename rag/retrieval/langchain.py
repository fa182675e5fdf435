"""NewsRetriever: the search as LangChain's chains and agents call one."""

from __future__ import annotations

import asyncio
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
    """The same search for LangChain: `invoke`, `ainvoke`, `batch`; `k` here or in the call.

    Where the time range of a question's words was not used, the documents' metadata have
    `relaxed`: "headline" for the headline of an article of another time, "empty" where nothing
    lies in the range, and the documents are of other days.
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
        found = retrieve(
            self.archive,
            query,
            self.k if k is None else k,
            filters=self.filters if filters is None else filters,
            asked_on=asked_on or self.asked_on,
        )
        return [_document(hit, found.relaxed) for hit in found.nearest_hits]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **how: Any
    ) -> list[Document]:
        return await asyncio.to_thread(
            self._get_relevant_documents, query, run_manager=run_manager.get_sync(), **how
        )


def _document(hit: Hit, relaxed: Relaxed) -> Document:
    head, passage = hit.metadata, hit.passage
    metadata: dict[str, Any] = {
        "article_id": passage.article_id,
        "start": passage.start,
        "end": passage.end,
        "score": hit.score,
        "title": head.title,
        "publisher": head.publisher,
        "url": head.url,
        "published": head.published.isoformat() if head.published else None,
        "copies": [copy.article_id for copy in hit.copies],
    }
    if relaxed:
        metadata["relaxed"] = relaxed
    return Document(page_content=passage.text, metadata=metadata)
