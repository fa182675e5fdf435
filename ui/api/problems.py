"""Errors of the API as problem details (RFC 9457, `application/problem+json`)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rag.errors import (
    ArchiveLockedError,
    BackfileError,
    InvalidValueError,
    QuestionTooLongError,
    SavedItemError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:backfile:problem:"  # identifies a kind of problem; there is no page behind it

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

    def response(self) -> JSONResponse:
        """Return the response that tells it."""
        body = {
            "type": f"{TYPE_PREFIX}{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        return JSONResponse(body, self.status, self.headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Let an application answer every error with a problem."""

    @app.exception_handler(ProblemError)
    async def _of_problem(_: Request, problem: ProblemError) -> JSONResponse:
        return problem.response()

    @app.exception_handler(RequestValidationError)
    async def _of_validation(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {"place": ".".join(map(str, one["loc"])), "detail": str(one["msg"])}
            for one in error.errors()
        ]
        detail = "; ".join(f"{one['place']}: {one['detail']}" for one in errors[:5])
        return ProblemError(422, "invalid-request", detail, more={"errors": errors}).response()

    @app.exception_handler(HTTPException)
    async def _of_http(_: Request, error: HTTPException) -> JSONResponse:
        kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        headers = dict(error.headers or {})
        return ProblemError(error.status_code, kind, str(error.detail), headers=headers).response()

    @app.exception_handler(BackfileError)
    async def _of_backfile(_: Request, error: BackfileError) -> JSONResponse:
        status, kind = next((s, k) for c, s, k in _OF_ERRORS if isinstance(error, c))
        return ProblemError(status, kind, str(error)).response()
