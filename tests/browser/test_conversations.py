"""Conversations: kept in the browser, opened, renamed, deleted, and brought back."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Paced
from tests.browser.reader import (
    Opened,
    ask_and_wait,
    cards,
    choose_mode,
    wait_for_version,
)

BRIDGE = "What of the harbour bridge?"
APPLES = "What of the apples and the growers?"


def listed(page: Page) -> Locator:
    """Return the conversations in the rail."""
    return page.locator("#bf-conversations li[data-conversation]")


def menu(page: Page, title: str) -> Locator:
    """Open the menu of a conversation, and return it."""
    found = listed(page).filter(has_text=title).locator(".bf-menu")
    found.locator("summary").click()
    return found


def ask_two(page: Page) -> None:
    """Ask about the bridge in a conversation, and about apples in another."""
    ask_and_wait(page, BRIDGE)
    page.get_by_role("button", name="New", exact=True).click()
    expect(page.get_by_test_id("user")).to_have_count(0)
    ask_and_wait(page, APPLES)


def test_conversations_and_versions_are_kept_in_the_browser(
    open_page: Opened, paced: Paced
) -> None:
    page = open_page(at=paced.address)
    ask_two(page)
    choose_mode(page, "Passages")
    wait_for_version(page, 2, 2)
    page.reload()
    expect(page.get_by_test_id("user")).to_have_text(APPLES)
    expect(page.locator(".bf-versions")).to_contain_text("2 of 2")
    expect(cards(page).first).to_contain_text("Orchards expect")
    page.get_by_role("button", name="Bad answer").click()
    expect(page.locator("#bf-opinion").first).to_be_visible()
    listed(page).get_by_role("button", name=BRIDGE, exact=True).click()
    expect(page.get_by_test_id("user")).to_have_text(BRIDGE)
    expect(page.locator("#bf-opinion").first).to_be_hidden()
    expect(listed(page).locator("[aria-current]")).to_have_text(BRIDGE)
    page.locator(".bf-cite").first.click()
    expect(page.locator(".bf-article h2")).to_contain_text("Harbour bridge closed")
    page.get_by_role("button", name="New", exact=True).click()
    expect(cards(page)).to_have_count(0)
    page.reload()
    expect(listed(page)).to_have_count(2)


def test_conversation_is_renamed_by_keyboard(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_two(page)
    expect(page.locator("#bf-conversations h2")).to_have_text("Today")
    menu(page, BRIDGE).get_by_role("button", name="Rename").click()
    field = listed(page).locator("input")
    expect(field).to_be_focused()
    expect(field).to_have_value(BRIDGE)
    page.keyboard.type("Bridge & <b>ferries</b>")
    page.keyboard.press("Enter")
    renamed = listed(page).get_by_role("button", name="Bridge & <b>ferries</b>", exact=True)
    expect(renamed).to_be_visible()
    expect(renamed).to_be_focused()
    menu(page, APPLES).get_by_role("button", name="Rename").click()
    page.keyboard.type("Something else")
    page.keyboard.press("Escape")
    expect(listed(page).get_by_role("button", name=APPLES, exact=True)).to_be_visible()
    page.reload()
    expect(renamed).to_be_visible()
    expect(listed(page)).to_have_count(2)


def test_deleted_conversation_can_be_brought_back(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_two(page)
    menu(page, APPLES).get_by_role("button", name="Delete").click()
    expect(listed(page)).to_have_count(1)
    expect(page.get_by_test_id("user")).to_have_count(0)
    undo = page.get_by_role("button", name="Undo")
    expect(page.get_by_role("status").filter(has_text="Deleted")).to_contain_text(APPLES)
    expect(undo).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("user")).to_have_text(APPLES)
    expect(listed(page)).to_have_count(2)
    expect(undo).to_have_count(0)
    menu(page, BRIDGE).get_by_role("button", name="Delete").click()
    expect(listed(page)).to_have_count(1)
    expect(page.get_by_test_id("user")).to_have_text(APPLES)
    page.reload()
    expect(page.get_by_test_id("user")).to_have_text(APPLES)
    expect(listed(page)).to_have_count(1)
    expect(undo).to_have_count(0)
