"""BERT in torch on the CPU, in float32 or bfloat16: many passages, and pairs to rerank.

It computes what transformers' BertModel does, faster: texts are concatenated without padding, the
weights are packed once for oneDNN, and batches are shared by workers of one thread each, which
don't wait for each other as the threads inside of one product do. It imports torch alone, without
transformers and sentence-transformers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from statistics import median
from typing import Any, Literal

import numpy as np

from rag.models.batching import even_batches
from rag.models.numpy_bert import Array, Bert, LayerNorm, Linear
from rag.settings import Precision

# Tokens per batch, unless one text has more: the fastest of three sizes (docs/benchmarks.md).
BATCH_TOKENS = 1536

Wide = Literal["float32", "bfloat16"]
Then = Literal["none", "gelu"]  # after a product


class TorchBert:
    """BERT with packed weights. Thread-safe."""

    def __init__(
        self, bert: Bert, precision: Wide, *, threads: int = 0, batch_tokens: int = BATCH_TOKENS
    ) -> None:
        """Pack the model's weights.

        Args:
            bert: The model.
            precision: Precision of its products; its vectors are float32.
            threads: Batches computed at once, each by one thread; 0 for torch's own choice.
            batch_tokens: Tokens per batch.
        """
        import torch  # 2 to 4 s

        self.precision = precision
        self.batch_tokens = batch_tokens
        self._threads = threads or torch.get_num_threads()
        self._pooling = bert.pooling
        self._heads = bert.layers[0].heads if bert.layers else 1
        self._dtype = getattr(torch, precision)
        self._packed = _can_pack(self._dtype)
        self._words, self._positions = self._tensor(bert.words), self._tensor(bert.positions)
        self._second_type = self._tensor(bert.second_type)
        self._embedding_norm = self._norm(bert.embedding_norm)
        self._layers = [
            (
                self._linear(layer.query_key_value),
                self._linear(layer.attention_output),
                self._norm(layer.attention_norm),
                self._linear(layer.intermediate),
                self._linear(layer.output),
                self._norm(layer.output_norm),
            )
            for layer in bert.layers
        ]

    def vectors(
        self, texts: Sequence[Sequence[int]], types: Sequence[Sequence[int]] | None = None
    ) -> Array:
        """Return one pooled vector per text, float32, not normalised.

        Args:
            texts: Token ids of each text, including special tokens.
            types: For each token, 0 in the first of two texts and 1 in the second; None for one.
        """
        found = np.empty((len(texts), self._words.shape[1]), np.float32)
        whole = even_batches([len(ids) for ids in texts], self.batch_tokens, self._threads)
        run = _workers(self._threads).map(lambda batch: self._pooled(texts, types, batch), whole)
        for batch, rows in zip(whole, run, strict=True):
            found[batch] = rows
        return found

    def _pooled(
        self,
        texts: Sequence[Sequence[int]],
        types: Sequence[Sequence[int]] | None,
        batch: Sequence[int],
    ) -> Array:
        import torch

        with torch.inference_mode():
            states = self._run([texts[i] for i in batch], types and [types[i] for i in batch])
            parts = states.float().split([len(texts[i]) for i in batch])
            pooled = [part.mean(0) if self._pooling == "mean" else part[0] for part in parts]
            return torch.stack(pooled).numpy()

    def _run(self, texts: Sequence[Sequence[int]], types: Sequence[Sequence[int]] | None) -> Any:
        """Return the last layer's states of all tokens of a batch, in its order."""
        import torch

        lengths = [len(ids) for ids in texts]
        places = np.concatenate([np.arange(length) for length in lengths])
        with torch.inference_mode():
            x = self._words[_flat(texts)] + self._positions[torch.from_numpy(places)]
            if types is not None:
                x = x + _flat(types)[:, None].to(self._dtype) * self._second_type
            x = torch.nn.functional.layer_norm(x, *self._embedding_norm)
            for layer in self._layers:
                x = self._layer(layer, x, lengths)
        return x

    def _layer(self, layer: Any, x: Any, lengths: Sequence[int]) -> Any:
        from torch.nn.functional import layer_norm

        asked, attention_output, attention_norm, intermediate, output, output_norm = layer
        attended = self._attend(self._product(x, asked), lengths)
        x = layer_norm(x + self._product(attended, attention_output), *attention_norm)
        wide = self._product(x, intermediate, "gelu")
        return layer_norm(x + self._product(wide, output), *output_norm)

    def _attend(self, asked: Any, lengths: Sequence[int]) -> Any:
        """Return each text's attention by itself: faster than padding them to one length."""
        import torch

        width = asked.shape[1] // 3
        attended = torch.empty((asked.shape[0], width), dtype=asked.dtype)
        parts: Any = torch.split  # untyped
        texts = zip(parts(asked, lengths), parts(attended, lengths), strict=True)
        for (part, target), length in zip(texts, lengths, strict=True):
            shape = (1, length, 3, self._heads, width // self._heads)
            query, key, value = part.view(shape).permute(2, 0, 3, 1, 4)
            found = torch.nn.functional.scaled_dot_product_attention(query, key, value)
            target.copy_(found[0].transpose(0, 1).reshape(length, width))
        return attended

    def _product(
        self, x: Any, linear: tuple[Any, Any], then: Literal["none", "gelu"] = "none"
    ) -> Any:
        import torch

        if self._packed:
            return _packed_product(x, *linear, then)
        y = torch.nn.functional.linear(x, *linear)
        return torch.nn.functional.gelu(y) if then == "gelu" else y

    def _linear(self, linear: Linear) -> tuple[Any, Any]:
        weight = self._tensor(linear.weight.T)
        return _pack(weight) if self._packed else weight, self._tensor(linear.bias)

    def _norm(self, norm: LayerNorm) -> tuple[Any, Any, Any, float]:
        weight, bias = self._tensor(norm.weight), self._tensor(norm.bias)
        return weight.shape, weight, bias, norm.epsilon

    def _tensor(self, array: Array) -> Any:
        import torch

        # its own copy: the arrays may be read-only views of a file
        return torch.tensor(np.ascontiguousarray(array), dtype=self._dtype)


def choose_precision(precision: Precision) -> Wide:
    """Return the precision of products: the setting's, or the faster one for "auto"."""
    if precision == "auto":
        return "bfloat16" if bfloat16_is_faster() else "float32"
    return precision


def has_accelerator() -> bool:
    """Return whether torch sees a GPU or the like, where sentence-transformers runs models."""
    import torch

    return bool(torch.accelerator.is_available())


@cache
def bfloat16_is_faster() -> bool:
    """Return whether products in bfloat16 are faster than in float32 on this processor.

    Measured for the products of a small encoder if the processor has instructions for bfloat16:
    without them bfloat16 is several times slower.
    """
    import torch

    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    if has_accelerator() or not (capabilities.get("amx_bf16") or capabilities.get("avx512_bf16")):
        return False

    def seconds(dtype: Any) -> float:
        x, weight = torch.ones(1024, 384, dtype=dtype), torch.ones(1536, 384, dtype=dtype)
        return _median_seconds(lambda: torch.nn.functional.linear(x, weight))

    with torch.inference_mode():
        return seconds(torch.bfloat16) < 0.8 * seconds(torch.float32)


def _median_seconds(run: Callable[[], object], times: int = 9) -> float:
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        spent.append(time.perf_counter() - start)
    return median(spent)


def _flat(rows: Sequence[Sequence[int]]) -> Any:
    import torch

    return torch.from_numpy(np.concatenate([np.asarray(row, np.int64) for row in rows]))


def _pack(weight: Any) -> Any:
    import torch

    return torch.ops.mkldnn._reorder_linear_weight(weight, BATCH_TOKENS)


def _packed_product(x: Any, weight: Any, bias: Any, then: Then = "none") -> Any:
    import torch

    # operators that torch's compiler uses
    kind = "none" if then == "gelu" else ""  # of gelu: exact, not by tanh
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, then, [], kind)


