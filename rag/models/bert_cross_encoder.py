"""Ranking cross-encoder that is a BERT, computed by `rag.models.torch_bert`.

It gives the scores of sentence-transformers' CrossEncoder: the first token's vector goes through
the pooler, the classifier and the activation that the model's config names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.models.numpy_bert import Array, Bert, Linear, assemble, is_plain_bert
from rag.models.torch_bert import TorchBert, choose_precision
from rag.models.weights import longest_input, read_json
from rag.settings import Precision

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Activations of a config by their names; sentence-transformers' default is the sigmoid.
ACTIVATIONS = {
    None: "sigmoid",
    "torch.nn.modules.linear.Identity": "none",
    "torch.nn.modules.activation.Sigmoid": "sigmoid",
}


@dataclass(frozen=True, slots=True)
class Head:
    """Pooler, classifier with one output, and activation, which follow the encoder."""

    pooler: Linear
    classifier: Linear
    activation: str

    def __call__(self, first_tokens: Array) -> NDArray[np.float32]:
        """Return the score of each row of first tokens' vectors."""
        scores = self.classifier(np.tanh(self.pooler(first_tokens)))[:, 0]
        return scores if self.activation == "none" else _sigmoid(scores)


class BertCrossEncoder:
    """BERT that scores pairs of texts. Thread-safe."""

    def __init__(self, tokenizer: Tokenizer, bert: TorchBert, head: Head) -> None:
        """Take the parts; the tokenizer truncates to the longest input."""
        self._tokenizer, self._bert, self._head = tokenizer, bert, head

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return the relevance of each second text to the first; higher is better."""
        encodings = self._tokenizer.encode_batch_fast(list(pairs))
        ids = [encoding.ids for encoding in encodings]
        types = [encoding.type_ids for encoding in encodings]
        return [float(score) for score in self._head(self._bert.vectors(ids, types))]


def read_cross_encoder(folder: Path, precision: Precision) -> BertCrossEncoder | None:
    """Return the cross-encoder in `folder`; None if it is to be left to sentence-transformers.

    Args:
        folder: The model's folder.
        precision: Precision of its products; "auto" takes the faster one.
    """
    config = read_json(folder / "config.json")
    weights, tokens = folder / "model.safetensors", folder / "tokenizer.json"
    if not (weights.is_file() and tokens.is_file() and _is_plain(folder, config)):
        return None
    from safetensors import SafetensorError, safe_open
    from tokenizers import Tokenizer

    try:
        with safe_open(weights, framework="numpy") as file:
            bert, head = _read(file.get_tensor, config)
    except (SafetensorError, TypeError):  # quantised, bfloat16 or other names
        return None
    if head.classifier.bias.shape != (1,):
        return None
    try:
        tokenizer = Tokenizer.from_file(str(tokens))
    except Exception:  # tokenizers raises only Exception
        return None
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest_input(folder, most=len(bert.positions)))
    return BertCrossEncoder(tokenizer, TorchBert(bert, choose_precision(precision)), head)


def _read(tensor: Any, config: dict[str, Any]) -> tuple[Bert, Head]:
    def linear(name: str) -> Linear:
        weight, bias = tensor(f"{name}.weight"), tensor(f"{name}.bias")
        return Linear(weight.astype(np.float32).T, bias.astype(np.float32))

    bert = assemble(lambda name: tensor(f"bert.{name}"), config, "cls")
    activation = ACTIVATIONS[_activation(config)]
    return bert, Head(linear("bert.pooler.dense"), linear("classifier"), activation)


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return (0.5 * (1 + np.tanh(0.5 * x))).astype(np.float32)  # type: ignore[no-any-return]


def _activation(config: dict[str, Any]) -> str | None:
    """Return the activation's name as sentence-transformers reads it."""
    current = config.get("sentence_transformers") or {}
    name = current.get("activation_fn", config.get("sbert_ce_default_activation_function"))
    return None if name is None else str(name)


def _is_plain(folder: Path, config: dict[str, Any]) -> bool:
    """Return whether it is a plain BERT without prompts, with one of the known activations."""
    modules = read_json(folder / "modules.json") or [{"path": "", "type": "Transformer"}]
    inputs = read_json(folder / "tokenizer_config.json").get("model_input_names")
    prompts = read_json(folder / "config_sentence_transformers.json").get("prompts") or {}
    return (
        is_plain_bert(config)
        and config.get("architectures") == ["BertForSequenceClassification"]
        and [(m["path"], m["type"].rpartition(".")[2]) for m in modules] == [("", "Transformer")]
        and (inputs is None or "token_type_ids" in inputs)
        and not any(prompts.values())
        and _activation(config) in ACTIVATIONS
    )
