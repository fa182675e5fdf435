"""Bulk embedding, cross-encoders and token classifiers. The only module that imports torch.

torch and sentence-transformers cost seconds and hundreds of megabytes: import this module only when
there is something to compute.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from langchain_core.cross_encoders import BaseCrossEncoder
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models.batching import padded_batches
from rag.models.bert_cross_encoder import BertCrossEncoder, read_cross_encoder
from rag.models.torch_bert import bfloat16_is_faster, choose_precision, has_accelerator
from rag.settings import Precision

Task = Literal["query", "document"]
Vectors = NDArray[np.float32]

# Padded tokens per batch: the fastest of three sizes (docs/benchmarks.md;
# `python -m tests.benchmarks.embedding`).
BATCH_TOKENS = 2048

# Pairs per batch, longest first: the fastest of three sizes (docs/benchmarks.md).
PAIRS = 4


class TransformerEncoder:
    """SentenceTransformer for the vectors of many texts. Thread-safe."""

    def __init__(
        self, folder: Path, precision: Precision, *, batch_tokens: int = BATCH_TOKENS
    ) -> None:
        """Load the model.

        Args:
            folder: The model's folder.
            precision: Precision of its products; "auto" takes the faster one.
            batch_tokens: Padded tokens per batch.

        Raises:
            ModelError: The model can't be loaded.
        """
        self.batch_tokens = batch_tokens
        with _quiet_loading(folder):
            import torch  # with the next line 5 s and 445 MB: only for bulk embedding
            from sentence_transformers import SentenceTransformer

            dtype = getattr(torch, choose_precision(precision))
            self._model = SentenceTransformer(
                str(folder), local_files_only=True, model_kwargs={"dtype": dtype}
            )
        self._one_at_a_time = threading.Lock()  # its tokenizers are not thread-safe

    def vectors(self, texts: Sequence[str], lengths: Sequence[int], task: Task) -> Vectors:
        """Return the vectors of texts, float32, in order.

        Args:
            texts: Texts with their prompts.
            lengths: Their lengths in tokens.
            task: "query" or "document".
        """
        model = self._model
        encode = model.encode_query if task == "query" else model.encode_document
        found: list[tuple[list[int], Vectors]] = []
        for batch in padded_batches(lengths, self.batch_tokens):
            with self._one_at_a_time:
                tensor = encode(
                    [texts[i] for i in batch],
                    prompt="",  # the texts include their prompts
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
        """Return the vectors of a text's tokens, including special tokens, float32."""
        with self._one_at_a_time:
            tensor: Any = self._model.encode(
                [text], prompt="", output_value="token_embeddings", show_progress_bar=False
            )[0]
        return tensor.float().cpu().numpy()  # type: ignore[no-any-return]


class CrossEncoder:
    """Sentence-transformers CrossEncoder, loaded on first use."""

    def __init__(self, folder: Path, precision: Precision | None = None) -> None:
        """Take the model in a folder.

        Args:
            folder: The model's folder.
            precision: Precision of its products; None for that of its weights, "auto" for bfloat16
                where it is faster.
        """
        self.folder = folder
        self.precision = precision
        self._loading = threading.Lock()
        self._model: Any = None

    def predict(self, pairs: Sequence[tuple[str, str]], **options: Any) -> NDArray[np.float32]:
        """Return a score, or a row of scores, for each pair of texts."""
        with self._loading:
            if self._model is None:
                with _quiet_loading(self.folder):
                    import sentence_transformers  # 5 s, 445 MB: only to score pairs of texts

                    self._model = sentence_transformers.CrossEncoder(
                        str(self.folder), local_files_only=True, model_kwargs=self._kwargs()
                    )
            scores = self._model.predict(list(pairs), show_progress_bar=False, **options)
        return np.asarray(scores, np.float32)

    def _kwargs(self) -> dict[str, Any]:
        if self.precision is None or (self.precision == "auto" and not bfloat16_is_faster()):
            return {}
        return {"dtype": choose_precision(self.precision)}


