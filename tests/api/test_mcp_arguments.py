"""Wrong arguments of tools: errors in sentences, without pydantic's words for itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client as McpClient

from rag.answer.chatbot import Chatbot
from rag.settings import Settings
from tests.support.fakes import small_archive
from ui.api.services import Services
from ui.mcp.server import create_server
from ui.readers import LOCAL_ADMINISTRATOR

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("search_archive", {}, "'query' is missing."),
    (
        "search_archive",
        {"query": "ferry", "k": "many", "after": "yesterday"},
        "'after' is not a day: write it as 2024-11-15. 'k' is wrong: input should be a valid "
        "integer, unable to parse string as an integer.",
    ),
    (
        "search_archive",
        {"query": ""},
        "'query' is wrong: string should have at least 1 character.",
    ),
    ("read_article", {"article_id": 7}, "'article_id' is wrong: input should be a valid string."),
    (
        "check_claim",
        {"claim": "The ferry sank."},
        "'text' is missing. The tool takes text, after, before, publishers, written_on, not "
        "'claim'.",
    ),
    ("add_articles", {"articles": [{"title": "Ferry"}]}, "'articles.0.text' is missing."),
    (
        "add_articles",
        {"articles": [{"title": "Ferry", "text": "It sank.", "author": "Ann"}]},
        "'articles.0.author' is unknown. Did you mean 'authors'?",
    ),
    (
        "add_articles",
        {"articles": [{"title": "Ferry", "text": "It sank.", "published": "in May"}]},
        "'articles.0.published' is not a day: write it as 2024-11-15.",
    ),
    (
        "add_articles",
        {"articles": [{"title": f"Ferry {number}"} for number in range(9)]},
        " ".join(f"'articles.{number}.text' is missing." for number in range(5)) + " 4 more.",
    ),
    ("search_archive", {"quer\ny\x1b": "ferry"}, "not 'quer\\ny\\x1b'."),
]


@pytest.mark.slow
def test_wrong_arguments_are_explained_in_sentences(tmp_path: Path) -> None:
    async def call(server: Any) -> list[tuple[bool, str]]:
        async with McpClient(server) as client:
            results = [await client.call_tool(name, given) for name, given, _ in WRONG]
            return [(one.is_error, one.content[0].text) for one in results]

    with small_archive(tmp_path / "archive") as archive:
        services = Services(archive, Chatbot(archive), Settings(archive=archive.path))
        found = asyncio.run(call(create_server(services, reader=LOCAL_ADMINISTRATOR)))
    for (name, given, said), (is_error, text) in zip(WRONG, found, strict=True):
        assert is_error, (name, given)
        assert text.startswith("invalid_value: ")
        assert text.endswith(said)
        assert "pydantic" not in text
        assert "type=" not in text
