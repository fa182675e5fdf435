"""Client of a Chroma server: its answers are untrusted, and the token stays with it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from typing import Any

import httpx2
import numpy as np
import pytest

from rag.errors import SettingsError, VectorServerError
from rag.index.chroma_client import (
    ChromaClient,
    Collection,
    CollectionMissingError,
    query_vector,
)
from rag.index.server_address import ServerAddress
from rag.settings import Settings

TOKEN = "s3cret-t0ken"
PLACE = Collection("id-1", "name", 2, "cosine", {})
VECTOR = query_vector(np.array([1.0, 0.0], np.float32))
Answer = Callable[[httpx2.Request], httpx2.Response]


def client(answer: Answer, **given: Any) -> ChromaClient:
    address = ServerAddress("https://vectors.example", TOKEN, **given)
    return ChromaClient(address, httpx2.MockTransport(answer))


def says(value: Any, status: int = 200) -> ChromaClient:
    return client(lambda _: httpx2.Response(status, content=json.dumps(value).encode()))


def results(ids: Any, distances: Any) -> ChromaClient:
    return says({"ids": [ids], "distances": [distances]})


@pytest.mark.parametrize(
    "answering",
    [
        results(["1"], [math.nan]),
        results(["1"], [math.inf]),
        results(["1"], [-3.0]),
        results(["1"], [300.0]),
        results(["1"], [None]),
        results(["1"], ["near"]),
        results(["1", "2"], [0.1]),
        results(["1", "2", "3"], [0.1, 0.2, 0.3]),  # more than were asked for
        says([]),
        says(None),
        says({"ids": "1"}),
        says({"ids": [[1], [2]], "distances": [[0], [0]]}),
        client(lambda _: httpx2.Response(200, content=b"<html>")),
        client(lambda _: httpx2.Response(200, content=b"[" * 100_000)),
    ],
)
def test_nearest_refuses_impossible_answers(answering: ChromaClient) -> None:
    with pytest.raises(VectorServerError) as raised:
        answering.nearest(PLACE, VECTOR, 2, None)
    assert TOKEN not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_nearest_drops_foreign_records() -> None:
    ids = ["7", "x", "-1", "9" * 30, "\u0663", "8"]
    found = results(ids, [0.5] * 6).nearest(PLACE, VECTOR, 6, None)
    assert found == [(7, 0.5), (8, 0.5)]
    assert results(["7", "8"], [0.5, 0.5]).nearest(PLACE, VECTOR, 2, np.array([8])) == [(8, 0.5)]


def test_redirect_takes_the_token_nowhere() -> None:
    asked = list[str]()

    def redirect(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        return httpx2.Response(307, headers={"Location": "https://evil.example/"})

    with pytest.raises(VectorServerError, match="redirects") as raised:
        client(redirect).check_alive()
    assert asked == ["vectors.example"]
    assert TOKEN not in str(raised.value)


def test_token_is_sent_and_never_shown() -> None:
    sent = list[str]()

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.headers["Authorization"])
        return httpx2.Response(401, content=request.headers["Authorization"].encode())

    with pytest.raises(VectorServerError, match="BACKFILE_CHROMA_TOKEN") as raised:
        client(answer).check_alive()
    assert sent == [f"Bearer {TOKEN}"]
    assert TOKEN not in str(raised.value)
    assert TOKEN not in repr(ServerAddress("https://vectors.example", TOKEN))


def test_slow_answer_ends_at_the_deadline() -> None:
    class Drip(httpx2.SyncByteStream):
        def __iter__(self) -> Any:
            while True:
                time.sleep(0.02)
                yield b" "

    begun = time.monotonic()
    dripping = client(lambda _: httpx2.Response(200, stream=Drip()), seconds=0.2)
    with pytest.raises(VectorServerError, match=r"longer than 0\.2 seconds"):
        dripping.check_alive()
    assert time.monotonic() - begun < 5


def test_missing_collection_is_told_apart_from_a_wrong_address() -> None:
    missing = {"error": "NotFoundError", "message": "Collection [x] does not exist"}
    with pytest.raises(CollectionMissingError):
        says(missing, 404).collection("x")
    with pytest.raises(VectorServerError) as raised:
        says({"detail": "Not Found"}, 404).collection("x")
    assert not isinstance(raised.value, CollectionMissingError)


@pytest.mark.parametrize(
    "url",
    ["localhost:8000", "ftp://h", "http://", "http://u:pass@h", "http://h/?a", "http://h:x", "h"],
)
def test_address_is_checked(url: str) -> None:
    with pytest.raises(SettingsError) as raised:
        ChromaClient(ServerAddress(url))
    assert "pass" not in str(raised.value).replace("password", "")


def test_settings_check_the_quotas() -> None:
    with pytest.raises(SettingsError, match="BACKFILE_CHROMA_BATCH"):
        Settings.from_environment({"BACKFILE_CHROMA_BATCH": "0"})
