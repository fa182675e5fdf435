"""Browsing: quick clicks on facets."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Paced
from tests.browser.reader import Opened

COURIER, GAZETTE = "The Harbour Courier", "Orchard Gazette"


def open_browse(open_page: Opened, paced: Paced) -> Page:
    page = open_page("?view=browse", at=paced.address)
    expect(page.locator("#bf-results h2")).to_have_text("4 articles")
    return page


def facet(page: Page, value: str) -> Locator:
    return page.locator(f'#bf-facets [data-facet="publisher"][data-value="{value}"]')


def chosen(page: Page) -> list[str]:
    """Return the values that the results are limited to."""
    return [one.replace(" ×", "") for one in page.locator(".bf-chosen").all_inner_texts()]


def click_at_once(page: Page, *values: str) -> None:
    """Click facet values before the server has answered the first click."""
    page.evaluate(
        """(values) => values.forEach((value) => document
          .querySelector(`#bf-facets [data-facet="publisher"][data-value="${value}"]`).click())""",
        list(values),
    )


def test_quick_clicks_on_facets_are_all_kept(open_page: Opened, paced: Paced) -> None:
    page = open_browse(open_page, paced)
    click_at_once(page, COURIER, GAZETTE)
    expect(facet(page, COURIER)).to_have_attribute("aria-pressed", "true")
    expect(facet(page, GAZETTE)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#bf-results h2")).to_have_text("2 articles")
    assert chosen(page) == [COURIER, GAZETTE]
    assert "Orchard" in page.url


def test_click_during_an_answer_is_kept(open_page: Opened, paced: Paced) -> None:
    page = open_browse(open_page, paced)
    page.evaluate(
        """async (values) => {
          const [first, second] = values.map((value) => document.querySelector(
            `#bf-facets [data-facet="publisher"][data-value="${value}"]`));
          first.click();
          await new Promise((go) => setTimeout(go, 80));  // the first is under way
          second.click();
        }""",
        [COURIER, GAZETTE],
    )
    expect(page.locator(".bf-chosen")).to_have_text([f"{COURIER} ×", f"{GAZETTE} ×"])


def test_quick_clicks_on_one_facet_undo_each_other(open_page: Opened, paced: Paced) -> None:
    page = open_browse(open_page, paced)
    click_at_once(page, COURIER, GAZETTE, COURIER, GAZETTE, COURIER, COURIER, GAZETTE)
    expect(page.locator(".bf-chosen")).to_have_text([f"{GAZETTE} ×"])
    expect(page.locator("#bf-results h2")).to_have_text("1 article")
    page.locator(".bf-chosen").evaluate("chip => { chip.click(); chip.click(); chip.click(); }")
    expect(page.locator(".bf-chosen")).to_have_count(0)
    expect(page.locator("#bf-results h2")).to_have_text("4 articles")
