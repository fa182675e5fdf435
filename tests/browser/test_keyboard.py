"""The keyboard alone: asking, citing, reading, exporting, shortcuts, and what has the focus."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Paced
from tests.browser.reader import (
    Opened,
    accessibility_problems,
    ask_and_wait,
    cards,
    export_menu,
    open_article,
    understood,
    wait_for_answer,
    wait_for_version,
)

BRIDGE = "What of the harbour bridge?"


def tab_to(page: Page, selector: str, *, most: int = 60, back: bool = False) -> None:
    """Press Tab until an element that matches has the focus."""
    for _ in range(most):
        if page.evaluate("(what) => document.activeElement?.matches(what)", selector):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"Tab doesn't reach {selector}")


def test_ask_cite_read_and_export_by_keyboard_only(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    expect(page.locator("#bf-question textarea")).to_be_focused()
    page.keyboard.type(BRIDGE)
    page.keyboard.press("Enter")
    answer = wait_for_answer(page)
    tab_to(page, ".bf-cite", back=True)
    expect(page.get_by_role("tooltip")).to_contain_text("closed on Monday")
    page.keyboard.press("Enter")
    expect(page.locator(".bf-article h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(answer.locator(".bf-cite").first).to_be_focused()
    tab_to(page, ".bf-card h3 button")
    page.keyboard.press("Enter")
    expect(page.locator(".bf-article h2")).to_be_focused()
    tab_to(page, "#bf-close", back=True)
    page.keyboard.press("Enter")
    expect(cards(page).first.locator("h3 button")).to_be_focused()
    page.keyboard.press("e")
    expect(page.locator(".bf-tools .bf-menu button").first).to_be_focused()
    tab_to(page, "[data-form=markdown]")
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    assert saved.value.suggested_filename.endswith(".md")
    page.keyboard.press("/")
    expect(page.locator("#bf-question textarea")).to_be_focused()


def test_mode_and_filters_work_by_keyboard(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, BRIDGE)
    tab_to(page, "#bf-mode input[value=passages]")
    page.keyboard.press("Space")
    wait_for_version(page, 2, 2)
    tab_to(page, ".bf-chip[data-panel=date]")
    page.keyboard.press("Enter")
    expect(page.locator(".bf-chip[data-panel=date]")).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#bf-preset input").first).to_be_focused()
    tab_to(page, "#bf-after textarea")
    page.keyboard.type("2024-10-01")
    page.keyboard.press("Enter")
    wait_for_version(page, 3, 3)
    page.keyboard.press("Escape")
    chip = page.locator(".bf-chip[data-panel=date]")
    expect(chip).to_be_focused()
    expect(chip).to_have_text("from 1 Oct 2024")
    tab_to(page, ".bf-clear")
    page.keyboard.press("Enter")
    wait_for_version(page, 4, 4)
    ask_and_wait(page, "What of the harbour bridge in October 2024?")
    tab_to(page, "#bf-understood input")
    page.keyboard.press("Space")
    wait_for_version(page, 2, 2)
    expect(understood(page)).to_have_count(0)


def test_shortcuts_move_and_their_sheet_lists_them(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, "What of the harbour bridge and the growers of apples?")
    page.locator("#bf-question textarea").blur()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    for key in ("/", "n", "j", "k", "[", "]", "e", "Esc", "?"):
        expect(sheet.locator("kbd").get_by_text(key, exact=True)).to_be_visible()
    assert accessibility_problems(page) == []
    page.keyboard.press("n")  # not while the sheet is open
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.get_by_test_id("user")).to_have_count(1)
    page.keyboard.press("j")
    expect(cards(page).first.locator(":focus")).to_have_count(1)
    last = cards(page).count() - 1
    for _ in range(last):
        page.keyboard.press("j")
    expect(cards(page).nth(last).locator(":focus")).to_have_count(1)
    if last:
        page.keyboard.press("k")
        expect(cards(page).nth(last - 1).locator(":focus")).to_have_count(1)
    page.keyboard.press("/")
    page.keyboard.type("n?[")  # typed, not obeyed
    expect(page.locator("#bf-question textarea")).to_have_value("n?[")
    page.locator("#bf-question textarea").fill("")
    page.locator("#bf-question textarea").blur()
    page.keyboard.press("n")
    expect(page.get_by_test_id("user")).to_have_count(0)
    expect(page.locator("#bf-question textarea")).to_be_focused()


def test_skip_link_leads_to_the_question(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, BRIDGE)
    page.locator("#bf-question textarea").blur()
    skip = page.get_by_role("link", name="Skip to the question")
    skip.focus()
    expect(skip).to_be_in_viewport()
    address = page.url
    page.keyboard.press("Enter")
    expect(page.locator("#bf-question textarea")).to_be_focused()
    assert page.url == address


def test_escape_closes_what_is_open_one_at_a_time(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, BRIDGE)
    open_article(page, "Harbour bridge closed")
    export_menu(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="CSL-JSON")).to_be_hidden()
    expect(page.locator(".bf-tools .bf-menu summary")).to_be_focused()
    expect(page.locator(".bf-article")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".bf-article")).to_be_hidden()


# Focus, seen

PROBE = """element => {
  const {x, y, width, height} = element.getBoundingClientRect();
  return {x: x - 5, y: y - 5, width: width + 10, height: height + 10};
}"""
RINGS = {"question": "#bf-composer", "mode": "#bf-mode label:has([value=timeline])"}
FOCUSED = {
    "question": "#bf-question textarea",
    "ask": "#bf-question .submit-button",
    "mode": "#bf-mode input[value=timeline]",
    "chip": ".bf-chip[data-panel=publisher]",
    "new": "#bf-new",
    "conversation": "#bf-conversations [data-do=open]",
    "coverage": "#bf-banner summary",
    "theme": "[data-do=theme]",
    "number": ".bf-cite",
    "copy": "[data-do=copy]",
    "export": ".bf-tools .bf-menu summary",
    "card": ".bf-card h3 button",
    "back": ".bf-card .bf-number",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_focus_is_visible_on_everything(open_page: Opened, paced: Paced, scheme: str) -> None:
    page = open_page(at=paced.address, color_scheme=scheme, reduced_motion="reduce")
    ask_and_wait(page, BRIDGE)
    page.mouse.move(5, 5)
    for name, selector in FOCUSED.items():
        element = page.locator(selector).first
        element.scroll_into_view_if_needed()
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Shift")  # the keyboard is used, so that `:focus-visible` matches
        clip = element.evaluate(PROBE)
        if name in RINGS:  # the ring is around what holds it
            clip = page.locator(RINGS[name]).first.evaluate(PROBE)
        before = page.screenshot(clip=clip)
        element.focus()
        page.keyboard.press("Shift")
        after = page.screenshot(clip=clip)
        assert changed_pixels(page, before, after) >= 60, name


def changed_pixels(page: Page, before: bytes, after: bytes) -> int:
    """Return how many pixels differ clearly between two screenshots."""
    found: int = page.evaluate(
        """async (images) => {
          const [one, other] = await Promise.all(images.map(async (image) => {
            const bitmap = await createImageBitmap(new Blob([Uint8Array.from(image)]));
            const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
            canvas.getContext('2d').drawImage(bitmap, 0, 0);
            return canvas.getContext('2d').getImageData(0, 0, bitmap.width, bitmap.height).data;
          }));
          let changed = 0;
          for (let at = 0; at < one.length; at += 4) {
            const by = [0, 1, 2].map((n) => Math.abs(one[at + n] - other[at + n]));
            if (Math.max(...by) > 60) changed += 1;
          }
          return changed;
        }""",
        [list(before), list(after)],
    )
    return found
