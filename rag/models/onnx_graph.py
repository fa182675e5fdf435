"""ONNX graph of a BERT, written without the onnx package, for ONNX Runtime and OpenVINO.

The graph uses ONNX Runtime's fused operators (domain `com.microsoft`), which OpenVINO reads, too.
Field numbers are those of onnx.proto3 (https://github.com/onnx/onnx), where an ONNX file is
specified as a Protocol Buffers message.

Inputs, for n texts padded at their ends to the longest:
    ids      int64 (n, tokens)       token ids
    places   int64 (tokens)          0, 1, 2 ...
    lengths  int32 (n)               tokens of each text
    pooling  float32 (n, 1, tokens)  weight of each token in its text's vector
Output:
    pooled   float32 (n, 1, dimensions)
    tokens   float32 (n, tokens, dimensions)
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rag.models.numpy_bert import Array, Bert, Layer, LayerNorm, Linear

Weights = Literal["inside", "apart"]

POOLED, TOKENS = "pooled", "tokens"
IR_VERSION, OPERATORS, FUSED_OPERATORS = 9, 18, 1
FUSED = "com.microsoft"
FLOAT, INT32, INT64 = 1, 6, 7  # TensorProto.DataType
_ATTRIBUTE_FLOAT, _ATTRIBUTE_INT = 1, 2  # AttributeProto.AttributeType
_EXTERNAL = 1  # TensorProto.DataLocation


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """An ONNX model, and those of its tensors that are not in it.

    Attributes:
        model: The serialised ModelProto.
        weights: Tensors to hand over beside it, by name; empty if they are inside.
    """

    model: bytes
    weights: Mapping[str, Array]


def bert_graph(bert: Bert, weights: Weights) -> OnnxGraph:
    """Return the graph of a BERT.

    Args:
        bert: The model.
        weights: "inside" the graph, which copies them, or "apart" from it.
    """
    graph = _Graph(weights)
    _embed(graph, bert)
    x = "embedded"
    for number, layer in enumerate(bert.layers):
        x = _layer(graph, f"layer{number}.", layer, x)
    graph.add("Identity", [x], TOKENS)
    graph.add("MatMul", ["pooling", x], POOLED)
    return OnnxGraph(graph.serialise(bert.words.shape[1]), graph.apart)


def inputs_of(texts: Sequence[Sequence[int]], pooling: str) -> dict[str, NDArray[np.generic]]:
    """Return the graph's inputs for the token ids of texts.

    Args:
        texts: Token ids of each text, including special tokens.
        pooling: "mean", or "cls" for the first token's vector.
    """
    lengths = np.array([len(ids) for ids in texts], np.int32)
    places = np.arange(lengths.max(), dtype=np.int64)
    present = places < lengths[:, None]
    ids = np.zeros(present.shape, np.int64)
    ids[present] = np.concatenate([np.asarray(ids) for ids in texts])
    counted = present if pooling == "mean" else present & (places == 0)
    shares = counted.astype(np.float32) / counted.sum(axis=1, keepdims=True, dtype=np.float32)
    return {"ids": ids, "places": places, "lengths": lengths, "pooling": shares[:, None]}


def _embed(graph: _Graph, bert: Bert) -> None:
    words, positions = graph.tensor("words", bert.words), graph.tensor("positions", bert.positions)
    graph.add("Gather", [words, "ids"], "words_of_ids")
    graph.add("Gather", [positions, "places"], "positions_of_places")
    graph.add("Add", ["words_of_ids", "positions_of_places"], "sum")
    scale, shift = graph.norm("embedding_norm", bert.embedding_norm)
    epsilon = bert.embedding_norm.epsilon
    graph.add("LayerNormalization", ["sum", scale, shift], "embedded", epsilon=epsilon, axis=-1)


def _layer(graph: _Graph, at: str, layer: Layer, x: str) -> str:
    """Add a transformer layer on the output named `x`, and return its output's name."""
    parts = [f"{at}{part}" for part in ("query", "key", "value")]
    product = graph.product(f"{at}asked", layer.query_key_value, x)
    bias = graph.tensor(f"{at}asked.bias", layer.query_key_value.bias)
    asked = graph.add("Add", [product, bias], f"{at}asked.sum")
    graph.add("Split", [asked], *parts, axis=-1, num_outputs=3)
    attended = graph.add(
        "MultiHeadAttention",
        [*parts, "", "lengths"],
        f"{at}attended",
        domain=FUSED,
        num_heads=layer.heads,
    )
    x = graph.residual(f"{at}attention", layer.attention_output, layer.attention_norm, attended, x)
    wide = graph.product(f"{at}wide", layer.intermediate, x)
    bias = graph.tensor(f"{at}wide.bias", layer.intermediate.bias)
    wide = graph.add("BiasGelu", [wide, bias], f"{at}wide.gelu", domain=FUSED)
    return graph.residual(f"{at}output", layer.output, layer.output_norm, wide, x)


