"""The view that checks a draft: by mouse and keyboard, on a desktop and a phone."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

from rag.answer.check_text import LONGEST_TEXT
from tests.browser.conftest import Paced
from tests.browser.reader import Opened, accessibility_problems

TRUE = "The harbour bridge was closed on Monday after the storm."
UNKNOWN = "Seven zebras were painted green at the Tolmar observatory in 1911."
SLOW = "Nine zebras were painted slowly at the Tolmar observatory in 1912."
DRAFT = f"{TRUE} {UNKNOWN}\n\nIs that all?"
HOSTILE = "<img src=x onerror=document.title='x'> ${1+1} was painted by Tolmar in 1911."


def open_check(open_page: Opened, paced: Paced, **given: object) -> Page:
    page = open_page("?view=check", at=paced.address, **given)
    page.locator("#bf-check-form h2").wait_for()
    return page


def check(page: Page, draft: str, *, progress: str = "done") -> None:
    """Check a draft, and wait until the check is complete, or in another state."""
    page.locator("#bf-draft-field textarea").fill(draft)
    page.locator("#bf-check-begin").click()
    expect(page.locator(".bf-checked")).to_have_attribute("data-progress", progress)


def sentences(page: Page) -> list[str]:
    """Return the sentences that are shown, in order."""
    return page.locator(".bf-said").evaluate_all(
        "all => all.filter((one) => one.checkVisibility()).map((one) => one.innerText)"
    )


def test_view_has_its_place_in_the_bar_and_an_address(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Check").click()
    expect(page.get_by_role("heading", name="Check a draft")).to_be_visible()
    assert page.url.endswith("?view=check")
    expect(page.locator("#bf-question")).to_be_hidden()
    page.go_back()
    expect(page.locator("#bf-question")).to_be_visible()
    page.go_forward()
    expect(page.locator("#bf-draft-field textarea")).to_be_visible()


def test_counts_show_only_the_sentences_of_one_outcome(open_page: Opened, paced: Paced) -> None:
    page = open_check(open_page, paced)
    check(page, DRAFT)
    assert sentences(page) == [TRUE, UNKNOWN, "Is that all?"]
    assert TRUE[:20] not in page.url
    page.get_by_role("button", name="Not in the archive 1").click()
    assert sentences(page) == [UNKNOWN]
    expect(page.get_by_role("button", name="Not in the archive 1")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("button", name="All 3").click()
    assert len(sentences(page)) == 3
    for outcome in ("Supported", "Not in the archive", "No claim to check"):
        expect(page.locator(".bf-outcome").filter(has_text=outcome)).to_have_count(1)


def test_passage_opens_beside_the_draft_and_back_returns(open_page: Opened, paced: Paced) -> None:
    page = open_check(open_page, paced)
    check(page, DRAFT)
    page.locator(".bf-passages > summary").first.click()
    title = page.locator(".bf-passages .bf-card h3 button")
    title.click()
    expect(page.locator("#bf-article mark")).to_have_text(TRUE)
    assert "/a/" in page.url
    assert sentences(page)[0] == TRUE
    page.go_back()
    expect(page.locator(".bf-article")).to_be_hidden()
    expect(title).to_be_focused()
    assert page.url.endswith("?view=check")
    page.go_forward()
    expect(page.locator("#bf-article mark")).to_have_text(TRUE)
    expect(page.locator(".bf-checked")).to_be_visible()
    page.locator("nav a[data-view=ask]").click()
    expect(page.locator("#bf-question")).to_be_visible()
    expect(page.locator(".bf-article")).to_be_hidden()


def test_bad_day_turns_its_field_red_and_nothing_is_checked(
    open_page: Opened, paced: Paced
) -> None:
    page = open_check(open_page, paced)
    field = page.get_by_label("Written on (optional)")
    field.fill("fnord")
    page.locator("#bf-draft-field textarea").fill(DRAFT)
    page.locator("#bf-check-begin").click()
    expect(page.get_by_role("alert")).to_contain_text("“fnord” is not a date")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".bf-checked")).to_have_count(0)
    field.fill("2024-10-24")
    check(page, DRAFT)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_check_is_stopped_and_the_rest_is_not_checked(open_page: Opened, paced: Paced) -> None:
    page = open_check(open_page, paced)
    check(page, f"{TRUE} {SLOW} {TRUE}", progress="growing")
    expect(page.locator(".bf-progress")).to_contain_text("of 3 sentences")
    assert len(sentences(page)) == 3  # those to come are shown as well
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".bf-checked")).to_have_attribute("data-progress", "stopped")
    expect(page.get_by_text("The check was stopped.")).to_be_visible()
    expect(page.locator(".bf-sentence.bf-is-unchecked").last).to_contain_text(TRUE)
    paced.go.touch()
    page.get_by_role("button", name="Edit draft").click()
    expect(page.locator("#bf-draft-field textarea")).to_be_focused()
    check(page, DRAFT)
    assert sentences(page) == [TRUE, UNKNOWN, "Is that all?"]


def test_empty_and_overlong_drafts_are_refused(open_page: Opened, paced: Paced) -> None:
    page = open_check(open_page, paced)
    page.locator("#bf-check-begin").click()
    expect(page.get_by_role("alert")).to_contain_text("There is nothing to check")
    page.locator("#bf-draft-field textarea").fill("a" * 1_000_000)
    expect(page.locator(".bf-over")).to_have_text(f"1,000,000 of {LONGEST_TEXT:,} characters")
    page.locator("#bf-check-begin").click()
    expect(page.get_by_role("alert")).to_contain_text(f"at most {LONGEST_TEXT:,} characters")


def test_keyboard_checks_filters_and_opens(open_page: Opened, paced: Paced) -> None:
    page = open_check(open_page, paced)
    page.locator("#bf-draft-field textarea").fill(DRAFT)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".bf-checked")).to_have_attribute("data-progress", "done")
    expect(page.locator(".bf-checked h2")).to_be_focused()
    page.locator(".bf-counts button", has_text="Supported").focus()
    page.keyboard.press("Enter")
    assert sentences(page) == [TRUE]
    page.locator(".bf-passages > summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#bf-article h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".bf-article")).to_be_hidden()
    expect(page.locator(".bf-card h3 button:focus")).to_have_count(1)


def test_finished_check_is_said(open_page: Opened, paced: Paced) -> None:
    page = open_check(open_page, paced)
    check(page, DRAFT)
    expect(page.locator("#bf-live")).to_contain_text("Supported 1")


def test_markup_of_a_draft_is_text(open_page: Opened, paced: Paced) -> None:
    page = open_check(open_page, paced)
    check(page, HOSTILE)
    assert "${1+1}" in sentences(page)[0]
    expect(page.locator("#bf-checked img")).to_have_count(0)
    assert page.title() != "x"


def test_text_file_fills_the_field(open_page: Opened, paced: Paced, tmp_path: Path) -> None:
    page = open_check(open_page, paced)
    file = tmp_path / "draft.txt"
    for encoding in ("utf-8", "windows-1252"):
        file.write_bytes("Größe der Brücke".encode(encoding))
        page.locator('#bf-check-end input[type="file"]').set_input_files(file)
        expect(page.locator("#bf-draft-field textarea")).to_have_value("Größe der Brücke")
        page.locator("#bf-draft-field textarea").fill("")


def test_draft_outlives_a_reload_in_its_tab_only(open_page: Opened, paced: Paced) -> None:
    page = open_check(open_page, paced)
    page.locator("#bf-draft-field textarea").fill(DRAFT)
    page.reload()
    expect(page.locator("#bf-draft-field textarea")).to_have_value(DRAFT)
    other = open_page("?view=check", at=paced.address, beside=page)
    other.locator("#bf-check-form h2").wait_for()
    expect(other.locator("#bf-draft-field textarea")).to_have_value("")
    assert "zebras" not in page.evaluate("JSON.stringify(localStorage)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_view_fits_and_is_accessible(open_page: Opened, paced: Paced, scheme: str) -> None:
    page = open_check(open_page, paced, color_scheme=scheme)
    check_widths(page)
    check(page, DRAFT)
    page.locator(".bf-passages > summary").first.click()
    check_widths(page)


def check_widths(page: Page) -> None:
    for width in (1600, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert accessibility_problems(page) == []


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_bar_holds_all_views_on_a_phone(open_page: Opened, invitation: str, locale: str) -> None:
    page = open_page("&view=check", at=invitation, width=390, locale=locale)
    links = page.locator("#bf-banner nav a")
    expect(links).to_have_count(5)
    nav = page.locator("#bf-banner nav")
    assert nav.evaluate("nav => nav.scrollWidth <= nav.clientWidth")
    expect(page.locator("#bf-check-form h2")).to_have_text(
        "Check a draft" if locale == "en-GB" else "Einen Entwurf prüfen"
    )
