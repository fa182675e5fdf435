"""Filters of requests: one name without a list, and days that are written otherwise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ui.api.fields import FilterFields

pytestmark = pytest.mark.slow


def test_one_name_needs_no_list(client: TestClient) -> None:
    found = [
        client.post("/v1/search", json={"query": "mine bridge", "filters": {"publishers": names}})
        for names in ("Inland Post", ["Inland Post"])
    ]
    assert [one.status_code for one in found] == [200, 200]
    assert found[0].json()["hits"] == found[1].json()["hits"] != []


@pytest.mark.parametrize("day", ["15.11.2024", "yesterday", "2024-13-01", 20241115, ""])
def test_day_that_is_written_otherwise_is_shown_how(client: TestClient, day: object) -> None:
    asked = {"query": "mine", "filters": {"after": day}}
    problem = client.post("/v1/search", json=asked).json()
    assert problem["status"] == 422
    assert "2024-11-15" in problem["detail"]


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_body_without_the_header_of_json_is_told_of_it(client: TestClient, kind: str) -> None:
    headers = {"Content-Type": kind}
    response = client.post("/v1/search", content='{"query": "mine"}', headers=headers)
    assert response.status_code == 422
    assert "Content-Type: application/json" in response.json()["detail"]


def test_wrong_field_is_not_blamed_on_the_header(client: TestClient) -> None:
    problem = client.post("/v1/search", json={"query": ""}).json()
    assert "Content-Type" not in problem["detail"]


def test_documentation_lists_the_filters() -> None:
    page = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
    table = page.partition("| filter |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(FilterFields.model_fields)
