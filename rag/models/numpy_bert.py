"""BERT forward pass in numpy: query vectors without importing torch.

The model of Devlin et al., 2019 (arXiv 1810.04805), as transformers' BertModel computes it at
inference. Texts are concatenated without padding or mask: products with weights take all tokens
at once, attention takes each text by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from rag.models.weights import read_json

Array = NDArray[np.float32]

# Tokens per pass, unless one text has more: the fastest of four sizes (docs/benchmarks.md).
TOKENS = 128

POOLING_SWITCHES = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",  # nosec B105 # a name in a model's configuration
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


@dataclass(frozen=True, slots=True)
class Linear:
    """Linear layer: `x @ weight + bias`; the weight's columns are contiguous."""

    weight: Array
    bias: Array

    def __call__(self, x: Array) -> Array:
        """Apply the layer to rows."""
        y: Array = x @ self.weight
        y += self.bias
        return y


@dataclass(frozen=True, slots=True)
class LayerNorm:
    """Layer normalisation: each row to mean 0 and variance 1, then scaled and shifted."""

    weight: Array
    bias: Array
    epsilon: float

    def __call__(self, x: Array) -> Array:
        """Normalise rows."""
        x = x - x.mean(axis=-1, keepdims=True)
        variance = np.einsum("ij,ij->i", x, x) / np.float32(x.shape[-1])
        x /= np.sqrt(variance + np.float32(self.epsilon))[:, None]
        x *= self.weight
        x += self.bias
        return x


