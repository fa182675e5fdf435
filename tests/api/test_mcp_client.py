"""The MCP SDK's own client, over stdio and HTTP, with both generations of the protocol."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.settings import Settings
from tests.api.conftest import ARTICLES
from tests.api.program_server import serve_programs
from tests.archive.test_archive import WordEmbeddings as Words
from ui.api.services import Services
from ui.mcp.server import create_server
from ui.readers import LOCAL_ADMINISTRATOR, LOCAL_VISITOR, Reader
from ui.web.app import Served

GENERATIONS = ("legacy", "auto")
READING = {"search_archive", "read_article", "ask_archive", "timeline", "check_claim"}
BRIDGE = "courier.example/bridge"

Visit = Callable[[Client], Awaitable[Any]]


def visit(target: Any, mode: str, act: Visit) -> Any:
    """Return what a client does at a server."""

    async def run() -> Any:
        async with Client(target, mode=mode) as client:
            return await act(client)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve_programs(tmp_path_factory.mktemp("programs")) as served:
        yield served


@pytest.fixture
def server_of(services: Services) -> Callable[[Reader], Any]:
    return lambda reader: create_server(services, reader=reader)


def call(client: Client, name: str, **arguments: Any) -> Awaitable[Any]:
    return client.call_tool(name, arguments)


@pytest.mark.parametrize("mode", GENERATIONS)
def test_http_server_answers_both_generations(served: Served, mode: str) -> None:
    async def act(client: Client) -> Any:
        listed = await client.list_tools()
        found = await call(client, "search_archive", query="bridge of Osterholt")
        answer = await call(client, "ask_archive", question="When did the bridge reopen?")
        article = await call(client, "read_article", article_id=BRIDGE)
        resource = await client.read_resource("article://courier.example%2Fbridge")
        return listed, found, answer, article, resource

    listed, found, answer, article, resource = visit(f"{served.address}mcp", mode, act)
    assert {tool.name for tool in listed.tools} == READING
    assert all(tool.output_schema for tool in listed.tools)
    first = found.structured_content["passages"][0]
    assert first["source"]["article_id"] == BRIDGE
    assert "reopened on Monday" in first["untrusted_text"]
    assert answer.structured_content["answered"] is True
    assert answer.structured_content["statements"][0]["citations"] == [1]
    assert article.structured_content["untrusted_text"].startswith("The bridge of Osterholt")
    assert "never instructions" in resource.contents[0].text
    assert "The bridge of Osterholt reopened" in resource.contents[0].text


@pytest.mark.parametrize("mode", GENERATIONS)
@pytest.mark.slow
def test_stdio_server_answers_both_generations(tmp_path: Path, mode: str) -> None:
    program = tmp_path / "server.py"
    program.write_text(STDIO.format(path=str(tmp_path / "archive")), encoding="utf-8")
    transport = stdio_client(
        StdioServerParameters(command=sys.executable, args=[str(program)], env=environment())
    )

    async def act(client: Client) -> Any:
        listed = await client.list_tools()
        return listed, await call(
            client, "check_claim", text="The mine of Velmora closed on Friday."
        )

    listed, checked = visit(transport, mode, act)
    assert {tool.name for tool in listed.tools} == READING | {"add_articles", "remove_article"}
    assert checked.structured_content["sentences"][0]["outcome"] == "supported"


def environment() -> dict[str, str]:
    import os

    return dict(os.environ)


STDIO = """
import anyio
from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.settings import Settings
from tests.api.conftest import ARTICLES
from tests.archive.test_archive import WordEmbeddings
from ui.api.services import Services
from ui.mcp.server import create_server
from ui.readers import LOCAL_ADMINISTRATOR

with Archive.open({path!r}, mode="write", embeddings=WordEmbeddings()) as archive:
    archive.add(ARTICLES)
    services = Services(archive, Chatbot(archive), Settings(archive=archive.path))
    server = create_server(services, reader=LOCAL_ADMINISTRATOR)
    anyio.run(server.run_stdio_async)
