"""From a question to a cited answer: `Archive`, `Chatbot` and `NewsRetriever` are the ways in."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive
    from rag.retrieval.langchain import NewsRetriever
    from rag.schema import ALL_RIGHTS, Answer, Article, Citation, Filters, Hit, Passage, Statement

    __version__: str

__all__ = [
    "ALL_RIGHTS",
    "Answer",
    "Archive",
    "Article",
    "Chatbot",
    "Citation",
    "Filters",
    "Hit",
    "NewsRetriever",
    "Passage",
    "Statement",
    "__version__",
]

_HOMES = {
    "Archive": "rag.archive.archive",
    "Chatbot": "rag.answer.chatbot",
    "NewsRetriever": "rag.retrieval.langchain",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from rag.version import version

        return version()
    # imported when asked for: `from rag.settings import Settings` must not wait for LangChain
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "rag.schema")), name)
