"""Models of an archive, loaded on first use."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

from rag.errors import BackfileError, EmbeddingMismatchError, ModelError
from rag.models.presets import model_for
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder

Vectors = npt.NDArray[np.float32]

# Sentences whose vectors are kept, 1.5 kB each: an answer compares about 100, and the next answer
# of a conversation, another mode or another column mostly the same ones.
REMEMBERED = 4096
# Queries whose vectors are kept: one search needs its vector several times, while others run.
QUERIES_REMEMBERED = 256


class LazyEmbeddings:
    """The embedding model of the settings, before it is loaded."""

    def __init__(self, settings: Settings) -> None:
        """Take the model that `settings` name."""
        self.name = model_for(settings, "embedding")
        self._settings = settings

    def open(self) -> Any:
        """Return the loaded model."""
        from rag.models.loading import open_embeddings

        return open_embeddings(self._settings)


class ArchiveModel:
    """The embedding model that an archive is written and searched with. Thread-safe."""

    def __init__(self, embeddings: Any, settings: Settings, built_with: str = "") -> None:
        """Take a model, or the settings' model.

        Args:
            embeddings: A LangChain `Embeddings`; None for the settings' model.
            settings: The settings.
            built_with: Name of the model that the archive was built with; "" for a new archive.

        Raises:
            EmbeddingMismatchError: The archive was built with another model.
        """
        self._settings = settings
        own = settings_for_archive(settings, built_with)
        self._model = embeddings or LazyEmbeddings(own)
        self._own_settings = None if embeddings else own
        if built_with not in ("", self.name):
            raise EmbeddingMismatchError(
                f"the archive was built with the embedding model {built_with}, not "
                f"{_with_preset(self.name, settings)}: set BACKFILE_EMBEDDING_MODEL={built_with}, "
                f"or re-embed the archive with `backfile reembed --model {self.name}`"
            )
        self._changing = threading.Lock()
        self._queries: LRUCache[bytes, Vectors] = LRUCache(QUERIES_REMEMBERED)
        self._remembered: LRUCache[tuple[str, bytes], Vectors] = LRUCache(REMEMBERED)
        self._remembering = threading.Lock()

    @property
    def name(self) -> str:
        """The model's name."""
        return model_name(self._model)

    @property
    def settings(self) -> Settings | None:
        """The settings that open this model elsewhere; None for a model passed as an object."""
        return self._own_settings

    def open(self) -> Any:
        """Return the model, loaded on first use."""
        if isinstance(self._model, LazyEmbeddings):
            with self._changing:
                if isinstance(self._model, LazyEmbeddings):
                    self._model = self._model.open()
        return self._model

    def change_to(self, name: str) -> None:
        """Switch to the model of this name.

        Raises:
            EmbeddingMismatchError: It can't be loaded by its name.
        """
        with self._changing:
            if self.name == name:
                return
            try:
                own = replace(self._settings, embedding_model=name)
                self._model = LazyEmbeddings(own).open()
                self._own_settings = own
            except ModelError as error:
                raise EmbeddingMismatchError(
                    f"the archive has been re-embedded with {name} since it was opened, and "
                    f"that model cannot be loaded here: {error}"
                ) from error
            with self._remembering:
                self._queries.clear()

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors of texts, embedded as passages, shape (n, dimension).

        Raises:
            ModelError: The model failed, for any text.
        """
        model = self.open()
        try:
            return _vectors(model, texts)
        except (BackfileError, OSError, MemoryError):
            raise
        except Exception as error:
            if _works(model):  # only these texts fail
                raise
            line = " ".join(str(error).split())[:200]
            raise ModelError(
                f"the embedding model {self.name} failed ({type(error).__name__}: {line}): "
                "check that it can be reached, and run the same command again"
            ) from error

    def remembered_vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors of texts as `vectors` does, embedding only those that are new.

        Texts are remembered by their digests, so that an erased article leaves no words here.

        Raises:
            ModelError: The model failed, for any text.
        """
        if len(texts) > REMEMBERED // 4:  # not the sentences of an answer
            return self.vectors(texts)
        name = self.name
        keys = [(name, _digest(text)) for text in texts]
        with self._remembering:
            known = {key: self._remembered[key] for key in keys if key in self._remembered}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new or not texts:
            found = self.vectors(list(new.values()))
            if not texts:
                return found
            if self.name != name:  # changed meanwhile
                return self.vectors(texts)
            fresh = {key: vector.copy() for key, vector in zip(new, found, strict=True)}
            known |= fresh
            with self._remembering:
                self._remembered.update(fresh)
        return np.stack([known[key] for key in keys])

    def too_long(self, texts: Sequence[str]) -> int:
        """Return the number of texts beyond the model's input limit; 0 if the limit is unknown."""
        model = self.open()
        count = getattr(model, "count_tokens", None)
        return sum(tokens > model.max_tokens for tokens in count(texts)) if count and texts else 0

    def query_vector(self, query: str) -> Vectors:
        """Return the query's unit vector; those of the last queries are remembered."""
        model, key = self.open(), _digest(query)
        with self._remembering:
            known = self._queries.get(key)
        if known is not None:
            return known
        vector: Vectors = _unit(np.asarray(model.embed_query(query), np.float32)[None])[0]
        with self._remembering:
            if model is self._model:  # not changed meanwhile
                self._queries[key] = vector
        return vector


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=16).digest()


def _vectors(model: Any, texts: Sequence[str]) -> Vectors:
    array = getattr(model, "embed_array", None)
    found = array(texts) if array else model.embed_documents(list(texts))
    return _unit(np.asarray(found, np.float32))


def _works(model: Any) -> bool:
    """Return True if the model can embed an ordinary sentence."""
    try:
        return bool(len(_vectors(model, ["The ferry sailed on Monday."])))
    except Exception:
        return False


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)


def open_reranker_lazily(settings: Settings) -> BaseCrossEncoder | None:
    """Return the settings' cross-encoder; None if none is set."""
    if not model_for(settings, "reranker"):
        return None
    from rag.models.loading import open_reranker

    return open_reranker(settings)


def settings_for_archive(settings: Settings, built_with: str) -> Settings:
    """Return settings with the archive's embedding model, unless they or their preset set one."""
    if built_with and not settings.embedding_model and settings.models == "default":
        return replace(settings, embedding_model=built_with)
    return settings


def _with_preset(name: str, settings: Settings) -> str:
    """Return a model's name, and the preset that it comes from."""
    if settings.embedding_model or name != model_for(settings, "embedding"):
        return name
    return f"{name} (of BACKFILE_MODELS={settings.models})"


def model_name(embeddings: Any) -> str:
    """Return the name that an archive stores for a LangChain embedding model."""
    name = getattr(embeddings, "name", "") or getattr(embeddings, "model_name", "")
    return str(name or type(embeddings).__name__)
