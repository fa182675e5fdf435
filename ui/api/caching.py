"""Validators of answers: an ETag by the archive's version, the reader and their rights."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse

from ui.api.services import CurrentReader, CurrentServices
from ui.readers import Reader

HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie, X-Api-Key"}


class NotModifiedError(Exception):
    """The client has this answer already.

    Args:
        etag: Its ETag.
    """

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag

    def response(self) -> Response:
        """Return the response without a body."""
        return Response(status_code=304, headers={**HEADERS, "ETag": self.etag})


@dataclass(frozen=True, slots=True)
class Validator:
    """The ETag of an answer that only changes with the archive."""

    etag: str

    def answer(self, body: dict[str, Any]) -> JSONResponse:
        """Return an answer that the client may keep, and must ask about before using it again."""
        return JSONResponse(body, headers={**HEADERS, "ETag": self.etag})


def binding(reader: Reader, version: int, *more: object) -> bytes:
    """Return bytes that are the same only for the same reader, rights, version and further things.

    Args:
        reader: The reader.
        version: The archive's version.
        more: JSON values, such as a query.
    """
    value = [reader.id, reader.rights.to_dict(), version, *more]
    return json.dumps(value, sort_keys=True, default=str).encode(errors="backslashreplace")


def find_validator(request: Request, services: CurrentServices, reader: CurrentReader) -> Validator:
    """Dependency: the validator of a GET request.

    The version is read before the answer is made: a change in between costs a request, not
    correctness. The day is part of it, since "last week" in a query counts from it.

    Raises:
        NotModifiedError: The client sent the current ETag.
    """
    day = datetime.now(UTC).date().isoformat()
    version = services.archive_for(reader).version
    url = [request.url.path, request.url.query]
    secret: bytes = request.app.state.secret
    tag = hmac.digest(secret, b"etag" + binding(reader, version, url, day), hashlib.sha256)
    etag = f'"{tag.hex()[:32]}"'
    known = request.headers.get("if-none-match", "")
    if etag in (one.strip().removeprefix("W/") for one in known.split(",")):
        raise NotModifiedError(etag)
    return Validator(etag)


# Parameter of endpoints. FastAPI reads annotations at run time: import it for real.
CurrentValidator = Annotated[Validator, Depends(find_validator)]
