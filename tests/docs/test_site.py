"""The built documentation: strict, complete, searchable, without outside requests."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import rag
from tests.docs.documents import ROOT
from ui.cli.main import cli

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_LOADED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*?\bsrc=[\"']?(?P<src>[^\"'\s>]+)"
    r"|<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|preload|preconnect|icon|dns-prefetch))"
    r"[^>]*?\bhref=[\"']?(?P<href>[^\"'\s>]+)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does: a warning is an error."""
    pytest.importorskip("material")
    pytest.importorskip("mkdocstrings")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True)
    config.plugins.on_startup(command="build", dirty=False)
    try:
        build(config)
    finally:
        config.plugins.on_shutdown()
    return folder


def test_site_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 12
    for page in pages:
        loaded = [m["src"] or m["href"] for m in _LOADED.finditer(page.read_text("utf-8"))]
        assert loaded
        assert [url for url in loaded if re.match(r"(?:https?:)?//", url)] == []
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//", sheet.read_text("utf-8"))


def test_site_documents_each_command(site: Path) -> None:
    text = (site / "cli.html").read_text("utf-8")
    context = click.Context(cli, info_name="backfile")
    shown = [name for name in cli.list_commands(context) if not _is_hidden(context, name)]
    assert len(shown) > 10
    assert [name for name in shown if f'id="backfile-{name}"' not in text] == []


def _is_hidden(context: click.Context, name: str) -> bool:
    command = cli.get_command(context, name)
    return command is None or command.hidden


def test_site_documents_each_public_name(site: Path) -> None:
    text = (site / "api.html").read_text("utf-8")
    documented = [name for name in rag.__all__ if name[0].isupper() and name != "ALL_RIGHTS"]
    assert [name for name in documented if f'id="rag.{name}"' not in text] == []


def test_search_index_has_each_page(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    indexed = {entry["location"].partition("#")[0] for entry in index["docs"]}
    pages = {page.relative_to(site).as_posix() for page in site.rglob("*.html")}
    assert pages - indexed - {"404.html", "index.html"} == set()


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    handler = partial(_Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


def test_search_finds_pages_without_a_network(browser: Browser, served: str) -> None:
    context = browser.new_context()
    try:
        page = context.new_page()
        requested: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        page.goto(f"{served}index.html")
        page.locator("input.md-search__input").fill("withdraw")
        result = page.locator(".md-search-result__link").first
        result.wait_for(timeout=120_000)  # the index is built in the page, beside other workers
        result.click()
        page.locator("article", has_text="withdraw").wait_for()
        assert requested
        assert [url for url in requested if not url.startswith((served, "data:", "blob:"))] == []
    finally:
        context.close()
