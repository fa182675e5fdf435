"""RemoteArchive's requests: repeated where that is safe, errors of Backfile's classes, no leaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from rag import InvalidValueError, QuestionTooLongError, RemoteArchive, RemoteError
from rag.errors import ArchiveDamagedError, BackfileError
from rag.remote import connection

Handler = Callable[[httpx2.Request], httpx2.Response]
FOUND = {"hits": [], "relaxed": "", "cursor": ""}


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(connection.time, "sleep", slept.append)
    return slept


def _archive(handler: Handler, **options: Any) -> RemoteArchive:
    transport = httpx2.MockTransport(handler)
    return RemoteArchive("http://archive.example", transport=transport, **options)


def _problem(status: int, **members: Any) -> httpx2.Response:
    value = {"type": "urn:backfile:problem:x", "status": status, "detail": "No.", **members}
    return httpx2.Response(status, json=value, headers=members.pop("headers", {}))


def test_busy_server_is_asked_again_when_it_says(pauses: list[float]) -> None:
    answers = [
        httpx2.Response(429, json={"detail": "Wait."}, headers={"Retry-After": "7"}),
        httpx2.Response(503, json={"detail": "Closing."}),
        httpx2.Response(200, json=FOUND),
    ]
    assert _archive(lambda _: answers.pop(0)).search("treaty") == []
    assert pauses == [7.0, 14.0]


def test_lost_connection_is_opened_again(pauses: list[float]) -> None:
    failures = [httpx2.ConnectError("refused"), httpx2.RemoteProtocolError("closed")]

    def handle(request: httpx2.Request) -> httpx2.Response:
        if failures:
            raise failures.pop()
        return httpx2.Response(200, json=FOUND)

    assert _archive(handle).search("treaty") == []
    assert len(pauses) == 2


def test_server_that_stays_away_is_an_error(pauses: list[float]) -> None:
    def handle(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    with pytest.raises(RemoteError, match=r"Cannot reach http://archive\.example"):
        _archive(handle).status()
    assert len(pauses) == connection.RETRIES


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (_problem(422, error="QuestionTooLongError"), QuestionTooLongError),
        (_problem(503, error="ArchiveDamagedError"), ArchiveDamagedError),
        (_problem(422, type="urn:backfile:problem:invalid-request"), InvalidValueError),
        (_problem(403), RemoteError),
        (_problem(422, error="SystemExit"), RemoteError),
        (_problem(422, error="__doc__"), RemoteError),
        (httpx2.Response(502, text="<html>"), RemoteError),
        (httpx2.Response(200, text="<html>"), RemoteError),
        (httpx2.Response(302, headers={"Location": "http://elsewhere.example/"}), RemoteError),
    ],
)
def test_problem_is_the_error_that_the_server_raised(
    response: httpx2.Response, error: type[BackfileError]
) -> None:
    with pytest.raises(BackfileError) as raised:
        _archive(lambda _: response).search("treaty")
    assert type(raised.value) is error


def test_token_is_sent_to_the_server_only() -> None:
    sent: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(307, headers={"Location": "http://elsewhere.example/v1/search"})

    with pytest.raises(RemoteError):
        _archive(handle, token="bf_secret").search("treaty")
    assert [request.url.host for request in sent] == ["archive.example"]
    assert sent[0].headers["authorization"] == "Bearer bf_secret"


def test_stream_that_breaks_off_is_an_error() -> None:
    whole = {"question": "q", "status": "not found"}
    text = f"event: answer\ndata: {json.dumps(whole)}\n\n: still at work\n\n"
    problem = json.dumps({"status": 504, "detail": "Too long."})
    for ending, match in (
        ("", "in the middle"),
        (f"event: problem\ndata: {problem}\n\n", "504: Too long."),
    ):
        response = httpx2.Response(200, text=text + ending)
        answers = _archive(lambda _, response=response: response).stream("q")  # type: ignore[misc]
        assert next(answers).question == "q"
        with pytest.raises(RemoteError, match=match):
            next(answers)


def test_stream_keeps_unusual_line_breaks_of_texts() -> None:
    words = "one\u2028two\x85three\x0bfour"
    value = json.dumps({"question": words}, ensure_ascii=False)
    text = f"event: answer\ndata: {value}\n\nevent: final\ndata: {value}\n\n"
    (answer,) = _archive(lambda _: httpx2.Response(200, text=text)).stream(words)
    assert answer.question == words


@pytest.mark.parametrize(
    "address", ["", "localhost:7860", "ftp://a.example", "http://", "http://a.example?x=1"]
)
def test_address_is_of_http(address: str) -> None:
    with pytest.raises(InvalidValueError, match="Write the address"):
        RemoteArchive(address)


def test_address_may_name_the_version() -> None:
    paths: list[str] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.path)
        return httpx2.Response(200, json=FOUND)

    for address in ("http://a.example", "http://a.example/", "http://a.example/v1"):
        transport = httpx2.MockTransport(handle)
        with RemoteArchive(address, transport=transport) as archive:
            archive.search("x")
    assert paths == ["/v1/search"] * 3


def test_check_waits_longer_than_other_requests() -> None:
    waits: list[float] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        waits.append(request.extensions["timeout"]["read"])
        return httpx2.Response(200, json={**FOUND, "sentences": []})

    quick, patient = _archive(handle, timeout=5.0), _archive(handle, timeout=500.0)
    for archive in (quick, patient):
        archive.check("The ferry sank.")
        archive.search("ferry")
    assert waits == [120.0, 5.0, 500.0, 500.0]


def test_removal_names_each_article_once() -> None:
    sent: list[str] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        sent.append(f"{request.method} {request.url.raw_path.decode()}")
        if "missing" in request.url.path:
            return _problem(404)
        return httpx2.Response(200, json={"state": "withdrawn"})

    archive = _archive(handle)
    assert archive.withdraw(["a/1", "a/1", "missing", ""], reason="by mistake") == 1
    assert archive.reinstate("a/1") == 1
    assert sent == [
        "DELETE /v1/articles/a%2F1?reason=by+mistake",
        "DELETE /v1/articles/missing?reason=by+mistake",
        "DELETE /v1/withdrawals/a%2F1",
    ]