class Reranker(BaseCrossEncoder):
    """A ranking cross-encoder behind LangChain's interface."""

    def __init__(self, folder: Path, precision: Precision = "auto") -> None:
        """Take the model in a folder; it is loaded on first use.

        Args:
            folder: The model's folder.
            precision: Precision of its products; "auto" takes the faster one.
        """
        self.folder = folder
        self._model = CrossEncoder(folder, precision)
        self._precision = precision
        self._loading = threading.Lock()

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        """Return the relevance of each second text to the first; higher is better.

        Raises:
            ModelError: The model is not a ranking model.
        """
        if not text_pairs:
            return []
        bert = self._bert
        if bert is not None:
            return bert.score(text_pairs)
        scores = self._model.predict(text_pairs, batch_size=PAIRS)
        if np.ndim(scores) != 1:
            raise ModelError(
                f"{self.folder} gives {np.shape(scores)[1]} scores per pair, not one: "
                "set BACKFILE_RERANKER to one trained for ranking"
            )
        return [float(score) for score in scores]

    @property
    def _bert(self) -> BertCrossEncoder | None:
        with self._loading:
            return self._bert_or_none

    @cached_property
    def _bert_or_none(self) -> BertCrossEncoder | None:
        return None if has_accelerator() else read_cross_encoder(self.folder, self._precision)


class TokenClassifier:
    """Transformer that classifies the tokens of the second of two texts, loaded on first use."""

    def __init__(self, folder: Path) -> None:
        """Take the model in a folder."""
        self.folder = folder
        self._loading = threading.Lock()
        self._tokenizer: Any = None
        self._model: Any = None

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text, without special tokens."""
        if not texts:
            return []
        with self._loading:
            encoded = self._open()[0](list(texts), add_special_tokens=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def predict(
        self, first: str, second: str, *, max_tokens: int
    ) -> tuple[list[tuple[int, int]], NDArray[np.float32]]:
        """Classify the tokens of the second text.

        Args:
            first: The text before it, truncated at its end if both are too long.
            second: The text to classify, which must fit.
            max_tokens: The longest input.

        Returns:
            The tokens' places in the second text, and the probabilities of the labels, shape
            (tokens, labels).
        """
        import torch

        with self._loading:
            tokenizer, model = self._open()
            encoded = tokenizer(
                first,
                second,
                truncation="only_first",
                max_length=max_tokens,
                return_offsets_mapping=True,
                return_tensors="pt",
                verbose=False,
            )
            offsets = encoded.pop("offset_mapping")[0].tolist()
            parts = encoded.sequence_ids(0)
            with torch.inference_mode():
                logits = model(**encoded).logits[0].float()
        rows = torch.softmax(logits, dim=-1).cpu().numpy()
        kept = [
            n
            for n, (part, (start, end)) in enumerate(zip(parts, offsets, strict=True))
            if part == 1 and start < end
        ]
        return [(offsets[n][0], offsets[n][1]) for n in kept], np.asarray(rows[kept], np.float32)

    def _open(self) -> tuple[Any, Any]:
        if self._model is None:
            with _quiet_loading(self.folder):
                import torch  # with the next line 5 s and 400 MB: only to judge sentences
                from transformers import AutoModelForTokenClassification, AutoTokenizer

                self._tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)  # nosec B615 # a local folder
                self._model = AutoModelForTokenClassification.from_pretrained(  # nosec B615 # a local folder
                    self.folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
                ).eval()
        return self._tokenizer, self._model


@contextmanager
def _quiet_loading(folder: Path) -> Iterator[None]:
    """Hide transformers' progress bars in the block, and raise its errors as ModelError."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    except Exception as error:  # transformers raises many types for a damaged or foreign folder
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"the model in {folder} cannot be loaded: {reason}") from error
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
