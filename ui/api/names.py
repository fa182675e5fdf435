"""`/v1/names`: people, places and organisations."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from rag.archive.names import NameCount, NamePage
from rag.nlp.name_kinds import Kind
from ui.accounts.audit import Activity
from ui.api import problems
from ui.api.caching import CurrentValidator
from ui.api.fields import LONGEST_NAME, FilterFields
from ui.api.services import CurrentReader, CurrentServices
from ui.api.values import model_of
from ui.api.work import SearchWork

router = APIRouter(tags=["Articles"])


class NamesQuery(FilterFields):
    """Query of a list of names."""

    kind: Kind | None = Field(default=None, description="The kind of names; all without")
    prefix: str = Field(
        default="",
        max_length=LONGEST_NAME,
        description="How the name, or a word in it, begins",
        examples=["bra"],
    )
    limit: int = Field(default=100, ge=1, le=1000, description="The most names")


class NameQuery(FilterFields):
    """Query of what the archive has about a name."""

    kind: Kind | None = Field(
        default=None, description="The kind of the name; the one with most articles without"
    )
    limit: int = Field(default=20, ge=1, le=200, description="The most articles")


class NamesResponse(BaseModel):
    """Names, those with most articles first."""

    names: list[model_of(NameCount)]  # type: ignore[valid-type]


@router.get("/names", response_model=NamesResponse, responses=problems.NOT_MODIFIED)
async def names(
    asked: Annotated[NamesQuery, Query()],
    services: CurrentServices,
    reader: CurrentReader,
    validator: CurrentValidator,
    work: SearchWork,
) -> Any:
    """Return the names in the articles with their numbers of articles."""
    archive = services.archive_for(reader)

    def find() -> dict[str, Any]:
        found = archive.names(
            asked.kind, asked.prefix, limit=asked.limit, filters=asked.to_filters()
        )
        return {"names": [one.to_dict() for one in found]}

    activity = Activity("browse", question=asked.prefix, details={"what": "names"})
    return validator.answer(await work.run(find, activity))


@router.get(
    "/names/{name:path}",
    response_model=model_of(NamePage),
    responses=problems.NOT_MODIFIED,
)
async def name(
    name: Annotated[
        str,
        Path(max_length=LONGEST_NAME, description="Any form of the name", examples=["Ada Quill"]),
    ],
    asked: Annotated[NameQuery, Query()],
    services: CurrentServices,
    reader: CurrentReader,
    validator: CurrentValidator,
    work: SearchWork,
) -> Any:
    """Return what the archive has about a name: no articles if it is in none."""
    archive = services.archive_for(reader)

    def find() -> dict[str, Any]:
        filters = asked.to_filters()
        return archive.name(name, asked.kind, limit=asked.limit, filters=filters).to_dict()

    activity = Activity("browse", question=name, details={"what": "name"})
    return validator.answer(await work.run(find, activity))
