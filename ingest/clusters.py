"""Clusters that prepare articles: their addresses, and what they have in common.

`dask://HOST:PORT` and `ray://HOST:PORT` name a cluster that runs already; `dask://local` and
`ray://local` start one on this machine for the time of the ingest.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from ingest.preparers import LostWorkerError, Preparers
from ingest.preparing import Mapping, Outcome, prepare_drafts, settings_of_model
from rag.archive.preparation import Draft
from rag.errors import BackfileError, SettingsError
from rag.settings import Settings

LOCAL = "local"
CONNECT_SECONDS = 60  # to reach a cluster and its first worker
_FORM = (
    "a cluster is dask://HOST:PORT, dask://local, ray://HOST:PORT, ray://auto or ray://local, with "
    "?workers=N, and for Ray ?gpus=F"
)


class ClusterError(BackfileError):
    """A cluster can't be reached, or failed."""


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """The address of a cluster.

    Attributes:
        engine: "dask" or "ray".
        host: Host and port, "local" for a cluster of this ingest's own, or Ray's "auto".
        workers: The number of workers to count with, or to start; 0 for what there is.
        gpus: GPUs, or the share of one, that each worker takes.
    """

    engine: str
    host: str
    workers: int = 0
    gpus: float = 0.0

    @classmethod
    def parse(cls, text: str) -> ClusterAddress:
        """Return an address given as text.

        Raises:
            SettingsError: It isn't the address of a cluster.
        """
        try:
            parts = urlsplit(text)
            options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
        except ValueError:
            parts, options = urlsplit(""), {}
        known = {"workers", "gpus"} if parts.scheme == "ray" else {"workers"}
        words = (LOCAL, "auto") if parts.scheme == "ray" else (LOCAL,)
        try:
            is_named = parts.netloc in words or bool(parts.hostname and parts.port)
            workers, gpus = int(options.get("workers", "0")), float(options.get("gpus", "0"))
        except ValueError:
            is_named, workers, gpus = False, 0, 0.0
        whole = is_named and not parts.path.strip("/") and not parts.fragment
        if (
            parts.scheme not in ("dask", "ray")
            or not whole
            or options.keys() - known
            or not 0 <= workers <= 100_000
            or not 0 <= gpus <= 64
        ):
            raise SettingsError(f"{text!r} is not the address of a cluster: {_FORM}")
        return cls(parts.scheme, parts.netloc, workers, gpus)

    def __str__(self) -> str:
        """Return it without its options."""
        return f"{self.engine}://{self.host}"


def open_cluster(
    address: ClusterAddress, settings: Settings, *, mapping: Mapping = prepare_drafts
) -> Cluster:
    """Return the workers of a cluster, which is connected to when there is something to prepare.

    Args:
        address: Its address.
        settings: Settings that name the embedding model, which each worker must have.
        mapping: What the workers run.

    Raises:
        SettingsError: The engine's package isn't installed.
    """
    try:
        if address.engine == "dask":
            from ingest.dask_cluster import DaskCluster as Opened
        else:
            from ingest.ray_cluster import RayCluster as Opened  # type: ignore[assignment]
    except ImportError as error:
        raise SettingsError(
            f"{address} needs a package: `pip install 'backfile[{address.engine}]'`"
        ) from error
    return Opened(address, settings, mapping)


class Cluster(Preparers):
    """The workers of a cluster.

    Args:
        address: Its address.
        settings: Settings that name the embedding model.
        mapping: What the workers run.
    """

    _lost: ClassVar[tuple[type[Exception], ...]]  # the engine's errors for a lost worker

    def __init__(self, address: ClusterAddress, settings: Settings, mapping: Mapping) -> None:
        self.address = address
        self._settings = settings_of_model(settings)
        self._mapping = mapping
        self._is_open = False
        self._closing = False
        self._pending: set[Any] = set()  # what the engine gave for each chunk that is under way
        self._guard = threading.Lock()

    def close(self) -> None:
        """Cancel what is under way, and disconnect; a cluster of this ingest's own ends."""
        self._closing = True
        if self._is_open:
            self._is_open = False
            with self._guard:
                pending = list(self._pending)
                self._pending.clear()
            self._disconnect(pending)

    def _send(self, drafts: Sequence[Draft], *, first: bool = False) -> Future[list[Outcome]]:
        if self._closing:
            raise RuntimeError("the cluster has been disconnected from")
        if not self._is_open:
            workers = self._connect()
            self.workers = self.address.workers or workers
            self._is_open = True
        future: Future[list[Outcome]] = Future()
        handle = self._start(drafts, first=first, done=lambda get: self._settle(future, get))
        with self._guard:
            if not future.done():
                self._pending.add(handle)
        future.add_done_callback(lambda _: self._drop(handle))
        return future

    def _settle(
        self, future: Future[list[Outcome]], get: Callable[[], list[Outcome] | Exception]
    ) -> None:
        """Pass on what came back for a chunk; called in a thread of the engine."""
        try:
            found = get()
        except Exception as error:
            found = self._explain(error)
        if isinstance(found, Exception):
            future.set_exception(found)
        else:
            future.set_result(found)

    def _drop(self, handle: Any) -> None:
        with self._guard:
            self._pending.discard(handle)

    @abstractmethod
    def _connect(self) -> int:
        """Connect to the cluster, or start it; return the number of its workers.

        Raises:
            ClusterError: It can't be reached, or has no worker.
        """

    @abstractmethod
    def _start(
        self,
        drafts: Sequence[Draft],
        *,
        first: bool,
        done: Callable[[Callable[[], list[Outcome] | Exception]], None],
    ) -> Any:
        """Start the task of a chunk, and return the engine's handle of it.

        `done` is called once, with a function that returns what the task did or raises its error.
        """

    def _explain(self, error: Exception) -> Exception:
        """Return LostWorkerError for a lost worker, and another error in plain English."""
        if isinstance(error, self._lost):
            return LostWorkerError(str(error))
        line = " ".join(str(error).split())[:200]
        return ClusterError(f"{self.address} failed ({type(error).__name__}: {line})")

    @abstractmethod
    def _disconnect(self, pending: list[Any]) -> None:
        """Cancel tasks, and disconnect."""
