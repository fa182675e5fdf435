"""Measure the tokens per second of each way to embed: `python -m tests.benchmarks.embedding`.

Wall time where the machine is quiet; by processor time, which other work disturbs less, with
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1.  The first line is what a tutorial does.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from rag.models.embeddings import SentenceEmbeddings
from rag.models.numpy_bert import read_bert
from rag.models.torch_backend import BATCH_TOKENS, TransformerEncoder
from rag.models.weights import minilm_folder

WORDS = "the minister said on Thursday that soldiers had arrived in the eastern region ".split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = minilm_folder()
    # 150 to 250 tokens, as passages are
    texts = [
        " ".join(WORDS[(n + i) % len(WORDS)] for i in range(150 + 37 * n % 100))
        for n in range(options.passages)
    ]
    lengths = SentenceEmbeddings(folder).count_tokens(texts)
    spent: dict[str, list[tuple[float, float]]] = {}
    ways = ways_to_embed(folder, texts, lengths)
    for _ in range(options.rounds):  # in turns, so that a busy minute falls on all
        for name, run in ways.items():
            wall, processor = time.perf_counter(), time.process_time()
            run()
            took = (time.perf_counter() - wall, time.process_time() - processor)
            spent.setdefault(name, []).append(took)
    for name, took_each in spent.items():
        walls, processors = zip(*took_each, strict=True)
        print(
            f"{name:28} {sum(lengths) / median(walls):7.0f} tokens/s, "
            f"{sum(lengths) / min(processors):7.0f} tokens/s of processor time"
        )


def ways_to_embed(
    folder: Path, texts: list[str], lengths: list[int]
) -> dict[str, Callable[[], object]]:
    from sentence_transformers import SentenceTransformer

    tutorial = SentenceTransformer(str(folder))
    bert = read_bert(folder)
    assert bert is not None
    ids = [encoding.ids for encoding in SentenceEmbeddings(folder)._encode(texts)]
    ways: dict[str, Callable[[], object]] = {
        "sentence-transformers": lambda: tutorial.encode(texts, show_progress_bar=False),
        "numpy": lambda: bert.vectors(ids),
    }
    for precision in ("float32", "bfloat16"):
        for size in (BATCH_TOKENS // 2, BATCH_TOKENS, BATCH_TOKENS * 4):
            encoder = TransformerEncoder(folder, precision, batch_tokens=size)
            ways[f"{precision}, {size} a batch"] = lambda encoder=encoder: encoder.vectors(
                texts, lengths, "document"
            )
    return ways


if __name__ == "__main__":
    main()
