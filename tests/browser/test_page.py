"""The page as a person uses it: types, reads, clicks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from tests.fakes import HARBOUR, HOSTILE

ARTEFACTS = Path(__file__).parent.parent.parent / "artefacts"
WAIT = 30_000  # the first question loads the model
Opened = Callable[..., Page]

HARBOUR_QUESTION = "How long will repairs of the harbour bridge take?"
HARBOUR_ANSWER = "repairs would take six weeks"


def ask(page: Page, question: str) -> None:
    box = page.get_by_placeholder("Ask the archive")
    box.fill(question)
    box.press("Enter")


def answers(page: Page) -> list[str]:
    return page.get_by_test_id("bot").all_inner_texts()


def test_a_question_is_answered_beside_the_passage_it_rests_on(open_page: Opened) -> None:
    page = open_page()
    ask(page, HARBOUR_QUESTION)
    expect(page.get_by_test_id("bot")).to_contain_text(HARBOUR_ANSWER, timeout=WAIT)
    card = page.locator(".bf-card").first
    expect(card).to_contain_text(HARBOUR.title)
    expect(card).to_contain_text("The Harbour Courier")
    expect(card).to_contain_text("21 October 2024")
    expect(card.locator("mark").filter(has_text="six weeks")).to_have_count(1)
    chat, cards = page.locator("#bf-conversation").bounding_box(), card.bounding_box()
    assert chat is not None
    assert cards is not None
    assert chat["x"] + chat["width"] <= cards["x"]


def test_a_click_on_a_number_leads_to_its_card(open_page: Opened) -> None:
    page = open_page()
    ask(page, HARBOUR_QUESTION)
    page.locator(".bf-cite").first.click(timeout=WAIT)
    expect(page.locator("#turn-1-card-1:target")).to_be_in_viewport()
    ask(page, "Why is the apple harvest small?")
    expect(page.locator("#turn-2-card-1")).to_be_visible(timeout=WAIT)
    page.locator(".bf-cite[href='#turn-1-card-1']").first.click()
    expect(page.locator("#turn-1-card-1:target")).to_contain_text(HARBOUR.title)


def test_a_refusal_says_so_and_shows_the_closest_articles(open_page: Opened) -> None:
    page = open_page()
    ask(page, "Who won the chess olympiad in Budapest?")
    expect(page.locator(".bf-refused")).to_be_visible(timeout=WAIT)
    expect(page.locator("#bf-evidence")).to_contain_text("Closest articles")
    expect(page.locator(".bf-cite")).to_have_count(0)


def test_the_banner_says_what_the_archive_covers(open_page: Opened) -> None:
    banner = open_page().locator("#bf-banner")
    expect(banner).to_contain_text("4 articles")
    expect(banner).to_contain_text("Orchard Gazette")
    expect(banner).to_contain_text("21 to 24 October 2024")


def test_an_example_is_asked_by_a_click(open_page: Opened) -> None:
    page = open_page()
    page.get_by_role("button", name=re.compile(HARBOUR.title)).click()
    expect(page.get_by_test_id("user")).to_contain_text(HARBOUR.title)
    expect(page.locator(".bf-card").first).to_be_visible(timeout=WAIT)


def test_markup_in_an_article_or_a_question_shows_as_text(open_page: Opened) -> None:
    page = open_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    ask(page, "What did the lighthouse <img src=x onerror=window.pwned=8> keeper say?")
    expect(page.locator(".bf-card").first).to_be_visible(timeout=WAIT)
    shown = page.locator("#bf-evidence").inner_text()
    for piece in ("<script>", "<img src=x", "[click](javascript:", "${window", "{{window", "[9]"):
        assert piece in shown
    assert HOSTILE.title in shown
    assert "<img src=x onerror=window.pwned=8>" in page.get_by_test_id("user").inner_text()
    page.mouse.move(5, 5)
    assert page.evaluate("window.pwned") is None
    assert page.locator("#bf-evidence :is(script, img, i, b)").count() == 0
    assert page.locator("a[href^='javascript' i]").count() == 0
    assert dialogs == []


def test_two_visitors_never_see_each_other(open_page: Opened) -> None:
    one, other = open_page(), open_page()
    ask(one, HARBOUR_QUESTION)
    ask(other, "Why is the apple harvest small?")
    expect(one.locator(".bf-card").first).to_contain_text("Harbour", timeout=WAIT)
    expect(other.locator(".bf-card").first).to_contain_text("Orchard", timeout=WAIT)
    ask(one, "What about the ferries?")
    expect(one.get_by_test_id("bot")).to_have_count(2, timeout=WAIT)
    assert not any("apple" in text for text in answers(one))
    assert len(answers(other)) == 1
    assert "harbour" not in other.locator("#bf-evidence").inner_text().lower()


def test_clearing_the_chat_forgets_it(open_page: Opened) -> None:
    page = open_page()
    ask(page, HARBOUR_QUESTION)
    expect(page.locator(".bf-card").first).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".bf-card")).to_have_count(0)
    ask(page, "Why is the apple harvest small?")
    expect(page.locator("#turn-1-card-1")).to_contain_text("Orchard", timeout=WAIT)
    assert len(answers(page)) == 1


def test_no_request_leaves_the_machine(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    ask(page, HARBOUR_QUESTION)
    expect(page.locator(".bf-card").first).to_be_visible(timeout=WAIT)
    context.close()
    assert asked
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1600])
def test_it_fits_a_phone_and_a_desk(open_page: Opened, width: int, scheme: str) -> None:
    page = open_page(width, 844 if width < 500 else 1000, color_scheme=scheme)
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"page-{width}-{scheme}-start.png")
    ask(page, HARBOUR_QUESTION)
    expect(page.locator(".bf-card").first).to_be_visible(timeout=WAIT)
    expect(page.get_by_placeholder("Ask the archive")).to_be_in_viewport()
    page.screenshot(path=ARTEFACTS / f"page-{width}-{scheme}-answer.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dark = page.evaluate("document.body.classList.contains('dark')")
    assert dark == (scheme == "dark")
