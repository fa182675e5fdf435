"""The calendar of what the archive covers: counts by keyboard, by touch, and read aloud."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Paced
from tests.browser.reader import Opened, accessibility_problems

COURIER, GAZETTE = "The Harbour Courier", "Orchard Gazette"


def open_calendar(page: Page) -> Locator:
    page.locator("#bf-banner summary").click()
    calendar = page.locator("#bf-banner").get_by_role("grid")
    calendar.wait_for()
    return calendar


def test_counts_are_read_by_keyboard(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    calendar = open_calendar(page)
    said = page.locator("#bf-banner .bf-cell")
    expect(calendar.locator('[tabindex="0"]')).to_have_count(1)
    calendar.locator('[tabindex="0"]').focus()
    names = calendar.get_by_role("rowheader")
    first = names.first.inner_text().rsplit(" ", 1)[0].strip()
    expect(said).to_have_text(re.compile(f"{re.escape(first)}, 21 Oct 2024: \\d article"))
    page.keyboard.press("ArrowRight")
    expect(said).to_have_text(re.compile("22 Oct 2024"))
    page.keyboard.press("End")
    expect(said).to_have_text(re.compile("24 Oct 2024"))
    page.keyboard.press("ArrowDown")
    second = names.nth(1).inner_text().rsplit(" ", 1)[0].strip()
    expect(said).to_have_text(re.compile(f"{re.escape(second)}, 24 Oct 2024"))
    expect(calendar.locator(":focus")).to_have_attribute("tabindex", "0")
    expect(calendar.locator('[tabindex="0"]')).to_have_count(1)
    page.keyboard.press("Home")
    expect(said).to_have_text(re.compile("21 Oct 2024"))
    assert accessibility_problems(page) == []


def test_counts_are_read_aloud_and_by_touch(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, has_touch=True)
    calendar = open_calendar(page)
    row = calendar.get_by_role("row").filter(has_text=COURIER)
    cell = row.get_by_role("gridcell", name="21 Oct 2024: 1 article", exact=True)
    expect(cell).to_have_count(1)
    cell.tap()
    expect(page.locator("#bf-banner .bf-cell")).to_have_text(f"{COURIER}, 21 Oct 2024: 1 article")
