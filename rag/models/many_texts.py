"""Encoder of many passages: the default one at first, the fastest once that is worth measuring."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from rag.models.backend import Backend
from rag.models.numpy_bert import Bert
from rag.settings import EmbeddingBackend, Precision

if TYPE_CHECKING:
    from rag.models.backend_choice import Encode, Encoder

# Backends are measured when a process has embedded this many tokens, some 200 passages: not in a
# search, nor at the start of a server. Measuring takes as long as embedding 500 passages.
MEASURED_FROM_TOKENS = 40_000


class ManyTexts:
    """A model for many passages. Thread-safe."""

    def __init__(
        self,
        folder: Path,
        bert: Bert | None,
        encode: Encode,
        backend: Backend | EmbeddingBackend,
        precision: Precision,
    ) -> None:
        """Take a model; a library for it is loaded on first use.

        Args:
            folder: The model's folder.
            bert: The model; None if only sentence-transformers can compute it.
            encode: Returns the token ids of texts.
            backend: A backend, a library, or "auto" to measure.
            precision: The setting.
        """
        self._folder, self._bert, self._encode = folder, bert, encode
        self._given, self._precision = backend, precision
        self._loading = threading.Lock()
        self._tokens = 0
        self._chosen: Backend | None = None
        self._encoder: Encoder | None = None
        self._of: Backend | None = None

    @property
    def is_loaded(self) -> bool:
        """True if an encoder is loaded."""
        return self._encoder is not None

    def backend(self) -> Backend:
        """Return the backend; it is measured once on a machine."""
        with self._loading:
            return self._choose(measure=True)

    def encoder(self, tokens: int) -> Encoder | None:
        """Return the encoder for some passages; None if sentence-transformers is to embed them.

        Args:
            tokens: Their number of tokens.

        Raises:
            ModelError: The settings' library isn't here.
        """
        with self._loading:
            self._tokens += tokens
            backend = self._choose(measure=self._tokens >= MEASURED_FROM_TOKENS)
            if self._bert is None or backend.library == "sentence-transformers":
                return None
            if self._encoder is None or backend != self._of:
                from rag.models.backend_choice import open_encoder

                self._encoder, self._of = open_encoder(self._bert, backend), backend
            return self._encoder

    def _choose(self, *, measure: bool) -> Backend:
        """Return the backend; without measuring, the default one if nothing was measured."""
        if isinstance(self._given, Backend):
            return self._given
        if self._chosen is not None:
            return self._chosen
        from rag.models.backend_choice import choose_backend, default_backend

        if self._bert is None:
            library: EmbeddingBackend = "sentence-transformers"
            self._chosen = default_backend(library, self._precision)
            return self._chosen
        self._chosen = choose_backend(
            self._folder,
            self._bert,
            self._encode if measure else None,
            self._given,
            self._precision,
        )
        return self._chosen or default_backend(self._given, self._precision)
