"""LangChain's `Embeddings` without importing LangChain, which takes 0.3 s, until somebody looks.

A search needs a query's vector, and not the class that LangChain checks for. `as_langchain` makes a
model an instance of that class: it is a virtual subclass from then on.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from functools import cache
from typing import TypeVar

Model = TypeVar("Model")


class EmbeddingsInterface(ABC):
    """The methods of LangChain's `Embeddings`."""

    @abstractmethod
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of passages."""

    @abstractmethod
    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a query."""

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of passages, computed in a thread."""
        return await asyncio.to_thread(self.embed_documents, texts)

    async def aembed_query(self, text: str) -> list[float]:
        """Return the vector of a query, computed in a thread."""
        return await asyncio.to_thread(self.embed_query, text)


def as_langchain(model: Model) -> Model:
    """Return a model, which is an instance of LangChain's `Embeddings` from now on."""
    if isinstance(model, EmbeddingsInterface):
        _register()
    return model


@cache
def _register() -> None:
    from langchain_core.embeddings import Embeddings

    Embeddings.register(EmbeddingsInterface)  # type: ignore[type-abstract]
