"""Accessibility: structure, screen reader, colours, motion, languages; and no outside requests."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Paced
from tests.browser.reader import (
    WAIT,
    Opened,
    ask,
    ask_and_wait,
    cards,
    open_article,
    wait_for_answer,
)

BRIDGE = "What of the harbour bridge?"
APPLES = "What of the apples and the growers?"
MOST_SHIFT = 0.05  # of the layout, after the first paint of an answer


def outline(page: Page) -> list[int]:
    """Return the levels of the headings that are shown, in order."""
    return [
        int(level)
        for level in page.locator("h1, h2, h3, h4").evaluate_all(
            "all => all.filter((one) => one.checkVisibility()).map((one) => one.tagName[1])"
        )
    ]


def test_headings_are_in_order_and_regions_are_named(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    for show in (
        lambda: page.locator(".bf-suggestions").wait_for(),
        lambda: ask_and_wait(page, BRIDGE),
        lambda: open_article(page, "Harbour bridge closed"),
        lambda: ask_and_wait(page, "Xylophones of Peru?"),
    ):
        show()
        levels = outline(page)
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    for role, name in (
        ("navigation", "Conversations"),
        ("region", "Conversation"),
        ("complementary", "Sources"),
    ):
        expect(page.get_by_role(role, name=name, exact=True)).to_have_count(1)  # type: ignore[arg-type]
    expect(page.get_by_role("main")).to_have_count(1)


def test_finished_answer_is_said_once(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    said = page.evaluate_handle("""() => {
      const said = [];
      const live = document.querySelector('#bf-live');
      new MutationObserver(() => said.push(live.textContent))
        .observe(live, {childList: true, characterData: true, subtree: true});
      return said;
    }""")
    expect(page.locator("#bf-live")).to_have_attribute("aria-live", "polite")
    ask(page, "What of the harbour bridge, slowly?")
    expect(page.locator(".bf-statement")).to_have_count(1)
    assert said.evaluate("said => said.length") == 0  # not while it grows
    paced.go.touch()
    wait_for_answer(page)
    page.wait_for_function("said => said.length > 0", arg=said)
    open_article(page, "Harbour bridge closed")
    page.keyboard.press("Escape")
    expect(page.locator(".bf-article")).to_be_hidden()
    (words,) = said.evaluate("said => said")
    assert "closed on Monday after the storm" in words
    assert "Answered" in words
    assert "<" not in words
    ask_and_wait(page, APPLES)
    page.wait_for_function("said => said.length > 1", arg=said)
    assert "a third fewer" in said.evaluate("said => said[1]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_is_switched_and_kept(open_page: Opened, paced: Paced, scheme: str) -> None:
    page = open_page(at=paced.address, color_scheme=scheme)
    dark = re.compile(r"(^|\s)dark(\s|$)")
    body = page.locator("body")
    is_dark = scheme == "dark"
    (expect(body).to_have_class if is_dark else expect(body).not_to_have_class)(dark)
    page.get_by_role("button", name="Light or dark").click()
    (expect(body).not_to_have_class if is_dark else expect(body).to_have_class)(dark)
    page.reload()
    page.locator("#bf-banner header").wait_for()
    (expect(body).not_to_have_class if is_dark else expect(body).to_have_class)(dark)


def test_answer_does_not_shift_after_its_first_paint(open_page: Opened) -> None:
    page = open_page()
    ask(page, "What did South Korea threaten?")
    page.locator(".bf-statement").first.wait_for()
    page.evaluate("""() => {
      window.shifted = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shifted += entry.value;
      }).observe({type: 'layout-shift', buffered: false});
    }""")
    wait_for_answer(page)
    page.locator("#bf-time .bf-bars").wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate("window.shifted") <= MOST_SHIFT


def test_page_speaks_german(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, locale="de-DE")
    field = page.locator("#bf-question textarea")
    expect(field).to_have_attribute("placeholder", re.compile("Archiv"))
    expect(page.get_by_role("button", name="Datum")).to_be_visible()
    expect(page.locator("#bf-banner summary")).to_contain_text("4 Artikel · 21.10.2024")
    ask(page, "Xylophon?")  # first, or it would be read as a follow-up
    expect(page.get_by_test_id("bot").last).to_contain_text("Keine Antwort im Archiv gefunden.")
    ask(page, BRIDGE)
    answer = page.get_by_test_id("bot").last
    expect(answer).to_contain_text("Stand: 21. Oktober 2024")
    expect(page.locator("#bf-evidence")).to_contain_text("Quellen")


def test_reduced_motion_stops_what_moves(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, reduced_motion="reduce")
    ask(page, "What of the harbour bridge, searched slowly?")
    page.locator(".bf-skeleton i").first.wait_for()
    assert page.evaluate("document.getAnimations().filter((a) => a.playState === 'running')") == []
    paced.go.touch()
    wait_for_answer(page)


def test_no_request_leaves_the_machine(browser: Browser, paced: Paced) -> None:
    context = browser.new_context()
    context.set_default_timeout(WAIT)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(paced.address)
    ask_and_wait(page, BRIDGE)
    cards(page).first.locator("h3 button").click()
    expect(page.locator(".bf-article")).to_be_visible()
    context.close()
    assert asked
    assert [url for url in asked if not url.startswith((paced.address, "data:", "blob:"))] == []
