"""For everyone: by keyboard, by ear, on a phone, in the dark, in German; and nothing leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Paced
from tests.browser.person import WAIT, Opened, ask, ask_and_wait, cards, serious, settled

ARTEFACTS = Path(__file__).parent.parent.parent / "artefacts"
BRIDGE = "What of the harbour bridge?"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_out(open_page: Opened, paced: Paced, scheme: str) -> None:
    page = open_page(at=paced.address, color_scheme=scheme)
    assert serious(page) == []
    ask_and_wait(page, BRIDGE)
    page.locator("#bf-plot svg").wait_for()
    page.get_by_role("button", name="Narrow the search").click()
    page.get_by_role("button", name="Take away").click()
    assert serious(page) == []
    cards(page).first.get_by_role("button", name="Open the article").click()
    expect(page.locator(".bf-article")).to_be_visible()
    assert serious(page) == []
    ask_and_wait(page, "What of the doubtful harbour?")
    assert serious(page) == []
    ask_and_wait(page, "Xylophone?")
    page.get_by_role("button", name="Dislike").last.click()
    expect(page.locator("#bf-opinion").first).to_be_visible()
    page.get_by_role("button", name="Toggle sidebar").click()
    expect(page.get_by_role("button", name="New conversation")).to_be_visible()
    assert serious(page) == []


def test_a_question_is_asked_and_its_article_opened_by_keyboard(
    open_page: Opened, paced: Paced
) -> None:
    page = open_page(at=paced.address)
    expect(page.locator("#bf-question textarea")).to_be_focused()
    page.keyboard.type(BRIDGE)
    page.keyboard.press("Enter")
    settled(page)
    page.locator(".bf-cite").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#turn-1-card-1:target")).to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(page.locator("#turn-1-card-1 .bf-number")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".bf-article h2")).to_be_focused()
    page.get_by_role("button", name="Back to the evidence").focus()
    page.keyboard.press("Enter")
    expect(cards(page).first.get_by_role("button", name="Open the article")).to_be_focused()


def test_a_message_is_read_aloud_without_its_markup(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, BRIDGE)
    for who in ("user", "bot"):
        label = page.get_by_test_id(who).get_attribute("aria-label") or ""
        assert "<" not in label
        assert "&#" not in label


def test_the_page_speaks_german(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, locale="de-DE")
    expect(page.locator("#bf-question textarea")).to_have_attribute(
        "placeholder", "Das Archiv fragen"
    )
    expect(page.get_by_role("button", name="Suche eingrenzen")).to_be_visible()
    expect(page.locator("#bf-banner")).to_contain_text("21. Oktober 2024 bis 24. Oktober 2024")
    ask(page, BRIDGE)
    answer = page.get_by_test_id("bot").last
    expect(answer).to_contain_text("Stand: 21. Oktober 2024")
    expect(page.locator("#bf-evidence")).to_contain_text("Worauf die Antwort beruht")
    ask(page, "Xylophon?")
    expect(page.get_by_test_id("bot").last).to_contain_text("Das Archiv sagt es nicht.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_a_desk(open_page: Opened, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    ARTEFACTS.mkdir(exist_ok=True)
    for name, show in VIEWS.items():
        show(page)
        for width in (360, 390, 1024, 1600):
            page.set_viewport_size({"width": width, "height": 900})
            expect(page.locator("#bf-question textarea")).to_be_visible()
            page.screenshot(path=ARTEFACTS / f"{name}-{width}-{scheme}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    dark = page.evaluate("document.body.classList.contains('dark')")
    assert dark == (scheme == "dark")


def answered(page: Page) -> None:
    ask_and_wait(page, "What did South Korea threaten?")
    page.locator("#bf-plot svg").wait_for()


def opened(page: Page) -> None:
    cards(page).first.get_by_role("button", name="Open the article").click()
    expect(page.locator(".bf-article")).to_be_visible()


def refused(page: Page) -> None:
    ask_and_wait(page, "Who won the chess olympiad in Budapest?")


VIEWS = {"empty": lambda page: None, "answer": answered, "article": opened, "refusal": refused}


def test_no_request_leaves_the_machine(browser: Browser, paced: Paced) -> None:
    context = browser.new_context()
    context.set_default_timeout(WAIT)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(paced.address)
    ask_and_wait(page, BRIDGE)
    page.locator("#bf-plot svg").wait_for()
    cards(page).first.get_by_role("button", name="Open the article").click()
    expect(page.locator(".bf-article")).to_be_visible()
    context.close()
    assert asked
    assert [url for url in asked if not url.startswith((paced.address, "data:", "blob:"))] == []


def test_on_a_phone_a_question_is_led_to_its_answer(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, width=390, height=700)
    ask_and_wait(page, BRIDGE)
    ask_and_wait(page, "What of the apples and the growers?")
    expect(page.get_by_test_id("user").last).to_be_in_viewport()
    expect(page.get_by_test_id("bot").last).to_be_in_viewport()
