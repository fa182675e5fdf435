"""Workers of a Ray cluster.

Each chunk is a task that takes one processor. There is no pool of actors, which would keep
processors from other tasks for as long as the ingest lasts; Ray keeps a worker process, and the
model in it, for the next task.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would send figures to its makers

import ray
from ray import exceptions

from ingest.clusters import LOCAL, Cluster, ClusterError
from ingest.preparing import Outcome, answer
from rag.archive.preparation import Draft

_ENGINE: Any = ray  # not all of it has types
_LOST = (
    exceptions.WorkerCrashedError,
    exceptions.OutOfMemoryError,
    exceptions.NodeDiedError,
    exceptions.ObjectLostError,
)


class RayCluster(Cluster):
    """Workers of a Ray cluster."""

    _lost = _LOST
    _task: Any = None

    def _connect(self) -> int:
        options: dict[str, Any] = {"address": str(self.address)}
        if self.address.host == "auto":
            options = {"address": "auto"}
        elif self.address.host == LOCAL:
            options = {
                "address": "local",
                "num_cpus": self.address.workers or None,
                "include_dashboard": False,
            }
        try:
            with _own_signals(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about what later versions do by default
                ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **options)
            resources: dict[str, float] = _ENGINE.cluster_resources()
        except Exception as error:  # of many types, by what is wrong
            self._disconnect([])
            line = " ".join(str(error).split())[:200] or type(error).__name__
            raise ClusterError(f"{self.address} can't be reached: {line}") from error
        gpus = self.address.gpus
        workers = int(resources.get("CPU", 0))
        if gpus:
            workers = min(workers, int(resources.get("GPU", 0) / gpus))
        if not workers:
            self._disconnect([])
            what = "a GPU" if gpus else "a processor"
            raise ClusterError(f"{self.address} has no worker with {what}")
        self._task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(answer)
        return workers

    def _start(
        self,
        drafts: Sequence[Draft],
        *,
        first: bool,
        done: Callable[[Callable[[], list[Outcome] | Exception]], None],
    ) -> Any:
        reference = self._task.remote(self._settings, list(drafts), self._mapping)
        reference.future().add_done_callback(lambda ended: done(ended.result))
        return reference

    def _disconnect(self, pending: list[Any]) -> None:
        for reference in pending:
            with suppress(Exception):
                ray.cancel(reference, force=True)
        with _own_signals():
            ray.shutdown()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep this process's signal handlers, which Ray replaces."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