@dataclass
class _Graph:
    """Nodes and tensors of a graph that is being built."""

    weights: Weights
    nodes: list[bytes] = field(default_factory=list)
    tensors: list[bytes] = field(default_factory=list)
    apart: dict[str, Array] = field(default_factory=dict)

    def add(
        self,
        operator: str,
        inputs: Sequence[str],
        *outputs: str,
        domain: str = "",
        **attributes: float,
    ) -> str:
        """Add a node, and return the name of its first output."""
        self.nodes.append(
            _join(_bytes(1, name) for name in inputs)
            + _join(_bytes(2, name) for name in outputs)
            + _bytes(4, operator)
            + _join(_bytes(5, _attribute(name, value)) for name, value in attributes.items())
            + _bytes(7, domain)
        )
        return outputs[0]

    def product(self, name: str, linear: Linear, x: str) -> str:
        """Add the product with a linear layer's weight, and return its output's name."""
        weight = self.tensor(f"{name}.weight", linear.weight.T)  # as it is in memory: not copied
        inputs = [x, weight]
        return self.add("FusedMatMul", inputs, f"{name}.product", domain=FUSED, transB=1)

    def residual(self, name: str, linear: Linear, norm: LayerNorm, inner: str, x: str) -> str:
        """Add a linear layer on `inner`, the residual `x` and their norm."""
        scale, shift = self.norm(f"{name}.norm", norm)
        inputs = [self.product(name, linear, inner), x, scale, shift]
        inputs.append(self.tensor(f"{name}.bias", linear.bias))
        return self.add(
            "SkipLayerNormalization", inputs, f"{name}.x", domain=FUSED, epsilon=norm.epsilon
        )

    def norm(self, name: str, norm: LayerNorm) -> tuple[str, str]:
        """Add a norm's tensors, and return their names."""
        return self.tensor(f"{name}.scale", norm.weight), self.tensor(f"{name}.shift", norm.bias)

    def tensor(self, name: str, values: Array) -> str:
        """Add a constant, and return its name."""
        values = np.ascontiguousarray(values)
        described = _join(_int(1, size) for size in values.shape) + _int(2, FLOAT)
        described += _bytes(8, name)
        if self.weights == "inside":
            described += _bytes(9, values.astype("<f4", copy=False).tobytes())
        else:
            self.apart[name] = values
            entry = _bytes(1, "location") + _bytes(2, name)
            described += _bytes(13, entry) + _int(14, _EXTERNAL)
        self.tensors.append(described)
        return name

    def serialise(self, dimensions: int) -> bytes:
        """Return the ModelProto."""
        texts, tokens = "texts", "tokens"
        inputs = [
            _value("ids", INT64, (texts, tokens)),
            _value("places", INT64, (tokens,)),
            _value("lengths", INT32, (texts,)),
            _value("pooling", FLOAT, (texts, 1, tokens)),
        ]
        outputs = [
            _value(POOLED, FLOAT, (texts, 1, dimensions)),
            _value(TOKENS, FLOAT, (texts, tokens, dimensions)),
        ]
        graph = _join(
            [
                *(_bytes(1, node) for node in self.nodes),
                _bytes(2, "bert"),
                *(_bytes(5, tensor) for tensor in self.tensors),
                *(_bytes(11, value) for value in inputs),
                *(_bytes(12, value) for value in outputs),
            ]
        )
        operators = _bytes(8, _bytes(1, "") + _int(2, OPERATORS))
        fused = _bytes(8, _bytes(1, FUSED) + _int(2, FUSED_OPERATORS))
        return _join([_int(1, IR_VERSION), _bytes(7, graph), operators, fused])


def _attribute(name: str, value: float) -> bytes:
    if isinstance(value, int):
        return _bytes(1, name) + _int(3, value) + _int(20, _ATTRIBUTE_INT)
    number = _varint(2 << 3 | 5) + struct.pack("<f", value)
    return _bytes(1, name) + number + _int(20, _ATTRIBUTE_FLOAT)


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    """Return a ValueInfoProto: a name, a type and a shape with named or fixed sizes."""
    sizes = [_bytes(2, size) if isinstance(size, str) else _int(1, size) for size in shape]
    tensor = _int(1, kind) + _bytes(2, _join(_bytes(1, size) for size in sizes))
    return _bytes(1, name) + _bytes(2, _bytes(1, tensor))


def _bytes(number: int, value: str | bytes) -> bytes:
    """Return a field of Protocol Buffers that holds text, bytes or a message."""
    encoded = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(encoded)) + encoded


def _int(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    """Return an integer in groups of seven bits, lowest first; negative ones in 64 bits."""
    value &= 2**64 - 1
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _join(parts: Iterable[bytes]) -> bytes:
    return b"".join(parts)
