"""Jobs: ingests that the API started, one after another, with a record that outlives the server."""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ui.api.closing import Closing
from ui.api.problems import ProblemError
from ui.ingest_job import IngestResult, OnAdded, ingest_upload
from ui.reject_reasons import reason_for_programs

if TYPE_CHECKING:
    from rag.archive.archive import Archive
    from rag.settings import Settings

LOG = logging.getLogger("backfile.api")
RECORD = "jobs.jsonl"  # in the archive's folder, where erasing an article blanks its mentions
KEPT = 200  # jobs, the latest; a record of more lines than ten times that is written again
MOST_WAITING = 10  # of one reader
STOP_SECONDS = 20.0  # for the batch in progress at the server's end
WRITER_WAIT = 60.0  # seconds to wait for another writer, such as the command line

JobState = Literal["waiting", "running", "done", "failed", "cancelled", "interrupted"]
UNFINISHED: tuple[JobState, ...] = ("waiting", "running")
STOPPED: tuple[JobState, ...] = ("failed", "cancelled", "interrupted")  # may be sent again


@dataclass(frozen=True, slots=True)
class JobReject:
    """Input that was not added.

    Attributes:
        place: The file and place in it, or the address.
        reason: Why not.
    """

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class JobCounts:
    """Counts of articles of a job so far.

    Attributes:
        new: Added.
        changed: Those that have a new revision.
        unchanged: Those that the archive had already.
        removed: Withdrawn by a kill notice of their publisher.
        kept_out: Left out because they had been withdrawn before.
        rejected: Inputs that could not be read as an article.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    kept_out: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """An ingest.

    Attributes:
        id: The job's id.
        owner: Id of the reader who started it.
        state: "waiting", "running", "done", "failed", "cancelled" (what had been read was added),
            or "interrupted" by the server's end (send it again: what was added stays unchanged).
        created: When it was started.
        ended: When it ended; None before.
        progress: Share of the input that has been read, from 0 to 1.
        counts: Counts so far.
        rejects: The latest inputs that were not added, at most 200.
        failed: What ended it; "" if nothing did.
    """

    id: str
    owner: str
    state: JobState
    created: datetime
    ended: datetime | None = None
    progress: float = 0.0
    counts: JobCounts = JobCounts()
    rejects: tuple[JobReject, ...] = ()
    failed: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the job as a dict of JSON's types."""
        value = asdict(self)
        value["created"] = self.created.isoformat()
        value["ended"] = self.ended.isoformat() if self.ended else None
        value["rejects"] = [asdict(one) for one in self.rejects]
        return value

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Job:
        """Return the job that `to_dict` converted; KeyError, TypeError or ValueError otherwise."""
        return cls(
            **{
                **{name: data[name] for name in ("id", "owner", "state", "progress", "failed")},
                "created": datetime.fromisoformat(data["created"]),
                "ended": datetime.fromisoformat(data["ended"]) if data["ended"] else None,
                "counts": JobCounts(**data["counts"]),
                "rejects": tuple(JobReject(**one) for one in data["rejects"]),
            }
        )


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
    """Runs jobs in one thread, since an archive has one writer."""

    def __init__(self, archive: Archive, settings: Settings, closing: Closing) -> None:
        """Read the record of earlier jobs.

        Args:
            archive: The server's archive, which stays readable.
            settings: Its settings.
            closing: Ends the job in progress after its current batch.
        """
        self._archive, self._settings, self._closing = archive, settings, closing
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._keys: dict[tuple[str, str], tuple[str, str]] = {}  # to a job's id and its digest
        self._waiting: deque[tuple[str, Sources]] = deque()
        self._told: dict[str, OnAdded] = {}  # called at the end of a job, by its id
        self._cancelled: set[str] = set()
        self._stop = threading.Event()  # of the job that runs
        self._arrived = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._read_record()

    @property
    def unfinished(self) -> int:
        """Number of jobs that wait or run."""
        with self._lock:
            return sum(job.state in UNFINISHED for job in self._jobs.values())

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
            with self._lock:
                known = self._keys.get((owner, key)) if key else None
                if known is not None:
                    earlier, digest = self._jobs[known[0]], known[1]
                    if digest != sources.digest:
                        raise ProblemError(
                            422,
                            "idempotency-key-reused",
                            "This Idempotency-Key was sent with another request. Use a new one.",
                        )
                    if earlier.state not in STOPPED:
                        self._delete(sources)
                        return earlier, False
                job = self._add(owner, sources, key)
                if on_added is not None:
                    self._told[job.id] = partial(on_added, job.id)
        except BaseException:
            self._delete(sources)
            raise
        self._record(job, key, sources.digest)
        return job, True

    def _add(self, owner: str, sources: Sources, key: str) -> Job:
        mine = [one for one in self._jobs.values() if one.owner == owner]
        if sum(one.state in UNFINISHED for one in mine) >= MOST_WAITING:
            raise ProblemError(
                429,
                "too-many-jobs",
                f"{MOST_WAITING} of your ingests wait. Try again when one has ended.",
                headers={"Retry-After": "30"},
            )
        if self._closing.is_set():
            raise ProblemError(503, "closing", "The server is shutting down. Try again.")
        job = Job(secrets.token_hex(8), owner, "waiting", datetime.now(UTC))
        self._jobs[job.id] = job
        if key:
            self._keys[(owner, key)] = (job.id, sources.digest)
        self._waiting.append((job.id, sources))
        self._forget_old()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True, name="ingests")
            self._thread.start()
        self._arrived.notify()
        return job

    def get(self, job_id: str) -> Job | None:
        """Return a job; None if it is unknown, or was long ago."""
        with self._lock:
            return self._jobs.get(job_id)

    def cancel(self, job_id: str) -> Job | None:
        """Cancel a job, which ends after its current batch; one that has ended stays as it is.

        Returns:
            The job as it is now; None if it is unknown.
        """
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.state not in UNFINISHED:
                return job
            self._cancelled.add(job_id)
            if job.state == "running":
                self._stop.set()
                return job
            for waiting in [one for one in self._waiting if one[0] == job_id]:
                self._waiting.remove(waiting)
                self._told.pop(job_id, None)
                self._delete(waiting[1])
            job = self._jobs[job_id] = replace(job, state="cancelled", ended=datetime.now(UTC))
        self._record(job)
        return job

    def forget_rejects(self) -> None:
        """Forget the rejects of jobs that have ended: one may name an article that was erased."""
        with self._lock:
            for job in list(self._jobs.values()):
                if job.state not in UNFINISHED:
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
                job = replace(self._jobs[job_id], state="interrupted", ended=datetime.now(UTC))
                self._jobs[job_id] = job
                self._record(job)
                self._delete(sources)

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._waiting and not self._closing.is_set():
                    self._arrived.wait()
                if self._closing.is_set():
                    return
                job_id, sources = self._waiting.popleft()
                self._jobs[job_id] = replace(self._jobs[job_id], state="running")
            try:
                self._run(job_id, sources)
            except Exception as error:
                LOG.exception("ingest failed", extra={"figures": {"job": job_id}})
                self._end(job_id, "failed", f"{type(error).__name__}: the ingest failed.")
            finally:
                self._delete(sources)

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
        for result in results:  # to the end, since a batch in progress is finished
            failed = result.failed
            with self._lock:
                self._jobs[job_id] = replace(
                    self._jobs[job_id],
                    progress=result.share,
                    counts=_counts(result),
                    rejects=tuple(
                        JobReject(place, reason_for_programs(reason))
                        for place, reason in result.rejects
                    ),
                )
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

    def _end(self, job_id: str, state: JobState, failed: str = "") -> None:
        with self._lock:
            job = replace(self._jobs[job_id], state=state, ended=datetime.now(UTC), failed=failed)
            if state == "done":
                job = replace(job, progress=1.0)
            self._jobs[job_id] = job
            self._cancelled.discard(job_id)
            self._told.pop(job_id, None)
        self._record(job)

    def _delete(self, sources: Sources) -> None:
        shutil.rmtree(sources.folder, ignore_errors=True)

    def _forget_old(self) -> None:
        ended = [job.id for job in self._jobs.values() if job.state not in UNFINISHED]
        for job_id in ended[: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[job_id]
        self._keys = {key: of for key, of in self._keys.items() if of[0] in self._jobs}

    # the record

    def _record(self, job: Job, key: str = "", digest: str = "") -> None:
        line = {**job.to_dict(), **({"key": key, "digest": digest} if key else {})}
        try:
            path = self._archive.path / RECORD
            path.touch(mode=0o600)  # names of files and articles are the operator's
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            LOG.warning("job not recorded", extra={"figures": {"job": job.id, "error": str(error)}})

    def _read_record(self) -> None:
        """Read the jobs of earlier servers; those that had not ended were interrupted."""
        path = self._archive.path / RECORD
        lines: Sequence[str] = ()
        with suppress(OSError):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines:
            with suppress(ValueError, KeyError, TypeError):  # blanked, or cut off by a full disk
                value = json.loads(line)
                job = Job.from_dict(value)
                self._jobs[job.id] = job
                if value.get("key"):
                    self._keys[(job.owner, value["key"])] = (job.id, value["digest"])
        for job in list(self._jobs.values()):
            if job.state in UNFINISHED:
                self._jobs[job.id] = replace(job, state="interrupted", ended=job.created)
        self._forget_old()
        if len(lines) > 10 * KEPT:
            self._write_again(path)

    def _write_again(self, path: Path) -> None:
        keys = {job_id: (key, digest) for (_, key), (job_id, digest) in self._keys.items()}
        with suppress(OSError):
            path.unlink()
        for job in self._jobs.values():
            self._record(job, *keys.get(job.id, ("", "")))
