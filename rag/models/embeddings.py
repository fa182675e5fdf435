"""LangChain Embeddings over sentence-transformers models.

A BERT's queries are embedded in numpy (`rag.models.numpy_bert`) and, once there are several, in
ONNX Runtime (`rag.models.onnx_backend`), so that a search doesn't wait for torch; many passages are
embedded in torch (`rag.models.torch_bert`). Other models are left to sentence-transformers
(`rag.models.torch_backend`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models.backend import Backend
from rag.models.few_texts import FewTexts
from rag.models.langchain_interface import EmbeddingsInterface
from rag.models.many_texts import ManyTexts
from rag.models.numpy_bert import Array, Bert, read_bert
from rag.models.weights import longest_input, read_json
from rag.settings import EmbeddingBackend, Precision

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

    from rag.models.backend_choice import Encoder
    from rag.models.torch_backend import TransformerEncoder

Task = Literal["query", "document"]
Vectors = NDArray[np.float32]

# Calls with fewer tokens don't load torch: they take 2 s here, loading torch 2 to 4 s.
# Figures: docs/benchmarks.md; `python -m tests.benchmarks.embedding`.
TORCH_FROM_TOKENS = 8192

# Names of a model's prompts; the first that is not empty counts.
PROMPT_NAMES: dict[Task, tuple[str, ...]] = {
    "query": ("query",),
    "document": ("document", "passage", "corpus"),
}


class SentenceEmbeddings(EmbeddingsInterface):
    """Sentence-transformers model that returns unit vectors of queries and passages, float32.

    The model's prompts ("query: ", "passage: ") are added. Texts are truncated at `max_tokens`;
    `count_tokens` counts them. Thread-safe.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "",
        precision: Precision = "auto",
        backend: Backend | EmbeddingBackend = "auto",
    ) -> None:
        """Take the model in a folder; it is loaded on first use.

        Args:
            folder: The model's folder.
            name: Its name; the folder if empty.
            precision: Precision of the products for passages.
            backend: What computes the vectors of many passages: a `Backend` of this machine, a
                library, or "auto" to measure.
        """
        self.name = name or str(folder)
        self.folder = folder
        self.precision = precision
        self._loading = threading.Lock()
        self._loading_transformer = threading.Lock()  # queries don't wait for it
        self._backend = backend
        self._transformer_or_none: TransformerEncoder | None = None

    @cached_property
    def max_tokens(self) -> int:
        """The longest input in tokens, including special tokens."""
        folder = self._transformer_folder
        own = read_json(folder / "sentence_bert_config.json").get("max_seq_length")
        return int(own or longest_input(folder, most=2**20))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text as a passage, including prompt and special tokens."""
        return [len(encoding) for encoding in self._encode(self._add_prompts(texts, "document"))]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the unit vectors of passages."""
        return self.embed_array(texts).tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: str) -> list[float]:
        """Return the unit vector of a query."""
        return self._embed([text], "query")[0].tolist()  # type: ignore[no-any-return]

    def embed_array(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors of passages, shape (texts, dimensions)."""
        return self._embed(texts, "document")

    def token_vectors(self, texts: Sequence[str]) -> list[Vectors]:
        """Return the unit vectors of each text's tokens, shape (tokens, dimensions), for MaxSim.

        Without prompts and special tokens; text beyond `max_tokens` is left out.
        """
        encodings = self._encode(texts)
        of_each: Iterator[Array]
        if few := self._few:
            of_each = few.token_vectors([self._truncate(e, e.ids) for e in encodings])
        else:
            of_each = map(self._transformer.token_vectors, texts)
        words = (np.asarray(self._truncate(e, e.special_tokens_mask)) == 0 for e in encodings)
        return [_unit(states[mask]) for states, mask in zip(of_each, words, strict=True)]

    def _embed(self, texts: Sequence[str], task: Task) -> Vectors:
        prompted = self._add_prompts(texts, task)
        encodings = self._encode(prompted)
        lengths = [min(len(encoding), self.max_tokens) for encoding in encodings]
        encoder = self._encoder_of_ids(task, sum(lengths))
        if encoder is None:
            return _unit(self._transformer.vectors(prompted, lengths, task))
        return _unit(encoder.vectors([self._truncate(e, e.ids) for e in encodings]))

    def _encoder_of_ids(self, task: Task, tokens: int) -> Encoder | None:
        """Return what computes the vectors; None if sentence-transformers does."""
        few, many = self._few, self._many
        if few is None:
            return None
        is_loaded = many.is_loaded or self._transformer_or_none is not None
        if task == "query" or (not is_loaded and tokens < TORCH_FROM_TOKENS):
            return few
        return many.encoder(tokens)

    def backend(self) -> Backend:
        """Return what computes the vectors of many passages; it is measured once on a machine."""
        return self._many.backend()

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._truncate(encoding, encoding.ids) for encoding in self._encode(texts)]

    def _truncate(self, encoding: Encoding, values: list[int]) -> list[int]:
        """Return one value per token, without the tokens beyond `max_tokens`."""
        if len(values) <= self.max_tokens:
            return values
        mask = encoding.special_tokens_mask
        closing = mask[::-1].index(0)  # keeps the special tokens at the end
        return values[: self.max_tokens - closing] + values[len(values) - closing :]

    def _add_prompts(self, texts: Sequence[str], task: Task) -> list[str]:
        return [self._prompts[task] + text for text in texts]

    def _encode(self, texts: Sequence[str]) -> list[Encoding]:
        # the fast variant doesn't compute character offsets
        return self._tokenizer.encode_batch_fast(texts)

    @cached_property
    def _prompts(self) -> dict[Task, str]:
        config = read_json(self.folder / "config_sentence_transformers.json")
        prompts = config.get("prompts") or {}
        default = prompts.get(config.get("default_prompt_name") or "", "")
        return {
            task: next((prompts[n] for n in names if prompts.get(n)), default)
            for task, names in PROMPT_NAMES.items()
        }

    @cached_property
    def _transformer_folder(self) -> Path:
        modules = read_json(self.folder / "modules.json") or [{"path": ""}]
        return self.folder / str(modules[0]["path"])

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        file = self._transformer_folder / "tokenizer.json"
        if not file.is_file():
            raise ModelError(
                f"the model in {self.folder} has no tokenizer.json: save it again with "
                "AutoTokenizer.from_pretrained(...).save_pretrained(...)"
            )
        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # tokenizers raises only Exception
            raise ModelError(f"{file} is not a tokenizer: {error}") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    @property
    def _bert(self) -> Bert | None:
        with self._loading:
            return self._bert_or_none

    @cached_property
    def _bert_or_none(self) -> Bert | None:
        return read_bert(self.folder)

    @cached_property
    def _few_or_none(self) -> FewTexts | None:
        return FewTexts(self._bert_or_none) if self._bert_or_none else None

    @property
    def _few(self) -> FewTexts | None:
        with self._loading:
            return self._few_or_none

    @cached_property
    def _many_texts(self) -> ManyTexts:
        bert, precision = self._bert_or_none, self.precision
        return ManyTexts(self.folder, bert, self._ids, self._backend, precision)

    @property
    def _many(self) -> ManyTexts:
        with self._loading:
            return self._many_texts

    @property
    def _transformer(self) -> TransformerEncoder:
        with self._loading_transformer:
            if self._transformer_or_none is None:
                from rag.models.torch_backend import TransformerEncoder

                self._transformer_or_none = TransformerEncoder(self.folder, self.precision)
            return self._transformer_or_none


def _unit(vectors: NDArray[Any]) -> Vectors:
    vectors = vectors.astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(lengths, np.float32(1e-12))  # type: ignore[no-any-return]
