"""Prepare articles in worker processes, while this process reads and writes.

Each process has a model of its own and one thread: on busy machines two threads of one model wait
for each other (docs/benchmarks.md). Processes are spawned once there is enough to do, and end with
this process.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.readers.parallel import start_worker, without_interrupts
from rag.archive.preparation import Draft, prepare
from rag.errors import ReadError
from rag.models.archive_model import ArchiveModel
from rag.settings import Settings
from rag.store.articles import PreparedArticle
from rag.store.database import is_archive_error

# Characters of new text from which processes are started: 10 s of embedding on one core, and as
# much to start them. Less is prepared here.
START_CHARACTERS = 500_000
CHUNK_CHARACTERS = 50_000  # text sent to a process at a time: about 1 s of embedding
WORKER_BYTES = 1_500_000_000  # memory for a process with torch and a small model
MOST_WORKERS = 8  # by default: this process reads and writes as fast as 8 embed
ATTEMPTS = 2  # times that a chunk is sent before its articles are tried one by one
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class NotPrepared:
    """The reason why an article could not be prepared.

    Attributes:
        reason: The reason, in plain English.
        is_expected: Whether the article is at fault, by what its readers know of it.
    """

    reason: str
    is_expected: bool


Outcome = PreparedArticle | NotPrepared


def default_workers() -> int:
    """Return the number of worker processes for this machine's processors and free memory.

    1, which means none, with a GPU: one process keeps it busy.
    """
    if Path("/dev/nvidiactl").exists():
        return 1
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(cores, MOST_WORKERS, _free_bytes() // WORKER_BYTES))


def _free_bytes() -> int:
    """Return the available memory in bytes; where that is unknown, enough for any number."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return MOST_WORKERS * WORKER_BYTES


@dataclass(slots=True)
class Chunk:
    """Drafts that were sent to a process, and what comes back."""

    drafts: list[Draft]
    future: Future[list[Outcome]]
    pool: int  # the pool that it was sent to
    attempts: int = 1


class WorkerPool:
    """Processes that prepare articles with the model of some settings."""

    def __init__(self, settings: Settings, workers: int) -> None:
        """Take the settings that name the model; the processes start with the first chunk."""
        self.workers = workers
        self._settings = settings
        self._pool: ProcessPoolExecutor | None = None
        self._started = 0

    def submit(self, drafts: Sequence[Draft]) -> list[Chunk]:
        """Send drafts to the processes, in chunks."""
        return [self._send(chunk) for chunk in _chunks(drafts)]

    def collect(self, chunk: Chunk) -> list[Outcome]:
        """Wait for a chunk, and return the outcome of each of its drafts, in order.

        A chunk whose process died is sent again. If that doesn't help, its articles are sent one
        by one, and those that end their process are not prepared.

        Raises:
            ModelError: The model failed, for any text.
        """
        while True:
            try:
                return chunk.future.result()
            except BrokenProcessPool:
                if chunk.attempts == ATTEMPTS:
                    return [self._prepare_alone(draft) for draft in chunk.drafts]
                self._replace(chunk.pool)
                attempts = chunk.attempts + 1
                chunk = self._send(chunk.drafts)
                chunk.attempts = attempts

    def close(self) -> None:
        """End the processes, after the chunks that they are at."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _send(self, drafts: list[Draft]) -> Chunk:
        if self._pool is None:
            self._pool, self._started = self._start(self.workers), self._started + 1
        try:
            with without_interrupts():  # the first call starts the processes
                future = self._pool.submit(prepare_drafts, drafts)
        except BrokenProcessPool:
            self._replace(self._started)
            return self._send(drafts)
        return Chunk(drafts, future, self._started)

    def _start(self, workers: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=open_worker,
            initargs=(self._settings,),
        )

    def _replace(self, pool: int) -> None:
        """Close a broken pool, unless it has been replaced already."""
        if pool == self._started:
            self.close()

    def _prepare_alone(self, draft: Draft) -> Outcome:
        """Prepare a draft in a process in which nothing else runs."""
        with self._start(1) as alone:
            try:
                with without_interrupts():
                    future = alone.submit(prepare_drafts, [draft])
                return future.result()[0]
            except BrokenProcessPool:
                return NotPrepared("the process that prepared it ended unexpectedly", False)


def _chunks(drafts: Sequence[Draft]) -> list[list[Draft]]:
    found: list[list[Draft]] = []
    size = CHUNK_CHARACTERS
    for draft in drafts:
        if size >= CHUNK_CHARACTERS:
            found.append([])
            size = 0
        found[-1].append(draft)
        size += len(draft.article.text)
    return found


_model: ArchiveModel | None = None  # the model of this worker process


def open_worker(settings: Settings) -> None:
    """Start a worker process: one thread, and a model that is loaded with the first chunk."""
    global _model
    start_worker()
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _model = ArchiveModel(None, settings)


def prepare_drafts(drafts: list[Draft]) -> list[Outcome]:
    """Prepare drafts with this process's model: the task of a worker process."""
    assert _model is not None
    return outcomes(drafts, _model)


def outcomes(drafts: Sequence[Draft], model: ArchiveModel) -> list[Outcome]:
    """Prepare drafts; if that fails, one by one, so that only the faulty one isn't prepared.

    Raises:
        ModelError: The model failed, for any text.
    """
    try:
        return [*_prepare(drafts, model)]
    except Exception as error:
        if is_archive_error(error):
            raise
        if len(drafts) == 1:
            expected = isinstance(error, ReadError | ValueError)
            name = "" if expected else f"{type(error).__name__}: "
            return [NotPrepared(f"{name}{error}", expected)]
        return [one for draft in drafts for one in outcomes([draft], model)]


def _prepare(drafts: Sequence[Draft], model: ArchiveModel) -> list[PreparedArticle]:
    opened: Any = model.open()
    return prepare(drafts, embeddings=opened, embed=model.vectors, model=model.name)
