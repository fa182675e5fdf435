"""Choice of the fastest backend for passages, by measuring those that this machine has.

It is measured when an archive first embeds many passages with a model on a machine, in a few
seconds, and remembered in the user's cache folder. Processor time is measured, with one thread
each, so that a busy machine gives the same figures. A backend counts only if its vectors agree
with those in float32, so that vectors of several machines can stand in one archive.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Protocol

import numpy as np

from rag.errors import ModelError
from rag.models.backend import (
    Backend,
    Library,
    Measured,
    Width,
    choose,
    read_measured,
    set_backend,
    write_measured,
)
from rag.models.numpy_bert import Array, Bert
from rag.models.sample_sentences import SENTENCES
from rag.settings import EmbeddingBackend, Precision, available_threads

Encode = Callable[[Sequence[str]], list[list[int]]]

NEAREST = 10
SENTENCES_OF_A_PASSAGE = 12  # about 200 tokens
PASSAGES = 10
SECONDS = 0.5  # of processor time for each backend: one run of a slow one
LIBRARIES: tuple[Library, ...] = ("torch", "onnxruntime", "openvino")


class Encoder(Protocol):
    """A model that computes the vectors of token ids."""

    def vectors(self, texts: Sequence[Sequence[int]], /) -> Array:
        """Return one pooled vector per text, not normalised."""


def choose_backend(
    folder: Path,
    bert: Bert,
    encode: Encode | None,
    library: EmbeddingBackend,
    precision: Precision,
) -> Backend | None:
    """Return the backend for a model's passages, measured once on a machine.

    Args:
        folder: The model's folder.
        bert: The model.
        encode: Returns the token ids of texts; None to measure nothing.
        library: The setting: a library, or "auto" for the fastest.
        precision: The setting: a precision, or "auto" for the fastest.

    Returns:
        The backend; None if it is to be measured.
    """
    if fixed := set_backend(library, precision):
        return fixed
    if library == "sentence-transformers" or _has_accelerator():
        return default_backend("sentence-transformers", precision)
    measured = read_measured(folder)
    if not measured and encode is not None:
        measured = measure(bert, encode)
        write_measured(folder, measured)
    if found := choose(measured, library, precision):
        return Backend(found.library, found.precision, available_threads())
    return default_backend(library, precision) if measured else None


def default_backend(library: EmbeddingBackend, precision: Precision) -> Backend:
    """Return the backend without a measurement: the settings', or torch."""
    from rag.models.torch_bert import choose_precision

    chosen: Library = "torch" if library == "auto" else library
    width = "float32" if library == "onnxruntime" else choose_precision(precision)
    return Backend(chosen, width, available_threads())


def open_encoder(bert: Bert, backend: Backend) -> Encoder:
    """Return the encoder of a backend other than sentence-transformers.

    Raises:
        ModelError: Its library is missing, or can't run the model.
    """
    try:
        return _open(bert, backend)
    except (ImportError, RuntimeError) as error:
        fix = "`pip install 'backfile[fast]'`, or " if backend.library == "openvino" else ""
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"{backend.library} can't compute this model here: {reason}: {fix}set "
            "BACKFILE_EMBEDDING_BACKEND to auto or another library"
        ) from error


def _open(bert: Bert, backend: Backend) -> Encoder:
    if backend.library == "onnxruntime":
        from rag.models.onnx_backend import OnnxEncoder

        return OnnxEncoder(bert, backend.threads)
    if backend.library == "openvino":
        from rag.models.openvino_backend import OpenVinoBert

        return OpenVinoBert(bert, backend.precision, backend.threads)
    from rag.models.torch_bert import TorchBert

    return TorchBert(bert, backend.precision, threads=backend.threads)


def measure(bert: Bert, encode: Encode) -> tuple[Measured, ...]:
    """Return the rate and the agreement of each backend that this machine has.

    Args:
        bert: The model.
        encode: Returns the token ids of texts.
    """
    sentences = encode(SENTENCES)
    passages = encode([_passage(number) for number in range(PASSAGES)])
    expected = _unit(bert.vectors(sentences))
    found = []
    for library, precision in _candidates():
        try:
            encoder = open_encoder(bert, Backend(library, precision, 1))
            vectors = _unit(encoder.vectors(sentences))  # warms it, too
            rate = _rate(encoder, passages)
        except (ModelError, RuntimeError):  # not installed, or not for this processor
            continue
        cosine = float((vectors * expected).sum(axis=1).mean())
        found.append(Measured(library, precision, rate, cosine, _overlap(vectors, expected)))
    return tuple(found)


def _candidates() -> Iterator[tuple[Library, Width]]:
    from rag.models.torch_bert import bfloat16_is_faster

    precisions: tuple[Width, ...] = (
        ("float32", "bfloat16") if bfloat16_is_faster() else ("float32",)
    )
    for library, precision in product(LIBRARIES, precisions):
        if (library, precision) != ("onnxruntime", "bfloat16"):  # its CPU operators have none
            yield library, precision


def _has_accelerator() -> bool:
    from rag.models.torch_bert import has_accelerator

    return has_accelerator()


def _passage(number: int) -> str:
    """Return a passage of our own sentences, none like another."""
    places = range(number * 5, number * 5 + SENTENCES_OF_A_PASSAGE - number % 3)
    return " ".join(SENTENCES[place % len(SENTENCES)] for place in places)


def _rate(encoder: Encoder, passages: list[list[int]]) -> float:
    """Return tokens per second of processor time, of the best run."""
    spent = list[float]()
    while sum(spent) < SECONDS:
        begun = time.process_time()
        encoder.vectors(passages)
        spent.append(max(time.process_time() - begun, 1e-4))
    return sum(map(len, passages)) / min(spent)


def _overlap(vectors: Array, expected: Array) -> float:
    """Return the mean share of the same nearest vectors, each vector left out of its own."""
    chosen = []
    for rows in (vectors, expected):
        near = rows @ rows.T
        np.fill_diagonal(near, -2)
        chosen.append(np.argsort(-near, axis=1)[:, :NEAREST])
    shared = [len(set(a) & set(b)) for a, b in zip(*(c.tolist() for c in chosen), strict=True)]
    return float(np.mean(shared)) / NEAREST


def _unit(vectors: Array) -> Array:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
