"""Errors in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from rag.errors import BackfileError, InvalidValueError, QuestionTooLongError
from ui.api.invalid_requests import explain_errors
from ui.api.problems import MEDIA_TYPE, ProblemError, printable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS = ("/v1/responses", "/v1/chat/completions", "/v1/models")
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class OpenAIRequestError(Exception):
    """A request that these endpoints can't answer.

    Args:
        message: What is wrong, and how to fix it.
        param: The parameter that is wrong, if it is one.
        code: The kind of error, as OpenAI calls it.
        status: HTTP status.
    """

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status


def is_openai_path(path: str) -> bool:
    """Return whether errors at a path have OpenAI's shape."""
    return any(path == known or path.startswith(f"{known}/") for known in PATHS)


def error_value(
    status: int, message: str, *, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    """Return the body that tells an error."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    param = printable(param) if param else None
    return {"error": {"message": printable(message), "type": kind, "param": param, "code": code}}


def of_problem(problem: ProblemError) -> JSONResponse:
    """Return a problem's response in OpenAI's shape."""
    return JSONResponse(problem_value(problem), problem.status, problem.headers)


def problem_value(problem: ProblemError) -> dict[str, Any]:
    """Return a problem's body in OpenAI's shape."""
    code = problem.kind.replace("-", "_")
    return error_value(problem.status, problem.detail, code=code)


def error_of(error: BackfileError) -> tuple[int, dict[str, Any]]:
    """Return the status and the body for an error of the archive's own code."""
    if isinstance(error, QuestionTooLongError):
        return 400, error_value(400, str(error), code="string_above_max_length")
    if isinstance(error, InvalidValueError):
        return 400, error_value(400, str(error), code="invalid_value")
    return 503, error_value(503, str(error), code="unavailable")


class OpenAIRoute(APIRoute):
    """Route whose errors have OpenAI's shape, those of its dependencies included."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of a request."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except OpenAIRequestError as error:
                body = error_value(error.status, error.message, param=error.param, code=error.code)
                return JSONResponse(body, error.status)
            except RequestValidationError as error:
                first = error.errors()[:1]
                explained = await run_in_threadpool(explain_errors, first, request)
                return JSONResponse(_of_validation(first[0], explained[0]["detail"]), 400)
            except ProblemError as problem:
                return of_problem(problem)
            except HTTPException as error:
                body = error_value(error.status_code, str(error.detail))
                return JSONResponse(body, error.status_code, error.headers)
            except BackfileError as error:
                status, body = error_of(error)
                return JSONResponse(body, status)

        return answer


class OpenAIErrors:
    """ASGI middleware that gives every problem on these routes OpenAI's shape.

    Those of other layers, too: an unknown method, a body that is too large.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and is_openai_path(scope["path"]):
            send = _Reshaped(send)
        await self._app(scope, receive, send)


class _Reshaped:
    """ASGI `send` that converts the body of a problem."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kinds = [v for n, v in message["headers"] if n.lower() == b"content-type"]
            if kinds and kinds[0].startswith(MEDIA_TYPE.encode()):
                self._start = message
                return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            await self._flush(self._start)

    async def _flush(self, start: Message) -> None:
        problem = json.loads(self._body)
        code = str(problem["type"]).rpartition(":")[2].replace("-", "_")
        value = error_value(start["status"], problem["detail"], code=code)
        body = json.dumps(value).encode()
        kept = [
            (name, content)
            for name, content in start["headers"]
            if name.lower() not in (b"content-type", b"content-length")
        ]
        own = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await self._send({**start, "headers": [*kept, *own]})
        await self._send({"type": "http.response.body", "body": body})


def _of_validation(first: Any, detail: str) -> dict[str, Any]:
    place = ".".join(str(part) for part in first["loc"] if part != "body")
    missing = first["type"] == "missing"
    message = (
        f"Missing required parameter: {place!r}."
        if missing and place
        else f"Invalid value for {place or 'the body'!r}: {detail.rstrip('.')}."
    )
    code = "missing_required_parameter" if missing else "invalid_value"
    return error_value(400, message, param=place or None, code=code)
