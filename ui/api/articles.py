"""`/v1/articles`: browse, read, remove and reinstate articles."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from rag.archive.browse import LARGEST_PAGE, BrowseOrder, BrowsePage
from rag.archive.restricted import RestrictedArchive
from rag.query.parser import LONGEST_QUESTION
from rag.schema import Article, ArticleMetadata, Filters
from ui.accounts.audit import Activity
from ui.api import problems
from ui.api.caching import CurrentValidator
from ui.api.cursors import LONGEST, read_cursor, write_cursor
from ui.api.fields import FilterFields, query_value
from ui.api.problems import ProblemError
from ui.api.services import (
    CurrentReader,
    CurrentServices,
    EditingSender,
    Services,
    missing_scope,
)
from ui.api.values import model_of
from ui.api.work import SearchWork, limit_writes
from ui.article_address import LONGEST_ID
from ui.ingest_job import erase_articles, reinstate_articles, withdraw_articles, withdrawn_article
from ui.readers import Reader

router = APIRouter(tags=["Articles"])

LONGEST_REASON = 500  # characters
AROUND = 300  # characters of text before and after a span
SPAN = r"^[0-9]{1,9}-[0-9]{1,9}$"

ArticleIdInPath = Annotated[
    str,
    Path(
        description="The article's id, percent-encoded; slashes may stay",
        max_length=LONGEST_ID,
        examples=["harbour-courier.example/2024/11/treaty"],
    ),
]


class BrowseQuery(FilterFields):
    """Query of a page of articles."""

    q: str = Field(
        default="",
        max_length=LONGEST_QUESTION,
        description='Words and "phrases" with AND, OR, NOT and brackets; all articles without',
        examples=["treaty AND (ferry OR bridge)"],
    )
    order: BrowseOrder = "date"
    cursor: str = Field(
        default="", max_length=LONGEST, description="The `cursor` of the page before"
    )
    limit: int = Field(default=50, ge=1, le=LARGEST_PAGE, description="The most articles on a page")


class RevisionSummary(BaseModel):
    """One revision of an article."""

    revision: int = Field(description="Its number, from 1")
    title: str
    added: str = Field(description="When it was added")
    ended: str | None = Field(description="When it was replaced; null for the current one")


class SpanText(BaseModel):
    """A part of the text, with what surrounds it."""

    start: int
    end: int
    before: str = Field(description="At most 300 characters before it")
    text: str
    after: str = Field(description="At most 300 characters after it")


class ArticleResponse(BaseModel):
    """An article."""

    article: model_of(Article)  # type: ignore[valid-type]
    revisions: list[RevisionSummary] = Field(description="All revisions, oldest first")
    near_duplicates: list[model_of(ArticleMetadata)] = Field(  # type: ignore[valid-type]
        description="Other articles with the same story, the original first"
    )
    span: SpanText | None = Field(description="The part that `at` asks for")


class Removal(BaseModel):
    """An article's state after a change."""

    article_id: str
    state: Literal["withdrawn", "erased", "partly erased", "in the archive"] = Field(
        description="`partly erased` if another process still reads the old files: the next change "
        "of the archive finishes"
    )
    undo: str | None = Field(description="The address to DELETE, to undo it; null if nothing does")


def _not_found() -> ProblemError:
    return ProblemError(404, "not-found", "The archive has no such article, or not for you.")


@router.get(
    "/articles",
    response_model=model_of(BrowsePage),
    responses=problems.NOT_MODIFIED,
)
async def browse(
    asked: Annotated[BrowseQuery, Query()],
    request: Request,
    services: CurrentServices,
    reader: CurrentReader,
    validator: CurrentValidator,
    work: SearchWork,
) -> Any:
    """Return a page of the articles that match, with counts on the first page."""
    archive, secret = services.archive_for(reader), request.app.state.cursor_secret

    def find() -> dict[str, Any]:
        query, place = query_value(asked), ""
        if asked.cursor:
            place = read_cursor(secret, reader, query, asked.cursor).decode()
        page = archive.browse(
            asked.q,
            filters=asked.to_filters(),
            order=asked.order,
            cursor=place,
            limit=asked.limit,
        ).to_dict()
        if page["cursor"]:
            place = page["cursor"].encode()
            page["cursor"] = write_cursor(secret, reader, query, place)
        return page

    activity = Activity("browse", question=asked.q, details={"what": "articles"})
    return validator.answer(await work.run(find, activity))


