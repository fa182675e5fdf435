"""`POST /v1/search`: the passages that a reader may see."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from rag.rights import Rights
from rag.schema import Hit
from tests.api.conftest import Client
from ui.readers import LOCAL_ADMINISTRATOR, Reader

pytestmark = pytest.mark.slow


def test_search_returns_hits_that_scripts_can_rebuild(client: TestClient) -> None:
    response = client.post("/v1/search", json={"query": "When did the bridge reopen?"})
    assert response.status_code == 200
    hits = [Hit.from_dict(hit) for hit in response.json()["hits"]]
    assert hits[0].passage.article_id == "courier.example/bridge"


def test_restricted_article_is_found_only_by_who_may_see_it(client_of: Client) -> None:
    asked = {"query": "Velmora seeks a buyer", "mode": "bm25"}
    for reader, expected in (
        (LOCAL_ADMINISTRATOR, True),
        (Reader("kim", frozenset({"read"}), Rights(access=("press",))), True),
        (Reader("lee", frozenset({"read"}), Rights()), False),
    ):
        hits = client_of(reader).post("/v1/search", json=asked).json()["hits"]
        found = {hit["passage"]["article_id"] for hit in hits}
        assert ("post.example/secret" in found) is expected


@pytest.mark.parametrize(
    ("reader", "status"),
    [(None, 401), (Reader("ingester", frozenset({"ingest"}), Rights()), 403)],
)
def test_reader_without_the_scope_is_refused(
    client_of: Client, reader: Reader | None, status: int
) -> None:
    response = client_of(reader).post("/v1/search", json={"query": "bridge"})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status


@pytest.mark.parametrize(
    "asked",
    [{}, {"query": ""}, {"query": "x", "k": 0}, {"query": "x", "mode": "magic"}, {"q": "x"}],
)
def test_invalid_request_is_a_problem_that_names_the_place(
    client: TestClient, asked: dict[str, object]
) -> None:
    response = client.post("/v1/search", json=asked)
    assert response.status_code == 422
    assert response.json()["errors"][0]["place"].startswith("body")


def test_wrong_method_and_address_are_problems(client: TestClient) -> None:
    for response, status in (
        (client.get("/v1/search"), 405),
        (client.post("/v1/nothing"), 404),
    ):
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
