"""Time: the chart and the range it sets, the timeline, what the archive covers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from tests.browser.reader import (
    Opened,
    ask,
    ask_and_wait,
    cards,
    choose_mode,
    wait_for_version,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

THREATS = "What did South Korea threaten?"
STRIP = 56  # pixels: the chart stays small
COUNT = re.compile(r"(\d+) articles?")


def bars(page: Page) -> Locator:
    """Return the bars with at least one article."""
    return page.locator("#bf-time .bf-bars > button")


def cited_bar(page: Page) -> tuple[Locator, str]:
    """Return a bar with a cited article, and its day in words."""
    bar = bars(page).and_(page.locator("[aria-label*='cited']")).first
    label = bar.get_attribute("aria-label") or ""
    return bar, label.partition(":")[0]


def expect_answer_from(page: Page, day: str) -> None:
    """Expect a second version of the answer, from articles of that day alone."""
    wait_for_version(page, 2, 2)
    expect(page.locator(".bf-chip[data-panel=date]")).not_to_have_text("Date")
    dates = cards(page).locator("time").all_inner_texts()
    assert dates
    assert all(date.startswith(day) for date in dates)


def test_chart_counts_the_matching_articles(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    chart = page.locator("#bf-time")
    total = COUNT.search(chart.locator("figcaption").inner_text().replace("matching ", ""))
    assert total
    counts = [COUNT.search(bar.get_attribute("aria-label") or "") for bar in bars(page).all()]
    assert sum(int(found[1]) for found in counts if found) == int(total[1])
    assert chart.locator(".bf-most").inner_text() == str(
        max(int(found[1]) for found in counts if found)
    )
    box = chart.locator(".bf-bars").bounding_box()
    assert box is not None
    assert box["height"] == STRIP
    assert bars(page).count() >= 3
    before = chart.inner_text()
    ask_and_wait(page, "What happened with North Korean soldiers in Russia?")
    expect(chart).not_to_have_text(before)  # it belongs to the last question


def test_chart_speaks_the_language_of_the_reader(open_page: Opened) -> None:
    page = open_page(locale="de-DE")
    ask_and_wait(page, THREATS)
    expect(page.locator("#bf-time figcaption")).to_contain_text(re.compile(r"\d+ .*Artikel"))
    expect(bars(page).first).to_have_attribute(
        "aria-label", re.compile(r"^\d+\. [A-Z].* \d{4}: \d+ Artikel")
    )


def test_few_dates_have_no_chart(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, "Who won the chess olympiad in Budapest?")
    expect(page.locator("#bf-time")).to_be_hidden()


def test_drag_over_the_chart_sets_the_time_range(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    box = page.locator("#bf-time .bf-bars").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] - 3
    page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, middle, steps=5)
    expect(page.locator("#bf-time .bf-marked").first).to_be_visible()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
    page.mouse.up()
    wait_for_version(page, 2, 2)
    expect(page.locator(".bf-chip[data-panel=date]")).to_contain_text(" – ")
    expect(page.get_by_test_id("user")).to_have_count(1)


@pytest.mark.parametrize("timezone", ["America/Los_Angeles", "Asia/Tokyo"])
def test_click_on_a_bar_limits_to_its_day(open_page: Opened, timezone: str) -> None:
    page = open_page(timezone_id=timezone)
    ask_and_wait(page, THREATS)
    bar, day = cited_bar(page)
    bar.click()
    expect_answer_from(page, day)


def test_bars_work_by_keyboard(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    bars(page).first.focus()
    page.keyboard.press("ArrowRight")
    expect(bars(page).nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(bars(page).first).to_be_focused()
    bar, day = cited_bar(page)
    bar.focus()
    page.keyboard.press("Enter")
    expect_answer_from(page, day)
    page.locator(".bf-clear").click()  # removable as any other filter
    wait_for_version(page, 3, 3)
    expect(page.locator(".bf-chip[data-panel=date]")).to_have_text("Date")


def test_timeline_has_a_heading_a_day_in_order(open_page: Opened) -> None:
    page = open_page()
    choose_mode(page, "Timeline")
    answer = ask_and_wait(page, "What happened with North Korean soldiers in Russia?")
    days = answer.locator("h3").all_inner_texts()
    assert len(days) >= 3
    assert len(set(days)) == len(days)
    months = ["June", "July", "August", "September", "October", "November", "December"]
    dated = [re.search(r"(\d+) (\w+) (\d{4})", day) for day in days]
    order = [(m[3], months.index(m[2]), int(m[1])) for m in dated if m]
    assert len(order) == len(days)
    assert order == sorted(order)
    expect(answer.locator(".bf-cite").first).to_be_visible()


def test_bar_shows_what_the_archive_covers(open_page: Opened) -> None:
    banner = open_page().locator("#bf-banner")
    expect(banner.locator("summary")).to_have_text(re.compile(r"86 articles · 19 Jun.*24 Dec 2024"))
    banner.locator("summary").click()
    row = banner.locator("table").get_by_role("row", name=re.compile("Orchard Gazette")).last
    expect(row).to_contain_text("23 October 2024")
    expect(banner).to_contain_text("last updated")


def test_question_outside_coverage_gets_a_warning(open_page: Opened) -> None:
    page = open_page()
    ask(page, "What did South Korea threaten in March 2023?")
    expect(page.get_by_test_id("bot")).to_contain_text(
        "The archive has no articles from this period."
    )