@router.get(
    "/articles/{article_id:path}",
    response_model=ArticleResponse,
    responses={**problems.responses(404), **problems.NOT_MODIFIED},
)
async def article(
    article_id: ArticleIdInPath,
    services: CurrentServices,
    reader: CurrentReader,
    validator: CurrentValidator,
    work: SearchWork,
    revision: Annotated[
        int | None,
        Query(ge=1, le=2**31, description="A revision's number; else the current one"),
    ] = None,
    at: Annotated[
        str | None,
        Query(
            pattern=SPAN,
            description="START-END in characters of the text; of the first revision without "
            "`revision`, as in links to passages",
            examples=["120-240"],
        ),
    ] = None,
) -> Any:
    """Return an article with its revisions and near-duplicates."""
    archive = services.archive_for(reader)
    if at is not None and revision is None:
        revision = 1
    activity = Activity("read", details={"article": article_id})
    found = await work.run(lambda: _read(archive, article_id, revision, at), activity)
    return validator.answer(found)


def _read(
    archive: RestrictedArchive, article_id: str, revision: int | None, at: str | None
) -> dict[str, Any]:
    found = archive.article(article_id, revision) if article_id else None
    if found is None:
        raise _not_found()
    duplicates = archive.near_duplicates([article_id]).get(article_id, ())
    return {
        "article": found.to_dict(),
        "revisions": [
            {
                "revision": one.article.revision,
                "title": one.article.title,
                "added": one.added.isoformat(),
                "ended": _iso(one.ended),
            }
            for one in archive.revisions(article_id)
        ],
        "near_duplicates": [one.to_dict() for one in duplicates],
        "span": _span(found.text, at) if at is not None else None,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _span(text: str, at: str) -> dict[str, Any]:
    first, _, last = at.partition("-")
    start, end = int(first), int(last)
    if not start < end <= len(text):
        raise ProblemError(
            404, "not-found", f"This revision has no text at {at}: it has {len(text)} characters."
        )
    return {
        "start": start,
        "end": end,
        "before": text[max(0, start - AROUND) : start],
        "text": text[start:end],
        "after": text[end : end + AROUND],
    }


@router.delete(
    "/articles/{article_id:path}",
    response_model=Removal,
    responses=problems.responses(404, 409),
    dependencies=[Depends(limit_writes)],
)
async def remove(
    article_id: ArticleIdInPath,
    request: Request,
    services: CurrentServices,
    sender: EditingSender,
    reason: Annotated[
        str, Query(max_length=LONGEST_REASON, description="Kept with the withdrawal")
    ] = "",
    erase: Annotated[
        bool,
        Query(
            description="Erase its text from every file, which can't be undone; needs the scope "
            "`admin`"
        ),
    ] = False,
) -> Any:
    """Withdraw an article: nothing finds it any more, and it isn't added again."""
    if erase and not sender.reader.may("admin"):
        raise missing_scope(sender.reader, "admin")

    def change() -> dict[str, Any]:
        if not _may_change(services, sender.reader, article_id):
            raise _not_found()
        if not erase:
            withdraw_articles(services.archive, services.settings, [article_id], reason)
            sender.record(Activity("withdraw", details={"articles": article_id}))
            return _removal(article_id, "withdrawn")
        is_gone = erase_articles(services.archive, services.settings, [article_id], reason)
        request.app.state.jobs.forget_rejects()
        sender.record(Activity("erase", details={"count": 1}))
        return _removal(article_id, "erased" if is_gone else "partly erased")

    return problems.json_response(await run_in_threadpool(change))


@router.delete(
    "/withdrawals/{article_id:path}",
    response_model=Removal,
    responses=problems.responses(404, 409),
    dependencies=[Depends(limit_writes)],
)
async def reinstate(
    article_id: ArticleIdInPath,
    services: CurrentServices,
    sender: EditingSender,
) -> Any:
    """Undo the withdrawal of an article that wasn't erased."""

    def change() -> dict[str, Any]:
        if not _may_change(services, sender.reader, article_id):
            raise _not_found()
        if not reinstate_articles(services.archive, services.settings, [article_id]):
            raise _not_found()
        sender.record(Activity("reinstate", details={"articles": article_id}))
        return _removal(article_id, "in the archive")

    return problems.json_response(await run_in_threadpool(change))


def _may_change(services: Services, reader: Reader, article_id: str) -> bool:
    """Return whether an article is there, or withdrawn, and the reader may see it."""
    if not article_id:
        return False
    if services.archive_for(reader).article(article_id) is not None:
        return True
    withdrawn = withdrawn_article(services.archive, article_id)
    return withdrawn is not None and Filters(access=reader.rights).may_read(withdrawn)


def _removal(article_id: str, state: str) -> dict[str, Any]:
    undo = f"/v1/withdrawals/{quote(article_id, safe='')}" if state == "withdrawn" else None
    return {"article_id": article_id, "state": state, "undo": undo}
