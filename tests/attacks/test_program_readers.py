"""Readers of the API against each other: jobs, cursors, keys, scopes, and credentials that end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag.rights import ALL_RIGHTS, Rights
from tests.attacks.program_site import (
    BOARD,
    COPY,
    HIDDEN,
    INLAND,
    MISSING,
    PUBLIC,
    ProgramSite,
    encoded,
    serve_site,
)

pytestmark = pytest.mark.slow

NEW = {"title": "Ferry", "text": "A ferry of Quell sank in the lake.", "publisher": "Inland Post"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProgramSite]:
    """Return a server that these tests change."""
    with serve_site(tmp_path_factory.mktemp("readers")) as served:
        for name in ("dan", "fay"):
            served.accounts.add_user(name, "", ["read", "ingest"], ALL_RIGHTS)
        yield served


def finished(client: httpx.Client, started: httpx.Response) -> dict[str, Any]:
    """Return a job once it has ended."""
    assert started.status_code == 202, started.text
    until = time.monotonic() + 60
    while True:
        job: dict[str, Any] = client.get(started.headers["location"]).json()
        if job["state"] not in ("waiting", "running"):
            return job
        assert time.monotonic() < until, job
        time.sleep(0.05)  # nothing tells that a job of another process's thread has ended


def test_etag_of_another_reader_is_not_known(programs: ProgramSite) -> None:
    for path in (f"/v1/articles/{PUBLIC.id}", "/v1/articles", "/v1/names"):
        with programs.as_("eva") as client:
            etag = client.get(path).headers["etag"]
            assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
        with programs.as_("ada") as client:
            other = client.get(path, headers={"If-None-Match": etag})
            assert other.status_code == 200
            assert other.headers["etag"] != etag
            assert "private" in other.headers["cache-control"]
            assert "Authorization" in other.headers["vary"]
            for hidden in HIDDEN:
                forged = client.get(f"/v1/articles/{hidden}", headers={"If-None-Match": etag})
                assert forged.status_code == 404


def test_cursor_works_for_its_reader_and_query_alone(programs: ProgramSite) -> None:
    asked = {"query": "harbour bridge", "mode": "bm25", "k": 1}
    with programs.as_("eva") as client:
        searched = client.post("/v1/search", json=asked).json()["cursor"]
        browsed = client.get("/v1/articles?limit=1").json()["cursor"]
        assert searched
        assert browsed
        assert client.post("/v1/search", json={**asked, "cursor": searched}).status_code == 200
        for body in (
            {**asked, "query": "bridge", "cursor": searched},
            {**asked, "filters": {"publishers": ["Vermilion Wire"]}, "cursor": searched},
            {**asked, "cursor": browsed},
            {**asked, "cursor": searched[:-4] + "AAA="},
            {**asked, "cursor": "=" * 8000},
            {**asked, "cursor": "\ud800"},
        ):
            sent = client.post("/v1/search", content=_ascii(body), headers=_JSON)
            assert sent.status_code == 422, sent.text
        moved = client.get(f"/v1/articles?limit=1&publishers=Inland%20Post&cursor={browsed}")
        assert moved.status_code == 422
    with programs.as_("ada") as client:
        assert client.post("/v1/search", json={**asked, "cursor": searched}).status_code == 422
        assert client.get(f"/v1/articles?limit=1&cursor={browsed}").status_code == 422


_JSON = {"Content-Type": "application/json"}


def _ascii(value: object) -> bytes:
    return json.dumps(value).encode()


def test_job_is_its_owners(site: ProgramSite) -> None:
    with site.as_("fay") as owner, site.as_("dan") as other, site.as_("eva") as admin:
        job = finished(owner, owner.post("/v1/ingest", json={"articles": [{**NEW, "id": "i/1"}]}))
        for method in ("GET", "DELETE"):
            seen = other.request(method, f"/v1/jobs/{job['id']}")
            none = other.request(method, "/v1/jobs/0123456789abcdef")
            assert seen.status_code == none.status_code == 404
            assert seen.content == none.content
        assert admin.get(f"/v1/jobs/{job['id']}").status_code == 200
        assert owner.get(f"/v1/jobs/{job['id']}").json()["state"] == "done"
    with site.as_("ada") as reader:
        assert reader.get(f"/v1/jobs/{job['id']}").status_code == 403


def test_idempotency_key_is_its_readers(site: ProgramSite) -> None:
    key = {"Idempotency-Key": "the-same-for-both"}
    with site.as_("fay") as one, site.as_("dan") as other:
        body = {"articles": [{**NEW, "id": "i/2"}]}
        first = one.post("/v1/ingest", json=body, headers=key).json()["id"]
        assert one.post("/v1/ingest", json=body, headers=key).json()["id"] == first
        stolen = other.post("/v1/ingest", json=body, headers=key)
        assert stolen.status_code == 202
        assert stolen.json()["id"] != first
        assert stolen.json()["owner"] != one.get(f"/v1/jobs/{first}").json()["owner"]


@pytest.mark.parametrize(
    "name",
    ["../../evil.jsonl", "/tmp/backfile-evil.jsonl", "..\\..\\evil.jsonl", "a/../../evil.jsonl",
     "users.sqlite3", "archive.sqlite", "..", ".", "evil\x00.jsonl", "con:evil.jsonl"],
)  # fmt: skip
def test_name_of_an_upload_is_no_path(site: ProgramSite, name: str) -> None:
    before = _files(site.folder)
    users = (site.folder / "users.sqlite3").stat().st_size
    with site.as_("dan") as client:
        sent = client.post("/v1/ingest", files={"files": (name, b'{"text": "x"}\n')})
        if sent.status_code == 202:
            assert finished(client, sent)["state"] in ("done", "failed")
        else:
            assert sent.status_code in (400, 422)
        assert client.get("/v1/status").status_code == 200
    assert not Path("/tmp/backfile-evil.jsonl").exists()
    assert not list(site.folder.parent.glob("**/*evil*"))
    assert {one for one in _files(site.folder) - before if "jsonl" in one} <= {"audit.jsonl"}
    assert (site.folder / "users.sqlite3").stat().st_size == users


def _files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:{port}/v1/status", "http://localhost:{port}/", "http://[::1]:{port}/",
     "http://169.254.169.254/latest/meta-data", "http://0x7f000001:{port}/", "http://127.1/",
     "http://0.0.0.0:{port}/", "http://[::ffff:127.0.0.1]:{port}/"],
)  # fmt: skip
def test_address_within_the_network_is_not_fetched(site: ProgramSite, address: str) -> None:
    port = site.served.address.rstrip("/").rpartition(":")[2]
    with site.as_("dan") as client:
        sent = client.post("/v1/ingest", json={"addresses": [address.format(port=port)]})
        if sent.status_code == 422:
            return
        job = finished(client, sent)
    assert (job["counts"]["new"], job["counts"]["changed"]) == (0, 0)
    assert job["counts"]["rejected"] or job["failed"]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://x.example/", "gopher://x/", "x"])
def test_address_of_another_kind_starts_no_job(site: ProgramSite, address: str) -> None:
    with site.as_("dan") as client:
        sent = client.post("/v1/ingest", json={"addresses": [address]})
    assert sent.status_code == 422


@pytest.mark.parametrize("hidden", [BOARD.id, COPY.id])
def test_editor_cannot_remove_what_they_may_not_see(site: ProgramSite, hidden: str) -> None:
    with site.as_("cid") as client:
        for more in ("", "?reason=x"):
            seen = client.delete(f"/v1/articles/{encoded(hidden)}{more}")
            none = client.delete(f"/v1/articles/{encoded(MISSING)}{more}")
            assert seen.status_code == none.status_code == 404
            assert seen.content == none.content
        assert client.delete(f"/v1/withdrawals/{encoded(hidden)}").status_code == 404
        assert client.delete(f"/v1/articles/{encoded(INLAND.id)}?erase=true").status_code == 403
    arguments = {"article_id": hidden, "reason": "because"}
    assert site.mcp("cid", "call_tool", "remove_article", arguments).is_error
    with site.as_("eva") as client:
        assert client.get(f"/v1/articles/{encoded(hidden)}").status_code == 200


@pytest.mark.parametrize("article_id", [BOARD.id, MISSING, INLAND.id])
def test_editor_of_a_part_can_replace_nothing(site: ProgramSite, article_id: str) -> None:
    """Whoever doesn't see everything neither replaces a hidden article nor finds out its id."""
    forged = {**NEW, "id": article_id}
    with site.as_("cid") as client:
        sent = client.post("/v1/ingest", json={"articles": [forged]})
        assert sent.status_code == 403
        assert "rights-missing" in sent.json()["type"]
    assert site.mcp("cid", "call_tool", "add_articles", {"articles": [forged]}).is_error
    with site.as_("eva") as client:
        assert NEW["text"] not in client.get(f"/v1/articles/{encoded(article_id)}").text


