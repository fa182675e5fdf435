"""Reading: the article that opens in place, its bar, its address, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.paced_page import serve_paced
from tests.browser.reader import (
    Opened,
    accessibility_problems,
    ask_and_wait,
    cards,
    open_article,
    wait_for_answer,
)
from tests.support.fakes import HARBOUR
from ui.article_address import ArticleAddress

THREATS = "What did South Korea threaten?"
SUMMONED = "Seoul summons Russian ambassador and demands troops go home"
REVISED = "pellworth-tribune.example/2024/10/24/yoon-duda-seoul-summit"
COPIED = "South Korea says 1,500 North Korean special forces shipped to Russia"
LINE_LENGTHS = """() => {
  const lengths = [], range = document.createRange();
  for (const paragraph of document.querySelectorAll('.bf-text p')) {
    const walker = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
    let line = null, length = 0;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      for (let at = 0; at < node.length; at++) {
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        const {top} = range.getBoundingClientRect();
        if (line !== null && Math.abs(top - line) > 8) { lengths.push(length); length = 0; }
        line = top;
        length++;
      }
    }
  }
  return lengths;
}"""


def bar(page: Page) -> Locator:
    return page.locator("#bf-article .bf-bar")


def headline(page: Page) -> Locator:
    return page.locator("#bf-article h2")


def choose(page: Page, name: str) -> None:
    """Choose from the menu of the article."""
    bar(page).locator("summary").click()
    bar(page).get_by_role("button", name=name).click()


def go_to(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("#bf-banner summary").wait_for(state="attached")
    headline(page).wait_for()


def test_one_action_leads_from_a_sentence_to_its_place_and_one_back(open_page: Opened) -> None:
    page = open_page()
    home = page.url
    answer = ask_and_wait(page, THREATS)
    number = answer.locator(".bf-cite", has_text="2").first
    preview = number.get_attribute("data-quote") or ""

    number.click()  # one action
    place = page.locator("#bf-article mark")
    expect(place).to_be_in_viewport()
    assert preview.removesuffix(" …") in place.inner_text()
    expect(headline(page)).to_be_focused()
    assert page.url.startswith(f"{home}a/")
    assert page.title().startswith(headline(page).inner_text())

    page.keyboard.press("Escape")  # one action
    expect(page.locator("#bf-article .bf-article")).to_have_count(0)
    expect(cards(page).first).to_be_visible()
    expect(number).to_be_focused()
    assert page.url == home
    assert page.title() == "Backfile"


def test_browser_goes_back_and_forward_between_article_and_sources(open_page: Opened) -> None:
    page = open_page()
    home = page.url
    ask_and_wait(page, THREATS)
    open_article(page, SUMMONED)
    address = page.url
    page.go_back()
    expect(page.locator(".bf-article")).to_have_count(0)
    expect(cards(page).first).to_be_visible()
    expect(cards(page).filter(has_text=SUMMONED).locator("h3 button")).to_be_focused()
    assert page.url == home
    page.go_forward()
    expect(headline(page)).to_have_text(SUMMONED)
    expect(bar(page)).to_contain_text("of")  # still one of the sources
    assert page.url == address
    page.get_by_role("button", name="Back to sources").click()
    expect(page.locator(".bf-article")).to_have_count(0)
    assert page.url == home


def test_address_opens_for_another_reader_and_after_a_reload(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    article = open_article(page, SUMMONED)
    marked = article.locator("mark").first.inner_text()
    address = page.url
    page.reload()
    expect(headline(page)).to_have_text(SUMMONED)
    expect(page.locator("#bf-article mark").first).to_have_text(marked)
    expect(page).to_have_url(address)
    expect(page.locator(".bf-turn")).to_have_count(1)  # the conversation is still there

    other = open_page(locale="en-GB")
    go_to(other, address)
    expect(other.locator("#bf-article mark").first).to_have_text(marked)
    expect(other.locator("#bf-article mark").first).to_be_in_viewport()
    expect(headline(other)).to_be_focused()
    expect(other).to_have_url(address)
    expect(other.locator(".bf-turn")).to_have_count(0)
    other.get_by_role("button", name="Close article").click()
    expect(other.locator(".bf-article")).to_have_count(0)
    assert "/a/" not in other.url
    ask_and_wait(other, THREATS)  # the page works as if opened at its root
    expect(cards(other).first).to_be_visible()


def test_new_question_closes_the_article_and_its_address(open_page: Opened) -> None:
    page = open_page()
    home = page.url
    ask_and_wait(page, THREATS)
    open_article(page, SUMMONED)
    ask_and_wait(page, "Who is Han Kang?")
    expect(page.locator(".bf-article")).to_have_count(0)
    expect(page).to_have_url(home)


def test_unknown_address_says_so_and_closes(open_page: Opened, address: str) -> None:
    page = open_page()
    evil = quote("../<img src=x onerror=window.pwned=1>", safe="")
    for path in ("a/nowhere", f"a/{evil}?at=1-9", "a/%2e%2e%2f%2e%2e%2fetc%2fpasswd?at=x"):
        go_to(page, address + path)
        expect(headline(page)).to_contain_text("This article is not in the archive")
        assert page.locator("#bf-article img").count() == 0
    assert page.evaluate("window.pwned") is None
    page.keyboard.press("Escape")
    expect(page.locator(".bf-article")).to_have_count(0)
    assert page.url == address


def test_bar_leads_through_the_sources(open_page: Opened) -> None:
    page = open_page("?mode=passages&q=soldiers+sent+to+Russia")
    wait_for_answer(page)
    total = cards(page).count()
    titles = [cards(page).nth(at).locator("h3").inner_text() for at in range(3)]
    open_article(page, titles[0])
    expect(bar(page)).to_contain_text(f"1 of {total}")
    expect(page.get_by_role("button", name="Previous source")).to_be_disabled()
    page.get_by_role("button", name="Next source").click()
    expect(headline(page)).to_have_text(titles[1])
    expect(bar(page)).to_contain_text(f"2 of {total}")
    page.keyboard.press("j")
    expect(headline(page)).to_have_text(titles[2])
    page.keyboard.press("k")
    expect(headline(page)).to_have_text(titles[1])
    page.go_back()  # to the sources, not through each article
    expect(page.locator(".bf-article")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_bar_stays_in_view(open_page: Opened, width: int) -> None:
    page = open_page("?mode=passages&q=soldiers+sent+to+Russia", width=width, height=500)
    wait_for_answer(page)
    cards(page).first.locator("h3 button").click()
    expect(headline(page)).to_be_visible()
    column = page.locator("#bf-reading")
    column.evaluate("element => element.scrollTo(0, 0)")
    before = bar(page).bounding_box()
    column.evaluate("element => element.scrollTo(0, 1e6)")
    assert column.evaluate("element => element.scrollTop") > 100
    after = bar(page).bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) <= 1
    close = page.locator("#bf-close").bounding_box()
    assert close is not None
    page.mouse.click(close["x"] + close["width"] / 2, close["y"] + close["height"] / 2)
    expect(page.locator(".bf-article")).to_have_count(0)


def test_lines_have_about_65_characters(open_page: Opened, address: str) -> None:
    page = open_page(width=1600)
    go_to(page, f"{address}{ArticleAddress(REVISED).path}")
    lengths = page.evaluate(LINE_LENGTHS)
    assert len(lengths) > 5
    assert 58 <= sum(lengths) / len(lengths) <= 72


def test_article_fills_the_phone_and_is_easy_to_touch(open_page: Opened) -> None:
    page = open_page("?mode=passages&q=soldiers+sent+to+Russia", width=390, height=844)
    wait_for_answer(page)
    cards(page).first.locator("h3 button").click()
    expect(headline(page)).to_be_visible()
    box = page.locator("#bf-reading").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for control in bar(page).locator(":is(button, a, summary):visible").all():
        size = control.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 44, control.inner_text()
    assert accessibility_problems(page) == []


def test_quote_is_copied_with_its_source(open_page: Opened) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    ask_and_wait(page, THREATS)
    article = open_article(page, SUMMONED)
    quoted = article.locator("mark").first.inner_text()
    page.get_by_role("button", name="Copy quote").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    source = f"{SUMMONED}, Pellworth Tribune, 21 October 2024, https://pellworth-tribune.example/"
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"“{quoted}” ({source}")
    article.locator("p").last.click(click_count=3)
    chosen = page.evaluate("getSelection().toString().trim()")
    assert chosen
    assert chosen != quoted
    expect(page.get_by_role("button", name="Copy quote")).to_be_visible()
    page.get_by_role("button", name="Copy quote").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith(f"“{chosen}” ({source}")


def test_revisions_are_compared_word_by_word(open_page: Opened, address: str) -> None:
    page = open_page()
    go_to(page, f"{address}{ArticleAddress(REVISED).path}")
    newest = headline(page).inner_text()
    choose(page, "2 revisions")
    expect(page.locator("#bf-revisions-title")).to_be_focused()
    page.get_by_role("button", name="Show the changes in revision 2").click()
    expect(page.locator(".bf-changes")).to_contain_text("Changes from revision 1 to revision 2")
    expect(page.locator(".bf-changes ins").first).to_be_visible()
    assert newest.startswith(page.locator("h3 ins").first.inner_text().strip()[7:17])
    expect(page.locator(".bf-changes del").first).to_have_css(
        "text-decoration-line", "line-through"
    )
    assert accessibility_problems(page) == []
    page.get_by_role("button", name="Revision 1, added").click()
    expect(page.locator(".bf-changes")).to_have_count(0)
    expect(headline(page)).not_to_have_text(newest)
    expect(page.locator(".bf-note").first).to_contain_text("The current one is revision 2")
    assert page.url.endswith("?revision=1")
    page.locator(".bf-note").get_by_role("button", name="Show changes").click()
    expect(page.locator(".bf-changes ins").first).to_be_visible()


def test_copies_and_similar_articles_open_in_place(open_page: Opened) -> None:
    page = open_page("?mode=passages&q=1,500+special+forces+carried+to+Vladivostok+by+ship")
    wait_for_answer(page)
    open_article(page, COPIED)
    choose(page, "near-duplicate")
    page.locator("#bf-copies li button").first.click()
    expect(headline(page)).not_to_have_text(COPIED)
    copy = headline(page).inner_text()
    choose(page, "Similar articles")
    similar = page.locator("#bf-similar li")
    expect(page.locator("#bf-similar h3")).to_be_focused()
    assert 0 < similar.count() <= 5
    titles = [one.locator("button").inner_text() for one in similar.all()]
    assert copy not in titles
    assert COPIED not in titles
    similar.first.locator("button").click()
    expect(headline(page)).to_have_text(titles[0])
    expect(page.locator("#bf-similar h3")).to_have_count(0)
    page.go_back()
    expect(headline(page)).to_have_text(copy)
    page.go_back()
    expect(headline(page)).to_have_text(COPIED)
    page.keyboard.press("Escape")
    expect(page.locator(".bf-article")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_open_article_is_accessible(open_page: Opened, address: str, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    ask_and_wait(page, THREATS)
    open_article(page, SUMMONED)
    bar(page).locator("summary").click()
    assert accessibility_problems(page) == []
    page.keyboard.press("Escape")
    choose(page, "Similar articles")
    expect(page.locator("#bf-similar h3")).to_be_focused()
    assert accessibility_problems(page) == []
    go_to(page, f"{address}a/nowhere")
    assert accessibility_problems(page) == []


def test_reader_without_a_mouse_opens_and_closes_the_article(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    cards(page).first.locator("h3 button").focus()
    page.keyboard.press("Enter")
    expect(headline(page)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(bar(page).locator("summary")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Similar articles")).to_be_focused()
    page.keyboard.press("Escape")  # the menu
    expect(headline(page)).to_be_visible()
    page.keyboard.press("Escape")  # the article
    expect(page.locator(".bf-article")).to_have_count(0)
    expect(cards(page).first.locator("h3 button")).to_be_focused()


def test_bar_speaks_german(open_page: Opened, address: str) -> None:
    page = open_page(locale="de-DE")
    go_to(page, f"{address}{ArticleAddress(REVISED).path}")
    expect(bar(page)).to_contain_text("Artikel schließen")
    choose(page, "2 Fassungen")
    page.get_by_role("button", name="Änderungen in Fassung 2 zeigen").click()
    expect(page.locator(".bf-changes")).to_contain_text("Änderungen von Fassung 1 zu Fassung 2")


# Removing


@pytest.fixture
def own_page(browser: Browser, tmp_path: Path) -> Iterator[str]:
    """The address of a page with write access from this machine, of this test alone."""
    (tmp_path / "go").touch()
    with serve_paced(tmp_path, write_access="local") as address:
        yield address


def test_article_is_removed_in_four_actions_with_a_reason(open_page: Opened, own_page: str) -> None:
    page = open_page(at=own_page)
    ask_and_wait(page, "What of the harbour bridge?")
    cards(page).first.locator("h3 button").click()
    expect(headline(page)).to_have_text(HARBOUR.title)
    shared = page.url

    bar(page).locator("summary").click()  # 1
    page.get_by_role("button", name="Remove article").click()  # 2
    reason = page.locator("#bf-sure textarea")
    expect(reason).to_be_focused()
    page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(page.locator(".toast-body")).to_contain_text("Give a reason")
    expect(headline(page)).to_have_text(HARBOUR.title)
    reason.fill("A court order")  # 3
    page.get_by_role("button", name="Withdraw", exact=True).click()  # 4
    expect(page.locator(".bf-article")).to_have_count(0)
    go_to(page, shared)
    expect(headline(page)).to_contain_text("This article is not in the archive")
    expect(page.locator("#bf-article")).not_to_contain_text("six weeks")


def test_visitor_is_not_offered_to_remove(open_page: Opened) -> None:
    page = open_page()
    ask_and_wait(page, THREATS)
    open_article(page, SUMMONED)
    bar(page).locator("summary").click()
    expect(page.get_by_role("button", name="Similar articles")).to_be_visible()
    expect(page.get_by_role("button", name="Remove article")).to_have_count(0)
