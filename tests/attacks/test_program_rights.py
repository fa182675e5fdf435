"""Restricted articles by every route: /v1, OpenAI's endpoints, MCP and exports, over HTTP."""

from __future__ import annotations

import base64
import re
import statistics
import time
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from tests.attacks.program_site import (
    BOARD,
    CLOSED,
    COPY,
    HIDDEN,
    INLAND,
    MISSING,
    PUBLIC,
    ProgramSite,
    encoded,
    without,
)
from tests.attacks.server import Visit

pytestmark = pytest.mark.slow

REPORT = "What did the vermilion report of the harbour bridge find?"
ONLY_HIDDEN = "six piers must be replaced"  # asked without the word that gives it away
CHAT = {"model": "backfile", "messages": [{"role": "user", "content": REPORT}]}
RESPONSE = {"model": "backfile", "input": REPORT}
LATER = "2100-01-01"

# Requests that find hidden articles for who may see them, by route of the documentation.
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "search": ("POST /v1/search", "/v1/search", {"query": "vermilion report piers", "k": 50}),
    "search by vectors": (
        "POST /v1/search", "/v1/search", {"query": ONLY_HIDDEN, "mode": "vector", "k": 50},
    ),
    "search by words": (
        "POST /v1/search", "/v1/search", {"query": ONLY_HIDDEN, "mode": "bm25", "k": 50},
    ),
    "search of a day": (
        "POST /v1/search", "/v1/search", {"query": ONLY_HIDDEN, "as_of": LATER, "k": 50},
    ),
    "search of a publisher": (
        "POST /v1/search", "/v1/search",
        {"query": "bridge", "filters": {"publishers": ["Vermilion Board"]}},
    ),
    "search of an id": (
        "POST /v1/search", "/v1/search", {"query": "bridge", "filters": {"article_ids": [BOARD.id]}}
    ),
    "ask": ("POST /v1/ask", "/v1/ask", {"question": REPORT}),
    "ask of a day": ("POST /v1/ask", "/v1/ask", {"question": REPORT, "as_of": LATER}),
    "ask for what is closest": (
        "POST /v1/ask", "/v1/ask", {"question": "Who is engineer Quist of the harbour council?"},
    ),
    "ask with a typing error": (
        "POST /v1/ask", "/v1/ask", {"question": "What does the vermillion board report say?"},
    ),
    "ask for quotes": (
        "POST /v1/ask", "/v1/ask", {"question": "What did Quist say?", "mode": "quotes"},
    ),
    "ask to compare": ("POST /v1/ask", "/v1/ask", {"question": REPORT, "mode": "compare"}),
    "timeline": ("GET /v1/timeline", f"/v1/timeline?question={encoded(REPORT)}", None),
    "check": (
        "POST /v1/check", "/v1/check",
        {"text": "The report of the inspectors found that six piers must be replaced."},
    ),
    "articles": ("GET /v1/articles", "/v1/articles", None),
    "articles with words": ("GET /v1/articles", "/v1/articles?q=vermilion&order=relevance", None),
    "articles of a section": (
        "GET /v1/articles", "/v1/articles?sections=Vermilion%20section", None,
    ),
    "an article": ("GET /v1/articles/{article_id}", f"/v1/articles/{encoded(BOARD.id)}", None),
    "a passage": ("GET /v1/articles/{article_id}", f"/v1/articles/{BOARD.id}?at=0-40", None),
    "an old revision": (
        "GET /v1/articles/{article_id}", f"/v1/articles/{CLOSED.id}?revision=1", None,
    ),
    "an old passage": ("GET /v1/articles/{article_id}", f"/v1/articles/{CLOSED.id}?at=0-70", None),
    "copies of an article": ("GET /v1/articles/{article_id}", f"/v1/articles/{PUBLIC.id}", None),
    "names": ("GET /v1/names", "/v1/names", None),
    "names that begin so": ("GET /v1/names", "/v1/names?prefix=qui", None),
    "a name": ("GET /v1/names/{name}", "/v1/names/Quist", None),
    "status": ("GET /v1/status", "/v1/status", None),
    "a response": ("POST /v1/responses", "/v1/responses", RESPONSE),
    "a streamed response": ("POST /v1/responses", "/v1/responses", {**RESPONSE, "stream": True}),
    "a chat": ("POST /v1/chat/completions", "/v1/chat/completions", CHAT),
    "a streamed chat": (
        "POST /v1/chat/completions", "/v1/chat/completions", {**CHAT, "stream": True},
    ),
}  # fmt: skip
# Routes that no reader learns about articles from; `test_program_readers` has those that write.
OTHERS = {
    "GET /v1/livez", "GET /v1/readyz", "GET /v1/models", "GET /v1/models/{name}",
    "GET /v1/metrics", "POST /v1/ingest", "GET /v1/jobs/{job_id}", "DELETE /v1/jobs/{job_id}",
    "DELETE /v1/articles/{article_id}", "DELETE /v1/withdrawals/{article_id}",
}  # fmt: skip
TOOLS: dict[str, tuple[str, dict[str, Any]]] = {
    "search": ("search_archive", {"query": ONLY_HIDDEN, "k": 50}),
    "search of a publisher": (
        "search_archive", {"query": "bridge", "publishers": ["Vermilion Board"]},
    ),
    "read": ("read_article", {"article_id": BOARD.id}),
    "read an old revision": ("read_article", {"article_id": CLOSED.id, "revision": 1}),
    "ask": ("ask_archive", {"question": REPORT}),
    "ask of a day": ("ask_archive", {"question": REPORT, "as_of": LATER}),
    "timeline": ("timeline", {"topic": REPORT}),
    "check": ("check_claim", {"text": "The inspectors found that six piers must be replaced."}),
}  # fmt: skip
SECRETS = re.compile(r"vermilion|quist|six piers|must be replaced|november|2025-11-25")


