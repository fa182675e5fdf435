"""Jobs: ingests that the API started, one after another, with a record that outlives the server."""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import BackfileError
from rag.store.ingest_jobs import (
    IngestJobs,
    Job,
    JobCounts,
    JobReject,
    JobState,
    KeyReusedError,
    TooManyJobsError,
)
from ui.api.closing import Closing
from ui.api.problems import ProblemError
from ui.ingest_job import IngestResult, OnAdded, ingest_upload
from ui.reject_reasons import reason_for_programs

if TYPE_CHECKING:
    from rag.archive.archive import Archive
    from rag.settings import Settings

LOG = logging.getLogger("backfile.api")
MOST_WAITING = 10  # of one reader
STOP_SECONDS = 20.0  # for the batch in progress at the server's end
WRITER_WAIT = 60.0  # seconds to wait for another writer, such as the command line
SAVE_SECONDS = 1.0  # between two records of a job's progress
BEAT_SECONDS = 5.0  # between two signs of life for the jobs that wait
REMEMBERED = 200  # own jobs that have ended, in memory


@dataclass(frozen=True, slots=True)
class Sources:
    """Files and addresses that a job ingests.

    Attributes:
        folder: Temporary folder with the files; deleted when the job has ended.
        files: The files.
        addresses: Web addresses.
        digest: Digest of all of it, by which a repeated request is recognised.
    """

    folder: Path
    files: tuple[Path, ...]
    addresses: tuple[str, ...]
    digest: str


def _counts(result: IngestResult) -> JobCounts:
    if result.report is None:
        return JobCounts()
    return JobCounts(**{one.name: getattr(result.report, one.name) for one in fields(JobCounts)})


