"""BERT in ONNX Runtime, with one thread a batch. The only module that imports onnxruntime."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from rag.models.batching import padded_batches
from rag.models.numpy_bert import Array, Bert
from rag.models.onnx_graph import POOLED, TOKENS, bert_graph, inputs_of

# Padded tokens per batch, unless one text has more; the session keeps a batch's memory.
BATCH_TOKENS = 512

_WARNINGS_OFF = 3  # ONNX Runtime's severity "error"


class OnnxEncoder:
    """ONNX Runtime session of a BERT, float32. Thread-safe."""

    def __init__(self, bert: Bert, threads: int = 1) -> None:
        """Build the session, which shares the model's weights.

        Args:
            bert: The model.
            threads: Batches of a call computed at once, each by one thread; 1 for the caller's.

        Raises:
            ImportError: onnxruntime is missing, or is for another processor.
            RuntimeError: It can't run the model.
        """
        import onnxruntime  # .1 s

        onnxruntime.disable_telemetry_events()  # which it has on Windows
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _WARNINGS_OFF
        graph = bert_graph(bert, "apart")
        # the session reads these arrays as long as it lives
        self._arrays = graph.weights
        wrap = onnxruntime.OrtValue.ortvalue_from_numpy
        self._weights = [wrap(array) for array in self._arrays.values()]
        options.add_external_initializers(list(self._arrays), self._weights)
        self._pooling, self._dimensions = bert.pooling, bert.words.shape[1]
        self._workers = ThreadPoolExecutor(threads, "onnx") if threads > 1 else None
        self._session = onnxruntime.InferenceSession(
            graph.model, options, providers=["CPUExecutionProvider"]
        )

    def vectors(self, texts: Sequence[Sequence[int]]) -> Array:
        """Return one pooled vector per text, not normalised.

        Args:
            texts: Token ids of each text, including special tokens.
        """
        found = np.empty((len(texts), self._dimensions), np.float32)

        def fill(batch: list[int]) -> None:
            inputs = inputs_of([texts[i] for i in batch], self._pooling)
            found[batch] = self._session.run([POOLED], inputs)[0][:, 0]

        batches = padded_batches([len(ids) for ids in texts], BATCH_TOKENS)
        run = self._workers.map if self._workers else map
        for _ in run(fill, batches):
            pass  # raises what a worker raised
        return found

    def token_vectors(self, texts: Sequence[Sequence[int]]) -> Iterator[Array]:
        """Yield the last layer's vectors of each text, shape (tokens, dimensions).

        Args:
            texts: Token ids of each text, including special tokens.
        """
        for ids in texts:
            yield self._session.run([TOKENS], inputs_of([ids], self._pooling))[0][0]
