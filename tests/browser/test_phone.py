"""The page on a phone: 390 px wide, by touch."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Paced
from tests.browser.reader import (
    Opened,
    ask_and_wait,
    cards,
    choose_mode,
    export_menu,
    wait_for_version,
)

BRIDGE = "What of the harbour bridge?"
PHONE = {"width": 390, "height": 844, "has_touch": True, "is_mobile": True}
FINGER = 44  # pixels
# Links within text and the number of a citation may be smaller (WCAG 2.5.8).
SMALL_TARGETS = """([within, finger]) => [...document.querySelector(within)
    .querySelectorAll('button, summary, a[href], select, label:has(input), textarea, input')]
  .filter((element) => {
    const {width, height} = element.getBoundingClientRect();
    if (!width || !height || !element.checkVisibility({visibilityProperty: true})) return false;
    if (element.matches('.bf-cite, .bf-number, .bf-skip, p a, .bf-bars button')) return false;
    const label = element.matches('label *') && element.closest('label');
    if (label && label.offsetHeight >= finger) return false;
    return height < finger || width < 24;
  })
  .map((element) => `${element.outerHTML.slice(0, 120)} ${element.offsetHeight}`)
"""


def small_targets(page: Page, within: str = "body") -> list[str]:
    """Return what can be pressed and is too small for a finger."""
    found: list[str] = page.evaluate(SMALL_TARGETS, [within, FINGER])
    return found


def fits(page: Page) -> bool:
    """Return whether the page is no wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_number_opens_a_sheet_with_its_quotation(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, **PHONE)
    answer = ask_and_wait(page, BRIDGE)
    expect(page.get_by_test_id("user")).to_be_in_viewport()
    number = answer.locator(".bf-cite").first
    number.tap()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text("The harbour bridge was closed on Monday after the storm.")
    box = sheet.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] == pytest.approx(PHONE["height"], abs=2)
    assert box["width"] == PHONE["width"]
    expect(page.locator("#bf-preview")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(number).to_be_focused()
    number.tap()
    sheet.get_by_role("button", name="Harbour bridge closed", exact=False).first.tap()
    expect(page.locator(".bf-article h2")).to_have_text("Harbour bridge closed after storm")
    expect(page.locator(".bf-article mark").first).to_be_in_viewport()
    assert fits(page)
    page.keyboard.press("Escape")
    expect(answer).to_be_visible()
    expect(page.locator("#bf-question textarea")).to_be_visible()


def test_filters_are_a_sheet_over_the_whole_screen(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, **PHONE)
    ask_and_wait(page, BRIDGE)
    for name in ("date", "publisher", "more"):
        page.locator(f".bf-chip[data-panel={name}]").tap()
        panel = page.locator(f"#bf-panel-{name}")
        box = panel.bounding_box()
        assert box == {"x": 0, "y": 0, "width": PHONE["width"], "height": PHONE["height"]}, name
        assert fits(page)
        assert small_targets(page, f"#bf-panel-{name}") == [], name
        page.get_by_role("button", name="Close", exact=True).tap()
        expect(panel).to_be_hidden()
        expect(page.locator(f".bf-chip[data-panel={name}]")).to_be_focused()
    page.locator(".bf-chip[data-panel=date]").tap()
    page.locator("#bf-panel-date").get_by_label("Past week").tap()
    page.keyboard.press("Escape")
    expect(page.locator("#bf-panel-date")).to_be_hidden()
    wait_for_version(page, 2, 2)
    assert fits(page)


def test_sources_are_a_strip_below_the_answer(open_page: Opened) -> None:
    page = open_page(**PHONE)
    answer = ask_and_wait(page, "What did South Korea threaten?")
    expect(cards(page).nth(1)).to_be_visible()
    tops = {round(card.bounding_box()["y"]) for card in cards(page).all()}  # type: ignore[index]
    assert len(tops) == 1
    last = answer.locator(".bf-statement").last.bounding_box()
    assert last is not None
    assert min(tops) > last["y"] + last["height"]
    assert fits(page)


def test_targets_are_large_enough_for_a_finger(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, **PHONE)
    expect(page.locator(".bf-suggestions button").first).to_be_visible()
    assert small_targets(page) == []
    ask_and_wait(page, BRIDGE)
    choose_mode(page, "Passages")
    wait_for_version(page, 2, 2)
    assert small_targets(page) == []
    export_menu(page)
    assert small_targets(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Conversations").tap()
    expect(page.get_by_role("button", name="New", exact=True)).to_be_visible()
    assert small_targets(page) == []
    page.get_by_role("button", name="New", exact=True).tap()
    expect(page.get_by_test_id("user")).to_have_count(0)
    expect(page.get_by_role("button", name="New", exact=True)).to_be_hidden()


def test_composer_stays_in_view(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, **PHONE)
    for question in (BRIDGE, "What of the apples and the growers?"):
        ask_and_wait(page, question)
        expect(page.locator("#bf-question textarea")).to_be_in_viewport()
        expect(page.get_by_test_id("user").last).to_be_in_viewport()
        expect(page.get_by_test_id("bot").last.locator(".bf-statement").first).to_be_in_viewport()
    page.mouse.wheel(0, -5000)
    expect(page.locator("#bf-question textarea")).to_be_in_viewport()


def test_address_of_an_article_shows_its_text_at_once(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, **PHONE)
    ask_and_wait(page, BRIDGE)
    for path in ("a/courier.example%2Fharbour?at=57-100", "a/courier.example%2Fharbour"):
        page.goto(f"{paced.address}{path}")
        text = page.locator(".bf-article .bf-text")
        expect(text).to_contain_text("repairs would take six weeks")
        expect(text).to_be_in_viewport()
        shown = text.evaluate(
            """(text) => {
              const {left, top, width} = text.getBoundingClientRect();
              return text.contains(document.elementFromPoint(left + width / 2, top + 10));
            }"""
        )
        assert shown, "something covers the text"
        assert fits(page)