"""


@pytest.mark.parametrize("mode", GENERATIONS)
def test_write_tools_exist_only_with_the_scope(
    server_of: Callable[[Reader], Any], mode: str
) -> None:
    async def act(client: Client) -> Any:
        listed = await client.list_tools()
        removed = await call(client, "remove_article", article_id=BRIDGE, reason="test")
        missing = await call(client, "no_such_tool")
        return {tool.name for tool in listed.tools}, removed, missing

    names, removed, missing = visit(server_of(LOCAL_VISITOR), mode, act)
    assert names == READING
    assert removed.is_error
    text = removed.content[0].text
    assert text == "not_found: There is no tool 'remove_article'."
    assert missing.content[0].text == "not_found: There is no tool 'no_such_tool'."


def test_articles_are_added_and_removed(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "a", mode="write", embeddings=Words()) as archive:
        archive.add(ARTICLES)
    with Archive.open(tmp_path / "a", embeddings=Words()) as archive:
        services = Services(archive, Chatbot(archive), Settings(archive=archive.path))
        server = create_server(services, reader=LOCAL_ADMINISTRATOR)
        new = {
            "id": "x/1",
            "title": "Pier of Tarn opens",
            "text": "The pier of Tarn opened in May.",
        }

        async def act(client: Client) -> Any:
            added = await call(client, "add_articles", articles=[new])
            found = await call(client, "search_archive", query="pier of Tarn")
            removed = await call(client, "remove_article", article_id="x/1", reason="a test")
            gone = await call(client, "read_article", article_id="x/1")
            return added, found, removed, gone

        added, found, removed, gone = visit(server, "auto", act)
    assert added.structured_content["new"] == 1, added
    assert found.structured_content["passages"][0]["source"]["article_id"] == "x/1"
    assert removed.structured_content == {"removed": True}
    assert gone.is_error
    assert gone.content[0].text.startswith("not_found: ")


def test_restricted_articles_are_not_there(server_of: Callable[[Reader], Any]) -> None:
    async def act(client: Client) -> Any:
        with pytest.raises(MCPError) as error:
            await client.read_resource("article://post.example%2Fsecret")
        return (
            error.value,
            await client.list_resources(),
            await call(client, "read_article", article_id="post.example/secret"),
            await call(client, "search_archive", query="Velmora seeks a buyer", k=50),
            await call(client, "ask_archive", question="Who seeks a buyer for the mine?"),
            await call(client, "timeline", topic="Velmora buyer"),
            await call(client, "check_claim", text="Velmora seeks a buyer for its mine."),
        )

    error, listed, read, *others = visit(server_of(LOCAL_VISITOR), "auto", act)
    missing = visit(
        server_of(LOCAL_VISITOR), "auto", lambda c: call(c, "read_article", article_id="none")
    )
    assert "secret" not in str(error)
    assert {one.name for one in listed.resources} == {
        "Bridge of Osterholt reopens",
        "Mine of Velmora closes",
    }
    assert read.content[0].text == missing.content[0].text
    for result in others:
        assert "post.example/secret" not in result.model_dump_json()


def test_invalid_arguments_have_a_stable_code(server_of: Callable[[Reader], Any]) -> None:
    async def act(client: Client) -> Any:
        return [
            await call(client, "search_archive", query=""),
            await call(client, "search_archive", query="x", k=1000),
            await call(client, "search_archive", query="x", after="yesterday"),
            await call(client, "check_claim", text=" "),
        ]

    for result in visit(server_of(LOCAL_VISITOR), "auto", act):
        assert result.is_error
        assert result.content[0].text.startswith("invalid_value: ")


def test_long_article_is_read_in_parts(
    server_of: Callable[[Reader], Any], archive: Archive
) -> None:
    from rag.schema import Article

    text = "The canal was dug by hand. " * 2000
    archive.add([Article(id="long", title="Canal", text=text)])

    async def act(client: Client) -> Any:
        parts, start = [], 0
        while start is not None:
            read = await call(client, "read_article", article_id="long", start=start)
            parts.append(read.structured_content["untrusted_text"])
            start = read.structured_content["next_start"]
        return parts

    parts = visit(server_of(LOCAL_VISITOR), "auto", act)
    assert len(parts) > 1
    assert "".join(parts) == text


def test_descriptions_tell_the_rules(server_of: Callable[[Reader], Any]) -> None:
    listed = visit(server_of(LOCAL_VISITOR), "auto", lambda client: client.list_tools())
    by_name = {tool.name: tool.description for tool in listed.tools}
    for name in ("search_archive", "ask_archive", "timeline"):
        assert "AND or OR" in by_name[name]
        assert "YYYY-MM-DD" in by_name[name]
