"""`/v1/status`, `/v1/livez`, `/v1/readyz` and `/v1/metrics`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from rag.archive.stats import ArchiveStatus
from rag.index.shared_reader import VectorServerStatus
from rag.version import version
from ui.api import problems
from ui.api.closing import Closing
from ui.api.problems import ProblemError
from ui.api.services import CurrentAdministrator, CurrentReader, CurrentServices, services_of
from ui.api.work import SearchWork
from ui.render import record_value

router = APIRouter(tags=["Server"])


class PublisherCount(BaseModel):
    """A publisher's articles."""

    name: str
    articles: int
    first: str | None = Field(description="The first time of publication")
    last: str | None = Field(description="The last one")


class Gap(BaseModel):
    """Days without articles of a publisher, unusually many for it."""

    publisher: str
    first: str = Field(description="The first day without articles")
    last: str = Field(description="The last one")
    usual: int = Field(description="The days that usually lie between two with articles")
    goes_on: bool = Field(description="Whether the gap has not ended")


class RecordState(BaseModel):
    """The state of this server's copy of a shared record."""

    reachable: bool = Field(description="Whether the last look at the record succeeded")
    as_of: str | None = Field(description="When the copy last had all of the record's changes")
    lag_changes: int = Field(description="Changes that the copy lacks, as of the last look")
    lag_seconds: float = Field(
        description="Age of the oldest of them; of the copy while the record can't be reached"
    )
    server: str = Field(description='The record; "" for who doesn\'t see everything')
    problem: str = Field(description="Why it isn't followed; \"\" for who doesn't see everything")


class VectorServer(BaseModel):
    """The vector index on a server."""

    reachable: bool = Field(description="Whether it answers; if not, searches do without it")
    collections: int = Field(description="One or more for each year of publication")
    lag: int = Field(description="Changes that it doesn't have yet; searches cover them")


class StatusResponse(BaseModel):
    """The archive, counting only the articles that the reader may see."""

    version: str = Field(description="The version of Backfile")
    sequence: int = Field(description="The number of the archive's last change")
    articles: int
    passages: int
    stories_told_again: int = Field(description="Clusters of near-duplicates")
    copies: int = Field(description="The articles in them beyond the first")
    publishers: list[PublisherCount]
    first: str | None = Field(description="The first time of publication")
    last: str | None = Field(description="The last one")
    gaps: list[Gap]
    embedding_model: str
    last_ingest: str | None = Field(
        description="When articles were last added; null for who doesn't see everything"
    )
    bytes: int | None = Field(description="Size on disk; null for who doesn't see everything")
    record: RecordState | None = Field(description="Null without a shared record")
    vector_server: VectorServer | None = Field(
        description="The vector index on a server; null without one, and for who doesn't see "
        "everything"
    )


class Health(BaseModel):
    """The state of the server."""

    status: Literal["ok"]


@router.get("/status", response_model=StatusResponse)
async def status(services: CurrentServices, reader: CurrentReader, work: SearchWork) -> Any:
    """Return counts of the articles that the reader may see."""
    archive = services.archive_for(reader)
    found = await work.run(archive.status, None)
    return problems.json_response(_status(found, reader.rights.sees_everything))


def _status(found: ArchiveStatus, sees_everything: bool) -> dict[str, Any]:
    return {
        "version": version(),
        "sequence": found.sequence,
        "articles": found.articles,
        "passages": found.passages,
        "stories_told_again": found.stories_told_again,
        "copies": found.copies,
        "publishers": [
            {
                "name": one.name,
                "articles": one.articles,
                "first": _iso(one.first),
                "last": _iso(one.last),
            }
            for one in found.publishers
        ],
        "first": _iso(found.first),
        "last": _iso(found.last),
        "gaps": [
            {
                "publisher": gap.publisher,
                "first": _iso(gap.first),
                "last": _iso(gap.last),
                "usual": gap.usual,
                "goes_on": gap.goes_on,
            }
            for gap in found.gaps
        ],
        "embedding_model": found.embedding_model,
        "last_ingest": _iso(found.last_ingest) if sees_everything else None,
        "bytes": found.bytes if sees_everything else None,
        "record": record_value(found.record) if found.record else None,
        "vector_server": _vector_server(found.vector_server) if sees_everything else None,
    }


def _vector_server(found: VectorServerStatus | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "reachable": found.reachable,
        "collections": found.collections,
        "lag": found.lag,
    }


def _iso(moment: date | datetime | None) -> str | None:
    return moment.isoformat() if moment else None


@router.get("/livez", response_model=Health)
async def livez() -> Any:
    """Return whether the server runs; needs no authentication."""
    return {"status": "ok"}


@router.get("/readyz", response_model=Health)
async def readyz(request: Request) -> Any:
    """Return whether the server can answer and show its page; needs no authentication."""
    closing: Closing = request.app.state.closing
    if closing.is_set():
        raise ProblemError(503, "closing", "The server is shutting down.")
    if not request.app.state.is_ready():
        raise ProblemError(
            503, "starting", "The page is not built yet.", headers={"Retry-After": "1"}
        )
    archive = services_of(request).archive
    await run_in_threadpool(lambda: archive.version)  # its errors are answered with 503
    return {"status": "ok"}


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Metrics in the text format of Prometheus",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
)
async def metrics(request: Request, reader: CurrentAdministrator) -> Response:
    """Return requests, durations by stage, refusals, queues, archive sizes and index lag."""
    text = await run_in_threadpool(request.app.state.metrics.text)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
