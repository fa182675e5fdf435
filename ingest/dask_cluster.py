"""Workers of a Dask cluster."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import dask
import distributed
from distributed import KilledWorker

from ingest.clusters import CONNECT_SECONDS, LOCAL, Cluster, ClusterError
from ingest.preparing import Outcome, answer
from rag.archive.preparation import Draft

_ENGINE: Any = distributed  # its classes have no types
# A task is sent again by us, and none waits on a worker that another one may end.
_LOCAL_CONFIGURATION = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-saturation": 1.0,
}


class DaskCluster(Cluster):
    """Workers of a Dask cluster. Each of their threads counts as a worker."""

    _lost = (KilledWorker,)
    _client: Any = None
    _local: Any = None

    def _connect(self) -> int:
        with dask.config.set(_LOCAL_CONFIGURATION):
            try:
                self._client = _ENGINE.Client(
                    self._start_local() if self.address.host == LOCAL else self._remote_address(),
                    timeout=CONNECT_SECONDS,
                    set_as_default=False,
                )
                self._client.wait_for_workers(1, timeout=CONNECT_SECONDS)
            except Exception as error:  # of many types, by what is wrong
                self._disconnect([])
                line = " ".join(str(error).split())[:200] or type(error).__name__
                raise ClusterError(
                    f"{self.address} can't be reached, or has no worker: {line}"
                ) from error
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def _remote_address(self) -> str:
        return f"tcp://{self.address.host}"

    def _start_local(self) -> Any:
        self._local = _ENGINE.LocalCluster(
            n_workers=self.address.workers or None,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        )
        return self._local

    def _start(
        self,
        drafts: Sequence[Draft],
        *,
        first: bool,
        done: Callable[[Callable[[], list[Outcome] | Exception]], None],
    ) -> Any:
        future = self._client.submit(
            answer,
            self._settings,
            list(drafts),
            self._mapping,
            pure=False,
            priority=int(first),
        )
        future.add_done_callback(lambda ended: done(ended.result))
        return future

    def _disconnect(self, pending: list[Any]) -> None:
        client, local = self._client, self._local
        self._client = self._local = None
        if client is not None:
            client.cancel(pending, force=True)
            client.close(timeout=5)
        if local is not None:
            local.close(timeout=5)
