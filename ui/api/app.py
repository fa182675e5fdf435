"""The application behind `/v1`."""

from __future__ import annotations

import secrets
from functools import cache
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response

from rag.version import version
from ui.api import (
    articles,
    ask,
    check,
    ingest,
    invalid_requests,
    names,
    openapi,
    problems,
    search,
    status,
)
from ui.api.caching import NotModifiedError
from ui.api.closing import Closing
from ui.api.cursor_secret import open_secret
from ui.api.jobs import JobRunner
from ui.api.metrics import Metrics, ServerCollector
from ui.api.openai import routes as openai
from ui.api.openai.errors import OpenAIErrors
from ui.api.requests import BodyLimit, RequestLog
from ui.api.work import WorkScheduler

if TYPE_CHECKING:
    from collections.abc import Callable

    from ui.api.services import Services

PREFIX = "/v1"


def create_api(services: Services, is_ready: Callable[[], bool] = lambda: True) -> FastAPI:
    """Return the application.

    It trusts `scope["state"]["reader"]`, which the guard in front of it must set. Call `close_api`
    at the server's end.

    Args:
        services: What the endpoints work with.
        is_ready: Whether the rest of the server is there, for `/v1/readyz`.
    """
    app = create_documented()
    metrics, closing = Metrics(), Closing()
    app.state.services, app.state.is_ready = services, is_ready
    app.state.secret = secrets.token_bytes(32)  # of ETags, which end with the server
    app.state.cursor_secret = open_secret(services.archive.home)
    app.state.metrics, app.state.closing = metrics, closing
    app.state.work = WorkScheduler(services.settings, services.chatbot, metrics, closing)
    app.state.jobs = JobRunner(services.archive, services.settings, closing)
    metrics.registry.register(ServerCollector(services, app.state.work, app.state.jobs))
    app.add_middleware(BodyLimit, ingest_path=f"{PREFIX}/ingest")
    app.add_middleware(OpenAIErrors)
    app.add_middleware(RequestLog, metrics=metrics)  # outermost
    return app


def create_documented() -> FastAPI:
    """Return the application without what its endpoints work with: enough to document it."""
    app = FastAPI(
        title="Backfile",
        version=version(),
        summary="Search a news archive, and answer questions with cited statements",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # a redirect would name a host
    )
    problems.add_handlers(app)
    invalid_requests.add_handler(app)

    @app.exception_handler(NotModifiedError)
    async def _of_not_modified(_: Request, known: NotModifiedError) -> Response:
        return known.response()

    app.state.documented = []  # pairs of a prefix and a route
    for module in (search, ask, check, articles, names, ingest, status, openai):
        app.include_router(module.router, prefix=PREFIX)
        app.state.documented += [(PREFIX, route) for route in module.router.routes]
    app.openapi = cache(lambda: openapi.document(app))  # type: ignore[method-assign]
    return app


def begin_closing(app: Any) -> None:
    """End the streams and jobs of an application; returns at once.

    Args:
        app: What `create_api` returned.
    """
    app.state.closing.set()


def close_api(app: Any) -> None:
    """Wait for the current batch of a job, record interrupted ones, and close the rates.

    Args:
        app: What `create_api` returned.
    """
    app.state.jobs.close()
    app.state.work.limits.close()
