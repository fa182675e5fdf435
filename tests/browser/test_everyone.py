"""For everyone: by keyboard, by ear, on a phone, in the dark, in German; and nothing leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Paced
from tests.browser.person import WAIT, Opened, ask, ask_and_wait, cards, settled

ARTEFACTS = Path(__file__).parent.parent.parent / "artefacts"
BRIDGE = "What of the harbour bridge?"
# Of Gradio's own, which the page cannot change: see what stands behind each.
GRADIOS_OWN = {
    "scrollable-region-focusable",  # the chat scrolls; what is in it takes the focus
}


def serious(page: Page) -> list[str]:
    """Return what axe-core finds that keeps somebody out, with where it is."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {v['nodes'][0]['html'][:200]}"
        for v in found
        if v["impact"] in ("serious", "critical") and v["id"] not in GRADIOS_OWN
    ]


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