@dataclass(frozen=True, slots=True)
class Layer:
    """Transformer layer: self-attention and a GELU feed-forward network, with residuals."""

    heads: int
    query_key_value: Linear
    attention_output: Linear
    attention_norm: LayerNorm
    intermediate: Linear
    output: Linear
    output_norm: LayerNorm

    def __call__(self, x: Array, texts: Sequence[slice]) -> Array:
        """Apply the layer to the tokens of several texts."""
        asked = self.query_key_value(x)
        attended = np.concatenate([self._attend(asked[text]) for text in texts])
        x = self.attention_norm(x + self.attention_output(attended))
        return self.output_norm(x + self.output(_gelu(self.intermediate(x))))

    def _attend(self, asked: Array) -> Array:
        tokens, width = asked.shape[0], asked.shape[1] // 3
        parts = asked.reshape(tokens, 3, self.heads, width // self.heads)
        query, key, value = parts.transpose(1, 2, 0, 3)
        scores = query @ key.transpose(0, 2, 1)
        scores *= np.float32((width // self.heads) ** -0.5)
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        return cast(Array, (scores @ value).transpose(1, 0, 2).reshape(tokens, width))


@dataclass(frozen=True, slots=True)
class Bert:
    """The encoder and its pooling: token ids to token vectors, or to one vector per text.

    Attributes:
        words: Vector of each token id.
        positions: Vector of each position in the first of two texts.
        second_type: What is added to it in the second text.
        embedding_norm: Norm of their sums.
        layers: Transformer layers.
        pooling: "mean", or "cls" for the first token's vector.
    """

    words: Array
    positions: Array
    second_type: Array
    embedding_norm: LayerNorm
    layers: tuple[Layer, ...]
    pooling: Literal["mean", "cls"]

    def token_vectors(self, texts: Sequence[Sequence[int]]) -> Iterator[Array]:
        """Yield the last layer's vectors of each text, shape (tokens, dimensions).

        Args:
            texts: Token ids of each text, including special tokens.
        """
        for some in _batch(texts):
            ends = np.cumsum([len(ids) for ids in some])
            places = [slice(end - len(ids), end) for ids, end in zip(some, ends, strict=True)]
            words = self.words[np.concatenate([np.asarray(ids) for ids in some])]
            x = self.embedding_norm(
                words + np.concatenate([self.positions[: len(ids)] for ids in some])
            )
            for layer in self.layers:
                x = layer(x, places)
            yield from (x[place] for place in places)

    def vectors(self, texts: Sequence[Sequence[int]]) -> Array:
        """Return one pooled vector per text, not normalised.

        Args:
            texts: Token ids of each text, including special tokens.
        """
        found = np.empty((len(texts), self.words.shape[1]), np.float32)
        for row, states in zip(found, self.token_vectors(texts), strict=True):
            row[:] = states.mean(axis=0) if self.pooling == "mean" else states[0]
        return found


def _batch(texts: Sequence[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
    """Yield consecutive texts in batches of at most TOKENS tokens, but at least one text."""
    some, taken = list[Sequence[int]](), 0
    for ids in texts:
        if some and taken + len(ids) > TOKENS:
            yield some
            some, taken = [], 0
        some.append(ids)
        taken += len(ids)
    if some:
        yield some


def read_bert(folder: Path) -> Bert | None:
    """Return the model in `folder`; None if this module can't compute it."""
    pooling = _pooling(folder)
    config = read_json(folder / "config.json")
    weights = folder / "model.safetensors"
    if pooling is None or not weights.is_file() or not is_plain_bert(config):
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="numpy") as file:
            prefix = "bert." if "bert.embeddings.LayerNorm.weight" in file.keys() else ""  # noqa: SIM118
            return assemble(lambda name: file.get_tensor(prefix + name), config, pooling)
    except (SafetensorError, TypeError):  # quantised, bfloat16 or other names: left to torch
        return None


def assemble(
    tensor: Callable[[str], Any], config: dict[str, Any], pooling: Literal["mean", "cls"]
) -> Bert:
    """Return a model of the tensors that `tensor` reads by their names in BertModel."""

    def read(name: str) -> Array:
        return np.ascontiguousarray(tensor(name), dtype=np.float32)

    def linear(*names: str) -> Linear:
        weight = np.concatenate([read(f"{name}.weight") for name in names])
        bias = np.concatenate([read(f"{name}.bias") for name in names])
        return Linear(weight.T, bias)  # a view: copying 40 MB takes longer than a query

    def norm(name: str) -> LayerNorm:
        epsilon = float(config.get("layer_norm_eps", 1e-12))
        return LayerNorm(read(f"{name}.weight"), read(f"{name}.bias"), epsilon)

    def layer(number: int) -> Layer:
        at = f"encoder.layer.{number}"
        attention = f"{at}.attention.self"
        return Layer(
            heads=config["num_attention_heads"],
            query_key_value=linear(*(f"{attention}.{part}" for part in ("query", "key", "value"))),
            attention_output=linear(f"{at}.attention.output.dense"),
            attention_norm=norm(f"{at}.attention.output.LayerNorm"),
            intermediate=linear(f"{at}.intermediate.dense"),
            output=linear(f"{at}.output.dense"),
            output_norm=norm(f"{at}.output.LayerNorm"),
        )

    types = read("embeddings.token_type_embeddings.weight")
    return Bert(
        words=read("embeddings.word_embeddings.weight"),
        positions=read("embeddings.position_embeddings.weight") + types[0],
        second_type=types[-1] - types[0],
        embedding_norm=norm("embeddings.LayerNorm"),
        layers=tuple(layer(number) for number in range(config["num_hidden_layers"])),
        pooling=pooling,
    )


def is_plain_bert(config: dict[str, Any]) -> bool:
    """Return whether a config is of a BERT that this module computes."""
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder")
    )


def _pooling(folder: Path) -> Literal["mean", "cls"] | None:
    """Return the model's pooling if it is Transformer, Pooling and optionally Normalize."""
    modules = read_json(folder / "modules.json") or []
    kinds = [module["type"].rpartition(".")[2] for module in modules]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        return None
    config = read_json(folder / modules[1]["path"] / "config.json")
    if modules[0]["path"] or not config.get("include_prompt", True):
        return None
    mode = config.get("pooling_mode")
    if mode is None:  # older files have one switch per mode
        switched = [name for name, on in config.items() if on is True and name in POOLING_SWITCHES]
        mode = POOLING_SWITCHES[switched[0]] if len(switched) == 1 else None
    return "mean" if mode == "mean" else "cls" if mode == "cls" else None


def _gelu(x: Array) -> Array:
    """Return x times the normal distribution function, with an error below 1e-7.

    numpy has no erf; this is Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
    """
    z = np.abs(x)
    z *= np.float32(0.5**0.5)
    t = np.float32(1) / (np.float32(1) + np.float32(0.3275911) * z)
    tail = np.full_like(t, 1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail *= t
        tail += np.float32(coefficient)
    tail *= t
    z *= z
    np.negative(z, out=z)
    np.exp(z, out=z)
    tail *= z
    tail *= np.float32(0.5)  # the tail beyond |x|
    return x * np.where(x < 0, tail, np.float32(1) - tail)
