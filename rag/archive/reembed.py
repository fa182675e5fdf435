"""Switch an archive to another embedding model while it stays readable and writable.

Passages are embedded without the write lock. Then, under it, passages added in the meantime are
embedded, a second vector index is built, and both are switched: the database in one transaction,
and the index by the next process to open it if this one is killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rag.index.search import Indexes
from rag.index.shared_index import SharedIndex
from rag.store.articles import ArticleStore
from rag.store.lock import REEMBEDDING, exclusive_lock, writer_lock
from rag.store.passages import Vectors
from rag.store.repairs import embedded_texts
from rag.store.staged_vectors import StagedVectors

BATCH = 512  # passages per transaction: a kill loses some seconds of embedding
WAIT = 600.0  # seconds to wait for the write lock

OnProgress = Callable[[int, int], None]


class Model(Protocol):
    """Protocol of an embedding model."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors of texts, shape (n, dimension)."""
        ...

    def too_long(self, texts: Sequence[str]) -> int:
        """Return the number of texts beyond the model's input limit."""
        ...


@dataclass(frozen=True, slots=True)
class ReembedResult:
    """Result of a switch to another embedding model.

    Attributes:
        model: The name of the new model.
        passages: All passages of the archive.
        made: Passages that were embedded in this run.
        cut: Those of them that exceed the model's input limit and were truncated.
        seconds: The duration of the run.
    """

    model: str
    passages: int
    made: int
    cut: int
    seconds: float


def reembed(
    folder: Path,
    store: ArticleStore,
    model: Model,
    *,
    indexes: Indexes | None = None,
    shared: SharedIndex | None = None,
    on_progress: OnProgress | None = None,
    wait: float = WAIT,
) -> ReembedResult:
    """Embed every passage with another model, and switch the archive to it.

    Vectors are kept if the switch fails, and not computed again.

    Args:
        folder: The archive's folder.
        store: Its store, writable.
        model: The next embedding model.
        indexes: The indexes of a process that holds the write lock; without them, the lock is taken
            for the switch alone.
        shared: The vector index on a server, for the indexes that are opened without them.
        on_progress: Called with the numbers of passages done and in all.
        wait: Seconds to wait for the write lock.

    Returns:
        The result of the switch.

    Raises:
        ArchiveLockedError: Another process is re-embedding, or kept the write lock for too long.
    """
    begun = time.monotonic()
    with _reembed_lock(folder):
        staged = StagedVectors(store.database)
        staged.begin(model.name)
        made, cut = _embed_missing(store, staged, model, on_progress)
        with _hold_write_lock(folder, store, indexes, shared, wait) as writers:
            writers.catch_up()
            since = _embed_missing(store, staged, model, on_progress)
            passages = staged.count()
            writers.change_vectors(staged)
    seconds = time.monotonic() - begun
    return ReembedResult(model.name, passages, made + since[0], cut + since[1], seconds)


def reembed_shared(
    store: ArticleStore, model: Model, *, on_progress: OnProgress | None = None
) -> ReembedResult:
    """Embed every passage of a shared record with another model, and switch the record to it.

    Other processes write until the switch; followers then copy the new vectors.

    Args:
        store: The store over the record.
        model: The next embedding model.
        on_progress: Called with the numbers of passages done and in all.

    Returns:
        The result of the switch.

    Raises:
        ArchiveLockedError: Another process is re-embedding, or kept writing for too long.
    """
    begun = time.monotonic()
    record = store.database
    staged = StagedVectors(record)
    with record.hold_reembedding():
        staged.begin(model.name)
        made, cut = _embed_missing(store, staged, model, on_progress)
        with record.hold_writers():
            since = _embed_missing(store, staged, model, on_progress)
            passages = staged.count()
            with record.change("reembed", 0):
                staged.activate()
    seconds = time.monotonic() - begun
    return ReembedResult(model.name, passages, made + since[0], cut + since[1], seconds)


def cancel_reembed(folder: Path, store: ArticleStore) -> int:
    """Delete the vectors of an unfinished switch; return the number deleted."""
    with _reembed_lock(folder):
        return StagedVectors(store.database).cancel()


def _embed_missing(
    store: ArticleStore, staged: StagedVectors, model: Model, on_progress: OnProgress | None
) -> tuple[int, int]:
    """Embed the passages without a vector; return the numbers embedded and truncated."""
    left = list(staged.missing().values())
    done, made, cut = staged.count(), 0, 0
    total = done + sum(map(len, left))
    for i in range(0, len(left), BATCH):
        alike = {numbers[0]: numbers for numbers in left[i : i + BATCH]}
        texts = embedded_texts(store.database, list(alike))
        said = list(texts.values())
        vectors = dict(zip(texts, model.vectors(said), strict=True)) if said else {}
        staged.write({n: vector for first, vector in vectors.items() for n in alike[first]})
        cut += model.too_long(said)
        made += sum(len(alike[first]) for first in vectors)
        if on_progress:
            on_progress(done + made, total)
    return made, cut


@contextmanager
def _reembed_lock(folder: Path) -> Iterator[None]:
    lock = exclusive_lock(folder, REEMBEDDING)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _hold_write_lock(
    folder: Path,
    store: ArticleStore,
    indexes: Indexes | None,
    shared: SharedIndex | None,
    wait: float,
) -> Iterator[Indexes]:
    if indexes is not None:
        yield indexes
        return
    lock = writer_lock(folder, wait)
    indexes = Indexes(folder, store, lock, shared)
    try:
        yield indexes
    finally:
        indexes.close()
        lock.release()
