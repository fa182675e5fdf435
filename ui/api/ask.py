"""`POST /v1/ask` and `GET /v1/timeline`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from rag.answer.chatbot import Chatbot
from rag.answer.modes import LAYOUTS
from rag.errors import BackfileError
from rag.schema import Answer
from ui.accounts.audit import Activity
from ui.api import problems
from ui.api.caching import CurrentValidator
from ui.api.fields import Day, FilterFields, Hits, Words
from ui.api.metrics import Metrics
from ui.api.problems import ProblemError
from ui.api.services import CurrentReader, CurrentServices
from ui.api.values import model_of
from ui.api.work import AskWork

router = APIRouter(tags=["Search and ask"])

MOST_TURNS = 20  # of the conversation
EVENTS = "text/event-stream"
KEEP_ALIVE_SECONDS = 15.0  # proxies close connections on which nothing moves
AnswerModel = model_of(Answer)


class Turn(BaseModel):
    """An earlier turn of the conversation."""

    model_config = ConfigDict(extra="forbid")

    question: Words
    answer: AnswerModel | None = Field(  # type: ignore[valid-type]
        default=None, description="Its answer, as it was returned"
    )

    def to_turn(self) -> tuple[str, Answer] | str:
        """Return the turn as `Chatbot.ask` takes it."""
        if self.answer is None:
            return self.question
        return self.question, Answer.from_dict(self.answer.model_dump(mode="json"))


class AskRequest(BaseModel):
    """Request of an answer."""

    model_config = ConfigDict(extra="forbid")

    question: Words
    mode: Literal["answer", "timeline", "compare", "quotes"] = Field(
        default="answer",
        description="An answer; dated statements in order; what each source says; quotations",
    )
    filters: FilterFields = Field(default_factory=FilterFields)
    history: Annotated[list[Turn], Field(max_length=MOST_TURNS)] = Field(
        default=[], description="Earlier turns, oldest first: follow-ups are resolved from them"
    )
    k: Hits = 8
    asked_on: Day | None = Field(default=None, description='The day "last week" is counted from')
    as_of: Day | None = Field(default=None, description="Answer from the archive of this day")


_EXAMPLES: Any = {
    "question": {"value": {"question": "When was the treaty signed?"}},
    "followup": {
        "value": {
            "question": "Who signed it?",
            "history": [{"question": "When was the treaty signed?"}],
        }
    },
    "quotes": {"value": {"question": "What did the Pope say?", "mode": "quotes"}},
}


def _answers(chatbot: Chatbot, asked: AskRequest) -> Iterator[Answer]:
    """Return the answers so far of a question; the last one is complete."""
    filters = asked.filters.to_filters()
    history = [turn.to_turn() for turn in asked.history]
    if asked.mode == "answer":
        return chatbot.stream(
            asked.question,
            filters=filters,
            asked_on=asked.asked_on,
            history=history,
            k=asked.k,
            as_of=asked.as_of,
        )
    asked_on = asked.asked_on
    if asked.as_of is not None:
        chatbot, asked_on = chatbot.as_of(asked.as_of), asked_on or asked.as_of
    lay_out = LAYOUTS[asked.mode]
    answer = lay_out(
        chatbot.archive, asked.question, filters=filters, asked_on=asked_on, history=history
    )
    return iter((answer,))


@router.post(
    "/ask",
    response_model=AnswerModel,
    responses={
        200: {
            "description": "The answer; as events, each is the whole answer so far, and the last "
            "one is named `final`",
            "content": {EVENTS: {"schema": {"type": "string"}}},
        },
    },
)
async def ask(
    asked: Annotated[AskRequest, Body(openapi_examples=_EXAMPLES)],
    request: Request,
    services: CurrentServices,
    reader: CurrentReader,
    work: AskWork,
) -> Any:
    """Answer a question from the archive, each statement with its citations."""
    chatbot = services.chatbot_for(reader)
    metrics: Metrics = request.app.state.metrics
    activity = Activity("ask", question=asked.question, details={"mode": asked.mode})
    if not _wants_events(request.headers.get("accept", "")):
        answer = await work.last(lambda: _answers(chatbot, asked), activity)
        _count(metrics, answer)
        return problems.json_response(answer.to_dict())
    answers = work.stream(lambda: _answers(chatbot, asked), activity)
    first = await anext(answers)  # errors before the first answer have their own status
    return StreamingResponse(_with_pauses(_events(first, answers, metrics)), media_type=EVENTS)


def _wants_events(accept: str) -> bool:
    """Return whether events are named before JSON in an Accept header."""
    kinds = [one.partition(";")[0].strip().lower() for one in accept[:1000].split(",")]
    return next((one == EVENTS for one in kinds if one in (EVENTS, "application/json")), False)


async def _events(
    first: Answer, answers: AsyncGenerator[Answer], metrics: Metrics
) -> AsyncGenerator[str]:
    answer = first
    async with aclosing(answers):
        yield _event("answer", answer.to_dict())
        try:
            async for answer in answers:
                yield _event("answer", answer.to_dict())
        except ProblemError as problem:
            yield _event("problem", problem.body)
            return
        except BackfileError as error:
            yield _event("problem", problems.of_backfile(error).body)
            return
    _count(metrics, answer)
    yield _event("final", answer.to_dict())


def _event(name: str, value: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n"


async def _with_pauses(events: AsyncGenerator[str]) -> AsyncIterator[str]:
    """Yield events, and a comment whenever there was none for a while."""
    async with aclosing(events):
        while True:
            following = asyncio.ensure_future(anext(events))
            try:
                while not (await asyncio.wait({following}, timeout=KEEP_ALIVE_SECONDS))[0]:
                    yield ": still at work\n\n"
                yield following.result()
            except StopAsyncIteration:
                return
            finally:
                if not following.done():
                    following.cancel()
                    with suppress(asyncio.CancelledError, Exception):
                        await following


def _count(metrics: Metrics, answer: Answer) -> None:
    if answer.refused:
        metrics.refusal(answer.refusal.code if answer.refusal else "unknown")


class TimelineQuery(FilterFields):
    """Query of a timeline."""

    question: Words = Field(description="A question or a topic")
    asked_on: Day | None = Field(default=None, description='The day "last week" is counted from')
    as_of: Day | None = Field(default=None, description="The archive of this day")

    def to_request(self) -> AskRequest:
        """Return the same as a request of an answer."""
        filters = FilterFields(**{name: getattr(self, name) for name in FilterFields.model_fields})
        return AskRequest(
            question=self.question,
            mode="timeline",
            filters=filters,
            asked_on=self.asked_on,
            as_of=self.as_of,
        )


@router.get("/timeline", response_model=AnswerModel, responses=problems.NOT_MODIFIED)
async def timeline(
    asked: Annotated[TimelineQuery, Query()],
    request: Request,
    services: CurrentServices,
    reader: CurrentReader,
    validator: CurrentValidator,
    work: AskWork,
) -> Any:
    """Return dated statements about a story, in the order of their days."""
    chatbot = services.chatbot_for(reader)
    activity = Activity("browse", question=asked.question, details={"what": "timeline"})
    answer = await work.last(lambda: _answers(chatbot, asked.to_request()), activity)
    _count(request.app.state.metrics, answer)
    return validator.answer(answer.to_dict())