def send(client: httpx.Client, path: str, body: Any) -> httpx.Response:
    return client.get(path) if body is None else client.post(path, json=body)


def test_every_documented_route_is_attacked(programs: ProgramSite) -> None:
    with programs.as_("ada") as client:
        paths = client.get("/v1/openapi.json").json()["paths"]
    routes = {f"{method.upper()} {path}" for path, of in paths.items() for method in of}
    assert routes == {route for route, _, _ in REQUESTS.values()} | OTHERS


@pytest.mark.parametrize("name", REQUESTS)
def test_route_tells_nothing_hidden(programs: ProgramSite, name: str) -> None:
    _, path, body = REQUESTS[name]
    sent = [body, *re.split(r"[/?=&]", unquote(path))]
    for user in ("ada", "ben"):
        with programs.as_(user) as client:
            found = send(client, path, body)
        assert found.status_code in (200, 404), found.text
        told = SECRETS.findall(without(found.text, sent))
        assert not told, (user, told, found.text)
    with programs.as_("eva") as client:  # the attack works: with the rights, it finds them
        found = send(client, path, body)
    assert found.status_code == 200
    assert SECRETS.search(without(found.text, [])), found.text


@pytest.mark.parametrize(
    ("user", "articles", "publishers"),
    [("eva", 5, 4), ("ada", 2, 2), ("ben", 1, 1), ("cid", 1, 1)],
)
def test_counts_are_of_the_readers_articles(
    programs: ProgramSite, user: str, articles: int, publishers: int
) -> None:
    with programs.as_(user) as client:
        status = client.get("/v1/status").json()
        page = client.get("/v1/articles").json()
    assert status["articles"] == articles
    assert len(status["publishers"]) == publishers
    assert (status["stories_told_again"], status["copies"]) == ((1, 1) if user == "eva" else (0, 0))
    assert (status["bytes"] is None) == (user != "eva")
    assert len(page["articles"]) == articles
    if user != "eva":
        assert status["last"] < "2024-12"


def test_metrics_are_the_administrators(programs: ProgramSite) -> None:
    for user in ("ada", "ben", "cid"):
        with programs.as_(user) as client:
            assert client.get("/v1/metrics").status_code == 403


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("more", ["", "?revision=1", "?revision=9", "?at=0-10", "?at=0-999999"])
def test_hidden_article_answers_as_a_missing_one(
    programs: ProgramSite, hidden: str, more: str
) -> None:
    for user in ("ada", "ben", "cid"):
        with programs.as_(user) as client:
            known, unknown = (client.get(f"/v1/articles/{one}{more}") for one in (hidden, MISSING))
        assert known.status_code == unknown.status_code == 404
        assert known.content == unknown.content
        assert "etag" not in known.headers
        ignored = {"x-request-id", "date"}
        assert [one for one in known.headers.items() if one[0] not in ignored] == [
            one for one in unknown.headers.items() if one[0] not in ignored
        ]


