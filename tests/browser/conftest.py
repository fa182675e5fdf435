"""A browser, and the real server over a small archive that the command has filled."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes import ARTICLES, as_json

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no browser: `apt-get install chromium`, or any Chrome, puts one in the path")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def address(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `backfile serve` over the articles of `tests.fakes`."""
    folder = tmp_path_factory.mktemp("served")
    dump = folder / "articles.jsonl"
    dump.write_text("".join(json.dumps(as_json(article)) + "\n" for article in ARTICLES))
    backfile = [sys.executable, "-m", "ui.cli"]
    archive = ["--archive", str(folder / "archive")]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("BACKFILE_")}
    environ["PYTHONPATH"] = str(ROOT)
    subprocess.run([*backfile, "ingest", str(dump), *archive], env=environ, check=True, timeout=120)
    server = subprocess.Popen(
        [*backfile, "serve", "--port", str(_free_port()), *archive],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line.startswith("Backfile is at http"), line
    yield line.split()[3]
    server.send_signal(signal.SIGINT)
    assert server.wait(timeout=30) == 0
    server.stdout.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open the page as a new visitor; `width`, `height` and `color_scheme` may be given."""
    contexts = []

    def opened(width: int = 1280, height: int = 900, **given: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **given)
        contexts.append(context)
        page = context.new_page()
        page.goto(address)
        page.get_by_placeholder("Ask the archive").wait_for()
        page.locator("#bf-banner").get_by_text("articles").wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
