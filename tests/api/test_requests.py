"""Every request: ids, logs without words, sizes, errors without tracebacks, and metrics."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from starlette.testclient import TestClient

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.rights import Rights
from rag.settings import Settings
from tests.api.conftest import Client, ReaderMiddleware
from tests.api.program_server import serve_programs
from tests.support.ports import free_port
from tests.support.vectors import add, open_archive, server_settings, storm
from ui.api.app import create_api, create_documented
from ui.api.openapi import document, text
from ui.api.services import Services
from ui.readers import LOCAL_ADMINISTRATOR, LOCAL_VISITOR, Reader

pytestmark = pytest.mark.slow


def test_request_has_an_id_in_answer_and_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "backfile.api")
    sent = {"X-Request-Id": "proxy-17.a"}
    response = client.post("/v1/search", json={"query": "secret words"}, headers=sent)
    assert response.headers["x-request-id"] == "proxy-17.a"
    figures = caplog.records[-1].figures  # type: ignore[attr-defined]
    assert figures["request"] == "proxy-17.a"
    assert figures["status"] == 200
    assert figures["reader"] == "local"
    assert "secret words" not in caplog.text + json.dumps(figures)


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\u00e9", "<script>"])
def test_malformed_id_is_replaced(client: TestClient, given: str) -> None:
    response = client.get("/v1/livez", headers={"X-Request-Id": given.encode("latin-1")})
    assert response.headers["x-request-id"] not in ("", given)
    assert client.get("/v1/livez").headers["x-request-id"] != response.headers["x-request-id"]


class FailingChatbot(Chatbot):
    """Fails with something that nobody else should read."""

    def restricted_to(self, rights: Any) -> Chatbot:
        raise ZeroDivisionError("/srv/private/archive: key=hunter2")


def test_unexpected_error_is_logged_and_not_told(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    services = Services(archive, FailingChatbot(archive), Settings(archive=archive.path))
    with TestClient(ReaderMiddleware(create_api(services), LOCAL_VISITOR)) as client:
        response = client.post("/v1/ask", json={"question": "bridge"})
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in response.text
    assert response.headers["x-request-id"] in response.json()["detail"]
    assert "hunter2" in caplog.text


@pytest.mark.parametrize("path", ["/v1/search", "/v1/ask"])
def test_large_body_is_refused(client: TestClient, path: str) -> None:
    response = client.post(path, content=b'{"query": "' + b"x" * 1_000_001 + b'"}')
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"

    def parts() -> Any:  # without Content-Length
        for _ in range(11):
            yield b"x" * 100_000

    assert client.post(path, content=parts()).status_code == 413


def test_lists_and_strings_have_limits(client: TestClient) -> None:
    for asked in (
        {"query": "x", "k": 101},
        {"query": "x" * 100_000},
        {"query": "x", "filters": {"authors": ["a"] * 101}},
        {"query": "x", "filters": {"authors": ["a" * 501]}},
        {"query": "x", "cursor": "a" * 8001},
        {"query": "x", "k": "8"},
        {"query": "x", "asked_on": 20241115},
        {"query": "x", "asked_on": "2024-11-15T25:00:00"},
        {"query": "\ud800"},
    ):
        body = json.dumps(asked).encode()
        response = client.post(
            "/v1/search", content=body, headers={"Content-Type": "application/json"}
        )
        assert response.status_code == 422, asked
        assert len(response.content) < 10_000


def test_wrong_method_names_all_methods_of_the_address(client: TestClient) -> None:
    response = client.put("/v1/articles/courier.example/bridge")
    assert response.status_code == 405
    assert response.headers["allow"] == "DELETE, GET"
    assert client.get("/v1/search/").status_code == 404  # no redirect


def test_slow_body_is_ended(
    services: Services, serve_app: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.api.requests.PAUSE_SECONDS", 0.3)
    address = serve_app(ReaderMiddleware(create_api(services), LOCAL_VISITOR))
    host, _, port = address.removeprefix("http://").partition(":")
    head = (
        f"POST /v1/search HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        'Content-Length: 100\r\n\r\n{"query": '
    )
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")


def test_health_needs_no_reader_and_metrics_the_administrator(client_of: Client) -> None:
    nobody = client_of(None)
    assert nobody.get("/v1/livez").json() == {"status": "ok"}
    assert nobody.get("/v1/readyz").json() == {"status": "ok"}
    assert nobody.get("/v1/metrics").status_code == 401
    assert client_of(LOCAL_VISITOR).get("/v1/metrics").status_code == 403


def test_metrics_count_requests_stages_refusals_and_the_archive(client_of: Client) -> None:
    client = client_of(LOCAL_ADMINISTRATOR)
    client.post("/v1/search", json={"query": "bridge"})
    client.post("/v1/ask", json={"question": "Who is the king of Atlantis?"})
    client.get("/v1/nothing")
    response = client.get("/v1/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    lines = response.text.splitlines()
    for line in (
        'backfile_requests_total{method="POST",route="/v1/search",status="200"} 1.0',
        'backfile_requests_total{method="GET",route="",status="404"} 1.0',
        'backfile_stage_seconds_count{stage="search queue"} 1.0',
        'backfile_stage_seconds_count{stage="ask first result"} 1.0',
        "backfile_archive_articles 3.0",
        "backfile_index_lag 0.0",
        'backfile_queue_waiting{queue="ask"} 0.0',
    ):
        assert line in lines
    assert [line for line in lines if line.startswith("backfile_refusals_total{reason=")]


def test_metrics_and_status_tell_that_the_vector_server_is_gone(tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    settings = server_settings(gone)
    add(tmp_path / "archive", settings, [storm(1)])
    with open_archive(tmp_path / "archive", settings) as archive:
        api = ReaderMiddleware(
            create_api(Services(archive, Chatbot(archive), settings)), LOCAL_ADMINISTRATOR
        )
        with TestClient(api) as client:
            found = client.post("/v1/search", json={"query": "storm"}).json()
            server = client.get("/v1/status").json()["vector_server"]
            lines = client.get("/v1/metrics").text.splitlines()
    assert len(found["hits"]) == 1
    assert server == {"reachable": False, "collections": 0, "lag": 1}
    assert "backfile_vector_server_up 0.0" in lines
    assert "backfile_vector_server_lag 1.0" in lines


def test_status_tells_what_the_reader_may_see(client_of: Client) -> None:
    reader = Reader("kim", frozenset({"read"}), Rights(publishers=("Harbour Courier",)))
    found = client_of(reader).get("/v1/status").json()
    assert [one["name"] for one in found["publishers"]] == ["Harbour Courier"]
    assert found["articles"] == 1
    assert found["bytes"] is found["last_ingest"] is None
    assert client_of(LOCAL_ADMINISTRATOR).get("/v1/status").json()["bytes"] > 0


def test_document_in_the_repository_is_the_servers(services: Services) -> None:
    from tests.docs.documents import ROOT

    kept = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert kept == text(create_api(services)), "run: python -m ui.api.openapi > docs/openapi.json"
    assert json.loads(kept)["openapi"].startswith("3.1")


def test_examples_of_the_document_fit_its_schemas() -> None:
    value = document(create_documented())
    shown = 0
    for path, methods in value["paths"].items():
        for operation in methods.values():
            for response in operation["responses"].values():
                content = response.get("content", {}).get("application/json", {})
                if "example" in content:
                    schema = {**content["schema"], "components": value["components"]}
                    jsonschema.validate(content["example"], schema)
                    shown += 1
            assert operation.get("summary"), path
            invalid = operation["responses"]["422"]["content"]
            if "OpenAI" in str(operation["tags"]):  # their clients read their own form
                assert invalid["application/json"]["schema"]["$ref"].endswith("/OpenAIError")
            else:
                assert "application/problem+json" in invalid
    assert shown >= 6


def test_connection_idle_longer_than_clients_keep_theirs_still_answers(tmp_path: Path) -> None:
    with serve_programs(tmp_path) as served:
        address = urlsplit(served.address)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
        for idle in (6.0, 0.0):  # httpx closes an idle connection after 5 seconds
            connection.request("GET", "/v1/livez")
            with connection.getresponse() as response:
                response.read()
                assert response.status == 200
            first = connection.sock
            assert first is not None
            time.sleep(idle)
        assert connection.sock is first
        connection.close()
