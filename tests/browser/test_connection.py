"""A server that stops, starts again, or breaks a request off: the question is kept and retried."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, Route, expect

from rag.settings import Settings
from tests.browser.conftest import ROOT, Paced, free_port
from tests.browser.reader import WAIT, Opened, ask, ask_and_wait, choose_mode, wait_for_version
from tests.support.commands import environment
from tests.support.fakes import PacedChatbot, small_archive
from ui.web.app import start_programs

BRIDGE = "What of the harbour bridge?"
APPLES = "What of the apples and the growers?"
LOST = "No connection to the archive"


class Stoppable:
    """A server of the small archive that is killed and starts again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        program = [sys.executable, "-m", "tests.browser.paced_page", self.folder, str(self.port)]
        self.server = subprocess.Popen(
            program, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self.server.stdout is not None
        assert self.server.stdout.readline() == f"{self.address}\n"

    def stop(self) -> None:
        self.server.kill()
        self.server.communicate()


@pytest.fixture
def stoppable(browser: Browser, tmp_path: Path) -> Iterator[Stoppable]:
    server = Stoppable(tmp_path)
    server.start()
    yield server
    server.stop()


def expect_lost(page: Page, question: str) -> None:
    """Expect that the page says once that the connection is lost, with the question kept."""
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.get_by_role("alert")).to_contain_text(LOST)
    expect(page.locator("#bf-question textarea")).to_have_value(question)


def test_question_asked_while_the_page_loads_is_answered(browser: Browser, paced: Paced) -> None:
    for _ in range(3):
        context = browser.new_context()
        page = context.new_page()
        page.goto(paced.address)
        ask_and_wait(page, BRIDGE)
        expect(page.get_by_test_id("user")).to_have_count(1)
        context.close()


def test_question_to_a_stopped_server_is_retried(open_page: Opened, stoppable: Stoppable) -> None:
    page = open_page(at=stoppable.address)
    ask_and_wait(page, BRIDGE)
    stoppable.stop()
    ask(page, APPLES)
    expect_lost(page, APPLES)
    page.get_by_role("button", name="Retry").click()
    expect_lost(page, APPLES)
    stoppable.start()
    page.wait_for_timeout(3000)  # Gradio would have loaded the page again
    expect_lost(page, APPLES)
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_test_id("bot").last).to_contain_text("a third fewer")
    expect(page.get_by_test_id("user")).to_have_count(2)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#bf-question textarea")).to_have_value("")


def test_answer_that_a_stop_cuts_off_is_asked_again(
    open_page: Opened, stoppable: Stoppable
) -> None:
    slow = "What of the harbour bridge, slowly?"
    page = open_page(at=stoppable.address)
    ask_and_wait(page, APPLES)
    choose_mode(page, "Passages")
    wait_for_version(page, 2, 2)
    choose_mode(page, "Answer")
    wait_for_version(page, 3, 3)
    ask(page, slow)
    expect(page.get_by_test_id("bot").last.locator(".bf-statement")).to_have_count(1)
    stoppable.stop()
    expect_lost(page, slow)
    (stoppable.folder / "go").touch()
    stoppable.start()
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_test_id("user").last).to_have_text(slow)
    expect(page.get_by_test_id("bot").last).to_contain_text("closed on Monday")
    expect(page.get_by_test_id("user")).to_have_count(2)


def break_off(route: Route) -> None:
    route.abort("connectionreset")


def unavailable(route: Route) -> None:
    route.fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>")


@pytest.mark.parametrize("fail", [break_off, unavailable])
@pytest.mark.parametrize("part", ["queue/join", "queue/data"])
def test_request_that_fails_is_retried(
    open_page: Opened, paced: Paced, part: str, fail: Callable[[Route], None]
) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, BRIDGE)
    page.wait_for_timeout(500)  # the requests that follow the answer have ended
    page.route(f"**/{part}*", fail)
    ask(page, APPLES)
    expect_lost(page, APPLES)
    page.unroute(f"**/{part}*")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_test_id("bot").last).to_contain_text("a third fewer")
    expect(page.get_by_test_id("user")).to_have_count(2)


def test_typed_words_are_not_asked_by_themselves(open_page: Opened, stoppable: Stoppable) -> None:
    page = open_page(at=stoppable.address)
    ask_and_wait(page, BRIDGE)
    page.locator("#bf-question textarea").fill("What of the app")
    stoppable.stop()
    page.locator("#bf-new").click()  # a request that fails
    expect(page.get_by_role("alert")).to_contain_text(LOST)
    stoppable.start()
    page.get_by_role("button", name="Retry").click()
    page.locator("#bf-banner header").wait_for()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#bf-question textarea")).to_have_value("What of the app")
    page.wait_for_timeout(2000)  # it would have been asked by now
    expect(page.get_by_test_id("user")).to_have_count(1)
    expect(page.locator("#bf-question textarea")).to_have_value("What of the app")


def test_offline_page_says_so_and_keeps_the_question(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, reduced_motion="reduce")
    ask_and_wait(page, BRIDGE)
    page.context.set_offline(True)
    try:
        expect(page.get_by_role("alert")).to_contain_text("No connection to the archive")
        ask(page, APPLES)
        expect(page.locator("#bf-question textarea")).to_have_value(APPLES)
        expect(page.get_by_test_id("user")).to_have_count(1)
        page.get_by_role("button", name="Retry").click()
        expect(page.get_by_role("alert")).to_contain_text("No connection to the archive")
    finally:
        page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#bf-question textarea")).to_have_value(APPLES)
    page.reload()
    page.locator("#bf-banner header").wait_for()
    expect(page.locator("#bf-question textarea")).to_have_value(APPLES)
    page.locator("#bf-question textarea").press("Enter")
    expect(page.get_by_test_id("bot").last).to_contain_text("a third fewer")


def test_page_of_a_starting_server_opens_by_itself(browser: Browser, tmp_path: Path) -> None:
    """A browser that comes first, and one whose page is open while the server starts again."""
    with small_archive(tmp_path / "archive") as archive:
        settings = Settings(archive=archive.path, port=free_port(), write_access="none")
        chatbot: Any = PacedChatbot(archive, tmp_path / "go")
        served = start_programs(archive, chatbot, settings)
        page = browser.new_page()
        page.set_default_timeout(WAIT)
        page.goto(served.address)
        expect(page.get_by_role("status")).to_contain_text("The page is starting.")
        served.open_page()
        page.locator("#bf-banner header").wait_for()
        served.close()
        served = start_programs(archive, chatbot, settings)
        ask(page, APPLES)
        expect_lost(page, APPLES)
        page.get_by_role("button", name="Retry").click()
        expect_lost(page, APPLES)
        served.open_page()
        page.get_by_role("button", name="Retry").click()
        expect(page.get_by_test_id("bot").last).to_contain_text("a third fewer")
        page.close()
        served.close()
