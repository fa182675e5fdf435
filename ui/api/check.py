"""`POST /v1/check`: check a draft against the archive."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from rag.answer.check_text import (
    LONGEST_TEXT,
    CheckedSentence,
    Outcome,
    TextCheck,
    number_check,
)
from ui.accounts.audit import Activity
from ui.api.fields import Day, FilterFields
from ui.api.services import CurrentReader, CurrentServices
from ui.api.values import model_of
from ui.api.work import AskWork
from ui.checked_text import check_value

router = APIRouter(tags=["Search and ask"])


class CheckRequest(BaseModel):
    """Request of a check."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=LONGEST_TEXT, description="Plain text or Markdown")
    filters: FilterFields = Field(default_factory=FilterFields)
    written_on: Day | None = Field(default=None, description="Day of the draft, now by default")
    as_of: Day | None = Field(default=None, description="Check against the archive as of this day")


class ExplainedSentence(model_of(CheckedSentence)):  # type: ignore[misc]
    """A sentence of a draft, and what the archive says about it."""

    reason_text: str = Field(
        description='`reason` in English; "" without one',
        examples=["the passage gives another figure"],
    )


class CheckedText(model_of(TextCheck)):  # type: ignore[misc]
    """The sentences of a draft, in order, each with its outcome."""

    sentences: list[ExplainedSentence]
    counts: dict[Outcome, int] = Field(description="The number of sentences of each outcome")


@router.post("/check", response_model=CheckedText)
async def check(
    asked: CheckRequest, services: CurrentServices, reader: CurrentReader, work: AskWork
) -> Any:
    """Return each sentence of a draft with its outcome and the passages that decide it.

    The outcome is "supported", "partly", "contradicted", "not in the archive", "no claim" or "not
    checked".
    """
    chatbot = services.chatbot_for(reader)
    sentences = await work.all(
        lambda: chatbot.stream_check(
            asked.text,
            filters=asked.filters.to_filters(),
            written_on=asked.written_on,
            as_of=asked.as_of,
        ),
        Activity("check", question=asked.text),
    )
    # in ASCII, since a draft may have lone surrogates
    return Response(json.dumps(check_value(number_check(sentences))), media_type="application/json")
