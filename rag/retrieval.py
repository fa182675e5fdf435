"""From a question to the passages that answer it: understand, search twice, fuse, weigh by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from rag.questions import Question, stand_alone, understand
from rag.schema import Answer, Filters, Hit

EVERYTHING = Filters()
CANDIDATES = 100  # passages taken from each index before they are fused
FUSION_DAMPING = 60  # the usual constant of reciprocal rank fusion (Cormack et al., 2009)


@runtime_checkable
class Searchable(Protocol):
    """What `retrieve` needs of an archive."""

    def dense(self, query: str, k: int, *, filters: Filters = ...) -> list[Hit]: ...

    def lexical(
        self, query: str, k: int, *, filters: Filters = ..., phrases: Sequence[str] = ...
    ) -> list[Hit]: ...

    def publishers(self) -> tuple[str, ...]: ...

    def authors(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What a question was understood to ask, and the passages found for it, best first."""

    question: Question
    hits: tuple[Hit, ...]
    considered: int


def retrieve(
    archive: Searchable,
    question: str,
    k: int = 8,
    *,
    filters: Filters = EVERYTHING,
    asked_on: datetime | None = None,
    history: Sequence[tuple[str, Answer] | str] = (),
) -> Retrieval:
    """Return the `k` passages that answer `question` best, as of `asked_on` (now if not given)."""
    asked = understand(
        stand_alone(question, history),
        asked_on=asked_on or datetime.now(UTC),
        publishers=archive.publishers(),
        authors=archive.authors(),
    )
    lexical = archive.lexical(asked.query, CANDIDATES, filters=filters, phrases=asked.phrases)
    dense = archive.dense(asked.query, CANDIDATES, filters=filters)
    scores: dict[tuple[str, int], float] = {}
    hits: dict[tuple[str, int], Hit] = {}
    for ranking in (lexical, dense):
        for rank, hit in enumerate(ranking):
            key = (hit.passage.article_id, hit.passage.start)
            hits[key] = hit
            scores[key] = scores.get(key, 0.0) + 1 / (FUSION_DAMPING + rank + 1)
    best = sorted(scores, key=lambda key: -scores[key])[:k]
    found = tuple(replace(hits[key], score=scores[key]) for key in best)
    return Retrieval(question=asked, hits=found, considered=len(hits))


class NewsRetriever(BaseRetriever):
    """The same search for LangChain: `invoke`, `ainvoke`, `batch`; `k` here or in the call."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    archive: Searchable
    k: int = 8
    filters: Filters = EVERYTHING
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
        return [_document(hit) for hit in found.hits]


def _document(hit: Hit) -> Document:
    head, passage = hit.head, hit.passage
    return Document(
        page_content=passage.text,
        metadata={
            "article_id": passage.article_id,
            "start": passage.start,
            "end": passage.end,
            "score": hit.score,
            "title": head.title,
            "publisher": head.publisher,
            "url": head.url,
            "published": head.published.isoformat() if head.published else None,
        },
    )
