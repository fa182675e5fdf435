"""Every view, by axe-core: light, dark, on a desktop and a phone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Paced
from tests.browser.reader import (
    Opened,
    accessibility_problems,
    ask_and_wait,
    cards,
    choose_mode,
    export_menu,
    open_article,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ARTEFACTS = Path(__file__).parent.parent.parent / "artefacts"
BRIDGE = "What of the harbour bridge?"


@pytest.mark.full
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_fits_phone_and_desktop_and_is_accessible(
    open_page: Opened, invitation: str, scheme: str
) -> None:
    page = open_page(at=invitation, color_scheme=scheme)
    ARTEFACTS.mkdir(exist_ok=True)
    for name, show in VIEWS.items():
        page.set_viewport_size({"width": 1600, "height": 900})
        show(page)
        for width in (1600, 1024, 390, 360):
            page.set_viewport_size({"width": width, "height": 900})
            if width > 360:
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
    ask_and_wait(page, "What did South Korea threaten in October 2024?")
    page.locator("#bf-time .bf-bars").wait_for()


def show_panel(name: str) -> Callable[[Page], None]:
    def show(page: Page) -> None:
        page.locator(f".bf-chip[data-panel={name}]").click()
        expect(page.locator(f"#bf-panel-{name}")).to_be_visible()

    return show


def show_menus(page: Page) -> None:
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Bad answer").last.click()
    expect(page.locator("#bf-opinion").first).to_be_visible()
    export_menu(page)


def show_article(page: Page) -> None:
    page.keyboard.press("Escape")
    open_article(page, cards(page).first.locator("h3").inner_text())


def ask_in_new_conversation(page: Page, mode: str, question: str) -> None:
    page.get_by_role("button", name="New", exact=True).click()
    expect(page.get_by_test_id("user")).to_have_count(0)
    choose_mode(page, mode)
    ask_and_wait(page, question)


def show_mode(mode: str, question: str) -> Callable[[Page], None]:
    return lambda page: ask_in_new_conversation(page, mode, question)


SOLDIERS = "What happened with North Korean soldiers in Russia?"
VIEWS: dict[str, Callable[[Page], object]] = {
    "first": lambda page: page.locator(".bf-suggestions").wait_for(),
    "coverage": show_coverage,
    "answer": show_answer,
    "date": show_panel("date"),
    "publisher": show_panel("publisher"),
    "more": show_panel("more"),
    "menus": show_menus,
    "article": show_article,
    "timeline": show_mode("Timeline", SOLDIERS),
    "compare": show_mode("Compare", "What did South Korea and Russia say?"),
    "quotes": show_mode("Quotes", "What did Putin say about soldiers?"),
    "passages": show_mode("Passages", "soldiers sent to Russia, in the Harbour Courier"),
    "refusal": show_mode("Answer", "Who won the chess olympiad in Budapest?"),
}


def test_doubtful_and_removed_statements_are_accessible(open_page: Opened, paced: Paced) -> None:
    for scheme in ("light", "dark"):
        page = open_page(at=paced.address, color_scheme=scheme)
        ask_and_wait(page, "What of the doubtful harbour?").get_by_text(
            "1 sentence removed"
        ).click()
        assert accessibility_problems(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_first_load_answer_and_phone_sheet_are_accessible(
    open_page: Opened, paced: Paced, scheme: str
) -> None:
    page = open_page(at=paced.address, color_scheme=scheme)
    page.locator(".bf-suggestions").wait_for()
    assert accessibility_problems(page) == []
    ask_and_wait(page, BRIDGE)
    assert accessibility_problems(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert accessibility_problems(page) == []
    page.locator(".bf-cite").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert accessibility_problems(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_browse_and_name_views_are_accessible(open_page: Opened, paced: Paced, scheme: str) -> None:
    page = open_page("?view=browse", at=paced.address, color_scheme=scheme)
    for show in (
        lambda: page.locator("#bf-facets button").first.wait_for(),
        lambda: page.locator('#bf-results .bf-found [data-do="export"]').first.wait_for(),
        lambda: page.locator('#bf-names [data-name="Ada Quill"]').click(),
        lambda: page.locator("#bf-results h2").get_by_text("Ada Quill").wait_for(),
    ):
        show()
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            assert accessibility_problems(page) == [], width
