"""Accessibility: keyboard, screen reader, phone, dark mode, German; and no outside requests."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Paced
from tests.browser.reader import (
    WAIT,
    Opened,
    accessibility_problems,
    ask,
    ask_and_wait,
    cards,
    chips,
    open_article,
    wait_for_answer,
)

ARTEFACTS = Path(__file__).parent.parent.parent / "artefacts"
BRIDGE = "What of the harbour bridge?"


def test_question_and_article_work_by_keyboard(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    expect(page.locator("#bf-question textarea")).to_be_focused()
    page.keyboard.type(BRIDGE)
    page.keyboard.press("Enter")
    wait_for_answer(page)
    page.locator(".bf-cite").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#turn-1-card-1:target")).to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(page.locator("#turn-1-card-1 .bf-number")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".bf-article h2")).to_be_focused()
    page.get_by_role("button", name="Back to sources").focus()
    page.keyboard.press("Enter")
    expect(cards(page).first.get_by_role("button", name="Open article")).to_be_focused()


def test_message_is_read_aloud_without_markup(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, BRIDGE)
    for who in ("user", "bot"):
        label = page.get_by_test_id(who).get_attribute("aria-label") or ""
        assert "<" not in label
        assert "&#" not in label


def test_page_speaks_german(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, locale="de-DE")
    expect(page.locator("#bf-question textarea")).to_have_attribute(
        "placeholder", "Frage an das Archiv"
    )
    expect(page.get_by_role("button", name="Filter")).to_be_visible()
    expect(page.locator("#bf-banner")).to_contain_text("21. Oktober 2024 bis 24. Oktober 2024")
    ask(page, "Xylophon?")  # first, or it would be read as a follow-up
    expect(page.get_by_test_id("bot").last).to_contain_text("Keine Antwort im Archiv gefunden.")
    ask(page, BRIDGE)
    answer = page.get_by_test_id("bot").last
    expect(answer).to_contain_text("Stand: 21. Oktober 2024")
    expect(page.locator("#bf-evidence")).to_contain_text("Quellen")


@pytest.mark.full
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_fits_phone_and_desktop_and_is_accessible(
    open_page: Opened, invitation: str, scheme: str
) -> None:
    page = open_page(at=invitation, color_scheme=scheme)
    ARTEFACTS.mkdir(exist_ok=True)
    for name, show in VIEWS.items():
        show(page)
        for width in (360, 390, 1024, 1600):
            page.set_viewport_size({"width": width, "height": 900})
            expect(page.locator("#bf-question textarea")).to_be_visible()
            if width in (390, 1024, 1600):
                page.screenshot(path=ARTEFACTS / f"{name}-{width}-{scheme}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            if width in (390, 1600):
                assert accessibility_problems(page) == [], f"{name}, {width} px"
    dark = page.evaluate("document.body.classList.contains('dark')")
    assert dark == (scheme == "dark")


def show_coverage(page: Page) -> None:
    page.locator("#bf-banner summary").click()
    expect(page.locator("#bf-banner table")).to_be_visible()


def show_answer(page: Page) -> None:
    page.locator("#bf-banner summary").click()
    ask_and_wait(page, "What did South Korea threaten in October 2024?")
    page.locator("#bf-plot svg").wait_for()


def show_filters(page: Page) -> None:
    page.get_by_role("button", name="Filters ▼").click()
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_role("button", name="CSL-JSON")).to_be_visible()
    page.get_by_role("button", name="Dislike").last.click()
    expect(page.locator("#bf-opinion").first).to_be_visible()


def show_article(page: Page) -> None:
    page.get_by_role("button", name="Export").click()
    page.get_by_role("button", name="Filters ▼").click()
    open_article(page, cards(page).first.locator("h3").inner_text())


def ask_in_new_chat(page: Page, mode: str, question: str) -> None:
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_test_id("user")).to_have_count(0)
    page.locator("#bf-mode").get_by_label(mode).check()
    ask_and_wait(page, question)


def show_timeline(page: Page) -> None:
    ask_in_new_chat(page, "Timeline", "What happened with North Korean soldiers in Russia?")
    page.locator("#bf-plot svg").wait_for()


def show_passages(page: Page) -> None:
    ask_in_new_chat(page, "Passages", "soldiers sent to Russia, in the Harbour Courier")


def show_refusal(page: Page) -> None:
    ask_in_new_chat(page, "Answer", "Who won the chess olympiad in Budapest?")


def show_admin(page: Page) -> None:
    page.get_by_role("button", name="Toggle sidebar").click()
    page.get_by_role("button", name="Manage articles").click()
    expect(page.locator("#bf-status")).to_contain_text("Sequence number")


VIEWS = {
    "empty": lambda page: None,
    "banner": show_coverage,
    "answer": show_answer,
    "narrowing": show_filters,
    "article": show_article,
    "timeline": show_timeline,
    "passages": show_passages,
    "refusal": show_refusal,
    "feeding": show_admin,
}


def test_doubtful_and_removed_statements_are_accessible(open_page: Opened, paced: Paced) -> None:
    for scheme in ("light", "dark"):
        page = open_page(at=paced.address, color_scheme=scheme)
        ask_and_wait(page, "What of the doubtful harbour?").get_by_text(
            "1 sentence removed"
        ).click()
        assert accessibility_problems(page) == []


def test_filters_and_export_work_by_keyboard(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    page.locator("#bf-question textarea").focus()
    page.keyboard.press("Tab")  # to "Ask"
    page.keyboard.press("Tab")
    expect(page.locator("#bf-mode").get_by_label("Answer")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#bf-mode").get_by_label("Timeline")).to_be_checked()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("From date")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_label("From date")).to_be_focused()
    page.keyboard.type("2024-10-01")
    page.locator("#bf-question textarea").focus()
    page.keyboard.type("What of the harbour bridge in October 2024?")
    page.keyboard.press("Enter")
    wait_for_answer(page)
    chips(page).filter(has_text="published 1 October").locator("input").focus()
    page.keyboard.press("Space")
    expect(page.get_by_test_id("bot")).to_contain_text("date filter ignored")
    wait_for_answer(page)
    page.locator("#bf-busiest input").first.focus()
    page.keyboard.press("Space")
    expect(chips(page)).to_have_text("only 21 October 2024")
    wait_for_answer(page)
    page.get_by_role("button", name="Retry").focus()
    page.keyboard.press("Enter")
    wait_for_answer(page)
    page.get_by_role("button", name="Toggle sidebar").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="New conversation")).to_be_visible()


def test_no_request_leaves_the_machine(browser: Browser, paced: Paced) -> None:
    context = browser.new_context()
    context.set_default_timeout(WAIT)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(paced.address)
    ask_and_wait(page, BRIDGE)
    page.locator("#bf-plot svg").wait_for()
    cards(page).first.get_by_role("button", name="Open article").click()
    expect(page.locator(".bf-article")).to_be_visible()
    context.close()
    assert asked
    assert [url for url in asked if not url.startswith((paced.address, "data:", "blob:"))] == []


def test_phone_scrolls_to_the_new_answer(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, width=390, height=700)
    ask_and_wait(page, BRIDGE)
    ask_and_wait(page, "What of the apples and the growers?")
    expect(page.get_by_test_id("user").last).to_be_in_viewport()
    expect(page.get_by_test_id("bot").last).to_be_in_viewport()
