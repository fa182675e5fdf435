"""Evidence: cards, articles, and the support of each statement."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from tests.browser.conftest import Paced
from tests.browser.reader import (
    HARBOUR_ANSWER,
    HARBOUR_QUESTION,
    Opened,
    ask_and_wait,
    cards,
    open_article,
    wait_for_answer,
)
from tests.support.fakes import HARBOUR, HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Locator

THREATS = "What did South Korea threaten?"


def test_answer_is_shown_beside_its_passage(open_page: Opened) -> None:
    page = open_page()
    expect(ask_and_wait(page, HARBOUR_QUESTION)).to_contain_text(HARBOUR_ANSWER)
    card = cards(page).first
    expect(card).to_contain_text(HARBOUR.title)
    expect(card).to_contain_text("The Harbour Courier")
    expect(card).to_contain_text("21 October 2024")
    expect(card.locator("mark").filter(has_text="six weeks")).to_have_count(1)
    chat, box = page.locator("#bf-asking").bounding_box(), card.bounding_box()
    assert chat is not None
    assert box is not None
    assert chat["x"] + chat["width"] <= box["x"]


def test_number_opens_its_article_at_the_quotation_and_back(open_page: Opened) -> None:
    page = open_page()
    answer = ask_and_wait(page, THREATS)
    quoted = cards(page).nth(1).locator("mark").first.inner_text()
    number = answer.locator(".bf-cite", has_text="2").first
    number.click()
    article = page.locator(".bf-article")
    expect(article.locator("mark").first).to_have_text(quoted)
    expect(article.locator("mark").first).to_be_in_viewport()
    assert "/a/" in page.url
    page.get_by_role("button", name="Back to sources").click()
    expect(article).to_be_hidden()
    expect(cards(page).nth(1)).to_be_visible()
    expect(number).to_be_focused()
    assert "/a/" not in page.url
    cards(page).nth(1).locator(".bf-number").click()
    expect(page.locator(".bf-cite:target")).to_have_text("2")
    expect(page.locator(".bf-cite:target")).to_be_in_viewport()


def test_number_of_an_earlier_answer_opens_its_own_article(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, HARBOUR_QUESTION)
    ask_and_wait(page, "How many fewer apples do growers expect?")
    expect(cards(page).first).to_contain_text("Orchard")
    page.locator(".bf-cite[href='#turn-1-card-1']").first.click()
    expect(page.locator(".bf-article h2")).to_have_text(HARBOUR.title)


def test_number_previews_its_quotation_and_lights_its_card(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    answer = ask_and_wait(page, "What of the harbour bridge?")
    number, card = answer.locator(".bf-cite").first, cards(page).first
    sentence = answer.locator(".bf-statement").first
    preview = page.get_by_role("tooltip")
    expect(preview).to_be_hidden()
    number.hover()
    expect(preview).to_contain_text("The harbour bridge was closed on Monday after the storm.")
    expect(preview).to_contain_text("The Harbour Courier, 21 October 2024")
    # the page's ground shows through nothing that stands above it
    expect(preview).not_to_have_css("background-color", "rgba(0, 0, 0, 0)")
    expect(card).to_have_class(re.compile("bf-lit"))
    expect(sentence).to_have_class(re.compile("bf-lit"))
    page.mouse.move(5, 5)
    expect(preview).to_be_hidden()
    expect(sentence).not_to_have_class(re.compile("bf-lit"))
    number.focus()
    expect(preview).to_be_visible()
    expect(number).to_have_attribute("aria-describedby", "bf-preview")
    page.keyboard.press("Escape")
    expect(preview).to_be_hidden()
    card.hover()
    expect(sentence).to_have_class(re.compile("bf-lit"))
    expect(preview).to_be_hidden()
    number.hover()
    number.click()
    expect(preview).to_be_hidden()
    expect(page.locator(".bf-article h2")).to_be_focused()


def test_card_shows_the_sentences_beside_its_quotation(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    card = cards(page).filter(has=page.locator(".bf-whole")).first
    short = card.locator("blockquote").first
    expect(short.locator("mark").first).to_be_visible()
    words = short.inner_text()
    card.get_by_text("More", exact=True).click()
    whole = card.locator(".bf-whole blockquote")
    expect(whole).to_be_visible()
    expect(short).to_be_hidden()
    assert words.split("…")[0].strip() in whole.inner_text()
    assert len(whole.inner_text()) > len(words)
    card.get_by_text("Less", exact=True).click()
    expect(short).to_be_visible()


def test_times_are_in_the_zone_of_the_reader(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, timezone_id="Asia/Tokyo")
    ask_and_wait(page, "What of the apples and the growers?")
    time = cards(page).locator("time").first  # 14:30 UTC
    expect(time).to_have_text(re.compile("23 October 2024.*23:30"))
    expect(time).to_have_attribute("title", re.compile("14:30 UTC"))


def test_card_opens_the_article_at_the_passage(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    quoted = cards(page).nth(1).locator("mark").first.inner_text()
    cards(page).nth(1).locator("h3 button").click()
    article = page.locator(".bf-article")
    expect(article.locator("mark").first).to_have_text(quoted)
    expect(article.locator("mark").first).to_be_in_viewport()
    expect(article.get_by_role("link", name="Publisher’s page")).to_have_attribute(
        "href",
        "https://pellworth-tribune.example/2024/10/21/seoul-summons-russian-ambassador-zinoviev",
    )
    expect(page.locator("#bf-evidence")).to_be_hidden()
    page.get_by_role("button", name="Back to sources").click()
    expect(cards(page).nth(1)).to_be_visible()
    expect(article).to_be_hidden()


def test_article_names_other_publishers_of_the_story(open_page: Opened) -> None:
    page = open_page("?mode=passages&q=1,500+special+forces+carried+to+Vladivostok+by+ship")
    wait_for_answer(page)
    title = "South Korea says 1,500 North Korean special forces shipped to Russia"
    expect_other_publishers(cards(page).filter(has_text=title).first.locator(".bf-copies"))
    article = open_article(page, title)
    article.locator(".bf-menu summary").click()
    article.get_by_role("button", name="2 near-duplicates").click()
    expect(article.get_by_role("heading", name="2 near-duplicates")).to_be_focused()
    article.locator(".bf-related").get_by_role("button").first.click()
    expect(page.locator(".bf-article h2")).not_to_have_text(title)


def expect_other_publishers(copies: Locator) -> None:
    expect(copies).to_contain_text("Also in")
    for publisher in ("Harbour Courier", "Westermoor Evening Post"):
        link = copies.get_by_role("link", name=publisher)
        expect(link).to_have_attribute("href", re.compile("^https://[a-z-]+[.]example/2024/"))


def test_article_shows_its_correction(open_page: Opened) -> None:
    page = open_page("?mode=passages&q=What+does+Kim+get+in+return+for+the+soldiers%3F+technology")
    wait_for_answer(page)
    article = open_article(page, "What does Kim get in return?")
    expect(article.locator(".bf-note")).to_contain_text("Correction: An earlier version")


def test_article_shows_its_revisions(open_page: Opened) -> None:
    page = open_page("?mode=passages&q=South+Korea+will+not+sit+idle,+Yoon+says+beside+Duda")
    wait_for_answer(page)
    article = open_article(page, "Yoon says beside Polish president")
    expect(article).to_contain_text("Updated 24 October 2024")
    newest = article.locator(".bf-text").inner_text()
    article.get_by_role("button", name="Revision 1").click()
    expect(article.locator("[aria-current]")).to_contain_text("Revision 1")
    assert article.locator(".bf-text").inner_text() != newest


def test_statements_are_marked_only_in_doubt(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    answer = ask_and_wait(page, "What of the doubtful harbour?")
    expect(answer.locator(".bf-statement .bf-support")).to_contain_text("partly supported")
    expect(answer.locator(".bf-support")).to_have_attribute(
        "title", "partly supported: the passage says only part of it"
    )
    answer = ask_and_wait(page, "What of the harbour bridge?")
    expect(answer.locator(".bf-statement").first).to_be_visible()
    expect(answer.locator(".bf-support")).to_have_count(0)


def test_removed_statements_can_be_shown(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    answer = ask_and_wait(page, "What of the doubtful harbour?")
    removed = answer.get_by_text("The moon is a bridge.")
    expect(removed).to_be_hidden()
    answer.get_by_text("1 sentence removed").click()
    expect(removed).to_be_visible()
    expect(answer).to_contain_text("the passage does not say this")


def test_refusal_shows_the_closest_articles(open_page: Opened) -> None:
    page = open_page()
    answer = ask_and_wait(page, "Who won the chess olympiad in Budapest?")
    expect(answer.locator(".bf-refused")).to_contain_text("No answer found in the archive.")
    expect(page.locator(".bf-cite")).to_have_count(0)
    expect(page.locator("#bf-evidence")).to_contain_text("Closest articles")
    expect(page.locator("#bf-time")).to_be_hidden()
    title = cards(page).first.locator("h3").inner_text()
    answer.get_by_role("link", name=title).click()
    expect(page.locator("#turn-1-hit-1:target")).to_be_in_viewport()
    open_article(page, title)


def test_markup_in_article_or_question_shows_as_text(open_page: Opened) -> None:
    page = open_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    ask_and_wait(page, "What did the lighthouse <img src=x onerror=window.pwned=8> keeper say?")
    shown = page.locator("#bf-evidence").inner_text()
    pieces = ("<script>", "<img src=x", "[click](javascript:", "${window", "{{window", "(9)")
    for piece in pieces:
        assert piece in shown
    assert HOSTILE.title in shown
    assert "<img src=x onerror=window.pwned=8>" in page.get_by_test_id("user").inner_text()
    cards(page).filter(has_text="Lighthouse").first.locator("h3 button").click()
    article = page.locator(".bf-article")
    for piece in pieces:
        expect(article).to_contain_text(piece)
    assert page.locator(":is(#bf-evidence, #bf-article) :is(script, img, i, b)").count() == 0
    assert page.locator("a[href^='javascript' i]").count() == 0
    page.mouse.move(5, 5)
    assert page.evaluate("window.pwned") is None
    assert dialogs == []


def test_passage_has_its_own_direction(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, "إغلاق جسر الميناء بعد العاصفة")
    passage = page.locator("#bf-evidence blockquote", has_text="أغلق").first
    expect(passage).to_be_visible()
    assert passage.evaluate("element => getComputedStyle(element).direction") == "rtl"
