"""Actions of a reader on the page, and what they see."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

WAIT = 60_000  # milliseconds; generous, since other work may keep the machine busy
Opened = Callable[..., "Page"]

HARBOUR_QUESTION = "How long will repairs of the harbour bridge take?"
HARBOUR_ANSWER = "repairs would take six weeks"


def ask(page: Page, question: str) -> None:
    """Type a question and press Enter."""
    box = page.locator("#bf-question textarea")
    box.fill(question)
    box.press("Enter")


def ask_and_wait(page: Page, question: str) -> Locator:
    """Ask, wait until the answer is complete, and return it."""
    ask(page, question)
    said = page.get_by_test_id("user").last
    said.get_by_text(question.split("<")[0].strip()[:60]).wait_for()
    return wait_for_answer(page)


def wait_for_answer(page: Page) -> Locator:
    """Wait until the last answer is complete, and return it."""
    page.locator("#bf-question .submit-button").wait_for()
    page.locator(".bf-working").wait_for(state="detached")
    answer = page.get_by_test_id("bot").last
    answer.locator(".bf-statement, .bf-refused, .bf-said").first.wait_for()
    return answer


def wait_for_version(page: Page, number: int, total: int) -> Locator:
    """Wait for a version of the last answer, complete, and return it."""
    turn = page.locator(".bf-turn").last
    turn.locator(".bf-versions").get_by_text(f"{number} of {total}", exact=True).wait_for()
    return wait_for_answer(page)


def choose_mode(page: Page, mode: str) -> None:
    """Choose how to answer; an answered question is answered so too."""
    page.locator("#bf-mode").get_by_label(mode, exact=True).check()


def open_panel(page: Page, name: str) -> Locator:
    """Press a chip (`date`, `publisher`, `more`), and return its panel."""
    page.locator(f".bf-chip[data-panel={name}]").click()
    panel = page.locator(f"#bf-panel-{name}")
    panel.wait_for()
    return panel


def open_article(page: Page, title: str) -> Locator:
    """Open article of the card with that headline, and return it."""
    card = cards(page).filter(has_text=title).first
    card.locator("h3 button").click()
    article = page.locator(".bf-article")
    article.locator("h2").filter(has_text=title).wait_for()
    return article


def export_menu(page: Page) -> Locator:
    """Open the export menu of the last answer, and return it."""
    menu = page.locator(".bf-tools").last.locator(".bf-menu")
    menu.locator("summary").click()
    return menu


def understood(page: Page) -> Locator:
    """Return the constraints understood from the last question, each removable."""
    return page.locator("#bf-understood label")


def cards(page: Page) -> Locator:
    """Return the cards of the last answer."""
    return page.locator(".bf-now .bf-card")


def wait_for_transitions(page: Page) -> None:
    """Wait until no transition or animation that ends is running: half a fade has no contrast."""
    page.wait_for_function(
        """() => document.getAnimations().every(
            (one) => one.playState !== 'running'
                || one.effect?.getComputedTiming().endTime === Infinity)"""
    )


def accessibility_problems(page: Page) -> list[str]:
    """Return the serious accessibility problems that axe-core finds, with their places."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    wait_for_transitions(page)
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {v['nodes'][0]['html'][:200]}"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
