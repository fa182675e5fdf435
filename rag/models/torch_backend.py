"""The models that sentence-transformers computes; alone imports it and torch.

Both cost seconds and hundreds of megabytes: a module that wants a model of here opens it when it
has something to compute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Literal

import numpy as np
from langchain_core.cross_encoders import BaseCrossEncoder
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.settings import Precision

Task = Literal["query", "document"]
Vectors = NDArray[np.float32]

# Padded tokens a batch.  Tokens a second of processor time, one thread of a Zen 4 with
# avx512_bf16, passages of 200 tokens: bfloat16 4550 with 1024 a batch, 4850 with 2048, 4280 with
# 8192; float32 2710 with 2048; sentence-transformers' own batches of 32 texts, float32, 2240.
# Again: `python -m tests.benchmarks.embedding`.
BATCH_TOKENS = 2048

# Pairs a batch, longest first.  Processor time a token of six layers of 384, one thread with AVX2
# on a busy machine, pairs of 256 tokens: 374 us with 4 a batch, 470 with 20, 443 with 1; and fewer
# are padded to the longest.
PAIRS = 4


class TransformerEncoder:
    """A SentenceTransformer: the vectors of many texts, as fast as this machine can."""

    def __init__(
        self, folder: Path, precision: Precision, *, batch_tokens: int = BATCH_TOKENS
    ) -> None:
        self.batch_tokens = batch_tokens
        with _quiet_loading(folder):
            import torch  # with the next line 5 s and 445 MB: only to embed in bulk
            from sentence_transformers import SentenceTransformer

            narrow = precision == "bfloat16" or (precision == "auto" and bfloat16_is_faster())
            dtype = torch.bfloat16 if narrow else torch.float32
            self._model = SentenceTransformer(
                str(folder), local_files_only=True, model_kwargs={"dtype": dtype}
            )
        self._one_at_a_time = threading.Lock()  # the tokenizers inside are not for two threads

    def vectors(self, texts: Sequence[str], lengths: Sequence[int], task: Task) -> Vectors:
        """Return the texts' vectors, float32, in their order; `lengths` are in tokens."""
        model = self._model
        encode = model.encode_query if task == "query" else model.encode_document
        found: list[tuple[list[int], Vectors]] = []
        for batch in batches(lengths, self.batch_tokens):
            with self._one_at_a_time:
                tensor = encode(
                    [texts[i] for i in batch],
                    prompt="",  # the texts have theirs already
                    batch_size=len(batch),
                    show_progress_bar=False,
                    convert_to_tensor=True,
                )
            found.append((batch, tensor.float().cpu().numpy()))
        if not found:
            return np.zeros((0, model.get_embedding_dimension() or 0), np.float32)
        order = np.concatenate([batch for batch, _ in found])
        vectors: Vectors = np.concatenate([part for _, part in found])
        return vectors[np.argsort(order)]

    def token_vectors(self, text: str) -> Vectors:
        """Return the vectors of the text's tokens, special tokens included, float32."""
        with self._one_at_a_time:
            tensor: Any = self._model.encode(
                [text], prompt="", output_value="token_embeddings", show_progress_bar=False
            )[0]
        return tensor.float().cpu().numpy()  # type: ignore[no-any-return]


class CrossEncoder:
    """A sentence-transformers CrossEncoder, loaded when it is first asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loading = threading.Lock()
        self._model: Any = None

    def predict(self, pairs: Sequence[tuple[str, str]], **options: Any) -> NDArray[np.float32]:
        """Return a score, or a row of them, for each pair of texts."""
        with self._loading:
            if self._model is None:
                with _quiet_loading(self.folder):
                    import sentence_transformers  # 5 s, 445 MB: only to judge pairs of texts

                    self._model = sentence_transformers.CrossEncoder(
                        str(self.folder), local_files_only=True
                    )
            scores = self._model.predict(list(pairs), show_progress_bar=False, **options)
        return np.asarray(scores, np.float32)


class Reranker(BaseCrossEncoder):
    """A cross-encoder that ranks, as LangChain takes one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._model = CrossEncoder(folder)

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        """Return how well each second text answers the first; higher is better."""
        if not text_pairs:
            return []
        scores = self._model.predict(text_pairs, batch_size=PAIRS)
        if np.ndim(scores) != 1:
            raise ModelError(
                f"{self.folder} gives {np.shape(scores)[1]} scores a pair, a reranker gives one: "
                "set BACKFILE_RERANKER to one trained for ranking"
            )
        return [float(score) for score in scores]


def batches(lengths: Sequence[int], limit: int) -> Iterator[list[int]]:
    """Yield the texts' numbers, longest first, in batches of at most `limit` padded tokens."""
    longest_first = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    while longest_first:
        size = max(1, limit // max(1, lengths[longest_first[0]]))
        yield longest_first[:size]
        del longest_first[:size]


def bfloat16_is_faster() -> bool:
    """Return whether products in bfloat16 take clearly less time than in float32, here and now.

    Only asked where the processor has instructions for them: emulated, they are three to six
    times slower.
    """
    import torch

    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    if torch.cuda.is_available() or not (
        capabilities.get("amx_bf16") or capabilities.get("avx512_bf16")
    ):
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


@contextmanager
def _quiet_loading(folder: Path) -> Iterator[None]:
    """Without transformers' progress bars; what goes wrong is a ModelError."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    except Exception as error:  # whatever a damaged or foreign folder makes transformers raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"the model in {folder} cannot be loaded: {reason}") from error
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
