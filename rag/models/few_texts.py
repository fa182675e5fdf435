"""Vectors of few texts: in numpy at first, in ONNX Runtime once that is worth its loading."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rag.models.numpy_bert import Array, Bert

if TYPE_CHECKING:
    from rag.models.onnx_backend import OnnxEncoder

# ONNX Runtime is loaded in .12 s of processor time, and saves 8 ms a call and .08 ms a token.
# It is loaded once numpy has computed this many tokens: a single search or question never waits
# for it, a server's 13th does (docs/benchmarks.md; `python -m tests.benchmarks.embedding`).
TOKENS_IN_NUMPY = 1500
CALL_IN_TOKENS = 100


class FewTexts:
    """A BERT for queries and single sentences. Thread-safe."""

    def __init__(self, bert: Bert) -> None:
        """Take a model in numpy."""
        self._bert = bert
        self._computed = 0
        self._loading = threading.Lock()
        self._onnx: OnnxEncoder | None = None

    def vectors(self, texts: Sequence[Sequence[int]]) -> Array:
        """Return one pooled vector per text, not normalised.

        Args:
            texts: Token ids of each text, including special tokens.
        """
        encoder = self._encoder(texts)
        return encoder.vectors(texts)

    def token_vectors(self, texts: Sequence[Sequence[int]]) -> Iterator[Array]:
        """Yield the last layer's vectors of each text, shape (tokens, dimensions).

        Args:
            texts: Token ids of each text, including special tokens.
        """
        return self._encoder(texts).token_vectors(texts)

    def _encoder(self, texts: Sequence[Sequence[int]]) -> Bert | OnnxEncoder:
        if self._onnx is not None:
            return self._onnx
        self._computed += CALL_IN_TOKENS + sum(map(len, texts))
        if self._computed >= TOKENS_IN_NUMPY and self._loading.acquire(blocking=False):
            try:  # the others go on in numpy meanwhile
                from rag.models.onnx_backend import OnnxEncoder

                self._onnx = OnnxEncoder(self._bert)
            except (ImportError, RuntimeError):  # it isn't for this processor: stay in numpy
                return self._bert  # and keep the lock, so that nobody tries again
            self._loading.release()
        return self._onnx or self._bert
