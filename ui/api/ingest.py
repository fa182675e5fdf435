"""`POST /v1/ingest` and `/v1/jobs`."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from ingest.pipeline import is_address
from rag.store.ingest_jobs import Job
from ui.accounts.audit import Activity, name_articles
from ui.api import problems
from ui.api.fields import ArticleId, Day, Name
from ui.api.jobs import JobRunner, Sources
from ui.api.problems import ProblemError
from ui.api.services import AddingSender, CurrentEditor, EditingSender
from ui.api.values import model_of
from ui.api.work import limit_writes
from ui.readers import Reader

router = APIRouter(tags=["Ingest"])

MOST_FILES = 100  # of an upload
MOST_ARTICLES = 10_000  # of a request
MOST_ADDRESSES = 1_000
LONGEST_ADDRESS = 2_048  # characters
LONGEST_TEXT = 2_000_000
LARGEST_JSON = 50_000_000  # bytes, all of which are in memory
ARTICLES_FILE = "articles.jsonl"
MOST_FIELDS = 10  # of a form, which should have files only; to say so of each
FORM = "Name each file `files`; with curl: -F files=@articles.jsonl."
SENDING = 'Send {"articles": [...]} or {"addresses": [...]}, or files in a form.'
_JSON_TYPES = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}
KEY = r"^[\x21-\x7e]{1,200}$"
JobModel = model_of(Job)

Address = Annotated[str, Field(min_length=1, max_length=LONGEST_ADDRESS)]


_ARTICLE: Any = {
    "id": "harbour-courier.example/bridge",
    "title": "Bridge closed",
    "text": "The bridge of Osterholt was closed on Monday.",
    "publisher": "Harbour Courier",
    "published": "2024-10-21",
}


class NewArticle(BaseModel):
    """An article to add: a new one, or a new revision of the one with the same id or URL."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_ARTICLE]})

    text: str = Field(min_length=1, max_length=LONGEST_TEXT, description="As plain text")
    id: ArticleId | None = Field(default=None, description="Its id; by default made from the URL")
    title: str = Field(default="", max_length=2000)
    publisher: Name = ""
    url: str = Field(default="", max_length=LONGEST_ADDRESS)
    authors: list[Name] = Field(default=[], max_length=100)
    published: Day | None = None
    updated: Day | None = None
    section: Name = ""
    language: Name = ""
    kind: Name = Field(default="", description='"news" by default')
    correction: str = Field(default="", max_length=10_000, description="Correction notice")
    access: Name = Field(default="", description="The right that readers need; none by default")


class IngestRequest(BaseModel):
    """Articles, addresses of pages, feeds and sitemaps, or both."""

    model_config = ConfigDict(extra="forbid")

    articles: list[NewArticle] = Field(default=[], max_length=MOST_ARTICLES)
    addresses: list[Address] = Field(
        default=[], max_length=MOST_ADDRESSES, description="http or https"
    )


_JSON, _FORM = "application/json", "multipart/form-data"
_BODY: Any = {
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {
                "schema": {"$ref": "#/components/schemas/IngestRequest"},
                "examples": {
                    "articles": {"value": {"articles": [_ARTICLE]}},
                    "feed": {"value": {"addresses": ["https://harbour-courier.example/feed.xml"]}},
                },
            },
            _FORM: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "files": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "minItems": 1,
                            "maxItems": MOST_FILES,
                            "description": "Files of any format that `backfile ingest` reads",
                        }
                    },
                    "required": ["files"],
                    "additionalProperties": False,
                }
            },
        },
    }
}


@router.post(
    "/ingest",
    status_code=202,
    response_model=JobModel,
    openapi_extra=_BODY,
    responses=problems.responses(415),
    dependencies=[Depends(limit_writes)],
)
async def ingest(
    request: Request,
    sender: AddingSender,
    idempotency_key: Annotated[
        str,
        Header(
            pattern=KEY,
            description="A request that is sent again with the same key starts no second job",
            examples=["8e03978e-40d5-43e8-bc93-6894a57f9324"],
        ),
    ] = "",
) -> Any:
    """Start a job that adds files, articles, or what is at web addresses."""
    jobs: JobRunner = request.app.state.jobs
    sources = await _read_sources(request)

    def record_added(job_id: str, ids: Sequence[str], count: int) -> None:
        sender.record(Activity("ingest", details={"job": job_id, **name_articles(ids, count)}))

    job, is_new = await run_in_threadpool(
        jobs.submit, sender.reader.id, sources, idempotency_key, record_added
    )
    if is_new:
        counts = {"files": len(sources.files), "addresses": len(sources.addresses)}
        activity = Activity("ingest", details={"job": job.id, **counts})
        await run_in_threadpool(sender.record, activity)
    answer = problems.json_response(job.to_dict(), 202)
    answer.headers["Location"] = f"/v1/jobs/{job.id}"
    return answer


async def _read_sources(request: Request) -> Sources:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _FORM:
        async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS) as form:
            return await run_in_threadpool(_store_files, form)
    if kind == _JSON or not kind:
        asked = await run_in_threadpool(_parse, await _read_json(request))  # a second for 48 MB
        return await run_in_threadpool(_store_articles, asked)
    raise ProblemError(
        415, "unsupported-media-type", f"Send {_JSON} or {_FORM}, not {kind[:100] or 'nothing'}."
    )


