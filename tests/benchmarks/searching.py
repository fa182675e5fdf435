"""Measure searches of 200,000 passages: median and 95th percentile of 100, in milliseconds.

    python -m tests.benchmarks.searching SOURCE [--passages N] [--keep DIR]

The archive is SOURCE, one of real articles, and beside each of them as many twins as it takes:
each passage's words in another order, its vectors turned a little, published on some day of the
two years that are asked about (the first twin on the article's own).  It is asked the questions of
../shared/data, as of their day, in a month's window, and with a reranker of the usual
cross-encoder's shape (six layers of 384, weights drawn at random: what it costs, not what it
finds).
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from rag.archive import reader, view
from rag.archive.archive import Archive
from rag.index.search import Indexes
from rag.index.tantivy_index import TantivyIndex
from rag.models.archive_model import ArchiveModel
from rag.models.loading import open_embeddings
from rag.models.torch_backend import Reranker
from rag.retrieval import hybrid, side_by_side
from rag.retrieval.hybrid import retrieve
from rag.schema import Article, Filters, Passage, Span
from rag.settings import Settings
from rag.store.articles import embedding_text
from rag.store.passages import Vectors
from rag.store.rows import IndexedPassage
from tests.benchmarks.__main__ import SHARED
from tests.benchmarks.parts import Place, timed

QUESTIONS = 200
CEILINGS = {"no window": 25.0, "a month's window": 35.0, "reranked": 400.0}  # ms, two idle cores
PARTS: dict[str, Sequence[Place]] = {
    "understanding the question": [(hybrid, "understand_question")],
    "its vector": [(ArchiveModel, "query_vector")],
    "text indexes": [(TantivyIndex, "search")],
    "vector index": [(Indexes, "search_vectors")],
    "reading candidates": [(reader, "read_candidates"), (view, "read_candidates")],
    "spam": [(hybrid, "demote_spam")],
    "near-duplicates": [(hybrid, "collapse_duplicates")],
    "hits": [(hybrid, "_select_hits")],
}
BATCH = 400  # articles
FIRST_DAY, DAYS = datetime(2022, 1, 1, tzinfo=UTC), 730  # that the questions are asked on
TURNED = 0.02  # standard deviation of what is added to each number of a twin's vector


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.searching")
    parser.add_argument("source", type=Path, help="an archive of real articles")
    parser.add_argument("--passages", type=int, default=200_000)
    parser.add_argument("--keep", type=Path, help="a folder for the archive, to measure it again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = options.keep or Path(folder) / "archive"
        if not place.exists():
            _make(options.source, place, options.passages)
        found = measure(place)
    report(found)
    return 0 if all(np.median(found.times[name]) <= CEILINGS[name] for name in CEILINGS) else 1


@dataclass(frozen=True, slots=True)
class Searches:
    """What the searches of an archive took.

    Attributes:
        passages: Passages of the archive.
        times: Milliseconds of each search, by its kind.
        parts: Processor milliseconds of a search without a window, by part.
        resident: Megabytes of memory that the process had at most.
    """

    passages: int
    times: dict[str, list[float]]
    parts: dict[str, float]
    resident: int


def measure(place: Path) -> Searches:
    """Return what searches of an archive take.

    Args:
        place: The archive's folder.
    """
    kinds: dict[str, Callable[[str, datetime], object]]
    with tempfile.TemporaryDirectory() as folder, Archive.open(place) as archive:
        kinds = {
            "no window": lambda q, on: retrieve(archive, q, asked_on=on),
            "a month's window": lambda q, on: retrieve(archive, q, asked_on=on, filters=_month(on)),
        }
        found = {name: _times(ask) for name, ask in kinds.items()}
        parts = _parts(kinds["no window"])
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        archive.reranker = Reranker(_cross_encoder(Path(folder) / "cross-encoder"))
        found["reranked"] = _times(kinds["no window"], questions=QUESTIONS // 5)
        return Searches(archive.status().passages, found, parts, resident)


def report(found: Searches) -> None:
    """Print what searches took."""
    print(f"{found.passages:,} passages, at most {found.resident:,} MB without a reranker")
    for name, times in found.times.items():
        print(f"{name:17} median {np.median(times):6.1f} ms, 95th {np.percentile(times, 95):6.1f}")
    print("of a search: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in found.parts.items()))


def _parts(ask: Callable[[str, datetime], object]) -> dict[str, float]:
    """Return what the parts of a search cost, one after the other on one thread."""
    asked = _questions(QUESTIONS // 4, seed=6)  # their vectors are not remembered
    with pytest.MonkeyPatch.context() as patch, timed(PARTS) as seconds:
        patch.setattr(side_by_side, "_helpers", lambda: None)
        for question, moment in asked:
            ask(question, moment)
    return {name: 1000 * taken / len(asked) for name, taken in seconds.items()}


def _month(asked_on: datetime) -> Filters:
    return Filters(after=asked_on - timedelta(days=30), before=asked_on + timedelta(days=1))


def _questions(count: int, seed: int = 5) -> list[tuple[str, datetime]]:
    lines = (SHARED / "data" / "questions.jsonl").read_text("utf-8").splitlines()
    rows = {row["question"]: row["asked_on"] for row in map(json.loads, lines)}
    asked = random.Random(seed).sample(sorted(rows), count)
    return [(one, datetime.fromisoformat(rows[one]).replace(tzinfo=UTC)) for one in asked]


def _times(ask: Callable[[str, datetime], object], questions: int = QUESTIONS) -> list[float]:
    asked, took = _questions(questions), []
    for question, moment in asked[:10] + asked:  # the first ten warm what is opened on the way
        begun = time.perf_counter()
        ask(question, moment)
        took.append(1000 * (time.perf_counter() - begun))
    return took[10:]


class GivenVectors:
    """An embedding model whose passages have vectors that are given; queries are embedded."""

    def __init__(self) -> None:
        model = open_embeddings(Settings())
        self.name, self.embed_query = model.name, model.embed_query
        self.of: dict[str, np.ndarray] = {}

    def embed_array(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([self.of[text] for text in texts])

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        return self.embed_array(texts).tolist()  # type: ignore[no-any-return]


def _make(source: Path, place: Path, wanted: int) -> None:
    kept, chance, begun = GivenVectors(), np.random.default_rng(3), time.perf_counter()
    made, batch = 0, list[tuple[Article, list[Span]]]()
    with (
        Archive.open(source) as real,
        Archive.open(place, mode="write", embeddings=kept) as archive,
    ):
        twins = max(1, -(-wanted // max(real.count().passages, 1)) - 1)
        for article, passages, vectors in articles_of(real):
            for number in range(twins + 1):
                one, parts, near = article, passages, vectors
                if number:
                    one, parts = twin_of(article, passages, number)
                    near = turned(vectors, chance)
                texts = (embedding_text(one.metadata, part.text) for part in parts)
                kept.of.update(zip(texts, near, strict=True))
                batch.append((one, [Span(part.start, part.end) for part in parts]))
                made += len(parts)
            if len(batch) >= BATCH or made >= wanted:
                archive.add(batch)
                batch.clear()
                kept.of.clear()
            if made >= wanted:
                break
    print(f"made: {made:,} passages in {time.perf_counter() - begun:.0f} s", flush=True)


def articles_of(real: Archive) -> Iterator[tuple[Article, list[Passage], Vectors]]:
    """Yield each article with its passages and their vectors, in the order they were written."""
    store = real.store
    held: list[IndexedPassage] = []
    for numbers in np.array_split(store.passages.numbers(), 500):
        live = store.passages.live(numbers.tolist())
        for number in sorted(live):
            if held and held[-1].passage.article_id != live[number].passage.article_id:
                yield _article_of(real, held)
                held = []
            held.append(live[number])
    if held:
        yield _article_of(real, held)


def _article_of(
    real: Archive, held: Sequence[IndexedPassage]
) -> tuple[Article, list[Passage], Vectors]:
    article = real.article(held[0].passage.article_id)
    assert article is not None
    numbers = [one.number for one in held]
    found, vectors = real.store.passages.vectors(np.array(numbers, np.int64))
    rows = dict(zip(found.tolist(), vectors, strict=True))
    return article, [one.passage for one in held], np.array([rows[n] for n in numbers])


def turned(vectors: Vectors, chance: np.random.Generator) -> Vectors:
    """Return unit vectors that are turned a little, as unit vectors."""
    near = vectors + chance.normal(0, TURNED, vectors.shape)
    return (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)


def twin_of(
    article: Article, passages: list[Passage], number: int
) -> tuple[Article, list[Passage]]:
    """Return the article with each passage's words shuffled: as long, but no duplicate."""
    chance = random.Random(f"{article.id} {number}")

    def disordered(text: str) -> str:
        words = text.split()
        return " ".join(chance.sample(words, len(words)))

    text, parts = "", list[Passage]()
    for place, passage in enumerate(passages):
        words = f"{disordered(passage.text)} {place}"
        parts.append(replace(passage, start=len(text), end=len(text) + len(words), text=words))
        text += words + "\n\n"
    some_day = FIRST_DAY + timedelta(days=chance.randrange(DAYS))
    published = article.published if number == 1 else some_day
    return article.replace(
        id=f"{article.id}/twin/{number}",
        title=disordered(article.title),
        text=text,
        url="",
        published=published,
    ), parts


def _cross_encoder(folder: Path) -> Path:
    from transformers import BertConfig, BertForSequenceClassification

    from rag.models.weights import minilm_folder

    shape = BertConfig(
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        num_labels=1,
    )
    BertForSequenceClassification(shape).save_pretrained(folder)
    for file in minilm_folder().glob("*token*"):
        shutil.copy(file, folder)
    return folder


if __name__ == "__main__":
    sys.exit(main())
