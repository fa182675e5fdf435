"""The models that an archive is used with: named at once, opened when first asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder


class LazyEmbeddings:
    """The settings' embedding model, not yet opened: its name costs nothing."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.embedding_model
        self._settings = settings

    def open(self) -> Any:
        """Return the model itself."""
        from rag.models.opening import open_embeddings

        return open_embeddings(self._settings)


def reranker_of(settings: Settings) -> BaseCrossEncoder | None:
    """Return the settings' cross-encoder; None where none is set."""
    if not settings.reranker:
        return None
    from rag.models.opening import open_reranker

    return open_reranker(settings)


def agreeing(settings: Settings, built_with: str) -> Settings:
    """Where no embedding model is set, take the one that the archive was built with."""
    if built_with and settings.embedding_model == Settings().embedding_model:
        return replace(settings, embedding_model=built_with)
    return settings


def model_name(embeddings: Any) -> str:
    """Return the name by which an archive remembers a LangChain embedding model."""
    name = getattr(embeddings, "name", "") or getattr(embeddings, "model_name", "")
    return str(name or type(embeddings).__name__)
