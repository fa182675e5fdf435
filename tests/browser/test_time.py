"""Seeing time: the plot, the window it sets, the timeline, what the archive covers."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from tests.browser.person import Opened, ask, ask_and_wait, cards, settled

THREATS = "What did South Korea threaten?"


def test_a_plot_shows_when_articles_speak_of_it_and_marks_the_cited(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    plot = page.locator("#bf-plot")
    expect(plot.locator("svg")).to_be_visible()
    expect(page.locator("#bf-time")).to_contain_text(re.compile(r"\d+ articles speak of it"))
    expect(plot).to_contain_text("not cited")
    assert plot.locator("path[aria-roledescription=bar]").count() > 3


def test_dragging_over_the_plot_sets_the_window(open_page: Opened) -> None:
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
    settled(page)
    expect(page.get_by_test_id("user")).to_have_count(1)


def test_a_click_on_the_busiest_days_asks_of_them_alone(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    first = page.locator("#bf-busiest label").first
    day = first.inner_text().rsplit(" (", 1)[0].strip()
    first.click()
    expect(page.locator("#bf-understood")).to_contain_text(f"only {day}")
    settled(page)
    for facts in cards(page).locator("time").all_inner_texts():
        assert facts.startswith(day)
    page.locator("#bf-understood label").first.click()
    expect(page.locator("#bf-understood")).to_be_hidden()
    settled(page)


def test_a_timeline_answers_with_dated_statements_in_order(open_page: Opened) -> None:
    page = open_page()
    page.locator("#bf-mode").get_by_label("Timeline").check()
    answer = ask_and_wait(page, "What happened with North Korean soldiers in Russia?")
    said = answer.locator(".bf-statement").all_inner_texts()
    days = [re.match(r"\[(\d+) (\w+) (\d{4}):\]", text) for text in said]
    assert len(said) >= 3
    assert all(days)
    months = ["June", "July", "August", "September", "October", "November", "December"]
    order = [(m[3], months.index(m[2]), int(m[1])) for m in days if m]
    assert order == sorted(order)


def test_the_banner_says_what_the_archive_covers(open_page: Opened) -> None:
    banner = open_page().locator("#bf-banner")
    expect(banner).to_contain_text("86 articles")
    expect(banner).to_contain_text("19 June 2024 to 24 December 2024")
    expect(banner).to_contain_text("last fed")
    banner.locator("summary").click()
    row = banner.get_by_role("row", name=re.compile("Orchard Gazette"))
    expect(row).to_contain_text("23 October 2024")


def test_a_question_from_outside_the_archive_is_warned_of(open_page: Opened) -> None:
    page = open_page()
    ask(page, "What did South Korea threaten in March 2023?")
    expect(page.get_by_test_id("bot")).to_contain_text("The archive holds nothing of that time.")
