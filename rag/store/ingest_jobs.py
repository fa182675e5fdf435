"""Ingests that programs started, which all servers of an archive share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from rag.errors import BackfileError
from rag.store.database import Connection
from rag.store.side_database import Place, SideDatabase, to_text

FILE = "jobs.sqlite3"
DAMAGED = "move this file away: it has the progress of ingests only"
KEPT = 200  # jobs that have ended, the latest
SILENCE = 30.0  # seconds without a sign of the job's server, after which the job is interrupted

JobState = Literal["waiting", "running", "done", "failed", "cancelled", "interrupted"]
UNFINISHED: tuple[JobState, ...] = ("waiting", "running")
STOPPED: tuple[JobState, ...] = ("failed", "cancelled", "interrupted")  # may be sent again

# Each entry upgrades the schema by one version; released entries never change.
MIGRATIONS = (
    """
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL,
        record TEXT NOT NULL, server TEXT NOT NULL, seen TEXT NOT NULL,
        key TEXT, digest TEXT NOT NULL, cancelled INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX jobs_key ON jobs (owner, key) WHERE key IS NOT NULL;
    CREATE INDEX jobs_created ON jobs (created);
    """,
)
_UNFINISHED = "state IN ('waiting', 'running')"


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

    @property
    def is_unfinished(self) -> bool:
        """True while it waits or runs."""
        return self.state in UNFINISHED

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


class KeyReusedError(BackfileError):
    """An idempotency key was sent before, with another request."""


class TooManyJobsError(BackfileError):
    """A reader has as many unfinished jobs as one may have."""


class IngestJobs(SideDatabase):
    """The jobs of all servers of one archive; created by the first.

    A job belongs to the server that took it, which shows that it lives by `save` and `beat`.
    Methods raise ArchiveDamagedError, ArchiveLockedError, ArchiveUnwritableError or
    RecordUnavailableError if the database can't be used.
    """

    def __init__(self, place: Place) -> None:
        """Name the database; nothing is opened.

        Args:
            place: Where the archive's side databases are; its folder for files there.
        """
        super().__init__(place, FILE, MIGRATIONS, DAMAGED)

    def add(
        self, job: Job, server: str, *, key: str = "", digest: str = "", most: int
    ) -> Job | None:
        """Add a job, unless the same request was sent before.

        Args:
            job: The job.
            server: Id of the server that runs it.
            key: The request's idempotency key; "" for none.
            digest: Digest of the request.
            most: The most unfinished jobs of one reader.

        Returns:
            The earlier job of the same key and digest, if it has not failed, been cancelled or
            been interrupted; None if the new one was added.

        Raises:
            KeyReusedError: The key was sent with another request.
            TooManyJobsError: The reader has `most` unfinished jobs.
        """
        with self.write() as connection:
            if key:
                earlier = self._of_key(connection, job.owner, key, digest)
                if earlier is not None:
                    return earlier
            (unfinished,) = connection.execute(
                f"SELECT count(*) FROM jobs WHERE owner = ? AND {_UNFINISHED}",  # nosec B608 # constants of this code, values bound
                (job.owner,),
            ).fetchone()
            if unfinished >= most:
                raise TooManyJobsError
            connection.execute(
                "INSERT INTO jobs (id, owner, state, created, record, server, seen, key, digest, "
                "cancelled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
                (
                    *(job.id, job.owner, job.state, to_text(job.created)),
                    *(json.dumps(job.to_dict()), server, _now(), key or None, digest),
                ),
            )
            connection.execute(
                f"DELETE FROM jobs WHERE NOT {_UNFINISHED} AND id NOT IN "  # nosec B608 # constants of this code
                f"(SELECT id FROM jobs ORDER BY created DESC LIMIT {KEPT})"
            )
        return None

    def _of_key(self, connection: Connection, owner: str, key: str, digest: str) -> Job | None:
        """Return the job of a key; one that may be sent again gives up its key."""
        row = connection.execute(
            "SELECT record, digest FROM jobs WHERE owner = ? AND key = ?", (owner, key)
        ).fetchone()
        if row is None:
            return None
        if row[1] != digest:
            raise KeyReusedError
        earlier = _parse(row[0])
        if earlier is not None and earlier.state not in STOPPED:
            return earlier
        connection.execute("UPDATE jobs SET key = NULL WHERE owner = ? AND key = ?", (owner, key))
        return None

    def get(self, job_id: str) -> Job | None:
        """Return a job; None if it is unknown, or was long ago."""
        if not self.exists:
            return None
        with self.read() as connection:
            row = connection.execute(
                "SELECT record, seen FROM jobs WHERE id = ?", (job_id,)
            ).fetchone()
        job = _parse(row[0]) if row else None
        if job is not None and job.is_unfinished and row[1] < _silent_since():
            return _interrupted(job, row[1])
        return job

    def start(self, job: Job) -> bool:
        """Record that a waiting job runs; return False if it was cancelled meanwhile."""
        with self.write() as connection:
            changed = connection.execute(
                "UPDATE jobs SET state = ?, record = ?, seen = ? "
                "WHERE id = ? AND state = 'waiting' AND cancelled = 0",
                (job.state, json.dumps(job.to_dict()), _now(), job.id),
            )
            return changed.rowcount == 1

    def save(self, job: Job) -> bool:
        """Record the progress or end of a job; return True if somebody cancelled it."""
        with self.write() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, record = ?, seen = ? WHERE id = ?",
                (job.state, json.dumps(job.to_dict()), _now(), job.id),
            )
            row = connection.execute(
                "SELECT cancelled FROM jobs WHERE id = ?", (job.id,)
            ).fetchone()
        return bool(row and row[0])

    def beat(self, server: str) -> None:
        """Show that a server lives, and with it the jobs that wait there."""
        with self.write() as connection:
            connection.execute(
                f"UPDATE jobs SET seen = ? WHERE server = ? AND {_UNFINISHED}",  # nosec B608 # constants of this code, values bound
                (_now(), server),
            )

    def cancel(self, job_id: str) -> Job | None:
        """Cancel a job: one that waits ends at once, one that runs when its server notices.

        Returns:
            The job as it is now; None if it is unknown.
        """
        if not self.exists:
            return None
        with self.write() as connection:
            row = connection.execute("SELECT record FROM jobs WHERE id = ?", (job_id,)).fetchone()
            job = _parse(row[0]) if row else None
            if job is None or not job.is_unfinished:
                return job
            if job.state == "waiting":
                job = replace(job, state="cancelled", ended=datetime.now(UTC))
            connection.execute(
                "UPDATE jobs SET cancelled = 1, state = ?, record = ? WHERE id = ?",
                (job.state, json.dumps(job.to_dict()), job_id),
            )
        return job

    def forget_rejects(self) -> None:
        """Forget what was not added: it may name an article that was erased."""
        if not self.exists:
            return
        with self.write() as connection:
            for job_id, record in connection.execute("SELECT id, record FROM jobs").fetchall():
                job = _parse(record)
                kept = json.dumps(replace(job, rejects=(), failed="").to_dict()) if job else "{}"
                connection.execute("UPDATE jobs SET record = ? WHERE id = ?", (kept, job_id))
        self.compact()

    def _purge(self, connection: Connection) -> None:
        """Interrupt the jobs of servers that have fallen silent."""
        rows: Sequence[tuple[str, str, str]] = connection.execute(
            f"SELECT id, record, seen FROM jobs WHERE seen < ? AND {_UNFINISHED}",  # nosec B608 # constants of this code, values bound
            (_silent_since(),),
        ).fetchall()
        for job_id, record, seen in rows:
            job = _parse(record)
            kept = json.dumps(_interrupted(job, seen).to_dict()) if job else "{}"
            connection.execute(
                "UPDATE jobs SET state = 'interrupted', record = ? WHERE id = ?", (kept, job_id)
            )


def _interrupted(job: Job, seen: str) -> Job:
    return replace(job, state="interrupted", ended=datetime.fromisoformat(seen))


def _parse(record: str) -> Job | None:
    with suppress(ValueError, KeyError, TypeError):
        return Job.from_dict(json.loads(record))
    return None


def _now() -> str:
    return to_text(datetime.now(UTC))


def _silent_since() -> str:
    return to_text(datetime.now(UTC) - timedelta(seconds=SILENCE))