def test_withdrawn_hidden_article_cannot_be_put_back(site: ProgramSite) -> None:
    path = encoded(COPY.id)
    with site.as_("eva") as client:
        assert client.delete(f"/v1/articles/{path}").status_code == 200
        with site.as_("cid") as other:
            seen = other.delete(f"/v1/withdrawals/{path}")
            none = other.delete(f"/v1/withdrawals/{encoded(MISSING)}")
            assert seen.status_code == none.status_code == 404
            assert seen.content == none.content
        assert client.get(f"/v1/articles/{path}").status_code == 404
        assert client.delete(f"/v1/withdrawals/{path}").status_code == 200


WRITES = (
    ("POST", "/v1/ingest", {"articles": [{**NEW, "id": "never"}]}),
    ("DELETE", f"/v1/articles/{PUBLIC.id}", None),
    ("DELETE", f"/v1/withdrawals/{PUBLIC.id}", None),
    ("GET", "/v1/jobs/0123456789abcdef", None),
    ("DELETE", "/v1/jobs/0123456789abcdef", None),
)
READS = (
    ("POST", "/v1/search", {"query": "bridge"}),
    ("POST", "/v1/ask", {"question": "bridge?"}),
    ("POST", "/v1/check", {"text": "The bridge."}),
    ("GET", "/v1/timeline?question=bridge", None),
    ("GET", f"/v1/articles/{PUBLIC.id}", None),
    ("GET", "/v1/articles", None),
    ("GET", "/v1/names", None),
    ("GET", "/v1/names/Quist", None),
    ("GET", "/v1/status", None),
    ("GET", "/v1/models", None),
    ("POST", "/v1/responses", {"model": "backfile", "input": "bridge?"}),
)


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_reader_cannot_write(programs: ProgramSite, method: str, path: str, body: Any) -> None:
    only_read = programs.new_token("eva", scopes=["read"])
    for token in (programs.token("ada"), only_read):
        with programs.client(token) as client:
            assert client.request(method, path, json=body).status_code == 403


