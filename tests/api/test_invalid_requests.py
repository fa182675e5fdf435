"""Invalid requests: what the errors say of their fields, bodies and tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Client
from tests.attacks.server import TOKEN, open_client, serve
from ui.readers import LOCAL_ADMINISTRATOR

pytestmark = pytest.mark.slow

QUESTION = {"question": "Who?"}


@pytest.mark.parametrize(
    ("path", "body", "place", "near"),
    [
        ("search", {"query": "mine", "filter": {}}, "body.filter", "filters"),
        (
            "search",
            {"query": "mine", "filters": {"publisher": "Inland Post"}},
            "body.filters.publisher",
            "publishers",
        ),
        ("ask", {**QUESTION, "askedon": "2024-03-04"}, "body.askedon", "asked_on"),
        (
            "ask",
            {**QUESTION, "filters": {"langauges": "en"}},
            "body.filters.langauges",
            "languages",
        ),
        (
            "ask",
            {**QUESTION, "history": [{**QUESTION, "Answers": None}]},
            "body.history.0.Answers",
            "answer",
        ),
        ("check", {"text": "A mine.", "writtenon": "2024-03-04"}, "body.writtenon", "written_on"),
        (
            "ingest",
            {"articles": [{"text": "A", "author": "B"}]},
            "body.articles.0.author",
            "authors",
        ),
        ("ingest", {"adresses": ["https://a.example/"]}, "body.adresses", "addresses"),
    ],
)
def test_unknown_field_names_the_nearest(
    client_of: Client, path: str, body: Any, place: str, near: str
) -> None:
    problem = client_of(LOCAL_ADMINISTRATOR).post(f"/v1/{path}", json=body).json()
    assert problem["type"] == "urn:backfile:problem:invalid-request"
    assert problem["errors"] == [
        {"place": place, "detail": f"Unknown field. Did you mean {near!r}?"}
    ]
    assert f"{place}: Unknown field. Did you mean {near!r}?" in problem["detail"]


def test_unknown_field_without_a_near_one_lists_all(client: TestClient) -> None:
    problem = client.post("/v1/search", json={"query": "mine", "zzz": 1}).json()
    assert "The fields are query, filters, mode, k" in problem["detail"]


@pytest.mark.parametrize("path", ["articles", "names", "timeline?question=Who"])
def test_unknown_parameter_names_the_nearest(client: TestClient, path: str) -> None:
    joined = "&" if "?" in path else "?"
    problem = client.get(f"/v1/{path}{joined}publisher=Inland+Post").json()
    assert "query.publisher: Unknown field. Did you mean 'publishers'?" in problem["detail"]


def test_unknown_field_over_the_openai_apis_names_the_nearest(client: TestClient) -> None:
    body = {"model": "backfile", "input": "Who?", "backfile": {"filters": {"autors": ["Ann"]}}}
    error = client.post("/v1/responses", json=body).json()["error"]
    assert error["param"] == "backfile.filters.autors"
    assert "Did you mean 'authors'?" in error["message"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "The body is empty"),
        ('{"articles": [}', "Expecting value at line 1, column 15"),
        ('{"text": "A"}\n{"text": "B"}', "Send JSON Lines as a file"),
        ('[{"text": "A"}]', 'This is a list, not an object. Send {"articles": [...]}'),
        ("null", "This is null, not an object"),
        ("{}", "There is nothing to add"),
        ('{"articles": {"text": "A"}}', "body.articles: Input should be a valid list"),
        ('{"articles": [{"title": "A"}]}', "body.articles.0.text: Field required"),
        ('{"articles": [{"text": 7}]}', "body.articles.0.text: Input should be a valid string"),
        (b'{"articles": "\xff"}', "not JSON in UTF-8"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_ingest_says_what_is_wrong_with_json(
    client_of: Client, body: str | bytes, said: str
) -> None:
    headers = {"Content-Type": "application/json"}
    sent = client_of(LOCAL_ADMINISTRATOR).post("/v1/ingest", content=body, headers=headers)
    assert sent.status_code == 422
    assert said in sent.json()["detail"]
    assert sent.json()["errors"][0]["detail"] in sent.json()["detail"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"files": {"files": (None, "a.jsonl")}}, "body.files: This is text, not a file."),
        ({"files": {"file": ("a.txt", b"A")}}, "body.file: Unknown field. Name each file `files`"),
        ({"files": {"other": (None, "A")}}, "body.other: This is text, not a file."),
    ],
)
def test_ingest_says_what_is_wrong_with_a_form(client_of: Client, form: Any, said: str) -> None:
    sent = client_of(LOCAL_ADMINISTRATOR).post("/v1/ingest", **form)
    assert sent.status_code == 422
    assert said in sent.json()["detail"]
    assert "-F files=@articles.jsonl" in sent.json()["detail"]


def test_wrong_token_without_users_is_told_as_unknown(tmp_path: Path) -> None:
    article = {"articles": [{"text": "The ferry of Tarn sank in May."}]}
    with serve(tmp_path) as served, open_client(served) as http:

        def add(token: str = "", **headers: str) -> Any:
            sent = {"Authorization": f"Bearer {token}"} if token else {}
            return http.post("/v1/ingest", json=article, headers={**sent, **headers})

        for unknown in ("bf_" + "x" * 43, TOKEN[:-1], TOKEN + "x"):
            refused = add(unknown)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert "The token is not valid here" in refused.json()["detail"]
            assert unknown not in json.dumps(refused.json())
        refused = add()
        assert refused.status_code == 403
        assert "This needs a token" in refused.json()["detail"]
        refused = add(TOKEN, **{"X-Forwarded-For": "10.0.0.7"})
        assert refused.status_code == 403
        assert "backfile user add NAME" in refused.json()["detail"]
        assert add(TOKEN).status_code == 202
        key = {"X-Api-Key": "any key will do"}  # as OpenAI's clients send one
        assert http.post("/v1/search", json={"query": "ferry"}, headers=key).status_code == 200


def test_server_without_writers_says_so(tmp_path: Path) -> None:
    with serve(tmp_path, write_access="none") as served, open_client(served) as http:
        refused = http.post("/v1/ingest", json={}, headers={"X-Api-Key": TOKEN})
        assert refused.status_code == 403
        assert "BACKFILE_WRITE_ACCESS" in refused.json()["detail"]
