"""`POST /v1/search`."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from rag.query.parser import LONGEST_QUESTION
from rag.schema import Filters
from ui.api.services import CurrentReader, CurrentServices

router = APIRouter()


class FilterFields(BaseModel):
    """Conditions on the articles; an empty field is no condition."""

    model_config = ConfigDict(extra="forbid")

    after: date | None = Field(default=None, description="First day of publication")
    before: date | None = Field(default=None, description="Day after the last one")
    publishers: list[str] = Field(default=[], max_length=100)
    authors: list[str] = Field(default=[], max_length=100)
    sections: list[str] = Field(default=[], max_length=100)
    languages: list[str] = Field(default=[], max_length=100)
    kinds: list[str] = Field(default=[], max_length=100)
    excluded_publishers: list[str] = Field(default=[], max_length=100)

    def to_filters(self) -> Filters:
        """Return the filters; rights are the archive's matter."""
        return Filters(**self.model_dump())


class SearchRequest(BaseModel):
    """Request of a search."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=1, max_length=LONGEST_QUESTION)
    filters: FilterFields = Field(default_factory=FilterFields)
    mode: Literal["hybrid", "vector", "bm25"] = "hybrid"
    k: int = Field(default=8, ge=1, le=100)
    asked_on: date | None = None
    as_of: date | None = None


@router.post("/search")
def search(
    asked: SearchRequest, services: CurrentServices, reader: CurrentReader
) -> dict[str, Any]:
    """Return the passages that answer a question or match a query, best first."""
    hits = services.archive_for(reader).search(
        asked.query,
        asked.k,
        mode=asked.mode,
        filters=asked.filters.to_filters(),
        asked_on=asked.asked_on,
        as_of=asked.as_of,
    )
    return {"hits": [hit.to_dict() for hit in hits]}
