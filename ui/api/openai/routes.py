"""`/v1/responses`, `/v1/chat/completions` and `/v1/models`."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rag.answer.chatbot import Chatbot
from rag.errors import BackfileError
from rag.schema import Answer
from ui.accounts.audit import Activity
from ui.api.fields import FilterFields
from ui.api.openai import chat, models, responses
from ui.api.openai.cited_text import CitedTextWriter, Piece
from ui.api.openai.errors import OpenAIRoute, error_of, error_value, problem_value
from ui.api.openai.messages import Conversation, read_input, read_messages
from ui.api.openai.parameters import CHAT, RESPONSES
from ui.api.problems import ProblemError
from ui.api.services import CurrentReader, CurrentServices, Services
from ui.api.work import AskWork, RequestWork
from ui.i18n import preferred_language, texts_in

router = APIRouter(route_class=OpenAIRoute, tags=["OpenAI-compatible"])
_logger = logging.getLogger(__name__)
_STARTED = int(time.time())


class OpenAIErrorDetail(BaseModel):
    """Cause of an error."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIError(BaseModel):
    """Body of an error, in OpenAI's shape."""

    error: OpenAIErrorDetail


_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": OpenAIError, "description": description}
    for status, description in (
        (400, "A parameter is wrong, unknown, or not supported"),
        (404, "There is no such model"),
    )
}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer, or a stream of its events if `stream` is true",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


class BackfileOptions(BaseModel):
    """Options of an answer that OpenAI's APIs have no parameter for."""

    model_config = ConfigDict(extra="forbid")

    filters: FilterFields = Field(default_factory=FilterFields)
    asked_on: date | None = Field(default=None, description='Day from which "last week" counts')
    as_of: date | None = Field(default=None, description="Answer from the archive as of this day")
    k: int = Field(default=8, ge=1, le=50, description="Most passages to answer from")


class StreamOptions(BaseModel):
    """Options of a stream."""

    include_usage: bool | None = False


class ModelRequest(BaseModel):
    """Parameters of both APIs; others are checked by `ui.api.openai.parameters`."""

    model_config = ConfigDict(extra="allow")

    model: str = Field(min_length=1, max_length=200)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    metadata: dict[str, str] | None = Field(default=None, max_length=16)
    backfile: BackfileOptions | None = None


class ChatRequest(ModelRequest):
    """Request to Chat Completions."""

    messages: list[dict[str, Any]] = Field(min_length=1)


class ResponsesRequest(ModelRequest):
    """Request to Responses."""

    input: str | list[dict[str, Any]] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class _Ask:
    """A question to a chatbot."""

    chatbot: Chatbot
    conversation: Conversation
    options: BackfileOptions

    @property
    def activity(self) -> Activity:
        """Entry of the audit log."""
        return Activity("ask", question=self.conversation.question)

    def stream(self) -> Iterator[Answer]:
        """Return the answers as they grow."""
        return self.chatbot.stream(
            self.conversation.question,
            history=self.conversation.history,
            filters=self.options.filters.to_filters(),
            asked_on=self.options.asked_on,
            as_of=self.options.as_of,
            k=self.options.k,
        )


class _StreamWriter(Protocol):
    """Writes an answer as events of one of the APIs."""

    def begin(self) -> Iterable[str]: ...
    def pieces(self, pieces: Iterable[Piece]) -> Iterable[str]: ...
    def end(self, answer: Answer, written: CitedTextWriter) -> Iterable[str]: ...
    def fail(self, error: dict[str, Any]) -> Iterable[str]: ...


@router.post("/responses", responses={**_ERRORS, **_STREAM}, response_model=None)
async def create_response(
    asked: ResponsesRequest,
    request: Request,
    services: CurrentServices,
    reader: CurrentReader,
    work: AskWork,
) -> Response:
    """Answer a question, as OpenAI's Responses does; citations are `url_citation` annotations."""
    RESPONSES.validate(_given(asked))
    chatbot = models.chatbot_named(asked.model, services, reader)
    ask = _Ask(chatbot, read_input(asked.input), asked.backfile or BackfileOptions())
    writer = responses.ResponseWriter(
        _new_id("resp_"), _new_id("msg_"), int(time.time()), asked.model, asked.metadata or {}
    )
    text = _text_writer(request, services)
    return await _answer(work, ask, text, writer, stream=bool(asked.stream))


