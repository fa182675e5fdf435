"""Servers of local chat models: Ollama's, and those with OpenAI's protocol."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from rag.models.writer_server import TIMEOUT, ask_writer_server
from rag.settings import Settings
from tests.support.fake_site import FakeSite, Page, serve_site

OLLAMA = json.dumps({"models": [{"name": "qwen3:4b-instruct"}, {"name": "llama3:latest"}]}).encode()
OPENAI = json.dumps({"object": "list", "data": [{"id": "smollm2"}]}).encode()


@pytest.fixture
def site() -> Iterator[FakeSite]:
    with serve_site() as site:
        yield site


def state(site: FakeSite, model: str) -> tuple[bool, bool]:
    server = ask_writer_server(Settings(chat_model=model, chat_base_url=site.address + "/"))
    assert server is not None
    assert server.address == site.address
    return server.answers, server.has_model


@pytest.mark.parametrize(
    ("path", "body", "model", "expected"),
    [
        ("/api/tags", OLLAMA, "ollama:qwen3:4b-instruct", (True, True)),
        ("/api/tags", OLLAMA, "ollama:llama3", (True, True)),
        ("/api/tags", OLLAMA, "ollama:qwen3:8b", (True, False)),
        ("/models", OPENAI, "openai:smollm2", (True, True)),
        ("/models", OPENAI, "openai:gpt-5-mini", (True, False)),
        ("/api/tags", b'{"models": null}', "ollama:qwen3:8b", (True, False)),
        ("/api/tags", b'{"models": [3]}', "ollama:qwen3:8b", (True, False)),
        ("/api/tags", b"<h1>Hello</h1>", "ollama:qwen3:8b", (False, False)),
        ("/api/tags", b"[]", "ollama:qwen3:8b", (False, False)),
        ("/elsewhere", b"", "ollama:qwen3:8b", (False, False)),
    ],
)
def test_the_list_of_models_tells_whether_one_is_there(
    site: FakeSite, path: str, body: bytes, model: str, expected: tuple[bool, bool]
) -> None:
    site.pages[path] = Page(body)
    assert state(site, model) == expected


def test_a_server_that_is_not_running_does_not_answer() -> None:
    server = ask_writer_server(
        Settings(chat_model="ollama:qwen3:8b", chat_base_url="http://127.0.0.1:9")
    )
    assert server is not None
    assert not server.answers


def test_a_silent_server_is_not_waited_for(site: FakeSite) -> None:
    site.pages["/api/tags"] = Page(status=0, slowly=lambda _: time.sleep(TIMEOUT + 1))
    begun = time.monotonic()
    assert state(site, "ollama:qwen3:8b") == (False, False)
    assert time.monotonic() - begun < TIMEOUT + 1


@pytest.mark.parametrize("address", ["ftp://127.0.0.1", "file:///etc/passwd", "nonsense"])
def test_only_web_addresses_are_asked(address: str) -> None:
    server = ask_writer_server(Settings(chat_model="ollama:a", chat_base_url=address))
    assert server is not None
    assert not server.answers


def test_a_provider_of_its_own_is_not_asked() -> None:
    assert ask_writer_server(Settings()) is None
    assert ask_writer_server(Settings(chat_model="openai:gpt-5-mini")) is None
    assert ask_writer_server(Settings(models="best", chat_model="none")) is None


def test_ollama_is_asked_on_this_machine() -> None:
    server = ask_writer_server(Settings(models="best"))
    assert server is not None
    assert (server.model, server.address) == ("qwen3:4b-instruct", "http://127.0.0.1:11434")
