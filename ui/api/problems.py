"""Errors of the API as problem details (RFC 9457, `application/problem+json`)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from rag.errors import (
    ArchiveLockedError,
    BackfileError,
    InvalidValueError,
    QuestionTooLongError,
    RecordUnavailableError,
    SavedItemError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:backfile:problem:"  # identifies a kind of problem; there is no page behind it

UNREACHABLE = "The archive's record is not reachable now. Try again later."  # without its address
# Status and kind of Backfile's own errors; the first class that fits counts.
_OF_ERRORS: tuple[tuple[type[BackfileError], int, str], ...] = (
    (QuestionTooLongError, 422, "question-too-long"),
    (InvalidValueError, 422, "invalid-value"),
    (SavedItemError, 404, "not-found"),
    (ArchiveLockedError, 409, "archive-locked"),
    (BackfileError, 503, "unavailable"),
)


class ProblemError(Exception):
    """An error for the caller.

    Args:
        status: HTTP status.
        kind: The kind of problem, which stays the same between versions.
        detail: What is wrong, and how to fix it.
        headers: Further headers, such as `Retry-After`.
        more: Further members of the body, such as `errors`.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    @property
    def body(self) -> dict[str, Any]:
        """The problem as JSON."""
        return {
            "type": f"{TYPE_PREFIX}{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": printable(self.detail),
            **self.more,
        }

    def response(self) -> JSONResponse:
        """Return the response that tells it."""
        return JSONResponse(self.body, self.status, self.headers, MEDIA_TYPE)


class Problem(BaseModel):
    """Problem details of an error (RFC 9457)."""

    type: str = Field(
        description="The kind of problem, which stays the same between versions",
        examples=["urn:backfile:problem:invalid-request"],
    )
    title: str = Field(description="The status in words", examples=["Unprocessable Content"])
    status: int = Field(description="The HTTP status", ge=400, le=599, examples=[422])
    detail: str = Field(description="What is wrong, and how to fix it")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how an endpoint's documentation lists the problems that only it has."""
    return {status: {"description": HTTPStatus(status).phrase} for status in statuses}


NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The answer is the one whose ETag was sent as If-None-Match"}
}


def printable(text: str) -> str:
    """Return a text without lone surrogates, which JSON in UTF-8 can't have."""
    return text.encode(errors="backslashreplace").decode()


def json_response(body: dict[str, Any], status: int = 200) -> JSONResponse:
    """Return an answer, without validating again what `to_dict` made."""
    return JSONResponse(body, status)


def of_backfile(error: BackfileError) -> ProblemError:
    """Return the problem of one of Backfile's own errors."""
    status, kind = next((s, k) for c, s, k in _OF_ERRORS if isinstance(error, c))
    more = {"error": type(error).__name__}
    headers = {"Retry-After": "5"} if status == 409 else {}
    detail = UNREACHABLE if isinstance(error, RecordUnavailableError) else str(error)
    return ProblemError(status, kind, detail, headers=headers, more=more)


def add_handlers(app: FastAPI) -> None:
    """Let an application answer every error with a problem; see also `ui.api.invalid_requests`."""

    @app.exception_handler(ProblemError)
    async def _of_problem(_: Request, problem: ProblemError) -> JSONResponse:
        return problem.response()

    @app.exception_handler(HTTPException)
    async def _of_http(request: Request, error: HTTPException) -> JSONResponse:
        kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        headers = dict(error.headers or {})
        detail = str(error.detail)
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods(request))
            detail = f"This address takes {headers['Allow']}."
        elif error.status_code == 404 and detail == "Not Found":
            detail = "There is nothing at this address. GET /v1/openapi.json lists what there is."
        return ProblemError(error.status_code, kind, detail, headers=headers).response()

    @app.exception_handler(BackfileError)
    async def _of_backfile(_: Request, error: BackfileError) -> JSONResponse:
        return of_backfile(error).response()


def _methods(request: Request) -> list[str]:
    """Return the methods that an address takes, of all routes."""
    found: set[str] = set()
    for prefix, route in request.app.state.documented:
        path = request.scope["path"]
        if path.startswith(prefix) and route.path_regex.match(path.removeprefix(prefix)):
            found |= route.methods
    return sorted(found)
