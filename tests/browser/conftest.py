"""Pages in the browser, and the real server over a small archive filled by the command."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.reader import WAIT
from tests.support.commands import command, environment, run
from tests.support.fakes import ARTICLES, as_json
from tests.support.ports import free_port as free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def invitation(
    browser: Browser, sample_archive: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address that `backfile serve` prints, for the sample and `tests.support.fakes`.

    Its token allows adding and removing articles.
    """
    folder = tmp_path_factory.mktemp("served")
    dump = folder / "articles.jsonl"
    dump.write_text("".join(json.dumps(as_json(article)) + "\n" for article in ARTICLES))
    archive = shutil.copytree(sample_archive, folder / "archive")
    assert run("ingest", dump, "--archive", archive).code == 0
    with serve(command("serve", "--port", free_port(), "--archive", archive)) as printed:
        yield printed


@pytest.fixture(scope="session")
def address(invitation: str) -> str:
    """The address of the same page for visitors, without the token."""
    return invitation.partition("?")[0]


@dataclass(frozen=True)
class Paced:
    """The page of `tests.browser.paced_page`; a file lets slow answers go on."""

    address: str
    go: Path


@pytest.fixture(scope="session")
def paced_server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paced]:
    from tests.browser.paced_page import serve_paced  # 2.5 s of Gradio, where there is a browser

    folder = tmp_path_factory.mktemp("paced")
    with serve_paced(folder) as address:
        yield Paced(address, folder / "go")


@pytest.fixture
def paced(paced_server: Paced) -> Iterator[Paced]:
    """A page whose slow answers wait until the test makes the file `go`."""
    paced_server.go.unlink(missing_ok=True)
    yield paced_server
    paced_server.go.touch()


@contextmanager
def serve(command: list[str], **settings: str) -> Iterator[str]:
    """Run a server until the block ends; yield the address that it prints, with its token."""
    with subprocess.Popen(
        command, env=environment(**settings), stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            assert line.startswith("Backfile is running at http"), line
            yield line.split()[4]
        finally:
            server.send_signal(signal.SIGINT)
            try:
                assert server.wait(timeout=60) == 0
            finally:
                server.kill()  # or leaving the block would wait for it, too


class Visitor:
    """A browser context that visitors use in turn: each finds the page's files cached.

    To open a page in it takes half of what it takes in a new one.
    """

    def __init__(self, browser: Browser) -> None:
        self.context = browser.new_context()
        self.context.set_default_timeout(WAIT)
        self._blank = self.context.new_page()
        self._storage = self.context.new_cdp_session(self._blank)

    def leave(self, origins: Iterable[str]) -> None:
        """Close the pages, and forget all that a visitor leaves in a browser."""
        for page in self.context.pages:
            if page is not self._blank:
                page.close()
        self.context.clear_cookies()
        for origin in origins:
            forgotten = {"origin": origin, "storageTypes": "local_storage,indexeddb"}
            self._storage.send("Storage.clearDataForOrigin", forgotten)


@pytest.fixture(scope="session")
def visitor(browser: Browser) -> Iterator[Visitor]:
    opened = Visitor(browser)
    yield opened
    opened.context.close()


@pytest.fixture
def open_page(
    browser: Browser, visitor: Visitor, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Open a page as a new visitor, with a size, a colour scheme and a query string.

    `beside` a page, it is another of the same visitor's.  Whatever a test does with it, what its
    browser asks for is asked of the page's own server.
    """
    contexts = []
    asked: list[tuple[str, str]] = []
    free = [visitor.context]  # for the first visitor without special options

    def opened(
        query: str = "",
        *,
        at: str = "",
        beside: Page | None = None,
        width: int = 1280,
        height: int = 900,
        **given: Any,
    ) -> Page:
        address = at or request.getfixturevalue("address")
        if beside is not None:
            context = beside.context
        elif free and not given:
            context = free.pop()
        else:
            context = browser.new_context(**given)
            context.set_default_timeout(WAIT)
            contexts.append(context)
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        own = address.partition("?")[0]
        page.on("request", lambda request: asked.append((own, request.url)))
        page.goto(address + query)
        page.locator("#bf-question textarea").wait_for()
        page.locator("#bf-banner header").wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
    visitor.leave({own.rstrip("/") for own, _ in asked})
    assert [url for own, url in asked if not url.startswith((own, "data:", "blob:"))] == []
