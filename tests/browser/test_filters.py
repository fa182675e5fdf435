"""Filters: dates, publishers, authors, sections; and passages without an answer."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from tests.browser.reader import Opened, ask_and_wait, cards, chips
from tests.support.fakes import ARABIC

THREATS = "What did South Korea threaten?"


def test_search_is_limited_by_dates_and_reset(open_page: Opened) -> None:
    page = open_page()
    page.get_by_role("button", name="Filters ▼").click()
    page.get_by_label("From date").fill("2024-10-22")
    page.get_by_label("To date").fill("22 October 2024")
    ask_and_wait(page, THREATS)
    dates = cards(page).locator("time").all_inner_texts()
    assert dates
    assert all(date.startswith("22 October 2024") for date in dates)
    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_label("From date")).to_have_value("")


def test_invalid_date_is_reported(open_page: Opened) -> None:
    page = open_page()
    page.get_by_role("button", name="Filters ▼").click()
    page.get_by_label("From date").fill("10/11/2024")
    ask_and_wait(page, THREATS)
    expect(page.get_by_text("“10/11/2024” is not a date")).to_be_visible()


@pytest.mark.parametrize(
    ("field", "choice"),
    [("Publishers", "Pellworth Tribune"), ("Authors", "Ines Calloway"), ("Sections", "World")],
)
def test_search_is_limited_to_chosen_values(open_page: Opened, field: str, choice: str) -> None:
    page = open_page()
    page.get_by_role("button", name="Filters ▼").click()
    box = page.get_by_label(field, exact=True)
    box.click()
    box.fill(choice)
    page.get_by_role("option", name=choice, exact=True).click()
    ask_and_wait(page, THREATS)
    expect(chips(page)).to_have_text(f"only {choice}")
    found = cards(page).locator(".bf-facts").all_inner_texts()
    assert found
    assert all(choice in facts for facts in found)


def test_search_is_limited_to_a_language(open_page: Opened) -> None:
    page = open_page()
    page.get_by_role("button", name="Filters ▼").click()
    box = page.get_by_label("Languages", exact=True)
    box.click()
    box.fill("ar")
    page.get_by_role("option", name="ar", exact=True).click()
    page.locator("#bf-mode").get_by_label("Passages").check()
    ask_and_wait(page, "The harbour bridge after the storm")
    expect(cards(page)).to_have_count(1)
    expect(cards(page)).to_contain_text(ARABIC.title)


def test_passages_mode_shows_either_order_without_answer(open_page: Opened) -> None:
    page = open_page()
    page.locator("#bf-mode").get_by_label("Passages").check()
    answer = ask_and_wait(page, "North Korean soldiers")
    expect(answer).to_contain_text("passages")
    expect(answer.locator(".bf-statement")).to_have_count(0)
    assert cards(page).count() > 5
    expect(page.locator("#bf-time")).to_contain_text("matching articles")
    expect(page.locator(".bf-legend")).to_have_count(0)
    page.get_by_role("button", name="Filters ▼").click()
    page.get_by_label("Newest first").check()
    ask_and_wait(page, "North Korean soldiers in Russia")
    stamps = page.locator(".bf-now time").evaluate_all(
        "times => times.map((time) => Date.parse(time.textContent.split(',')[0] + ' UTC'))"
    )
    assert len(stamps) > 5
    assert stamps == sorted(stamps, reverse=True)
