"""`/v1/articles` and `/v1/names`: browse, read, remove, each as the reader may see it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.archive.browse import BrowsePage
from rag.rights import ALL_RIGHTS, Rights
from rag.schema import Article
from rag.settings import Settings
from tests.api.conftest import ARTICLES, Client
from tests.archive.test_archive import WordEmbeddings
from ui.api.services import Services
from ui.readers import LOCAL_ADMINISTRATOR, Reader

pytestmark = pytest.mark.slow

BRIDGE = "/v1/articles/courier.example/bridge"
SECRET = "/v1/articles/post.example/secret"
EDITOR = Reader("ed", frozenset({"read", "ingest"}), Rights())
READER = Reader("lee", frozenset({"read"}), Rights())


@pytest.fixture
def services(archive: Archive) -> Iterator[Services]:
    """The archive, open for reading, so that requests may write."""
    archive.close()
    with Archive.open(archive.path, embeddings=WordEmbeddings()) as reader:
        yield Services(reader, Chatbot(reader), Settings(archive=archive.path))


def test_article_has_revisions_duplicates_and_the_asked_span(client: TestClient) -> None:
    start = ARTICLES[0].text.index("It cost")
    found = client.get(BRIDGE, params={"at": f"{start}-{start + 7}", "revision": 1}).json()
    assert Article.from_dict(found["article"]) == ARTICLES[0]
    assert [one["revision"] for one in found["revisions"]] == [1]
    assert found["near_duplicates"] == []
    assert found["span"]["text"] == "It cost"
    assert found["span"]["before"].endswith("Odile Brandt. ")


def test_id_may_be_encoded_or_not(client: TestClient) -> None:
    encoded = f"/v1/articles/{quote('courier.example/bridge', safe='')}"
    assert client.get(encoded).json() == client.get(BRIDGE).json()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"revision": 2}, 404),
        ({"revision": 0}, 422),
        ({"at": "5-1"}, 404),
        ({"at": "0-999999"}, 404),
        ({"at": "one-two"}, 422),
    ],
)
def test_place_that_is_not_there_is_a_problem(
    client: TestClient, query: dict[str, object], status: int
) -> None:
    response = client.get(BRIDGE, params=query)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_hidden_article_is_missing_on_every_route(client_of: Client) -> None:
    hidden, missing = client_of(EDITOR), "/v1/articles/post.example/nothing"
    for method, secret, other in (
        ("GET", SECRET, missing),
        ("DELETE", SECRET, missing),
        ("DELETE", "/v1/withdrawals/post.example/secret", "/v1/withdrawals/none"),
    ):
        responses = [hidden.request(method, path) for path in (secret, other)]
        assert [one.status_code for one in responses] == [404, 404]
        assert responses[0].json() == responses[1].json()
    page = BrowsePage.from_dict(hidden.get("/v1/articles").json())
    assert page.total == 2
    assert all("secret" not in one.article_id for one in page.articles)
    assert hidden.get("/v1/status").json()["articles"] == 2
    assert client_of(LOCAL_ADMINISTRATOR).get("/v1/status").json()["articles"] == 3


def test_browse_pages_by_cursor(client_of: Client) -> None:
    client = client_of(LOCAL_ADMINISTRATOR)
    first = client.get("/v1/articles", params={"limit": 2}).json()
    second = client.get("/v1/articles", params={"limit": 2, "cursor": first["cursor"]}).json()
    ids = [one["article_id"] for page in (first, second) for one in page["articles"]]
    assert sorted(ids) == sorted(article.id for article in ARTICLES)
    assert second["cursor"] == ""
    assert {facet["name"] for facet in first["facets"]} >= {"publisher", "section", "day"}


def test_browse_takes_words_and_filters(client: TestClient) -> None:
    query = {"q": "mine AND NOT bridge", "publishers": ["Inland Post", "Nobody"]}
    (found,) = client.get("/v1/articles", params=query).json()["articles"]
    assert found["article_id"] == "post.example/mine"
    response = client.get("/v1/articles", params={"pubisher": "Inland Post"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["place"] == "query.pubisher"


def test_withdrawal_is_undone_at_the_address_it_names(client_of: Client) -> None:
    client = client_of(EDITOR)
    removal = client.delete(BRIDGE, params={"reason": "by request"}).json()
    assert removal["state"] == "withdrawn"
    assert client.get(BRIDGE).status_code == 404
    assert client.post("/v1/search", json={"query": "bridge", "mode": "bm25"}).json()["hits"] == []
    assert client.delete(removal["undo"]).json()["state"] == "in the archive"
    assert client.get(BRIDGE).status_code == 200
    assert client.delete(removal["undo"]).status_code == 404


def test_erasing_needs_the_administrator(client_of: Client) -> None:
    assert client_of(EDITOR).delete(BRIDGE, params={"erase": True}).status_code == 403
    assert client_of(READER).delete(BRIDGE).status_code == 403
    admin = client_of(LOCAL_ADMINISTRATOR)
    removal = admin.delete(BRIDGE, params={"erase": True, "reason": "a court's order"}).json()
    assert removal["state"] in ("erased", "partly erased")
    assert removal["undo"] is None
    assert admin.delete("/v1/withdrawals/courier.example/bridge").status_code == 404


def test_locked_archive_is_a_conflict_that_says_when(client_of: Client, archive: Archive) -> None:
    client = client_of(EDITOR)
    with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()):
        response = client.delete(BRIDGE)
    assert response.status_code == 409
    assert response.headers["retry-after"] == "5"
    assert response.json()["type"] == "urn:backfile:problem:archive-locked"


def test_etag_is_of_the_version_the_reader_and_the_rights(client_of: Client) -> None:
    client = client_of(EDITOR)
    for path in ("/v1/articles", BRIDGE, "/v1/names", "/v1/timeline?question=bridge"):
        first = client.get(path)
        etag = first.headers["etag"]
        assert first.headers["cache-control"].startswith("private")
        again = client.get(path, headers={"If-None-Match": f'"other", W/{etag}'})
        assert (again.status_code, again.content) == (304, b"")
        for other in (
            Reader("eve", EDITOR.scopes, EDITOR.rights),
            Reader("ed", EDITOR.scopes, ALL_RIGHTS),
        ):
            response = client_of(other).get(path, headers={"If-None-Match": etag})
            assert response.status_code == 200
    etag = client.get(BRIDGE).headers["etag"]
    client.delete("/v1/articles/post.example/mine")
    assert client.get(BRIDGE, headers={"If-None-Match": etag}).status_code == 200


def test_names_are_those_the_reader_may_see(client_of: Client) -> None:
    names = client_of(READER).get("/v1/names", params={"kind": "person"}).json()["names"]
    assert [one["name"] for one in names] == ["Odile Brandt"]
    page = client_of(READER).get("/v1/names/Brandt").json()
    assert page["newest"][0]["article_id"] == "courier.example/bridge"
    assert client_of(READER).get("/v1/names/Nobody").json()["articles"] == 0
    away = Reader("kim", frozenset({"read"}), Rights(publishers=("Inland Post",)))
    assert client_of(away).get("/v1/names/Brandt").json()["articles"] == 0
