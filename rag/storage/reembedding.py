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

from rag.storage.indexes import Indexes
from rag.storage.lock import REEMBEDDING, exclusive_lock, writers_lock
from rag.storage.mending import embedded_texts
from rag.storage.newvectors import NewVectors
from rag.storage.passages import Vectors
from rag.storage.record import Record

BATCH = 512  # passages in a transaction: what a kill may cost, some seconds of embedding
WAIT = 600.0  # seconds that the change waits for somebody who writes

Embed = Callable[[Sequence[str]], Vectors]
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Reembedded:
    """What was done: vectors that were made, and those that an earlier attempt had left."""

    model: str
    passages: int
    made: int
    seconds: float


def reembed(
    folder: Path,
    record: Record,
    embed: Embed,
    model: str,
    *,
    indexes: Indexes | None = None,
    on_progress: OnProgress | None = None,
    wait: float = WAIT,
) -> Reembedded:
    """Embed every passage with another model, and answer by it from then on.

    `indexes` are those of who holds the writers' lock; without, it is taken for the change alone,
    waiting `wait` seconds for it.  `record` must be writable.  Raises ArchiveLockedError where
    somebody else is at it, or writes for longer than that; what was made is not made again.
    """
    begun = time.monotonic()
    with _alone(folder):
        fresh = NewVectors(record.database)
        fresh.begin(model)
        made = _fill(record, fresh, embed, on_progress)
        with _writing(folder, record, indexes, wait) as writers:
            writers.follow()
            made += _fill(record, fresh, embed, on_progress)  # what has come in since
            passages = fresh.count()
            writers.change_vectors(fresh)
    return Reembedded(model, passages, made, time.monotonic() - begun)


def abandon(folder: Path, record: Record) -> int:
    """Delete what was made of other vectors; return how many there were."""
    with _alone(folder):
        return NewVectors(record.database).abandon()


def _fill(record: Record, fresh: NewVectors, embed: Embed, on_progress: OnProgress | None) -> int:
    """Make the vectors that are missing; return how many."""
    left = list(fresh.missing().values())
    done, made = fresh.count(), 0
    total = done + sum(map(len, left))
    for i in range(0, len(left), BATCH):
        alike = {numbers[0]: numbers for numbers in left[i : i + BATCH]}
        texts = embedded_texts(record.database, list(alike))
        vectors = dict(zip(texts, embed(list(texts.values())), strict=True)) if texts else {}
        fresh.write({n: vector for first, vector in vectors.items() for n in alike[first]})
        made += sum(len(alike[first]) for first in vectors)
        if on_progress:
            on_progress(done + made, total)
    return made


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = exclusive_lock(folder, REEMBEDDING)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _writing(
    folder: Path, record: Record, indexes: Indexes | None, wait: float
) -> Iterator[Indexes]:
    if indexes is not None:
        yield indexes
        return
    lock = writers_lock(folder, wait)
    indexes = Indexes(folder, record, lock)
    try:
        yield indexes
    finally:
        indexes.close()
        lock.release()
