"""An answer that grows changes nothing else on the page."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Paced
from tests.browser.reader import Opened, ask, ask_and_wait, export_menu, wait_for_answer

APPLES = "What of the apples and the growers?"
SLOW_BRIDGE = "What of the harbour bridge, its repairs and the ferries, slowly?"
SELECT = """(element) => {
  const chosen = document.createRange();
  chosen.selectNodeContents(element);
  getSelection().removeAllRanges();
  getSelection().addRange(chosen);
  return getSelection().toString();
}"""


def selected(page: Page) -> str:
    """Return the selected text."""
    return str(page.evaluate("getSelection().toString()"))


def ask_slowly_after(page: Page, question: str) -> None:
    """Ask a question, then a slow one, whose first statement is there when this returns."""
    ask_and_wait(page, question)
    ask(page, SLOW_BRIDGE)
    expect(page.get_by_test_id("bot").last.locator(".bf-statement")).to_have_count(1)


def test_earlier_answer_keeps_selection_and_menu(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_slowly_after(page, APPLES)
    first = page.get_by_test_id("bot").first
    chosen = first.locator(".bf-statement").first.evaluate(SELECT)
    menu = page.locator(".bf-tools .bf-menu").first
    menu.evaluate("menu => { menu.open = true; }")
    first.locator(".bf-statement").first.evaluate("one => { one.kept = true; }")
    paced.go.touch()
    wait_for_answer(page)
    expect(page.get_by_test_id("bot").last.locator(".bf-statement")).not_to_have_count(1)
    assert selected(page) == chosen != ""
    expect(menu).to_have_attribute("open", "")
    assert first.locator(".bf-statement").first.evaluate("one => one.kept")


def test_growing_answer_keeps_what_is_read_in_it(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_slowly_after(page, APPLES)
    growing = page.get_by_test_id("bot").last
    chosen = growing.locator(".bf-statement").first.evaluate(SELECT)
    cite = growing.locator(".bf-cite").first
    cite.focus()
    expect(page.get_by_role("tooltip")).to_be_visible()
    more = page.locator(".bf-now .bf-card details").first
    has_more = more.count() > 0
    if has_more:
        more.evaluate("one => { one.open = true; }")
    paced.go.touch()
    wait_for_answer(page)
    assert selected(page) == chosen != ""
    expect(cite).to_be_focused()
    expect(cite).to_have_attribute("aria-describedby", "bf-preview")
    expect(page.get_by_role("tooltip")).to_be_visible()
    lit = "bf-statement bf-is-supported bf-lit"
    expect(growing.locator(".bf-statement").first).to_have_class(lit)
    if has_more:
        expect(more).to_have_attribute("open", "")


def test_finished_thread_is_the_one_that_a_new_page_shows(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_slowly_after(page, APPLES)
    paced.go.touch()
    wait_for_answer(page)
    ask_and_wait(page, "Xylophones of Peru?")
    export_menu(page)
    page.keyboard.press("Escape")
    drawn = page.locator("#bf-thread").inner_text()
    cards = page.locator("#bf-evidence").inner_text()
    other = open_page(beside=page, at=paced.address)
    expect(other.get_by_test_id("user")).to_have_count(3)
    assert other.locator("#bf-thread").inner_text() == drawn
    assert other.locator("#bf-evidence").inner_text() == cards
