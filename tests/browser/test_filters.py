"""Filters: chips for dates, publishers and more; what was understood; and passages only."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Paced
from tests.browser.reader import (
    Opened,
    ask,
    ask_and_wait,
    cards,
    choose_mode,
    open_panel,
    understood,
    wait_for_answer,
    wait_for_version,
)
from tests.support.fakes import ARABIC

THREATS = "What did South Korea threaten?"
BRIDGE = "What of the harbour bridge?"
RED = "element => getComputedStyle(element).borderTopColor"


def expect_no_filters(page: Page) -> None:
    """Expect that neither the chips nor the fields have a filter."""
    expect(page.locator(".bf-chip")).to_have_text(["Date", "Publisher", "More filters"])
    expect(page.locator(".bf-clear")).to_have_count(0)
    for name in ("after", "before", "asked-on"):
        expect(page.locator(f"#bf-{name} textarea")).to_have_value("")
    expect(page.locator(".bf-sheet .token")).to_have_count(0)


def test_preset_asks_again_and_shows_on_its_chip(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    panel = open_panel(page, "date")
    panel.get_by_label("Past week").check()
    wait_for_version(page, 2, 2)
    expect(page.locator(".bf-chip[data-panel=date]")).to_have_text("18 Dec 2024 – 24 Dec 2024")
    expect(understood(page)).to_have_count(0)  # chips of what was typed only
    expect(page.locator("#bf-after textarea")).to_have_value("2024-12-18")
    panel.get_by_label("Any time").check()
    wait_for_version(page, 3, 3)
    expect_no_filters(page)
    expect(page.get_by_test_id("user")).to_have_count(1)


def test_typed_dates_limit_the_search_until_they_are_cleared(open_page: Opened) -> None:
    page = open_page()
    panel = open_panel(page, "date")
    panel.get_by_label("From date").fill("2024-10-22")
    panel.get_by_label("To date").fill("22 October 2024")
    ask_and_wait(page, THREATS)
    dates = cards(page).locator("time").all_inner_texts()
    assert dates
    assert all(date.startswith("22 October 2024") for date in dates)
    expect(page.locator(".bf-chip[data-panel=date]")).to_have_text("22 Oct 2024")
    page.get_by_role("button", name="Clear", exact=True).click()
    wait_for_version(page, 2, 2)
    expect_no_filters(page)
    assert len(set(cards(page).locator("time").all_inner_texts())) > 1


def test_bad_date_turns_its_field_red_and_nothing_is_asked(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    panel = open_panel(page, "date")
    field = panel.get_by_label("From date")
    usual = field.evaluate(RED)
    field.fill("10/11/2024")
    page.locator("#bf-question textarea").click()
    expect(panel).to_be_hidden()
    ask(page, BRIDGE)
    expect(page.get_by_role("alert")).to_contain_text("“10/11/2024” is not a date")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert field.evaluate(RED) != usual
    assert panel.get_by_label("To date").evaluate(RED) == usual
    chip = page.locator(".bf-chip[data-panel=date]")
    assert chip.evaluate(RED) == field.evaluate(RED)
    expect(page.get_by_test_id("user")).to_have_count(0)
    expect(page.locator("#bf-question textarea")).to_have_value(BRIDGE)
    open_panel(page, "date").get_by_label("From date").fill("1 October 2024")
    ask_and_wait(page, BRIDGE)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator(".bf-chip[data-panel=date]")).to_have_text("from 1 Oct 2024")


def choose(page: Page, field: str, choice: str) -> None:
    """Choose a value of a list of names by typing it."""
    box = page.get_by_label(field, exact=True)
    box.click()
    box.fill(choice)
    page.get_by_role("option", name=choice).first.click()


def test_publisher_with_its_count_limits_the_answer(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    open_panel(page, "publisher")
    box = page.get_by_label("Publishers", exact=True)
    box.click()
    box.fill("Pellworth")
    option = page.get_by_role("option", name="Pellworth Tribune")
    expect(option).to_contain_text("(")
    option.click()
    wait_for_version(page, 2, 2)
    expect(page.locator(".bf-chip[data-panel=publisher]")).to_have_text("Pellworth Tribune")
    found = cards(page).locator(".bf-facts").all_inner_texts()
    assert found
    assert all("Pellworth Tribune" in facts for facts in found)


@pytest.mark.parametrize(("field", "choice"), [("Authors", "Ines Calloway"), ("Sections", "World")])
def test_more_filters_limit_the_answer_and_show_on_their_chip(
    open_page: Opened, field: str, choice: str
) -> None:
    page = open_page()
    open_panel(page, "more")
    choose(page, field, choice)
    expect(page.locator(".bf-chip[data-panel=more]")).to_have_text(choice)
    ask_and_wait(page, THREATS)
    expect(page.locator(".bf-chip[data-panel=more]")).to_have_text(choice)
    expect(cards(page).first).to_be_visible()
    cards(page).first.locator("h3 button").click()
    expect(page.locator(".bf-article .bf-facts")).to_contain_text(choice)


def test_search_is_limited_to_a_language(open_page: Opened) -> None:
    page = open_page()
    open_panel(page, "more")
    choose(page, "Languages", "ar")
    page.keyboard.press("Escape")
    choose_mode(page, "Passages")
    ask_and_wait(page, "The harbour bridge after the storm")
    expect(cards(page)).to_have_count(1)
    expect(cards(page)).to_contain_text(ARABIC.title)


def test_new_conversation_has_no_filter_and_no_mode_of_the_last(
    open_page: Opened, paced: Paced
) -> None:
    page = open_page(at=paced.address)
    panel = open_panel(page, "date")
    panel.get_by_label("From date").fill("2024-10-01")
    page.keyboard.press("Escape")
    open_panel(page, "publisher")
    choose(page, "Publishers", "The Harbour Courier")
    choose_mode(page, "Passages")
    ask_and_wait(page, BRIDGE)
    page.get_by_role("button", name="New", exact=True).click()
    expect(page.get_by_test_id("user")).to_have_count(0)
    expect_no_filters(page)
    expect(page.locator("#bf-mode").get_by_label("Answer")).to_be_checked()
    ask_and_wait(page, "What of the apples and the growers?")
    expect(cards(page).first).to_contain_text("Orchards expect")


def test_filters_never_outlive_what_shows_them(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, "What of the apples and the growers?")
    page.get_by_role("button", name="New", exact=True).click()
    panel = open_panel(page, "date")
    panel.get_by_label("To date").fill("2024-10-21")
    ask_and_wait(page, BRIDGE)
    expect(page.locator(".bf-chip[data-panel=date]")).to_have_text("until 21 Oct 2024")
    page.get_by_role("button", name="What of the apples", exact=False).first.click()
    expect(page.get_by_test_id("user")).to_contain_text("apples")
    expect_no_filters(page)  # that conversation has none
    expect(ask_and_wait(page, "What of the frost and the blossom?")).to_contain_text("killed")
    page.reload()
    expect(page.get_by_test_id("user").last).to_contain_text("frost")
    expect_no_filters(page)
    page.get_by_role("button", name=BRIDGE).first.click()
    expect(page.locator(".bf-chip[data-panel=date]")).to_have_text("until 21 Oct 2024")
    expect(page.locator("#bf-before textarea")).to_have_value("2024-10-21")


def test_understood_date_is_removed_by_its_chip(open_page: Opened) -> None:
    page = open_page()
    answer = ask_and_wait(page, "What did South Korea threaten in March 2023?")
    expect(answer.locator(".bf-refused")).to_be_visible()
    expect(answer).to_contain_text("The archive has no articles from this period.")
    understood(page).filter(has_text="published 1 March 2023").click()
    answer = wait_for_version(page, 2, 2)
    expect(answer.locator(".bf-statement").first).to_contain_text("South Korea")
    expect(answer).to_contain_text("date filter ignored")
    expect(page.get_by_test_id("user")).to_have_count(1)
    expect(page.locator("#bf-understood")).to_be_hidden()


def test_refusal_offers_a_search_without_its_dates(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    panel = open_panel(page, "date")
    panel.get_by_label("From date").fill("2019-01-01")
    panel.get_by_label("To date").fill("2019-02-01")
    answer = ask_and_wait(page, BRIDGE)
    expect(answer.locator(".bf-status")).to_contain_text("Not found")
    answer.get_by_role("button", name="Search without the date filter").click()
    answer = wait_for_version(page, 2, 2)
    expect(answer).to_contain_text("closed on Monday")
    expect(page.get_by_role("button", name="Search without the date filter")).to_have_count(0)
    expect_no_filters(page)
    page.locator(".bf-versions button").first.click()
    wait_for_version(page, 1, 2)
    expect(page.get_by_role("button", name="Search without the date filter")).to_be_visible()


def test_passages_mode_shows_either_order_without_answer(open_page: Opened) -> None:
    page = open_page()
    choose_mode(page, "Passages")
    answer = ask_and_wait(page, "North Korean soldiers in Russia")
    expect(answer).to_contain_text("passages")
    expect(answer.locator(".bf-statement")).to_have_count(0)
    assert cards(page).count() > 5
    expect(page.locator("#bf-time")).to_contain_text("matching articles")
    open_panel(page, "more").get_by_label("Newest first").check()
    wait_for_version(page, 2, 2)
    stamps = page.locator(".bf-now time").evaluate_all(
        "times => times.map((time) => Date.parse(time.dateTime))"
    )
    assert len(stamps) > 5
    assert stamps == sorted(stamps, reverse=True)
    wait_for_answer(page)
