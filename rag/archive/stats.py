"""What an archive holds and where, its gaps and its last ingest: what one looks at first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rag.archive.coverage import Gap, gaps
from rag.schema import ALL_RIGHTS, Access, Filters
from rag.store.articles import Record
from rag.store.database import Database
from rag.store.filters import restricts
from rag.store.runs import Run, Runs
from rag.store.staged_vectors import NewVectors


@dataclass(frozen=True, slots=True)
class PublisherStatus:
    name: str
    articles: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Reembedding:
    """That the archive is being embedded with another model, and how far that is, in passages."""

    model: str
    done: int
    of: int


@dataclass(frozen=True, slots=True)
class Status:
    """What the archive holds and where; `bytes` is its size on disk.

    `copies` are the articles that tell one of the `stories_told_again` after its first telling.
    """

    path: Path
    articles: int
    passages: int
    publishers: tuple[PublisherStatus, ...]
    first: datetime | None
    last: datetime | None
    last_ingest: datetime | None
    bytes: int
    embedding_model: str
    sequence: int
    stories_told_again: int = 0
    copies: int = 0
    gaps: tuple[Gap, ...] = ()
    last_run: Run | None = None
    reembedding: Reembedding | None = None


def status_of(folder: Path, record: Record, access: Access = ALL_RIGHTS) -> Status:
    """Return the status of the archive in `folder`, whose record this is.

    Articles are counted that may be read with these rights; what the last run did is told to
    those alone who may read them all.
    """
    database, filters = record.database, Filters(access=access)
    publishers = tuple(PublisherStatus(*row) for row in record.publishers(access=access))
    articles, passages = record.count(filters)
    stories_told_again, copies = record.stories.count(filters)
    tells_all = not restricts(database, filters)
    return Status(
        path=folder,
        articles=articles,
        passages=passages,
        publishers=publishers,
        first=min((p.first for p in publishers if p.first), default=None),
        last=max((p.last for p in publishers if p.last), default=None),
        last_ingest=record.last_change("put"),
        bytes=sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()),
        embedding_model=database.meta("embedding_model"),
        sequence=database.sequence(),
        stories_told_again=stories_told_again,
        copies=copies,
        gaps=gaps(database, filters),
        last_run=next(iter(Runs(database).recent(1)), None) if tells_all else None,
        reembedding=_reembedding(database),
    )


def _reembedding(database: Database) -> Reembedding | None:
    fresh = NewVectors(database)
    if not fresh.model:
        return None
    (passages,) = database.connection.execute("SELECT count(*) FROM passages").fetchone()
    return Reembedding(fresh.model, fresh.count(), int(passages))
