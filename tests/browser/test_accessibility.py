"""Accessibility: keyboard, focus, screen reader, colours, motion; and no outside requests."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Paced
from tests.browser.reader import (
    WAIT,
    Opened,
    accessibility_problems,
    ask,
    ask_and_wait,
    cards,
    choose_mode,
    export_menu,
    open_article,
    understood,
    wait_for_answer,
    wait_for_version,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ARTEFACTS = Path(__file__).parent.parent.parent / "artefacts"
BRIDGE = "What of the harbour bridge?"
APPLES = "What of the apples and the growers?"
MOST_SHIFT = 0.05  # of the layout, after the first paint of an answer

# Keyboard


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


# Structure


def outline(page: Page) -> list[int]:
    """Return the levels of the headings that are shown, in order."""
    return [
        int(level)
        for level in page.locator("h1, h2, h3, h4").evaluate_all(
            "all => all.filter((one) => one.checkVisibility()).map((one) => one.tagName[1])"
        )
    ]


def test_headings_are_in_order_and_regions_are_named(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    for show in (
        lambda: page.locator(".bf-suggestions").wait_for(),
        lambda: ask_and_wait(page, BRIDGE),
        lambda: open_article(page, "Harbour bridge closed"),
        lambda: ask_and_wait(page, "Xylophones of Peru?"),
    ):
        show()
        levels = outline(page)
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    for role, name in (
        ("navigation", "Conversations"),
        ("region", "Conversation"),
        ("complementary", "Sources"),
    ):
        expect(page.get_by_role(role, name=name, exact=True)).to_have_count(1)  # type: ignore[arg-type]
    expect(page.get_by_role("main")).to_have_count(1)


def test_finished_answer_is_said_once(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    said = page.evaluate_handle("""() => {
      const said = [];
      const live = document.querySelector('#bf-live');
      new MutationObserver(() => said.push(live.textContent))
        .observe(live, {childList: true, characterData: true, subtree: true});
      return said;
    }""")
    expect(page.locator("#bf-live")).to_have_attribute("aria-live", "polite")
    ask(page, "What of the harbour bridge, slowly?")
    expect(page.locator(".bf-statement")).to_have_count(1)
    assert said.evaluate("said => said.length") == 0  # not while it grows
    paced.go.touch()
    wait_for_answer(page)
    page.wait_for_function("said => said.length > 0", arg=said)
    open_article(page, "Harbour bridge closed")
    page.keyboard.press("Escape")
    expect(page.locator(".bf-article")).to_be_hidden()
    (words,) = said.evaluate("said => said")
    assert "closed on Monday after the storm" in words
    assert "Answered" in words
    assert "<" not in words
    ask_and_wait(page, APPLES)
    page.wait_for_function("said => said.length > 1", arg=said)
    assert "a third fewer" in said.evaluate("said => said[1]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_is_switched_and_kept(open_page: Opened, paced: Paced, scheme: str) -> None:
    page = open_page(at=paced.address, color_scheme=scheme)
    dark = re.compile(r"(^|\s)dark(\s|$)")
    body = page.locator("body")
    is_dark = scheme == "dark"
    (expect(body).to_have_class if is_dark else expect(body).not_to_have_class)(dark)
    page.get_by_role("button", name="Light or dark").click()
    (expect(body).not_to_have_class if is_dark else expect(body).to_have_class)(dark)
    page.reload()
    page.locator("#bf-banner header").wait_for()
    (expect(body).not_to_have_class if is_dark else expect(body).to_have_class)(dark)


def test_answer_does_not_shift_after_its_first_paint(open_page: Opened) -> None:
    page = open_page()
    ask(page, "What did South Korea threaten?")
    page.locator(".bf-statement").first.wait_for()
    page.evaluate("""() => {
      window.shifted = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shifted += entry.value;
      }).observe({type: 'layout-shift', buffered: false});
    }""")
    wait_for_answer(page)
    page.locator("#bf-time .bf-bars").wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate("window.shifted") <= MOST_SHIFT


def test_page_speaks_german(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, locale="de-DE")
    field = page.locator("#bf-question textarea")
    expect(field).to_have_attribute("placeholder", re.compile("Archiv"))
    expect(page.get_by_role("button", name="Datum")).to_be_visible()
    expect(page.locator("#bf-banner summary")).to_contain_text("4 Artikel · 21.10.2024")
    ask(page, "Xylophon?")  # first, or it would be read as a follow-up
    expect(page.get_by_test_id("bot").last).to_contain_text("Keine Antwort im Archiv gefunden.")
    ask(page, BRIDGE)
    answer = page.get_by_test_id("bot").last
    expect(answer).to_contain_text("Stand: 21. Oktober 2024")
    expect(page.locator("#bf-evidence")).to_contain_text("Quellen")


# Every view, by axe-core


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


def test_offline_page_says_so_and_keeps_the_question(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, reduced_motion="reduce")
    ask_and_wait(page, BRIDGE)
    page.context.set_offline(True)
    try:
        expect(page.get_by_role("alert")).to_contain_text("No connection to the archive")
        ask(page, APPLES)
        expect(page.locator("#bf-question textarea")).to_have_value(APPLES)
        expect(page.get_by_test_id("user")).to_have_count(1)
        page.get_by_role("button", name="Retry").click()
        expect(page.get_by_role("alert")).to_contain_text("No connection to the archive")
    finally:
        page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#bf-question textarea")).to_have_value(APPLES)
    page.reload()
    page.locator("#bf-banner header").wait_for()
    expect(page.locator("#bf-question textarea")).to_have_value(APPLES)
    page.locator("#bf-question textarea").press("Enter")
    expect(page.get_by_test_id("bot").last).to_contain_text("a third fewer")


def test_reduced_motion_stops_what_moves(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, reduced_motion="reduce")
    ask(page, "What of the harbour bridge, searched slowly?")
    page.locator(".bf-skeleton i").first.wait_for()
    assert page.evaluate("document.getAnimations().filter((a) => a.playState === 'running')") == []
    paced.go.touch()
    wait_for_answer(page)


def test_no_request_leaves_the_machine(browser: Browser, paced: Paced) -> None:
    context = browser.new_context()
    context.set_default_timeout(WAIT)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(paced.address)
    ask_and_wait(page, BRIDGE)
    cards(page).first.locator("h3 button").click()
    expect(page.locator(".bf-article")).to_be_visible()
    context.close()
    assert asked
    assert [url for url in asked if not url.startswith((paced.address, "data:", "blob:"))] == []
