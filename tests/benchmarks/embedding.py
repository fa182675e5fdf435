"""Measure embedding: passages by library, beside a busy process, queries, and pairs to rerank.

    python -m tests.benchmarks.embedding [--passages N] [--rounds R]

Passages have 150 to 250 tokens.  Each line has passages per second, the same while another process
keeps one processor busy, processor seconds for 1,000 passages, and the mean cosine to float32 in
numpy.  The first lines are what a tutorial does, and the bare model on batches of equal length.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from rag.errors import ModelError
from rag.models.backend import Backend, Library, Width
from rag.models.backend_choice import open_encoder
from rag.models.embeddings import SentenceEmbeddings
from rag.models.numpy_bert import read_bert
from rag.models.sample_sentences import SENTENCES
from rag.models.torch_backend import PAIRS, CrossEncoder, Reranker, TransformerEncoder
from rag.models.torch_bert import bfloat16_is_faster
from rag.models.weights import minilm_folder
from rag.settings import available_threads
from tests.benchmarks.searching import _cross_encoder

BARE_TOKENS, BARE_TEXTS = 200, 8
QUESTION = "Which ministers resigned over the ferry contract?"
PAIRS_RERANKED = 20
Run = Callable[[], Any]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.embedding")
    parser.add_argument("--passages", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = minilm_folder()
    model = SentenceEmbeddings(folder)
    texts = [passage(number) for number in range(options.passages)]
    ids = model._ids(texts)
    print(f"{available_threads()} threads, passages of {np.mean([len(i) for i in ids]):.0f} tokens")
    print(f"chosen: {model.backend()}", flush=True)
    ways = dict(ways_to_embed(folder, texts, ids))
    idle = measure(ways, options.rounds)
    with busy_process():
        beside = measure(ways, options.rounds)
    bert = read_bert(folder)
    assert bert is not None
    expected = bert.vectors(ids)
    print(f"{'passages':42} {'/s':>6} {'beside':>7} {'CPU s/1,000':>12} {'cosine':>8}")
    for name, (run, count) in ways.items():
        found = run()
        agreement = f"{cosine(found, expected):8.5f}" if len(found) == len(expected) else ""
        wall, processor = idle[name]
        print(
            f"{name:42} {count / wall:6.1f} {count / beside[name][0]:7.1f} "
            f"{1000 * processor / count:12.1f} {agreement}"
        )
    print_queries(folder, model._ids([QUESTION]), options.rounds)
    print_pairs(options.rounds)


def passage(number: int) -> str:
    """Return some sentences of news that don't exist, 150 to 250 tokens."""
    chosen = random.Random(number).sample(SENTENCES, 12 + number % 7)
    return " ".join(chosen)


def ways_to_embed(
    folder: Path, texts: list[str], ids: list[list[int]]
) -> Iterator[tuple[str, tuple[Run, int]]]:
    """Yield names, and a call with the number of passages that it embeds."""
    import torch
    from sentence_transformers import SentenceTransformer

    threads, lengths = available_threads(), [len(one) for one in ids]
    torch.set_num_threads(threads)
    tutorial = SentenceTransformer(str(folder), device="cpu")
    yield "a tutorial", (partial(tutorial.encode, texts, show_progress_bar=False), len(texts))
    widths: list[Width] = ["float32", "bfloat16"] if bfloat16_is_faster() else ["float32"]
    bert = read_bert(folder)
    assert bert is not None
    for width in widths:
        encoder = TransformerEncoder(folder, width)
        yield f"bare model, {width}", (bare(encoder), BARE_TEXTS)
        run = partial(encoder.vectors, texts, lengths, "document")
        yield f"sentence-transformers, {width}", (run, len(texts))
    libraries: tuple[Library, ...] = ("torch", "onnxruntime", "openvino")
    for library in libraries:
        for width in widths[: 1 if library == "onnxruntime" else None]:
            for workers in sorted({1, threads}):
                with suppress(ModelError):  # it isn't installed
                    backend = Backend(library, width, workers)
                    run = partial(open_encoder(bert, backend).vectors, ids)
                    yield f"{library}, {width}, {workers} workers", (run, len(texts))


def bare(encoder: TransformerEncoder) -> Run:
    import torch

    inner: Any = encoder._model[0]
    ids = torch.randint(1000, 20_000, (BARE_TEXTS, BARE_TOKENS))

    def run() -> list[None]:
        with torch.inference_mode():
            inner.model(input_ids=ids)
        return []

    return run


def measure(ways: dict[str, tuple[Run, int]], rounds: int) -> dict[str, tuple[float, float]]:
    """Return the median seconds of each, and the least seconds of processor time."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):  # in turns, so that a busy minute falls on all
        for name, (run, _) in ways.items():
            wall, processor = time.perf_counter(), time.process_time()
            run()
            took = (time.perf_counter() - wall, time.process_time() - processor)
            spent[name].append(took)
    return {
        name: (median(wall for wall, _ in each), min(processor for _, processor in each))
        for name, each in spent.items()
    }


@contextmanager
def busy_process() -> Iterator[None]:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


def cosine(found: Any, expected: Any) -> float:
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    return float(((found * expected).sum(axis=1) / lengths).mean())


def print_queries(folder: Path, ids: list[list[int]], rounds: int) -> None:
    bert = read_bert(folder)
    assert bert is not None
    ways: dict[str, tuple[Run, int]] = {"numpy": (partial(bert.vectors, ids), 1)}
    libraries: tuple[Library, ...] = ("onnxruntime", "openvino", "torch")
    widths: list[Width] = ["float32", "bfloat16"] if bfloat16_is_faster() else ["float32"]
    for library in libraries:
        for width in widths[: 1 if library == "onnxruntime" else None]:
            with suppress(ModelError):
                encoder = open_encoder(bert, Backend(library, width, 1))
                ways[f"{library}, {width}"] = (partial(encoder.vectors, ids), 1)
    took = measure(ways, 10 * rounds)
    expected = bert.vectors(ids)
    print(f"{'one query':42} {'ms':>6} {'CPU ms':>7} {'cosine':>8}")
    for name, (wall, processor) in took.items():
        agreement = cosine(ways[name][0](), expected)
        print(f"{name:42} {1000 * wall:6.1f} {1000 * processor:7.1f} {agreement:8.5f}")


def print_pairs(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = _cross_encoder(Path(place) / "model")
        pairs = [(QUESTION, passage(number)) for number in range(PAIRS_RERANKED)]
        library = CrossEncoder(folder)
        ways: dict[str, tuple[Run, int]] = {
            "sentence-transformers": (partial(library.predict, pairs, batch_size=PAIRS), 1),
            "float32": (partial(Reranker(folder, "float32").score, pairs), 1),
        }
        if bfloat16_is_faster():
            ways["bfloat16"] = (partial(Reranker(folder, "bfloat16").score, pairs), 1)
        for run, _ in ways.values():
            run()  # loads it
        took = measure(ways, rounds)
    print(f"{f'{PAIRS_RERANKED} pairs reranked':42} {'ms':>6} {'CPU ms':>7}")
    for name, (wall, processor) in took.items():
        print(f"{name:42} {1000 * wall:6.0f} {1000 * processor:7.0f}")


if __name__ == "__main__":
    main()
