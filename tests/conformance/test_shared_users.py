"""Servers of one record let the same readers in, and nobody while they can't look them up."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.settings import Settings
from rag.store.postgres.pool import DOWN_SECONDS
from tests.archive.test_archive import WordEmbeddings, make_article
from tests.conformance.conftest import wait_until
from tests.support.postgres import PASSWORD, PostgresServer
from ui.accounts.opening import open_accounts
from ui.web.app import GuardedApp
from ui.web.auth import WriteAccess
from ui.web.authentication import Authentication
from ui.web.reader_view import ReaderView

pytestmark = pytest.mark.slow

SECRET = "lanterns over Elmford"  # nosec B105 # a user's password in this test


@dataclass(frozen=True)
class Servers:
    """Two servers of one record, without their pages."""

    settings: Settings
    start: Callable[[str], TestClient]


@pytest.fixture
def served(stoppable: PostgresServer, tmp_path: Path) -> Iterator[Servers]:
    settings = Settings(archive=tmp_path / "a", record=stoppable.create_database(), audit="off")
    with Archive.open(
        settings.archive, mode="write", settings=settings, embeddings=WordEmbeddings()
    ) as writer:
        writer.add(make_article(1))
    with ExitStack() as opened:

        def start(name: str) -> TestClient:
            own = replace(settings, archive=tmp_path / name)
            archive = opened.enter_context(
                Archive.open(own.archive, settings=own, embeddings=WordEmbeddings())
            )
            authentication = Authentication.of(own, open_accounts(own), WriteAccess.of(own))
            view = ReaderView(archive, Chatbot(archive), lambda: authentication.needs_login)
            app = GuardedApp(own, authentication, view)
            opened.callback(app.finish_jobs)
            return TestClient(
                app,
                base_url="http://127.0.0.1",
                client=("127.0.0.1", 50_000),
                follow_redirects=False,
            )

        yield Servers(settings, start)


def log_in(client: TestClient) -> int:
    found = re.search(r'name="form" value="([^"]+)"', client.get("/login").text)
    assert found
    form = {"name": "ada", "password": SECRET, "form": found[1]}
    return client.post("/login", data=form, headers={"origin": "http://127.0.0.1"}).status_code


def test_users_are_shared_and_needed(served: Servers, stoppable: PostgresServer) -> None:
    accounts = open_accounts(served.settings)
    accounts.add_user("ada", SECRET, ["read"])
    _, token = accounts.make_token("ada", "crawler")
    here, there = served.start("a"), served.start("b")
    assert here.get("/v1/search?q=bridge").status_code == 401
    assert log_in(here) == 303
    there.cookies.clear()
    there.headers["Authorization"] = f"Bearer {token}"
    assert there.get("/v1/status").json()["articles"] == 1
    del there.headers["Authorization"]
    cookies = {cookie.name: cookie.value or "" for cookie in here.cookies.jar}
    there.cookies.update(cookies)  # a balancer sends the browser there
    assert there.get("/v1/status").status_code == 200
    there.cookies.clear()
    stoppable.stop()
    refused = here.get("/v1/status")
    assert refused.status_code == 503
    assert "127.0.0.1" not in refused.text
    assert PASSWORD not in refused.text
    refused = there.get("/v1/status", headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "5"
    assert there.get("/v1/status").status_code == 401  # nobody
    assert log_in(there) == 503
    stoppable.start()
    wait_until(lambda: here.get("/v1/status").status_code == 200)


def test_reading_goes_on_without_users(served: Servers, stoppable: PostgresServer) -> None:
    here = served.start("a")
    assert here.get("/v1/status").json()["articles"] == 1
    stoppable.stop()
    time.sleep(1.1)  # until the record is asked again
    assert here.get("/v1/status").json()["articles"] == 1
    unknown = served.start("a")  # there may be users since
    assert unknown.get("/v1/status").status_code == 401
    stoppable.start()
    time.sleep(DOWN_SECONDS)
    assert unknown.get("/v1/status").status_code == 200
    open_accounts(served.settings).add_user("ada", SECRET, ["read"])
    wait_until(lambda: here.get("/v1/status").status_code == 401)
    assert unknown.get("/v1/status").status_code in (200, 401)
