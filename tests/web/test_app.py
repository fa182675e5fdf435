"""The page's server: public endpoints, no analytics, start behind a proxy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rag.archive.archive import Archive
from rag.settings import Settings
from tests.support.fakes import QuotingChatbot, small_archive
from ui.web.app import start
from ui.web.page import build_page, theme
from ui.web.reader_view import ReaderView


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with small_archive(tmp_path_factory.mktemp("page") / "archive") as opened:
        yield opened


@pytest.fixture(scope="module")
def page(archive: Archive) -> Any:
    chatbot: Any = QuotingChatbot(archive)
    return build_page(ReaderView(archive, chatbot), Settings())


def test_only_ask_and_search_are_endpoints(page: Any) -> None:
    public = {
        dependency["api_name"]
        for dependency in page.config["dependencies"]
        if dependency["api_visibility"] != "private"
    }
    assert public == {"ask", "search"}
    assert set(page.get_api_info()["named_endpoints"]) == {"/ask", "/search"}
    assert not page.get_api_info()["unnamed_endpoints"]


def test_page_sends_no_analytics(page: Any) -> None:
    assert page.config["analytics_enabled"] is False
    stylesheets = theme()._stylesheets
    assert not [sheet for sheet in stylesheets if "//" in sheet]


def test_page_starts_behind_a_proxy_and_on_slow_startup(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "elsewhere.example")
    # Gradio's result if its own page takes 3 s.
    monkeypatch.setattr("gradio.networking.url_ok", lambda url: False)
    chatbot: Any = QuotingChatbot(archive)
    served = start(archive, chatbot, Settings(port=0))
    try:
        with httpx.Client(base_url=served.address, trust_env=False) as client:
            told = client.get("/")
            assert told.status_code == 200
            scripts = re.findall(r'src="\./(assets/[^"]+[.]js)"', told.text)
            assert scripts
            for script in scripts:
                assert client.get(script).status_code == 200
    finally:
        served.close()
    assert os.environ["no_proxy"] == "elsewhere.example"
