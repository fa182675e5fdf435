"""`POST /v1/check`: check a draft against the archive."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from rag.answer.check_text import LONGEST_TEXT
from ui.api.search import FilterFields
from ui.api.services import CurrentReader, CurrentServices
from ui.checked_text import check_value

router = APIRouter()


class CheckRequest(BaseModel):
    """Request of a check."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=LONGEST_TEXT, description="Plain text or Markdown")
    filters: FilterFields = Field(default_factory=FilterFields)
    written_on: date | None = Field(default=None, description="Day of the draft, now by default")
    as_of: date | None = Field(default=None, description="Check against the archive as of this day")


@router.post("/check")
def check(
    asked: CheckRequest, services: CurrentServices, reader: CurrentReader
) -> dict[str, Any]:
    """Return each sentence of a draft with its outcome and the passages that decide it.

    The outcome is "supported", "partly", "contradicted", "not in the archive", "no claim" or "not
    checked".
    """
    checked = services.chatbot_for(reader).check(
        asked.text,
        filters=asked.filters.to_filters(),
        written_on=asked.written_on,
        as_of=asked.as_of,
    )
    return check_value(checked)
