"""Sessions: no visitor sees what another asks."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from tests.browser.conftest import Paced
from tests.browser.reader import HARBOUR_QUESTION, Opened, ask, ask_and_wait, cards

VISITORS = 20


def test_two_visitors_never_see_each_other(open_page: Opened) -> None:
    one, other = open_page(), open_page()
    ask(one, HARBOUR_QUESTION)
    ask(other, "How many fewer apples do growers expect?")
    expect(cards(one).first).to_contain_text("Harbour")
    expect(cards(other).first).to_contain_text("Orchard")
    ask_and_wait(one, "What about the ferries?")
    assert not any("apple" in said for said in one.get_by_test_id("bot").all_inner_texts())
    expect(other.get_by_test_id("bot")).to_have_count(1)
    assert "harbour" not in other.locator("#bf-evidence").inner_text().lower()


@pytest.mark.full
def test_twenty_visitors_get_their_own_answers(open_page: Opened, paced: Paced) -> None:
    # Without motion: twenty pages that draw their waiting keep a processor from answering.
    first = [open_page(at=paced.address, reduced_motion="reduce") for _ in range(VISITORS // 5)]
    pages = first + [open_page(at=paced.address, beside=page) for page in first for _ in range(4)]
    words = ["harbour bridge", "orchard growers"]
    for number, page in enumerate(pages):  # each from its own address, behind a trusted proxy
        page.set_extra_http_headers({"X-Forwarded-For": f"192.0.2.{number + 1}"})
    asked = [f"What of the {words[n % 2]}, asks visitor {n}?" for n in range(VISITORS)]
    for page, question in zip(pages, asked, strict=True):
        page.locator("#bf-question textarea").fill(question)
    for page in pages:
        page.locator("#bf-question textarea").press("Enter")
    for number, page in enumerate(pages):
        expected = ("closed on Monday", "a third fewer")[number % 2]
        expect(page.get_by_test_id("bot")).to_contain_text(expected)
        expect(page.get_by_test_id("user")).to_have_text(asked[number])


def test_article_opens_only_from_own_card(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, "What of the harbour bridge?")
    page.locator(".bf-card button").first.evaluate("button => { button.dataset.card = 99; }")
    page.locator(".bf-card button").first.click()
    page.locator(".bf-card button").first.evaluate("button => { button.dataset.turn = 7; }")
    page.locator(".bf-card button").first.click()
    ask_and_wait(page, "What of the apples and the growers?")
    expect(page.locator(".bf-article")).to_have_count(0)
    expect(cards(page).first).to_be_visible()
