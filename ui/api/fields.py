"""Fields that requests share: filters, days and sizes."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rag.query.parser import LONGEST_QUESTION
from rag.schema import Filters
from ui.article_address import LONGEST_ID

LONGEST_NAME = 500  # characters
MOST_NAMES = 100  # in a filter

Name = Annotated[str, Field(max_length=LONGEST_NAME)]
ArticleId = Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]


def _to_list(value: object) -> object:
    """Return one name as a list, as `Filters` takes it."""
    return [value] if isinstance(value, str) else value


Names = Annotated[
    list[Name],
    Field(max_length=MOST_NAMES),
    BeforeValidator(_to_list, json_schema_input_type=list[Name] | Name),
]


def _parse_day(value: object) -> object:
    """Return a day or a moment in ISO 8601; pydantic would read numbers, too, and drop offsets."""
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        with suppress(ValueError):
            return (date if len(value) == 10 else datetime).fromisoformat(value)
    raise ValueError("write a day as 2024-11-15, or a moment as 2024-11-15T12:00:00Z")


# A time of day counts: "2024-11-15T12:00:00Z" is that moment.
Day = Annotated[
    date | datetime,
    BeforeValidator(_parse_day),
    Field(description="A day, or a moment (UTC without an offset)", examples=["2024-11-15"]),
]
Words = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_QUESTION,
        description="A question, or keywords",
        examples=["What did South Korea threaten?"],
    ),
]
Hits = Annotated[int, Field(strict=True, ge=1, le=100, description="The most passages")]
SearchMode = Literal["hybrid", "vector", "bm25"]


class FilterFields(BaseModel):
    """Conditions on the articles; an empty field is no condition."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"after": "2024-10-01", "before": "2024-11-01", "sections": ["world"]}]
        },
    )

    after: Day | None = Field(default=None, description="First day or moment of publication")
    before: Day | None = Field(default=None, description="The day or moment after the last one")
    publishers: Names = Field(default=[], description="One of them published the article")
    authors: Names = Field(default=[], description="One of them wrote it")
    sections: Names = Field(default=[], description="It is in one of them")
    languages: Names = Field(default=[], description='It is in one of them: "en", "en-GB"')
    kinds: Names = Field(default=[], description='It is of one of these genres: "news", "opinion"')
    article_ids: Annotated[list[ArticleId], Field(max_length=1000)] = Field(
        default=[], description="It is one of these"
    )
    excluded_publishers: Names = Field(default=[], description="None of them published it")

    def to_filters(self) -> Filters:
        """Return the filters; rights are the archive's matter."""
        return Filters(**{name: getattr(self, name) for name in FilterFields.model_fields})


def query_value(model: BaseModel) -> dict[str, Any]:
    """Return the JSON value of a request that its cursor belongs to."""
    return model.model_dump(mode="json", exclude={"cursor"})