async def _read_json(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_JSON:
            raise ProblemError(
                413,
                "content-too-large",
                f"JSON may have {LARGEST_JSON // 1_000_000} MB. Send a file instead.",
                headers={"Connection": "close"},
            )
        parts.append(part)
    return b"".join(parts)


def _parse(body: bytes) -> IngestRequest:
    try:
        asked = IngestRequest.model_validate(_read_object(body))
    except ValidationError as error:
        errors = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(errors) from error
    if not asked.articles and not asked.addresses:
        raise _invalid("body", f"There is nothing to add. {SENDING}")
    for number, address in enumerate(asked.addresses):
        if not is_address(address):
            raise _invalid(f"body.addresses.{number}", "This is not an http or https address.")
    return asked


def _read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object that is a body."""
    if not body.strip():
        raise _invalid("body", f"The body is empty. {SENDING}")
    try:
        found = json.loads(body)
    except json.JSONDecodeError as error:
        hint = " Send JSON Lines as a file." if error.msg == "Extra data" else ""
        where = f"line {error.lineno}, column {error.colno}"
        raise _invalid("body", f"This is not JSON: {error.msg} at {where}.{hint}") from error
    except (ValueError, RecursionError) as error:
        raise _invalid("body", "This is not JSON in UTF-8, or is nested too deeply.") from error
    if not isinstance(found, dict):
        raise _invalid("body", f"This is {_JSON_TYPES[type(found)]}, not an object. {SENDING}")
    return found


def _invalid(place: str, detail: str) -> ProblemError:
    errors = [{"place": place, "detail": detail}]
    return ProblemError(422, "invalid-request", f"{place}: {detail}", more={"errors": errors})


def _store_articles(asked: IngestRequest) -> Sources:
    lines = [
        json.dumps(
            {n: v for n, v in one.model_dump(mode="json").items() if v not in (None, "", [])}
        )
        for one in asked.articles
    ]
    folder = Path(tempfile.mkdtemp(prefix="backfile-ingest-"))
    files = []
    if lines:
        files.append(folder / ARTICLES_FILE)
        files[0].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return _sources(folder, files, asked.addresses)


def _store_files(form: FormData) -> Sources:
    given = form.multi_items()
    if not given:
        raise _invalid("body.files", f"The form has no file. {FORM}")
    for name, one in given:
        if not isinstance(one, UploadFile):
            raise _invalid(f"body.{name[:100]}", f"This is text, not a file. {FORM}")
        if name != "files":
            raise _invalid(f"body.{name[:100]}", f"Unknown field. {FORM}")
    folder = Path(tempfile.mkdtemp(prefix="backfile-ingest-"))
    try:
        files = []
        for number, (_, one) in enumerate(given):
            assert isinstance(one, UploadFile)
            path = folder / str(number) / _file_name(one.filename or "")
            path.parent.mkdir()
            with path.open("wb") as target:
                shutil.copyfileobj(one.file, target, 1 << 20)
            files.append(path)
        return _sources(folder, files, ())
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _file_name(given: str) -> str:
    """Return the last part of a client's file name, safe as a file name here."""
    last = given.replace("\\", "/").rpartition("/")[2]
    safe = "".join(c if c.isprintable() and c not in ':*?"<>|' else "_" for c in last).strip(". ")
    encoded = safe.encode(errors="replace")
    if len(encoded) > 200:
        encoded = encoded[-200:]  # the extension is at the end
    return encoded.decode(errors="ignore").strip(". ") or "upload"


def _sources(folder: Path, files: Iterable[Path], addresses: Iterable[str]) -> Sources:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(f"{path.name}\0".encode() + hashlib.file_digest(file, "sha256").digest())
    digest.update("\n".join(addresses).encode())
    return Sources(folder, tuple(files), tuple(addresses), digest.hexdigest())


def _sees_all_jobs(reader: Reader) -> bool:
    return reader.may("admin") and reader.rights.sees_everything  # rejects name articles


JobId = Annotated[str, InPath(max_length=64, description="The `id` of a job")]


def _own(jobs: JobRunner, job_id: str, reader: Reader) -> Job:
    job = jobs.get(job_id)
    if job is None or (job.owner != reader.id and not _sees_all_jobs(reader)):
        raise ProblemError(404, "not-found", "You have no such job; old ones are forgotten.")
    return job


@router.get("/jobs/{job_id}", response_model=JobModel, responses=problems.responses(404))
async def job(job_id: JobId, request: Request, reader: CurrentEditor) -> Any:
    """Return the progress of a job, and what was not added."""
    found = await run_in_threadpool(_own, request.app.state.jobs, job_id, reader)
    return problems.json_response(found.to_dict())


@router.delete("/jobs/{job_id}", response_model=JobModel, responses=problems.responses(404))
async def cancel(job_id: JobId, request: Request, sender: EditingSender) -> Any:
    """Cancel a job: it ends after its current batch, and what was added stays."""
    jobs: JobRunner = request.app.state.jobs
    found = await run_in_threadpool(_own, jobs, job_id, sender.reader)
    ended = await run_in_threadpool(jobs.cancel, job_id)
    if found.is_unfinished:
        activity = Activity("ingest", details={"job": job_id, "decision": "cancel"})
        await run_in_threadpool(sender.record, activity)
    return problems.json_response((ended or found).to_dict())