@router.post("/chat/completions", responses={**_ERRORS, **_STREAM}, response_model=None)
async def create_completion(
    asked: ChatRequest,
    request: Request,
    services: CurrentServices,
    reader: CurrentReader,
    work: AskWork,
) -> Response:
    """Answer a question, as OpenAI's Chat Completions does; the last message is the question."""
    CHAT.validate(_given(asked))
    chatbot = models.chatbot_named(asked.model, services, reader)
    conversation = read_messages(asked.messages, param="messages")
    ask = _Ask(chatbot, conversation, asked.backfile or BackfileOptions())
    options = asked.stream_options or StreamOptions()
    completion = chat.Completion(_new_id("chatcmpl-"), int(time.time()), asked.model)
    writer = _ChatWriter(completion, with_usage=bool(options.include_usage))
    text = _text_writer(request, services)
    return await _answer(work, ask, text, writer, stream=bool(asked.stream))


@router.get("/models", responses=_ERRORS)
def list_models(services: CurrentServices, reader: CurrentReader) -> dict[str, Any]:
    """Return the models that a request may name."""
    listed = [models.model_value(name, _STARTED) for name in models.names(services, reader)]
    return {"object": "list", "data": listed}


@router.get("/models/{name:path}", responses=_ERRORS)
def get_model(name: str, services: CurrentServices, reader: CurrentReader) -> dict[str, Any]:
    """Return one of the models."""
    models.chatbot_named(name, services, reader)
    return models.model_value(name, _STARTED)


class _ChatWriter:
    """Writes an answer as chunks of Chat Completions."""

    def __init__(self, completion: chat.Completion, *, with_usage: bool) -> None:
        self._completion = completion
        self._with_usage = with_usage

    def body(self, answer: Answer, written: CitedTextWriter) -> dict[str, Any]:
        return self._completion.body(answer, written)

    def begin(self) -> Iterator[str]:
        yield self._completion.begin(with_usage=self._with_usage)

    def pieces(self, pieces: Iterable[Piece]) -> Iterator[str]:
        return self._completion.pieces(pieces, with_usage=self._with_usage)

    def end(self, answer: Answer, _: CitedTextWriter) -> Iterator[str]:
        return self._completion.end(answer, with_usage=self._with_usage)

    def fail(self, error: dict[str, Any]) -> Iterator[str]:
        yield chat.error_chunk(error)


async def _answer(
    work: RequestWork,
    ask: _Ask,
    text: CitedTextWriter,
    writer: _ChatWriter | responses.ResponseWriter,
    *,
    stream: bool,
) -> Response:
    if stream:
        # The first answer is awaited before the status is sent: what is wrong with the question is
        # a 400, not an event.
        answers = work.stream(ask.stream, ask.activity)
        return StreamingResponse(
            _events(await anext(answers), answers, text, writer),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )
    answer = await work.last(ask.stream, ask.activity)
    for _ in text.finish(answer):
        pass
    # in ASCII, since a request's metadata may have lone surrogates
    return Response(json.dumps(writer.body(answer, text)), media_type="application/json")


async def _events(
    answer: Answer, answers: AsyncGenerator[Answer], text: CitedTextWriter, writer: _StreamWriter
) -> AsyncGenerator[str]:
    last = _Last(answer)
    async with aclosing(answers):
        for event in writer.begin():
            yield event
        try:
            async for piece in _pieces(last, answers, text):
                for event in writer.pieces((piece,)):
                    yield event
            ending = writer.end(last.answer, text)
        except Exception as error:
            ending = writer.fail(_failure(error))
        for event in ending:
            yield event


@dataclass(slots=True)
class _Last:
    """The answer that came last."""

    answer: Answer


async def _pieces(
    last: _Last, answers: AsyncGenerator[Answer], text: CitedTextWriter
) -> AsyncGenerator[Piece]:
    """Yield the pieces of an answer's text as it grows, and keep the answer."""
    for piece in text.grow(last.answer):
        yield piece
    async for last.answer in answers:
        for piece in text.grow(last.answer):
            yield piece
    for piece in text.finish(last.answer):
        yield piece


def _failure(error: Exception) -> dict[str, Any]:
    """Return the body of what goes wrong after a stream has begun."""
    if isinstance(error, BackfileError):
        return error_of(error)[1]
    if isinstance(error, ProblemError):
        return problem_value(error)
    _logger.error("A stream failed", exc_info=error)
    return error_value(500, "The answer failed. Ask again.")


def _given(asked: ModelRequest) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in asked.model_fields_set}


def _text_writer(request: Request, services: Services) -> CitedTextWriter:
    base = services.settings.base_url or str(request.base_url)
    language = preferred_language(request.headers.get("accept-language", ""))
    return CitedTextWriter(base.rstrip("/"), texts_in(language))


def _new_id(prefix: str) -> str:
    return f"{prefix}{secrets.token_hex(16)}"
