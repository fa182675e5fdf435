"""Time: the histogram and the range it sets, the timeline, the coverage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from tests.browser.reader import Opened, ask, ask_and_wait, cards, chips, wait_for_answer

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

THREATS = "What did South Korea threaten?"


def bars(page: Page) -> Locator:
    """Return the bars of the plot with at least one article."""
    return page.locator("#bf-plot path[aria-roledescription=bar]:not([aria-label*='Articles: 0'])")


def cited_day(page: Page) -> str:
    """Return a day of the plot on which a cited article was published."""
    days = page.locator("#bf-busiest label")
    days.first.wait_for()
    offered = [text.rsplit(" (", 1)[0].strip() for text in days.all_inner_texts()]
    cited = [text.split(",")[0] for text in cards(page).locator("time").all_inner_texts()]
    return next(day for day in cited if day in offered)


def expect_answer_from(page: Page, day: str) -> None:
    """Expect an answer from articles of that day alone."""
    expect(chips(page)).to_have_text(f"only {day}")
    expect(wait_for_answer(page).locator(".bf-cite").first).to_be_visible()
    expect(page.get_by_test_id("user")).to_have_count(1)
    dates = cards(page).locator("time").all_inner_texts()
    assert dates
    assert all(date.startswith(day) for date in dates)


def test_histogram_is_shown_with_cited_articles_marked(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    plot = page.locator("#bf-plot")
    expect(plot.locator("svg")).to_be_visible()
    expect(page.locator("#bf-time")).to_contain_text(re.compile(r"\d+ matching articles"))
    expect(page.locator("#bf-time")).to_contain_text("by day")
    expect(page.locator(".bf-legend")).to_contain_text("not cited")
    signs = page.locator(".bf-legend i").evaluate_all(
        "signs => signs.map((sign) => getComputedStyle(sign).backgroundColor)"
    )
    shown = bars(page).evaluate_all(
        "bars => bars.map((bar) => getComputedStyle(bar).fill)",
    )
    assert set(shown) == set(signs)
    assert len(shown) > 3


def test_histogram_belongs_to_the_last_question(open_page: Opened) -> None:
    page = open_page()
    days = page.locator("#bf-busiest")
    ask_and_wait(page, THREATS)
    before = days.inner_text()
    ask_and_wait(page, "What happened with North Korean soldiers in Russia?")
    expect(days).not_to_have_text(before)
    day, count = days.locator("label").last.inner_text().strip(" )").split(" (")
    number, month, _ = day.split()
    shown = bars(page).and_(page.locator(f"[aria-label*='{month[:3]} {number:0>2},']"))
    expect(shown).not_to_have_count(0)
    told = [
        re.search(r"Articles: (\d+)", bar.get_attribute("aria-label") or "") for bar in shown.all()
    ]
    assert sum(int(found[1]) for found in told if found) == int(count)


def test_dragging_over_the_histogram_sets_the_time_range(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    plot = page.locator("#bf-plot svg")
    box = plot.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, middle, steps=5)
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
    page.mouse.up()
    expect(page.locator("#bf-understood")).to_contain_text("only")
    wait_for_answer(page)
    expect(page.get_by_test_id("user")).to_have_count(1)


@pytest.mark.parametrize("timezone", ["America/Los_Angeles", "Asia/Tokyo"])
def test_click_on_a_bar_limits_to_its_day(open_page: Opened, timezone: str) -> None:
    page = open_page(timezone_id=timezone)
    ask_and_wait(page, THREATS)
    day = cited_day(page)
    number, month, _ = day.split()
    bars(page).and_(page.locator(f"[aria-label*='{month[:3]} {number:0>2},']")).last.click()
    expect_answer_from(page, day)


def test_question_over_weeks_is_plotted_by_week(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, "What happened with the treaty between Russia and North Korea?")
    expect(page.locator("#bf-time")).to_contain_text("by week")
    chip = page.locator("#bf-busiest label").first
    week = chip.inner_text().rsplit(" (", 1)[0].strip()
    assert " to " in week
    chip.click()
    expect(chips(page)).to_have_text(f"only {week}")


def test_click_on_busiest_days_limits_to_them(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    day = cited_day(page)
    page.locator("#bf-busiest label").filter(has_text=day).click()
    expect_answer_from(page, day)
    page.locator("#bf-understood label").first.click()
    expect(page.locator("#bf-understood")).to_be_hidden()
    wait_for_answer(page)


def test_timeline_has_dated_statements_in_order(open_page: Opened) -> None:
    page = open_page()
    page.locator("#bf-mode").get_by_label("Timeline").check()
    answer = ask_and_wait(page, "What happened with North Korean soldiers in Russia?")
    said = answer.locator(".bf-statement").all_inner_texts()
    days = [re.match(r"\[(?:reported )?(\d+) (\w+) (\d{4}):\]", text) for text in said]
    assert len(said) >= 3
    assert all(days)
    months = ["June", "July", "August", "September", "October", "November", "December"]
    order = [(m[3], months.index(m[2]), int(m[1])) for m in days if m]
    assert order == sorted(order)


def test_banner_shows_what_the_archive_covers(open_page: Opened) -> None:
    banner = open_page().locator("#bf-banner")
    expect(banner).to_contain_text("86 articles")
    expect(banner).to_contain_text("19 June 2024 to 24 December 2024")
    expect(banner).to_contain_text("last updated")
    banner.locator("summary").click()
    row = banner.get_by_role("row", name=re.compile("Orchard Gazette"))
    expect(row).to_contain_text("23 October 2024")


def test_question_outside_coverage_gets_a_warning(open_page: Opened) -> None:
    page = open_page()
    ask(page, "What did South Korea threaten in March 2023?")
    expect(page.get_by_test_id("bot")).to_contain_text(
        "The archive has no articles from this period."
    )