class JobRunner:
    """Runs this server's jobs in one thread, since an archive has one writer.

    Other servers of the archive see them, and may cancel them.
    """

    def __init__(self, archive: Archive, settings: Settings, closing: Closing) -> None:
        """Create the runner; its thread is started by the first job.

        Args:
            archive: The server's archive, which stays readable.
            settings: Its settings.
            closing: Ends the job in progress after its current batch.
        """
        self._archive, self._settings, self._closing = archive, settings, closing
        self._server = secrets.token_hex(8)
        self._record = IngestJobs(archive.home)
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}  # of this server
        self._waiting: deque[tuple[str, Sources]] = deque()
        self._told: dict[str, OnAdded] = {}  # called at the end of a job, by its id
        self._cancelled: set[str] = set()
        self._stop = threading.Event()  # of the job that runs
        self._arrived = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None

    @property
    def unfinished(self) -> int:
        """Number of this server's jobs that wait or run."""
        with self._lock:
            return sum(job.is_unfinished for job in self._jobs.values())

    def submit(
        self,
        owner: str,
        sources: Sources,
        key: str = "",
        on_added: Callable[[str, Sequence[str], int], None] | None = None,
    ) -> tuple[Job, bool]:
        """Add a job.

        Args:
            owner: Id of the reader.
            sources: What to ingest; its folder is deleted in any case.
            key: The request's `Idempotency-Key`; "" for none.
            on_added: Called at the job's end with its id, the first ids of articles that are new or
                changed, and their number; see `ingest_upload`.

        Returns:
            The job, and whether it is new; with a key that the reader has used for the same
            sources, it is the job of then, unless that one failed, was cancelled or interrupted.

        Raises:
            ProblemError: The key was used for other sources (422), or too many of the reader's jobs
                wait (429), or the server is closing (503).
        """
        try:
            job = Job(secrets.token_hex(8), owner, "waiting", datetime.now(UTC))
            with self._lock:
                if self._closing.is_set():
                    raise ProblemError(503, "closing", "The server is shutting down. Try again.")
                earlier = self._add(job, key, sources.digest)
                if earlier is not None:
                    self._delete(sources)
                    return self._jobs.get(earlier.id, earlier), False
                self._jobs[job.id] = job
                if on_added is not None:
                    self._told[job.id] = partial(on_added, job.id)
                self._waiting.append((job.id, sources))
                self._forget_old()
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, daemon=True, name="ingests")
                    self._thread.start()
                self._arrived.notify()
        except BaseException:
            self._delete(sources)
            raise
        return job, True

    def _add(self, job: Job, key: str, digest: str) -> Job | None:
        try:
            return self._record.add(job, self._server, key=key, digest=digest, most=MOST_WAITING)
        except KeyReusedError as error:
            raise ProblemError(
                422,
                "idempotency-key-reused",
                "This Idempotency-Key was sent with another request. Use a new one.",
            ) from error
        except TooManyJobsError as error:
            raise ProblemError(
                429,
                "too-many-jobs",
                f"{MOST_WAITING} of your ingests wait. Try again when one has ended.",
                headers={"Retry-After": "30"},
            ) from error

    def get(self, job_id: str) -> Job | None:
        """Return a job of any server; None if it is unknown, or was long ago."""
        with self._lock:
            mine = self._jobs.get(job_id)
        if mine is None or mine.state == "waiting":  # another server may have cancelled it
            return self._record.get(job_id) or mine
        return mine

    def cancel(self, job_id: str) -> Job | None:
        """Cancel a job, which ends after its current batch; one that has ended stays as it is.

        Returns:
            The job as it is now; None if it is unknown.
        """
        with self._lock:
            mine = self._jobs.get(job_id)
            if mine is None or not mine.is_unfinished:
                return mine or self._record.cancel(job_id)
            self._cancelled.add(job_id)
            if mine.state == "running":
                self._stop.set()
                return mine
            for waiting in [one for one in self._waiting if one[0] == job_id]:
                self._waiting.remove(waiting)
                self._told.pop(job_id, None)
                self._delete(waiting[1])
        return self._end(job_id, "cancelled")

    def forget_rejects(self) -> None:
        """Forget the rejects of jobs that have ended: one may name an article that was erased."""
        with self._lock:
            for job in list(self._jobs.values()):
                if not job.is_unfinished:
                    self._jobs[job.id] = replace(job, rejects=())

    def close(self) -> None:
        """Wait for the current batch, and record the jobs that are interrupted."""
        self._closing.set()
        with self._lock:
            self._arrived.notify()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        with self._lock:
            left, self._waiting = list(self._waiting), deque()
        for job_id, sources in left:
            self._end(job_id, "interrupted")
            self._delete(sources)

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._waiting and not self._closing.is_set():
                    self._arrived.wait()
                if self._closing.is_set():
                    return
                job_id, sources = self._waiting.popleft()
                job = self._jobs[job_id] = replace(self._jobs[job_id], state="running")
            try:
                if self._start(job):
                    self._run(job_id, sources)
                else:
                    self._end(job_id, "cancelled")
            except Exception as error:
                LOG.exception("ingest failed", extra={"figures": {"job": job_id}})
                self._end(job_id, "failed", f"{type(error).__name__}: the ingest failed.")
            finally:
                self._delete(sources)

    def _start(self, job: Job) -> bool:
        with suppress(BackfileError):  # a full disk: the ingest itself will say so
            return self._record.start(job)
        return True

    def _run(self, job_id: str, sources: Sources) -> None:
        self._stop = stop = threading.Event()
        is_stopped, failed = False, ""
        results = ingest_upload(
            self._archive,
            self._settings,
            sources.files,
            sources.addresses,
            wait=WRITER_WAIT,
            stop=stop,
            by=self._jobs[job_id].owner,
            on_added=self._told.get(job_id),
        )
        saved = beaten = time.monotonic()
        for result in results:  # to the end, since a batch in progress is finished
            failed = result.failed
            with self._lock:
                job = self._jobs[job_id] = replace(
                    self._jobs[job_id],
                    progress=result.share,
                    counts=_counts(result),
                    rejects=tuple(
                        JobReject(place, reason_for_programs(reason))
                        for place, reason in result.rejects
                    ),
                )
            now = time.monotonic()
            if now - saved >= SAVE_SECONDS:
                self._save(job)
                saved = now
            if now - beaten >= BEAT_SECONDS:
                self._beat()
                beaten = now
            if job_id in self._cancelled or self._closing.is_set():
                stop.set()
                is_stopped = not result.is_done
        if failed:
            self._end(job_id, "failed", failed)
        elif job_id in self._cancelled:
            self._end(job_id, "cancelled")
        elif is_stopped:
            self._end(job_id, "interrupted")
        else:
            self._end(job_id, "done")

    def _end(self, job_id: str, state: JobState, failed: str = "") -> Job:
        with self._lock:
            job = replace(self._jobs[job_id], state=state, ended=datetime.now(UTC), failed=failed)
            if state == "done":
                job = replace(job, progress=1.0)
            self._jobs[job_id] = job
        self._save(job)
        with self._lock:
            self._cancelled.discard(job_id)
            self._told.pop(job_id, None)
        return job

    def _save(self, job: Job) -> None:
        try:
            if self._record.save(job):
                self._cancelled.add(job.id)  # by another server
        except BackfileError as error:
            LOG.warning("job not recorded", extra={"figures": {"job": job.id, "error": str(error)}})

    def _beat(self) -> None:
        with suppress(BackfileError):  # the next one may succeed
            self._record.beat(self._server)

    def _delete(self, sources: Sources) -> None:
        shutil.rmtree(sources.folder, ignore_errors=True)

    def _forget_old(self) -> None:
        ended = [job.id for job in self._jobs.values() if not job.is_unfinished]
        for job_id in ended[: max(0, len(self._jobs) - REMEMBERED)]:
            del self._jobs[job_id]
