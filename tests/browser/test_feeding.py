"""Feeding: who may drops files, pastes addresses, sees what came of it, and takes out again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Paced, free_port, serving
from tests.browser.person import Opened, ask_and_wait, cards, serious, settled

FERRY = {
    "url": "https://ferry.example/sunk",
    "title": "Ferry Matilda sinks in the sound",
    "text": "The ferry Matilda sank in the sound on Tuesday. All were saved, the harbour said.",
    "publisher": "Sound Herald",
    "published": "2024-10-25",
}
MATILDA = "What became of the ferry Matilda?"


@pytest.fixture(scope="module")
def minded(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page whose visitors may feed it from this machine."""
    folder = tmp_path_factory.mktemp("minded")
    (folder / "go").touch()
    command = [sys.executable, "-m", "tests.browser.paced", str(folder), str(free_port()), "local"]
    with serving(command) as address:
        yield address


def open_minding(page: Page) -> None:
    page.get_by_role("button", name="Toggle sidebar").click()
    page.get_by_role("button", name="Put in and take out").click()


def test_a_file_is_dropped_its_report_read_and_a_question_answered_from_it(
    open_page: Opened, minded: str, tmp_path: Path
) -> None:
    page = open_page(at=minded)
    dump = tmp_path / "dump.jsonl"
    open_minding(page)
    expect(page.locator("#bf-status")).to_contain_text("sequence number")
    for line, said in (
        ({**FERRY, "text": "The ferry Matilda is late."}, "1 new, 0 changed, 0 unchanged"),
        (FERRY, "0 new, 1 changed, 0 unchanged, 1 rejected"),
    ):
        dump.write_text(json.dumps(line) + "\n{broken\n")
        page.locator("#bf-files input[type=file]").set_input_files(dump)
        expect(page.locator("#bf-files")).to_contain_text("dump")
        page.get_by_role("button", name="Put in", exact=True).click()
        expect(page.locator("#bf-told")).to_contain_text(said)
    expect(page.locator("#bf-told li")).to_contain_text("dump.jsonl:2")
    expect(page.locator("#bf-banner")).to_contain_text("5 articles")
    page.get_by_role("button", name="Toggle sidebar").click()
    expect(ask_and_wait(page, MATILDA)).to_contain_text("sank in the sound on Tuesday")

    cards(page).first.get_by_role("button", name="Open the article").click()
    page.get_by_text("2 revisions").click()
    page.get_by_role("button", name="Revision 1").click()
    expect(page.locator(".bf-text")).to_have_text("The ferry Matilda is late.")
    page.get_by_role("button", name="Remove this article").click()
    expect(page.locator("#bf-sure")).to_contain_text("Remove “Ferry Matilda sinks in the sound”")
    assert serious(page) == []
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#bf-sure")).to_be_hidden()
    page.get_by_role("button", name="Remove this article").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("1 article removed.")).to_be_visible()
    expect(page.locator("#bf-banner")).to_contain_text("4 articles")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_test_id("bot")).not_to_contain_text("sank in the sound")
    settled(page)


def test_a_pasted_address_is_fetched_by_the_rules(open_page: Opened, minded: str) -> None:
    page = open_page(at=minded)
    open_minding(page)
    expect(page.get_by_role("button", name="Put in", exact=True)).to_be_visible()
    assert serious(page) == []
    box = page.get_by_label("Web addresses")
    box.fill("/etc/passwd")
    page.get_by_role("button", name="Put in", exact=True).click()
    expect(page.locator("#bf-told")).to_contain_text("/etc/passwd is no web address")
    box.fill("http://127.0.0.1:9/secret")
    page.get_by_role("button", name="Put in", exact=True).click()
    expect(page.locator("#bf-told")).to_contain_text("0 new, 0 changed, 0 unchanged, 1 rejected")
    expect(page.locator("#bf-told li")).to_contain_text("http://127.0.0.1:9/secret")


def test_who_may_not_feed_sees_nothing_of_it(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, "What of the harbour bridge?")
    page.get_by_role("button", name="Toggle sidebar").click()
    expect(page.get_by_role("button", name="New conversation")).to_be_visible()
    expect(page.get_by_role("button", name="Put in and take out")).to_have_count(0)
    page.get_by_role("button", name="Toggle sidebar").click()
    cards(page).first.get_by_role("button", name="Open the article").click()
    expect(page.locator(".bf-article")).to_be_visible()
    expect(page.get_by_role("button", name="Remove this article")).to_have_count(0)
