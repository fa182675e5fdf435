"""Worker processes on this machine.

Each has a model of its own and one thread: on busy machines two threads of one model wait for each
other (docs/benchmarks.md). They are spawned when there is something to do, and end with this
process, however it ends.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.util import Finalize
from pathlib import Path

from ingest.local_worker_process import run
from ingest.preparers import Chunk, LostWorkerError, Preparers
from ingest.preparing import Mapping, Outcome, prepare_drafts, settings_of_model
from ingest.worker_start import without_interrupts
from rag.archive.preparation import Draft
from rag.errors import ModelError
from rag.models.backend import report_backend
from rag.models.embeddings import TORCH_FROM_TOKENS
from rag.models.loading import open_embeddings
from rag.settings import Settings

# Characters of new text from which processes are worth their start: 20 s of embedding on one core.
STARTS_AT = 1_000_000
WORKER_BYTES = 1_500_000_000  # memory for a process with torch and a small model
MOST_WORKERS = 8  # by default: this process reads and writes as fast as 8 embed
# Characters from which passages are embedded by the backend for many of them.
MANY_CHARACTERS = 4 * TORCH_FROM_TOKENS
# Processes that may be lost one after the other, with nothing prepared in between: one article
# takes 4 with it.
MOST_LOST = 12


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


class LocalWorkers(Preparers):
    """Worker processes on this machine, each fed by a thread of this one."""

    def __init__(
        self,
        settings: Settings,
        workers: int,
        *,
        starts_at: int = 0,
        mapping: Mapping = prepare_drafts,
    ) -> None:
        """Take what the processes need; each starts when there is a chunk for it.

        Args:
            settings: Settings that name the embedding model.
            workers: The largest number of processes.
            starts_at: Characters of new text from which an ingest uses them.
            mapping: What they run: a function that can be pickled.
        """
        self.workers, self.starts_at = workers, starts_at
        self._settings = settings_of_model(settings)
        self._mapping = mapping
        self._is_chosen = False  # whether the settings name the backend
        self._waiting: deque[tuple[Sequence[Draft], Future[list[Outcome]]]] = deque()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._processes: set[_Worker] = set()
        self._idle = 0  # threads that wait for a chunk
        self._closing = False
        self._lost = 0  # processes, since a chunk was prepared
        # An interpreter that exits with this pool open would wait for the processes.
        self._finalize = Finalize(self, _kill, args=(self._processes,), exitpriority=10)

    def submit(self, drafts: Sequence[Draft]) -> list[Chunk]:
        """Send drafts to the processes, in chunks.

        The backend for many passages is measured here, once on a machine, and not by each process.
        """
        size = sum(len(draft.article.text) for draft in drafts)
        if not self._is_chosen and not self._threads and size >= MANY_CHARACTERS:
            self._settings = _with_backend(self._settings)
            self._is_chosen = True
        return super().submit(drafts)

    def close(self) -> None:
        """End the processes at once."""
        with self._changed:
            self._closing = True
            self._waiting.clear()
            self._changed.notify_all()
            processes = list(self._processes)
        _kill(processes)
        for thread in self._threads:
            thread.join()
        self._threads = []
        self._finalize.cancel()

    def _send(self, drafts: Sequence[Draft], *, first: bool = False) -> Future[list[Outcome]]:
        future: Future[list[Outcome]] = Future()
        with self._changed:
            if self._closing:
                raise RuntimeError("the worker processes have been ended")
            (self._waiting.appendleft if first else self._waiting.append)((drafts, future))
            if len(self._waiting) > self._idle and len(self._threads) < self.workers:
                thread = threading.Thread(target=self._feed, name="preparing", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()
        return future

    def _feed(self) -> None:
        """Send one chunk after the other to a process of this thread's own."""
        worker: _Worker | None = None
        while (task := self._next()) is not None:
            drafts, future = task
            try:
                if worker is None:
                    worker = self._start()
                found = worker.prepare(drafts)
            except LostWorkerError as error:
                if worker is not None:
                    self._forget(worker)
                    worker = None
                future.set_exception(self._loss(error))
            except BaseException as error:  # of the model: raised by `collect`
                future.set_exception(error)
            else:
                self._lost = 0
                future.set_result(found)
        if worker is not None:
            self._forget(worker)

    def _next(self) -> tuple[Sequence[Draft], Future[list[Outcome]]] | None:
        """Wait for a chunk; None once the pool is closed."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting or self._closing)
            self._idle -= 1
            return None if self._closing else self._waiting.popleft()

    def _start(self) -> _Worker:
        try:
            worker = _Worker(self._settings, self._mapping)
        except OSError as error:
            raise ModelError(
                f"a worker process can't be started ({error}): use --workers 1"
            ) from error
        with self._changed:
            self._processes.add(worker)
            closing = self._closing
        if closing:
            worker.kill()
        return worker

    def _forget(self, worker: _Worker) -> None:
        worker.kill()
        worker.join()
        with self._changed:
            self._processes.discard(worker)

    def _loss(self, error: LostWorkerError) -> Exception:
        self._lost += 1
        if self._lost < MOST_LOST:
            return error
        return ModelError(
            f"{self._lost} worker processes ended one after the other ({error}): "
            "free memory, or use fewer with --workers"
        )


class _Worker:
    """A process, and this side of the connection to it."""

    def __init__(self, settings: Settings, mapping: Mapping) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(target=run, args=(theirs,), daemon=True)
        with without_interrupts():
            self._process.start()
        theirs.close()
        self._connection: Connection = self._ours
        self._greeting: tuple[Settings, Mapping] | None = (settings, mapping)

    def prepare(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Return the outcomes of some drafts.

        Raises:
            LostWorkerError: The process has ended.
            ModelError: The model failed.
        """
        try:
            if self._greeting is not None:
                self._connection.send(self._greeting)
                self._greeting = None
            self._connection.send(drafts)
            answer: list[Outcome] | Exception = self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join(1)
            raise LostWorkerError(f"exit code {self._process.exitcode}") from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def kill(self) -> None:
        """End the process."""
        self._process.kill()

    def join(self) -> None:
        """Wait for the end of the process, and close the connection."""
        self._process.join()
        self._connection.close()


def _with_backend(settings: Settings) -> Settings:
    """Return settings that name the backend that is the fastest for the model on this machine."""
    model = open_embeddings(settings)
    known = report_backend(model.folder, settings.embedding_backend, settings.embedding_precision)
    backend = known.backend or model.backend()  # which takes seconds, and loads torch
    return replace(
        settings, embedding_backend=backend.library, embedding_precision=backend.precision
    )


def _kill(workers: set[_Worker] | list[_Worker]) -> None:
    for worker in list(workers):
        worker.kill()