@pytest.mark.parametrize(("method", "path", "body"), READS)
def test_token_for_adding_cannot_read(
    programs: ProgramSite, method: str, path: str, body: Any
) -> None:
    with programs.client(programs.new_token("eva", scopes=["ingest"])) as client:
        found = client.request(method, path, json=body)
    assert found.status_code == 403
    assert "cracks" not in found.text


@pytest.mark.parametrize("tool", ["add_articles", "remove_article"])
def test_tool_that_writes_is_unknown_to_readers(programs: ProgramSite, tool: str) -> None:
    given = {"add_articles": {"articles": [NEW]}, "remove_article": {"article_id": PUBLIC.id}}
    called = programs.mcp("ada", "call_tool", tool, {**given[tool], "reason": "x"})
    invented = programs.mcp("ada", "call_tool", "no_such_tool", {})
    assert called.is_error
    assert called.content[0].text.replace(tool, "") == invented.content[0].text.replace(
        "no_such_tool", ""
    )
    with programs.as_("ada") as client:
        assert client.get(f"/v1/articles/{PUBLIC.id}").status_code == 200


@pytest.mark.parametrize("path", ["tokens", "token", "users", "users/ada", "login", "audit"])
def test_no_route_makes_users_or_tokens(programs: ProgramSite, path: str) -> None:
    with programs.as_("eva") as client:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            found = client.request(method, f"/v1/{path}", json={"scopes": ["admin"]})
            assert found.status_code in (404, 405)


