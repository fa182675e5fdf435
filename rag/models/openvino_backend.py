"""BERT in OpenVINO, for many passages. The only module that imports openvino."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import numpy as np

from rag.models.backend import Width
from rag.models.batching import padded_batches
from rag.models.numpy_bert import Array, Bert
from rag.models.onnx_graph import POOLED, bert_graph, inputs_of

# Padded tokens per batch, unless one text has more.
BATCH_TOKENS = 2048


class OpenVinoBert:
    """Compiled BERT, with as many requests as threads. Thread-safe."""

    def __init__(self, bert: Bert, precision: Width, threads: int) -> None:
        """Compile the model.

        Args:
            bert: The model.
            precision: Precision of its products; its vectors are float32.
            threads: Batches computed at once, each by one thread.

        Raises:
            ImportError: openvino is missing, or is for another processor.
            RuntimeError: It can't run the model.
        """
        # importing openvino reports to its makers unless this package is missing
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
        import openvino  # .5 s

        core = openvino.Core()
        options = {
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
            "ENABLE_CPU_PINNING": "NO",
        }
        compiled = core.compile_model(
            core.read_model(bert_graph(bert, "inside").model), "CPU", options
        )
        self._pooling, self._dimensions = bert.pooling, bert.words.shape[1]
        self._workers = ThreadPoolExecutor(threads, "openvino")
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(threads):
            self._requests.put(compiled.create_infer_request())

    def vectors(self, texts: Sequence[Sequence[int]]) -> Array:
        """Return one pooled vector per text, not normalised.

        Args:
            texts: Token ids of each text, including special tokens.
        """
        found = np.empty((len(texts), self._dimensions), np.float32)
        batches = list(padded_batches([len(ids) for ids in texts], BATCH_TOKENS))
        run = self._workers.map(lambda batch: self._pooled([texts[i] for i in batch]), batches)
        for batch, rows in zip(batches, run, strict=True):
            found[batch] = rows
        return found

    def _pooled(self, texts: Sequence[Sequence[int]]) -> Array:
        request = self._requests.get()
        try:
            rows: Array = request.infer(inputs_of(texts, self._pooling))[POOLED][:, 0].copy()
        finally:
            self._requests.put(request)
        return rows
