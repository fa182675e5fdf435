"""Asking: typing, stopping, retrying, editing, returning, following a link."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from tests.browser.conftest import Paced
from tests.browser.reader import (
    HARBOUR_QUESTION,
    Opened,
    ask,
    ask_and_wait,
    cards,
    choose_mode,
    open_panel,
    understood,
    wait_for_answer,
    wait_for_version,
)

SLOWLY = "What of the harbour bridge, slowly?"


def test_answer_is_shown_while_it_grows(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask(page, SLOWLY)
    expect(page.locator(".bf-statement")).to_have_count(1)
    expect(cards(page).first).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    paced.go.touch()
    wait_for_answer(page)
    expect(page.locator("#bf-question .submit-button")).to_be_visible()


def test_understood_constraints_are_shown_while_searching(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask(page, "What of the harbour bridge in October 2024, searched slowly?")
    expect(understood(page)).to_contain_text("published 1 October 2024 to 31 October 2024")
    expect(page.get_by_test_id("bot")).to_contain_text("Searching the archive …")
    expect(page.locator(".bf-statement")).to_have_count(0)
    paced.go.touch()
    expect(wait_for_answer(page)).to_contain_text("closed on Monday")


def test_growing_answer_shows_passages_considered(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask(page, SLOWLY)
    expect(page.locator(".bf-statement")).to_have_count(1)
    expect(page.get_by_test_id("bot")).to_contain_text(re.compile(r"\d+ passages considered"))
    expect(page.get_by_role("button", name="Stop")).to_be_visible()


def test_answer_can_be_stopped_and_next_question_asked(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask(page, SLOWLY)
    expect(page.locator(".bf-statement")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_test_id("bot")).to_contain_text("Stopped.")
    paced.go.touch()
    answer = ask_and_wait(page, "What of the apples and the growers?")
    expect(answer).to_contain_text("a third fewer apples")
    expect(page.get_by_test_id("bot").first).to_contain_text("Stopped.")


def test_question_waits_while_another_is_answered(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask(page, SLOWLY)
    expect(page.locator(".bf-statement")).to_have_count(1)
    ask(page, "What of the apples and the growers?")
    expect(page.get_by_text("An answer is still being written")).to_be_visible()
    expect(page.locator("#bf-question textarea")).to_have_value(
        "What of the apples and the growers?"
    )
    paced.go.touch()
    expect(wait_for_answer(page)).to_contain_text("closed on Monday")
    page.locator("#bf-question textarea").press("Enter")
    expect(page.get_by_test_id("bot").last).to_contain_text("a third fewer apples")
    expect(page.get_by_test_id("user")).to_have_count(2)


def test_question_is_edited_in_the_composer(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, "What of the harbour bridge & the <b>ferries</b>?")
    page.get_by_role("button", name="Edit question").click()
    box = page.locator("#bf-question textarea")
    expect(box).to_have_value("What of the harbour bridge & the <b>ferries</b>?")
    expect(box).to_be_focused()
    box.fill("What of the apples and the growers?")
    box.press("Enter")
    expect(page.get_by_test_id("bot").last).to_contain_text("a third fewer apples")
    expect(page.get_by_test_id("user").last).to_have_text("What of the apples and the growers?")


def test_trying_again_gives_another_version(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, "What of the harbour bridge?")
    page.get_by_role("button", name="Try again").click()
    expect(wait_for_version(page, 2, 2)).to_contain_text("closed on Monday")
    expect(page.get_by_test_id("user")).to_have_count(1)


def test_earlier_question_is_tried_again_at_the_end(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, "What of the harbour bridge?")
    ask_and_wait(page, "What of the apples and the growers?")
    page.get_by_role("button", name="Try again").first.click()
    expect(page.get_by_test_id("user")).to_have_count(3)
    expect(page.get_by_test_id("user").last).to_have_text("What of the harbour bridge?")
    expect(wait_for_answer(page)).to_contain_text("closed on Monday")


def test_another_mode_is_another_version_of_the_answer(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    first = ask_and_wait(page, "What of the harbour bridge?").inner_text()
    choose_mode(page, "Passages")
    answer = wait_for_version(page, 2, 2)
    expect(answer.locator(".bf-statement")).to_have_count(0)
    expect(page.locator(".bf-versions button").last).to_be_disabled()
    page.locator("#bf-question textarea").blur()
    page.keyboard.press("[")
    expect(wait_for_version(page, 1, 2)).to_have_text(first, use_inner_text=True)
    expect(page.locator("#bf-mode").get_by_label("Answer")).to_be_checked()
    expect(cards(page).first.locator("mark").first).to_be_visible()
    page.keyboard.press("]")
    expect(wait_for_version(page, 2, 2).locator(".bf-statement")).to_have_count(0)
    expect(page.locator("#bf-mode").get_by_label("Passages")).to_be_checked()
    page.reload()
    expect(wait_for_version(page, 2, 2).locator(".bf-statement")).to_have_count(0)
    page.get_by_role("button", name="Previous version").click()
    expect(wait_for_version(page, 1, 2)).to_have_text(first, use_inner_text=True)
    ask_and_wait(page, "What of the apples and the growers?")
    expect(page.locator(".bf-versions")).to_have_count(1)
    expect(page.get_by_test_id("user")).to_have_count(2)


def test_suggested_question_is_asked_in_its_mode(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    suggested = page.locator(".bf-suggestions button")
    expect(suggested.first).to_be_visible()
    mode, question = suggested.last.locator("span").inner_text(), suggested.last.locator("b")
    words = question.inner_text()
    suggested.last.click()
    expect(page.get_by_test_id("user")).to_have_text(words)
    expect(page.locator("#bf-mode").get_by_label(mode, exact=True)).to_be_checked()
    wait_for_answer(page)


def test_follow_up_question_uses_the_one_before(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, "How many soldiers has North Korea sent to Russia?")
    answer = ask_and_wait(page, "And what did Moscow say about them?")
    expect(answer.locator(".bf-statement").first).to_contain_text(
        re.compile("Russia|Moscow|Kremlin|Putin|Peskov|Lavrov")
    )
    expect(page.get_by_test_id("user")).to_have_count(2)


@pytest.mark.parametrize(
    ("question", "chip", "aside"),
    [
        (
            "What did the Harbour Courier say of the bridge?",
            "in The Harbour Courier",
            "publisher filter",
        ),
        ("What did Noor Haan write of the bridge?", "by Noor Haan", "author filter"),
        ('What of the harbour bridge and "six weeks"?', "with “six weeks”", "quoted words"),
        ("What of the harbour bridge -ferries?", "without ferries", "exclusion"),
    ],
)
def test_click_removes_each_kind_of_constraint(
    open_page: Opened, paced: Paced, question: str, chip: str, aside: str
) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, question)
    understood(page).filter(has_text=chip).click()
    expect(page.get_by_test_id("bot")).to_contain_text(f"{aside} ignored")
    expect(understood(page).filter(has_text=chip)).to_have_count(0)
    expect(page.get_by_test_id("user")).to_have_count(1)


def test_click_removes_one_of_two_constraints(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, "What did the Harbour Courier say of the bridge in October 2024?")
    expect(understood(page)).to_have_count(2)
    understood(page).filter(has_text="in The Harbour Courier").click()
    expect(page.get_by_test_id("bot")).to_contain_text("publisher filter ignored")
    expect(understood(page)).to_have_count(1)
    expect(understood(page)).to_contain_text("published 1 October 2024 to 31 October 2024")


def test_answer_shows_passages_considered_and_date(open_page: Opened) -> None:
    answer = ask_and_wait(open_page(), HARBOUR_QUESTION)
    expect(answer).to_contain_text(re.compile(r"\d+ passages considered"))
    expect(answer).to_contain_text("As of 21 October 2024")


def test_every_suggestion_is_answered(open_page: Opened) -> None:
    page = open_page()
    suggested = page.locator(".bf-suggestions button")
    offered = suggested.locator("b").all_inner_texts()
    assert len(offered) > 2
    for question in offered:
        suggested.filter(has_text=question).click()
        expect(page.get_by_test_id("user")).to_have_text(question)
        expect(wait_for_answer(page).locator(".bf-refused")).to_have_count(0)
        expect(cards(page).first).to_be_visible()
        page.get_by_role("button", name="New", exact=True).click()


def test_link_opens_one_question(open_page: Opened, paced: Paced) -> None:
    link = "?q=What+of+the+harbour+bridge%3F&mode=passages&after=2024-10-01"
    page = open_page(link, at=paced.address)
    expect(page.get_by_test_id("user")).to_have_text("What of the harbour bridge?")
    expect(cards(page).first).to_contain_text("Harbour bridge closed")
    expect(page.locator("#bf-mode").get_by_label("Passages")).to_be_checked()
    expect(page.locator(".bf-chip[data-panel=date]")).to_have_text("from 1 Oct 2024")
    expect(open_panel(page, "date").get_by_label("From date")).to_have_value("2024-10-01")
    page.reload()
    expect(cards(page).first).to_be_visible()
    expect(page.get_by_test_id("user")).to_have_count(1)


def test_linked_answer_leads_to_its_cards(open_page: Opened, paced: Paced) -> None:
    page = open_page("?q=What+of+the+harbour+bridge%3F", at=paced.address)
    wait_for_answer(page).locator(".bf-cite").first.click()
    expect(page.locator(".bf-article mark").first).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.locator("#turn-1-card-1")).to_be_visible()
    assert "?q=" in page.url
