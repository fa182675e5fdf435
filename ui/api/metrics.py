"""Prometheus metrics of the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rag.schema import ALL_RIGHTS

if TYPE_CHECKING:
    from rag.archive.follower_state import FollowerState
    from ui.api.jobs import JobRunner
    from ui.api.services import Services
    from ui.api.work import WorkScheduler

# Seconds: a search takes 0.05 s, an answer 0.3 s, and a chat model's up to a minute.
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0)


class Metrics:
    """Counts of one server, in a registry of its own."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "backfile_requests",
            "Answered requests",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "backfile_request_seconds",
            "Duration of requests",
            ["route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._stages = Histogram(
            "backfile_stage_seconds",
            "Duration of the stages of searches and answers",
            ["stage"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._refusals = Counter(
            "backfile_refusals",
            "Questions without an answer, by reason",
            ["reason"],
            registry=self.registry,
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            method: HTTP method; one that isn't known counts as "other".
            route: Template of the route, "" for none.
            status: HTTP status.
            seconds: How long it took.
        """
        known = method if method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD") else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def stage(self, name: str, seconds: float) -> None:
        """Count the duration of a stage, such as "search queue" or "ask complete"."""
        self._stages.labels(name).observe(seconds)

    def refusal(self, reason: str) -> None:
        """Count a question that the archive doesn't answer, by the code of the reason."""
        self._refusals.labels(reason).inc()

    def text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)


class ServerCollector(Collector):
    """Figures that are read when they are asked for: queues, jobs, and the archive."""

    def __init__(self, services: Services, work: WorkScheduler, jobs: JobRunner) -> None:
        """Read the figures of one server."""
        self._services, self._work, self._jobs = services, work, jobs

    def describe(self) -> list[Metric]:
        """Return no descriptions, so that registering reads nothing."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the figures."""
        waiting = GaugeMetricFamily(
            "backfile_queue_waiting", "Requests that wait for their turn", labels=["queue"]
        )
        running = GaugeMetricFamily(
            "backfile_queue_running", "Requests that are worked on", labels=["queue"]
        )
        for name, queue in self._work.queues.items():
            waiting.add_metric([name], queue.waiting)
            running.add_metric([name], queue.running)
        yield waiting
        yield running
        yield _gauge("backfile_jobs_waiting", "Ingests that wait or run", self._jobs.unfinished)
        archive = self._services.archive
        status = archive.status(access=ALL_RIGHTS)
        yield _gauge("backfile_archive_articles", "Articles in the archive", status.articles)
        yield _gauge("backfile_archive_passages", "Passages in the archive", status.passages)
        yield _gauge("backfile_archive_bytes", "Size of the archive on disk", status.bytes)
        yield _gauge("backfile_archive_version", "Number of the last change", archive.version)
        yield _gauge(
            "backfile_index_lag",
            "Changes that the slowest index doesn't have yet; searches cover them",
            archive.indexes.lag,
        )
        if status.record is not None:
            yield from _record_gauges(status.record)
        shared = archive.indexes.shared
        if shared is not None:
            yield _gauge(
                "backfile_vector_server_up",
                "1 if the vector server answered lately, 0 if searches do without it",
                shared.health.watch(),
            )
            yield _gauge(
                "backfile_vector_server_lag",
                "Changes that the vector server doesn't have yet; searches cover them",
                shared.lag,
            )


def _record_gauges(state: FollowerState) -> Iterator[Metric]:
    yield _gauge(
        "backfile_record_reachable", "Whether the shared record can be reached", state.reachable
    )
    yield _gauge(
        "backfile_record_lag_changes",
        "Changes of the shared record that this server lacks",
        state.lag_changes,
    )
    yield _gauge(
        "backfile_record_lag_seconds",
        "Age of the oldest of them; of this server's copy while the record can't be reached",
        state.lag_seconds,
    )


def _gauge(name: str, described: str, value: float) -> Metric:
    family = GaugeMetricFamily(name, described)
    family.add_metric([], value)
    return family
