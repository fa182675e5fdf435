"""RemoteRetriever: a server's search as a LangChain retriever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rag.remote.archive import RemoteArchive
from rag.retrieval.hybrid import Relaxed
from rag.retrieval.langchain import NewsRetriever
from rag.schema import Filters, Hit


class RemoteRetriever(NewsRetriever):
    """LangChain retriever over a server's archive; otherwise as `NewsRetriever`.

    Attributes:
        archive: The server's archive.
    """

    archive: RemoteArchive  # type: ignore[assignment]

    def _find(
        self, query: str, k: int, filters: Filters, asked_on: datetime | None
    ) -> tuple[Sequence[Hit], Relaxed]:
        return self.archive.find(query, k, filters=filters, asked_on=asked_on)
