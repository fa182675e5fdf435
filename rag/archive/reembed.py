"""Giving an archive the vectors of another model, while the old ones answer until the end.

Passages are embedded without the writers' lock: articles may come in meanwhile.  Then, under it,
those that came are caught up with, the vector index is made beside the old one, and both are
changed: the record in one transaction, the index by whoever opens it next, if this is killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rag.index.index_pair import IndexPair
from rag.store.articles import ArticleStore
from rag.store.integrity import embedded_texts
from rag.store.lock import REEMBEDDING, exclusive_lock, writer_lock
from rag.store.passages import Vectors
from rag.store.staged_vectors import StagedVectors

BATCH = 512  # passages in a transaction: what a kill may cost, some seconds of embedding
WAIT = 600.0  # seconds that the change waits for somebody who writes

OnProgress = Callable[[int, int], None]


class Model(Protocol):
    """What is needed of an embedding model."""

    @property
    def name(self) -> str: ...
    def vectors(self, texts: Sequence[str]) -> Vectors: ...
    def too_long(self, texts: Sequence[str]) -> int: ...


@dataclass(frozen=True, slots=True)
class ReembedResult:
    """What was done: of all `passages`, how many vectors were `made`, and not left by an attempt.

    Of those, so many passages were `cut`: the model does not read as far as they go.
    """

    model: str
    passages: int
    made: int
    cut: int
    seconds: float


def reembed(
    folder: Path,
    record: ArticleStore,
    model: Model,
    *,
    indexes: IndexPair | None = None,
    on_progress: OnProgress | None = None,
    wait: float = WAIT,
) -> ReembedResult:
    """Embed every passage with another model, and answer by it from then on.

    `indexes` are those of who holds the writers' lock; without, it is taken for the change alone,
    waiting `wait` seconds for it.  `record` must be writable.  Raises ArchiveLockedError where
    somebody else is at it, or writes for longer than that; what was made is not made again.
    """
    begun = time.monotonic()
    with _alone(folder):
        fresh = StagedVectors(record.database)
        fresh.begin(model.name)
        made, cut = _fill(record, fresh, model, on_progress)
        with _writing(folder, record, indexes, wait) as writers:
            writers.catch_up()
            since = _fill(record, fresh, model, on_progress)
            passages = fresh.count()
            writers.change_vectors(fresh)
    seconds = time.monotonic() - begun
    return ReembedResult(model.name, passages, made + since[0], cut + since[1], seconds)


def cancel_reembed(folder: Path, record: ArticleStore) -> int:
    """Delete what was made of other vectors; return how many there were."""
    with _alone(folder):
        return StagedVectors(record.database).cancel()


def _fill(
    record: ArticleStore, fresh: StagedVectors, model: Model, on_progress: OnProgress | None
) -> tuple[int, int]:
    """Make the vectors that are missing; return how many, and of how many passages cut short."""
    left = list(fresh.missing().values())
    done, made, cut = fresh.count(), 0, 0
    total = done + sum(map(len, left))
    for i in range(0, len(left), BATCH):
        alike = {numbers[0]: numbers for numbers in left[i : i + BATCH]}
        texts = embedded_texts(record.database, list(alike))
        said = list(texts.values())
        vectors = dict(zip(texts, model.vectors(said), strict=True)) if said else {}
        fresh.write({n: vector for first, vector in vectors.items() for n in alike[first]})
        cut += model.too_long(said)
        made += sum(len(alike[first]) for first in vectors)
        if on_progress:
            on_progress(done + made, total)
    return made, cut


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = exclusive_lock(folder, REEMBEDDING)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _writing(
    folder: Path, record: ArticleStore, indexes: IndexPair | None, wait: float
) -> Iterator[IndexPair]:
    if indexes is not None:
        yield indexes
        return
    lock = writer_lock(folder, wait)
    indexes = IndexPair(folder, record, lock)
    try:
        yield indexes
    finally:
        indexes.close()
        lock.release()
