"""`POST /v1/search`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field

from rag.archive.restricted import RestrictedArchive, RestrictedSnapshot
from rag.notices import Notice, collect_remarks
from rag.retrieval.hybrid import Relaxed, retrieve
from rag.schema import Hit
from ui.accounts.audit import Activity
from ui.api import problems
from ui.api.cursors import LONGEST, fingerprint, read_cursor, split_fingerprints, write_cursor
from ui.api.fields import Day, FilterFields, Hits, SearchMode, Words, query_value
from ui.api.services import CurrentReader, CurrentServices
from ui.api.values import model_of
from ui.api.work import SearchWork

router = APIRouter(tags=["Search and ask"])

MOST_PAGED = 500  # hits that pages may have together; browsing goes further
SPARE = 8  # hits searched beyond a page's end: the best k aren't always among the best 2k


class SearchRequest(BaseModel):
    """Request of a search."""

    model_config = ConfigDict(extra="forbid")

    query: Words
    filters: FilterFields = Field(default_factory=FilterFields)
    mode: SearchMode = Field(
        default="hybrid",
        description="How passages are found; dates and names in a question count only in `hybrid`",
    )
    k: Hits = 8
    asked_on: Day | None = Field(default=None, description='The day "last week" is counted from')
    as_of: Day | None = Field(default=None, description="Search the archive of this day")
    cursor: str = Field(
        default="", max_length=LONGEST, description="The `cursor` of the page before"
    )


class SearchResponse(BaseModel):
    """Passages, best first."""

    hits: list[model_of(Hit)]  # type: ignore[valid-type]
    relaxed: Relaxed = Field(
        description="The constraint of the question that the search ignored, if any"
    )
    notices: list[model_of(Notice)] = Field(  # type: ignore[valid-type]
        description="How the question was read, and whether the search was complete"
    )
    cursor: str = Field(description='What to send for the next page; "" on the last one')


_EXAMPLES: Any = {
    "question": {"value": {"query": "What did South Korea threaten?", "k": 3}},
    "filtered": {
        "value": {
            "query": "soldiers",
            "mode": "bm25",
            "filters": {"after": "2024-10-01", "publishers": ["Harbour Courier"]},
        }
    },
}


@router.post("/search", response_model=SearchResponse, responses=problems.responses(409))
async def search(
    asked: Annotated[SearchRequest, Body(openapi_examples=_EXAMPLES)],
    request: Request,
    services: CurrentServices,
    reader: CurrentReader,
    work: SearchWork,
) -> Any:
    """Return the passages that answer a question or match a query, best first."""
    archive, secret = services.archive_for(reader), request.app.state.cursor_secret

    def find() -> dict[str, Any]:
        version, query, place = archive.version, query_value(asked), b""
        if asked.cursor:
            place = read_cursor(secret, reader, query, asked.cursor, version=version)
        seen = set(split_fingerprints(place))
        k = asked.k + len(seen) + SPARE if seen else asked.k
        found, relaxed, notices = _search(archive, asked, k)
        size = min(asked.k, MOST_PAGED - len(seen))
        hits = [hit for hit in found if fingerprint(hit) not in seen][:size]
        shown = place + b"".join(map(fingerprint, hits))
        is_last = len(hits) < asked.k or len(seen) + len(hits) >= MOST_PAGED
        return {
            "hits": [hit.to_dict() for hit in hits],
            "relaxed": relaxed,
            "notices": [notice.to_dict() for notice in notices],
            "cursor": ""
            if is_last
            else write_cursor(secret, reader, query, shown, version=version),
        }

    activity = Activity("search", question=asked.query, details={"mode": asked.mode})
    return problems.json_response(await work.run(find, activity))


def _search(
    archive: RestrictedArchive, asked: SearchRequest, k: int
) -> tuple[list[Hit], Relaxed, Sequence[Notice]]:
    view: RestrictedArchive | RestrictedSnapshot = archive
    if asked.as_of is not None:
        view = archive.as_of(asked.as_of)
    filters = asked.filters.to_filters()
    if asked.mode != "hybrid":
        with collect_remarks() as notices:
            hits = view.search(asked.query, k, mode=asked.mode, filters=filters)
        return hits, "", notices
    asked_on = asked.asked_on
    if isinstance(view, RestrictedSnapshot):
        asked_on = asked_on or view.day
    found = retrieve(view, asked.query, k, filters=filters, asked_on=asked_on)
    return list(found.nearest_hits), found.relaxed, found.notices
