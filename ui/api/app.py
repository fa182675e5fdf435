"""The application behind `/v1`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from rag.version import version
from ui.api import check, problems, search
from ui.api.openai import routes as openai

if TYPE_CHECKING:
    from ui.api.services import Services

PREFIX = "/v1"


def create_api(services: Services) -> FastAPI:
    """Return the application.

    It trusts `scope["state"]["reader"]`, which the guard in front of it must set.

    Args:
        services: What the endpoints work with.
    """
    app = FastAPI(
        title="Backfile",
        version=version(),
        summary="Search a news archive, and answer questions with cited statements",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.services = services
    problems.add_handlers(app)
    for module in (search, check, openai):
        app.include_router(module.router, prefix=PREFIX)
    return app
