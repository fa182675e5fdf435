"""Errors of invalid requests: each with its place; an unknown field names the nearest known one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool

from ui.api.problems import ProblemError, printable

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.responses import JSONResponse

JSON_TYPE = "application/json"
MOST_ERRORS = 20  # of an invalid request
LONGEST_PLACE = 300  # characters
UNKNOWN_FIELD = "extra_forbidden"  # pydantic's type of the error
NEARNESS = 0.6  # of difflib; "publisher" is .95 near to "publishers", "query" .15 to "question"


def add_handler(app: FastAPI) -> None:
    """Let an application answer invalid requests with a problem that lists their errors."""

    @app.exception_handler(RequestValidationError)
    async def _of_validation(request: Request, error: RequestValidationError) -> JSONResponse:
        # in a thread, since the first unknown field makes the OpenAPI document (.3 s)
        errors = await run_in_threadpool(explain_errors, error.errors(), request)
        detail = "; ".join(f"{one['place']}: {one['detail']}" for one in errors[:5])
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if errors[0]["place"] == "body" and kind != JSON_TYPE and not kind.endswith("+json"):
            sent = f"not {printable(kind)[:100]}" if kind else "which is missing"
            detail += f". Send JSON with the header Content-Type: {JSON_TYPE}, {sent}."
        return ProblemError(422, "invalid-request", detail, more={"errors": errors}).response()


def explain_errors(errors: Sequence[Any], request: Request) -> list[dict[str, str]]:
    """Return the errors of an invalid request, each with its place.

    Args:
        errors: The errors as pydantic lists them.
        request: The request.
    """
    return [
        {
            "place": printable(".".join(map(str, one["loc"])))[:LONGEST_PLACE],
            "detail": _detail(one, request),
        }
        for one in errors[:MOST_ERRORS]
    ]


def _detail(error: Any, request: Request) -> str:
    if error["type"] == UNKNOWN_FIELD:
        known = list(_known_fields(request, error["loc"][:-1]))
        if known:
            return suggest(str(error["loc"][-1]), known)
    return printable(str(error["msg"]))[:LONGEST_PLACE]


def suggest(name: str, known: Sequence[str]) -> str:
    """Return that a field is unknown, with the known one that is nearest to it, or with all."""
    near = get_close_matches(name[:LONGEST_PLACE].lower(), known, n=1, cutoff=NEARNESS)
    if near:
        return f"Unknown field. Did you mean {near[0]!r}?"
    return f"Unknown field. The fields are {', '.join(known)}."


def _known_fields(request: Request, place: Sequence[Any]) -> Iterable[str]:
    """Return the fields at a place of a request, ("body", "filters") or ("query",).

    They are those of the OpenAPI document.
    """
    document = request.app.openapi()
    path = request.scope["route"].path
    paths: dict[str, Any] = document["paths"]
    found = [methods for name, methods in paths.items() if name.endswith(path)]
    operation = found[0].get(request.method.lower(), {}) if found else {}
    if place[:1] == ("query",):
        return [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get(JSON_TYPE, {}).get("schema", {})
    for part in place[1:]:
        schema = _resolve(document, schema)
        is_item = isinstance(part, int)
        schema = schema.get("items", {}) if is_item else schema.get("properties", {}).get(part, {})
    return list(_resolve(document, schema).get("properties", {}))


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without references and without the choice of null."""
    for _ in range(10):  # deeper than any
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema:
            others = [one for one in schema["anyOf"] if one.get("type") != "null"]
            schema = others[0] if others else {}
        else:
            break
    return schema
