"""Requests that schemathesis makes from the OpenAPI document: no 5xx, nothing undocumented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.config import (
    ChecksConfig,
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
    StatefulPhaseConfig,
)
from schemathesis.engine import events, from_schema

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.settings import Settings
from tests.api.conftest import ARTICLES
from tests.archive.test_archive import WordEmbeddings
from ui.api.app import close_api, create_api
from ui.api.services import Services
from ui.readers import LOCAL_ADMINISTRATOR

TOKEN = "Bearer bf_valid"
SEED = 20241024


class TokenMiddleware:
    """Stand-in for the guard: one token is the administrator's, all else is nobody."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
            reader = LOCAL_ADMINISTRATOR if given == TOKEN else None
            scope = {**scope, "state": {"reader": reader, "client": "::1"}}
        await self._app(scope, receive, send)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Any]:
    folder = tmp_path / "archive"
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as writer:
        writer.add(ARTICLES)
    settings = Settings(
        archive=folder,
        search_rate="",
        ask_rate="",
        write_rate="",
        fetch_seconds=0.05,
        fetch_delay=0.0,
    )
    with Archive.open(folder, embeddings=WordEmbeddings(), settings=settings) as archive:
        app = create_api(Services(archive, Chatbot(archive), settings))
        yield app
        close_api(app)


def _run(
    api: Any, examples: int, *, only: str = "", coverage: bool = True
) -> tuple[int, Counter[int], list[str]]:
    """Send the requests; return their number, the statuses of answers, and what failed.

    Args:
        api: The application.
        examples: The most random requests to each operation.
        only: The path to send them to, "" for all but /v1/ask, whose body has a thousand places.
        coverage: Whether to send a request for each rule of the document, too.
    """
    generation = GenerationConfig(max_examples=examples, deterministic=True, database="none")
    project = ProjectConfig(
        headers={"Authorization": TOKEN},
        continue_on_failure=True,
        generation=generation,
        phases=PhasesConfig(
            stateful=StatefulPhaseConfig(enabled=False),
            coverage=CoveragePhaseConfig(enabled=coverage),
        ),
        # A valid question may still be too long for its kind, or a day outside the calendar.
        checks=ChecksConfig(positive_data_acceptance=PositiveDataAcceptanceConfig(enabled=False)),
    )
    config = SchemathesisConfig(seed=SEED, projects=ProjectsConfig(default=project))
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", TokenMiddleware(api), config=config)
    chosen = schema.include(path=only) if only else schema.exclude(path="/v1/ask")
    sent, statuses, failed = 0, Counter[int](), []
    for event in from_schema(chosen).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            failed.append(repr(getattr(event, "info", None) or event.exception))
        if not isinstance(event, events.ScenarioFinished):
            continue
        for case_id, interaction in event.recorder.interactions.items():
            sent += 1
            if interaction.response is not None:
                statuses[interaction.response.status_code] += 1
            failed += [
                f"{event.label} {check.name}: {check.failure_info.failure}"
                for check in event.recorder.checks.get(case_id, ())
                if check.failure_info is not None
            ]
    return sent, statuses, failed


@pytest.mark.slow
def test_api_keeps_to_its_document(api: Any, pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--hypothesis-profile") == "full":
        pytest.skip("the test below sends the same requests, and more")
    sent, statuses, failed = _run(api, examples=4)
    _, _, failed_asking = _run(api, examples=20, only="/v1/ask", coverage=False)
    assert failed + failed_asking == []
    assert sent > 500
    assert {200, 202, 401, 404, 405, 422} <= set(statuses)


@pytest.mark.full
def test_api_keeps_to_its_document_in_5000_cases(api: Any) -> None:
    sent, statuses, failed = _run(api, examples=120)
    asked, of_answers, failed_asking = _run(api, examples=250, only="/v1/ask")
    assert failed + failed_asking == []
    assert sent + asked >= 5000
    assert {200, 202, 401, 404, 405, 422} <= set(statuses)
    assert not [status for status in statuses + of_answers if status >= 500]
