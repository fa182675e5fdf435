"""`POST /v1/check`, and the parameters and errors of OpenAI's APIs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from rag.answer.check_text import TextCheck
from rag.notices import CODES, Notice
from rag.verify.verifier import _PROBLEM_CODES
from tests.api.conftest import Client
from ui.api.openai.parameters import CHAT, RESPONSES, Parameters
from ui.i18n import render, texts_in
from ui.readers import LOCAL_ADMINISTRATOR, LOCAL_VISITOR

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "openai.md"
MINE = "The mine of Velmora closed on Friday."


def test_check_returns_the_value_with_its_counts(client_of: Client) -> None:
    body = client_of().post("/v1/check", json={"text": f"{MINE} Why?"}).json()
    found = TextCheck.from_dict(body)
    assert [one.outcome for one in found.sentences] == ["supported", "no claim"]
    assert body["counts"]["supported"] == 1
    assert found.sentences[0].citations[0].quote == MINE


def test_check_sees_only_what_the_reader_may_see(client_of: Client) -> None:
    secret = {"text": "Velmora seeks a buyer for its mine."}
    hidden = client_of(LOCAL_VISITOR).post("/v1/check", json=secret).json()
    shown = client_of(LOCAL_ADMINISTRATOR).post("/v1/check", json=secret).json()
    assert "post.example/secret" not in str(hidden)
    assert hidden["sentences"][0]["outcome"] == "not in the archive"
    assert "post.example/secret" in str(shown)


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": " "}, {"text": "a", "x": 1}])
def test_check_rejects_wrong_requests(client_of: Client, body: dict[str, object]) -> None:
    response = client_of().post("/v1/check", json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


def test_check_survives_lone_surrogates(client_of: Client) -> None:
    body = b'{"text": "The mine \\ud800 of Velmora closed on Friday."}'
    headers = {"content-type": "application/json"}
    assert client_of().post("/v1/check", content=body, headers=headers).status_code in (200, 422)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/responses", 405),
        ("DELETE", "/v1/chat/completions", 405),
        ("GET", "/v1/models/none", 404),
        ("POST", "/v1/responses", 400),
    ],
)
def test_errors_have_openais_shape(client_of: Client, method: str, path: str, status: int) -> None:
    response = client_of().request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}


def test_nobody_is_a_401_in_openais_shape(client_of: Client) -> None:
    response = client_of(None).get("/v1/models")
    assert response.status_code == 401
    assert response.json()["error"]["type"] == "authentication_error"


def test_administrator_sees_the_chat_models_name(client_of: Client) -> None:
    listed = client_of(LOCAL_ADMINISTRATOR).get("/v1/models").json()["data"]
    assert [one["id"] for one in listed] == ["backfile", "backfile-extractive"]  # none configured


def documented(heading: str) -> set[str]:
    text = DOCS.read_text(encoding="utf-8")
    table = text.partition(f"| parameter | {heading} |")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def named(parameters: Parameters) -> set[str]:
    return {*parameters.used, *parameters.ignored, *parameters.rejected}


def test_tables_of_parameters_are_complete() -> None:
    both = documented("both APIs")
    assert named(CHAT) == both | documented("Chat Completions")
    assert named(RESPONSES) == both | documented("Responses")


def test_check_gives_reasons_as_codes_and_text(client_of: Client) -> None:
    body = {"text": "The mine of Velmora closed on Friday. Tarn sells its lighthouse to Osterholt."}
    first, second = client_of().post("/v1/check", json=body).json()["sentences"]
    assert (first["reason"], first["reason_text"]) == (None, "")
    assert second["reason"]["code"] == "check_nothing_found"
    assert second["reason_text"] == "no article has anything close to it"


def test_documentation_lists_the_reasons_of_checks() -> None:
    modules = ("verify/verifier.py", "answer/claim_verdicts.py", "answer/check_text.py")
    codes = {
        node.args[0].value
        for name in modules
        for node in ast.walk(ast.parse((ROOT / "rag" / name).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "Notice"
        and isinstance(node.args[0], ast.Constant)
    } | set(_PROBLEM_CODES.values())
    page = (ROOT / "docs" / "checking.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*?) ?\| (.+) \|$", page, re.MULTILINE)
    assert {code for code, _, _ in rows} == codes
    for code, parameters, text in rows:
        names = re.findall(r"\w+", parameters)
        assert names == list(CODES[code])
        notice = Notice(code, **{name: f"{{{name}}}" for name in names})
        assert render(notice, texts_in("en")) == text
