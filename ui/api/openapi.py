"""The OpenAPI document of the API: `python -m ui.api.openapi > docs/openapi.json` writes it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from rag.archive.browse import BrowsePage
from rag.schema import Answer, ArticleMetadata, Citation, Hit, Passage, Statement
from rag.store.ingest_jobs import Job, JobCounts
from ui.api.ingest import IngestRequest
from ui.api.problems import MEDIA_TYPE, Problem

OPENAI_TAG = "OpenAI-compatible"  # of operations whose errors have OpenAI's shape

if TYPE_CHECKING:
    from fastapi import FastAPI

COMMON = (400, 401, 403, 408, 413, 421, 422, 429, 500, 503, 504)  # of every operation
OPEN = ("/v1/livez", "/v1/readyz")  # need no authentication
DESCRIPTION = """\
Values have the fields of the Python classes of the same names: `Answer.from_dict(body)` makes an
`Answer` of an answer. Errors are problem details (RFC 9457). Only articles that the sender may see
are found, counted and cited.
"""
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_OPENAI_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}}
_HEADERS: dict[int, dict[str, Any]] = {
    429: {
        "Retry-After": {
            "description": "Seconds to wait",
            "schema": {"type": "string", "pattern": "^[0-9]+$"},
        }
    },
    304: {"ETag": {"description": "The answer's validator", "schema": {"type": "string"}}},
}


def _example_answers() -> dict[str, dict[str, Any]]:
    """Return an example of what each of the main endpoints answers, by its path."""
    quote = "The treaty was signed in Velmora on Friday."
    passage = Passage("harbour-courier.example/treaty", 1, 0, len(quote), quote)
    metadata = ArticleMetadata(
        passage.article_id,
        "Treaty signed",
        publisher="Harbour Courier",
        published=datetime(2024, 11, 15, 9, 30, tzinfo=UTC),
    )
    hit = Hit(passage, metadata, 0.83)
    citation = Citation(1, quote, 0, len(quote), passage, metadata)
    answer = Answer(
        "When was the treaty signed?",
        statements=(Statement(quote, (citation,)),),
        hits=(hit,),
        newest_source=metadata.published,
        candidates_considered=40,
        confidence=0.9,
    )
    begun = datetime(2024, 11, 15, 12, 0, tzinfo=UTC)
    job = Job("6f1d0c2b9a8e7d65", "desk", "running", begun, progress=0.4, counts=JobCounts(new=120))
    return {
        "/v1/search": {"hits": [hit.to_dict()], "relaxed": "", "notices": [], "cursor": "vGx0..."},
        "/v1/ask": answer.to_dict(),
        "/v1/timeline": answer.to_dict(),
        "/v1/articles": BrowsePage((metadata,), 1).to_dict(),
        "/v1/ingest": job.to_dict(),
        "/v1/jobs/{job_id}": job.to_dict(),
    }


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an application.

    Args:
        app: The application with all of its routes.
    """
    found = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=DESCRIPTION,
        routes=app.routes,
    )
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    _add_model(schemas, Problem)
    _add_model(schemas, IngestRequest)
    found["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "`bf_...`"},
        "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    }
    found["security"] = [{"token": []}, {"key": []}]
    examples = _example_answers()
    for path, methods in found["paths"].items():
        for operation in methods.values():
            _complete(operation, is_open=path in OPEN)
            for status in ("200", "202"):
                content = operation["responses"].get(status, {}).get("content", {})
                if path in examples and "application/json" in content:
                    content["application/json"]["example"] = examples[path]
    return found


def _add_model(schemas: dict[str, Any], model: Any) -> None:
    value = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(value.pop("$defs", {}))
    schemas[model.__name__] = value


def _complete(operation: dict[str, Any], *, is_open: bool) -> None:
    """Describe the errors of an operation as problems."""
    responses = operation["responses"]
    is_openai = OPENAI_TAG in operation.get("tags", ())
    for status in COMMON:
        if not (is_open and status in (401, 403)):
            responses.setdefault(str(status), {"description": HTTPStatus(status).phrase})
    if is_open:
        operation["security"] = []
    for status, response in responses.items():
        if int(status) >= 400:
            response["content"] = _OPENAI_ERROR if is_openai else _PROBLEM
            response["description"] = HTTPStatus(int(status)).phrase
        if int(status) == 304:
            response.pop("content", None)
        if int(status) in _HEADERS:
            response["headers"] = _HEADERS[int(status)]
    operation["responses"] = dict(sorted(responses.items()))


def text(app: FastAPI) -> str:
    """Return the document as it is kept in docs/openapi.json, without the version of Backfile."""
    value = document(app)
    value["info"]["version"] = "1"
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write the document to the standard output."""
    from ui.api.app import create_documented

    sys.stdout.write(text(create_documented()))


if __name__ == "__main__":
    main()
