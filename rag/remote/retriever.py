"""RemoteRetriever: a server's search as a LangChain retriever."""

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

from rag.remote.archive import RemoteArchive
from rag.retrieval.langchain import to_document
from rag.schema import Filters


class RemoteRetriever(BaseRetriever):
    """LangChain retriever over a server's archive; its documents are as of `NewsRetriever`.

    Attributes:
        archive: The server's archive.
        k: The most documents to return; `invoke(query, k=3)` overrides it.
        filters: The filters that the articles must pass; a call may override them.
        asked_on: The day from which "last week" is counted, now if None; a call may override it.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    archive: RemoteArchive
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
        hits, relaxed = self.archive.find(
            query,
            self.k if k is None else k,
            filters=self.filters if filters is None else filters,
            asked_on=asked_on or self.asked_on,
        )
        return [to_document(hit, relaxed) for hit in hits]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **how: Any
    ) -> list[Document]:
        return await asyncio.to_thread(
            self._get_relevant_documents, query, run_manager=run_manager.get_sync(), **how
        )