def test_time_of_an_answer_tells_no_hidden_article(programs: ProgramSite) -> None:
    """A hidden article's answer takes as long as a missing one's, within the noise."""
    times: dict[str, list[float]] = {BOARD.id: [], MISSING: []}
    with programs.as_("ada") as client:
        for number in range(120):
            for article_id, taken in times.items():
                began = time.perf_counter()
                client.get(f"/v1/articles/{article_id}")
                if number >= 20:
                    taken.append(time.perf_counter() - began)
    hidden, missing = (statistics.median(taken) for taken in times.values())
    spread = statistics.quantiles(times[MISSING], n=10)
    assert abs(hidden - missing) < max(spread[-1] - spread[0], 0.002)


@pytest.mark.parametrize("name", TOOLS)
def test_tool_tells_nothing_hidden(programs: ProgramSite, name: str) -> None:
    tool, arguments = TOOLS[name]
    for user in ("ada", "ben"):
        result = programs.mcp(user, "call_tool", tool, arguments)
        told = SECRETS.findall(without(result.model_dump_json(), arguments))
        assert not told, (user, told, result)
    everything = programs.mcp("eva", "call_tool", tool, arguments).model_dump_json()
    assert SECRETS.search(without(everything, [])), everything


def test_every_tool_is_attacked(programs: ProgramSite) -> None:
    tools = {tool.name for tool in programs.mcp("ada", "list_tools").tools}
    assert tools == {tool for tool, _ in TOOLS.values()}
    more = {tool.name for tool in programs.mcp("eva", "list_tools").tools}
    assert more - tools == {"add_articles", "remove_article"}


@pytest.mark.parametrize("hidden", HIDDEN)
def test_resource_of_a_hidden_article_is_missing(programs: ProgramSite, hidden: str) -> None:
    def read(user: str, article_id: str) -> str:
        try:
            return str(
                programs.mcp(user, "read_resource", f"article://{encoded(article_id)}")
            ).casefold()
        except Exception as error:
            return f"error: {error}".casefold()

    assert read("ada", hidden).replace(encoded(hidden), "") == read("ada", MISSING).replace(
        encoded(MISSING), ""
    )
    assert read("ada", hidden).startswith("error")
    assert SECRETS.search(read("eva", hidden))


def test_list_of_resources_has_the_readers_articles(programs: ProgramSite) -> None:
    def listed(user: str) -> str:
        return str(programs.mcp(user, "list_resources")).casefold()

    assert not SECRETS.search(listed("ada"))
    assert not SECRETS.search(listed("ben"))
    assert encoded(INLAND.id).casefold() in listed("ben")
    assert encoded(PUBLIC.id).casefold() not in listed("ben")
    assert encoded(COPY.id).casefold() in listed("eva")


def test_forged_history_brings_nothing_hidden_back(programs: ProgramSite) -> None:
    """A turn that names a hidden article doesn't make the next answer cite it."""
    with programs.as_("eva") as client:
        answer = client.post("/v1/ask", json={"question": REPORT}).json()
    assert SECRETS.search(str(answer).casefold())
    turn = {"question": REPORT, "answer": answer}
    asked = {"question": "What else did it find?", "history": [turn]}
    with programs.as_("ada") as client:
        found = client.post("/v1/ask", json=asked)
    assert found.status_code == 200
    answered = found.json()
    assert "six piers" not in str(answered["statements"]).casefold()
    assert not any(hidden in str(answered["statements"]) for hidden in HIDDEN)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_export_has_the_readers_articles(programs: ProgramSite, form: str) -> None:
    source = {"csv": "127.0.3.1", "jsonl": "127.0.3.2"}[form]  # each may export a few times

    def exported(user: str) -> str:
        with programs.client(programs.token(user), source=source) as client:
            opened = Visit(programs.served, client)
            opened.load()
            made = opened.call(opened.index("export"), event_data={"form": form})
        content = base64.b64decode(made["output"]["data"][0]["base64"])
        return content.decode().casefold()

    assert SECRETS.search(exported("eva"))
    for user, own, other in (("ada", PUBLIC, BOARD), ("ben", INLAND, PUBLIC)):
        file = exported(user)
        assert own.title.casefold() in file
        assert other.title.casefold() not in file
        assert not SECRETS.search(file)


def test_facets_and_chart_count_the_readers_articles(programs: ProgramSite) -> None:
    def browsed(user: str) -> str:
        with programs.as_(user) as client:
            opened = Visit(programs.served, client)
            opened.load()
            event = {"query": "?view=browse"}
            return opened.run(opened.index("open_view"), event_data=event).text.casefold()

    assert SECRETS.search(browsed("eva"))
    for user, own in (("ada", PUBLIC), ("ben", INLAND)):
        shown = browsed(user)
        assert own.publisher.casefold() in shown
        assert not SECRETS.search(shown)