@cache
def _can_pack(dtype: Any) -> bool:
    """Return whether torch can multiply by packed weights here, and gets the products right."""
    import torch

    generator = torch.Generator().manual_seed(7)
    x, weight, bias = (
        torch.randn(shape, generator=generator).to(dtype) for shape in ((5, 64), (96, 64), (96,))
    )
    with torch.inference_mode():
        expected = torch.nn.functional.gelu(torch.nn.functional.linear(x, weight, bias)).float()
        try:
            found = _packed_product(x, _pack(weight), bias, "gelu").float()
        except (AttributeError, TypeError, RuntimeError):  # another build of torch
            return False
    return bool(torch.allclose(found, expected, rtol=0.02, atol=0.1))


@cache
def _workers(threads: int) -> ThreadPoolExecutor:
    """Return workers whose products use one thread each, shared by all models."""
    import torch

    before = torch.get_num_threads()

    def use_one_thread() -> None:
        torch.set_num_threads(1)  # of this worker, but also the default of threads to come
        torch.set_num_threads(torch.get_num_threads())

    pool = ThreadPoolExecutor(threads, "torch", initializer=use_one_thread)
    started = threading.Barrier(threads)
    list(pool.map(lambda _: started.wait(), range(threads)))  # by all of the workers
    torch.set_num_threads(before)
    return pool