def test_body_cannot_name_rights(programs: ProgramSite) -> None:
    """Rights and readers come from credentials, never from a body or a query."""
    with programs.as_("ada") as client:
        for more in ({"access": ["board"]}, {"rights": "everything"}, {"reader": "eva"}):
            filters = {"query": "report", "filters": more}
            assert client.post("/v1/search", json=filters).status_code == 422
            assert client.post("/v1/search", json={"query": "report", **more}).status_code == 422
            found = client.get("/v1/articles", params={k: str(v) for k, v in more.items()})
            assert found.status_code == 422


def test_token_revoked_within_a_stream_works_no_more(site: ProgramSite) -> None:
    before = {one.id for one in site.accounts.store.tokens()}
    secret = site.new_token("dan")
    (token,) = (one for one in site.accounts.store.tokens() if one.id not in before)
    asked = {"question": "What did the inspectors find?"}
    events = {"Accept": "text/event-stream"}
    with (
        site.client(secret) as client,
        client.stream("POST", "/v1/ask", json=asked, headers=events) as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines).startswith("event: ")
        site.accounts.store.revoke_token(token.id)
        rest = list(lines)  # what was allowed when it was asked ends by itself
        assert any(line.startswith("event: final") for line in rest)
        assert client.post("/v1/ask", json=asked).status_code == 401
        assert client.post("/v1/ask", json=asked, headers=events).status_code == 401


def test_session_of_a_disabled_user_opens_nothing(site: ProgramSite) -> None:
    site.accounts.add_user("gil", "", ["read"], ALL_RIGHTS)
    secret = site.accounts.open_session(site.accounts.store.user("gil"))
    name = site.served._authentication.session_cookie(secure=False)
    with site.client(Cookie=f"{name}={secret}") as client:
        assert client.get("/v1/status").status_code == 200
        site.accounts.store.set_disabled("gil", disabled=True)
        for path in ("/v1/status", f"/v1/articles/{PUBLIC.id}", "/mcp", "/config"):
            assert client.get(path).status_code == 401
        assert client.get("/").status_code == 303
        site.accounts.store.set_disabled("gil", disabled=False)
        assert client.get("/v1/status").status_code == 401  # a new login is needed


def test_withdrawn_rights_end_at_once(site: ProgramSite) -> None:
    site.accounts.add_user("hal", "", ["read"], ALL_RIGHTS)
    path, asked = f"/v1/articles/{BOARD.id}", {"query": "harbour bridge", "mode": "bm25", "k": 1}
    with site.as_("hal") as client:
        etag = client.get(path).headers["etag"]
        cursor = client.post("/v1/search", json=asked).json()["cursor"]
        site.accounts.store.change_user("hal", frozenset({"read"}), Rights())
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 404
        assert client.post("/v1/search", json={**asked, "cursor": cursor}).status_code == 422
        assert "vermilion" not in client.post("/v1/search", json={"query": "piers"}).text.lower()
        site.accounts.store.change_user("hal", frozenset({"ingest"}), Rights())
        assert client.get("/v1/status").status_code == 403
