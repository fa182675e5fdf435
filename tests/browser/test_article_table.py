"""The table of articles and the feeds in the browser, as an editor uses them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from ingest.feed_reading import feeds_of
from tests.browser.paced_page import serve_paced
from tests.browser.reader import Opened, accessibility_problems
from tests.browser.test_archive_view import open_at_archive, wait_for_focus
from tests.support.fake_site import FakeSite, serve_site
from tests.support.fake_site import Page as SitePage
from tests.support.fakes import HARBOUR, ORCHARD

STORY = (
    "<p>The ferry Matilda was launched in Skelhaven on Tuesday after two years of work in the "
    "yard. Two hundred people came to see it slide into the water, and a band played.</p><p>The "
    "ferry is to carry forty cars and three hundred passengers. It will begin its service in the "
    "spring, the harbour said, when the crew has been trained and the quay has been mended.</p>"
)
EVIL = "<img src=x onerror=window.pwned=1>"


@pytest.fixture
def served(browser: Browser, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "go").touch()
    settings = {"write_access": "local", "fetch_allow": "127.0.0.1", "fetch_delay": 0.0}
    with serve_paced(tmp_path, **settings) as address:
        yield address


@pytest.fixture
def site() -> Iterator[FakeSite]:
    with serve_site() as found:
        title = f"Ferry launched {EVIL}".replace("<", "&lt;")
        link = found.url("/ferry")
        feed = f"<item><title>{title}</title><link>{link}</link></item>"
        feed = f'<rss version="2.0"><channel><title>{title}</title>{feed}</channel></rss>'
        head = "<html><head><title>Ferry Matilda launched</title></head><body><article>"
        page = f"{head}<h1>Ferry Matilda launched</h1>{STORY}</article></body></html>"
        found.pages["/robots.txt"] = SitePage(b"", 404)
        found.pages["/feed"] = SitePage(feed.encode(), headers={"Content-Type": "text/xml"})
        found.pages["/ferry"] = SitePage(page.encode())
        yield found


def headlines(page: Page) -> list[str]:
    return page.locator("#bf-articles tbody td:nth-child(2) > :first-child").all_inner_texts()


def test_selection_is_withdrawn_with_a_reason_and_undone(open_page: Opened, served: str) -> None:
    page = open_at_archive(open_page, served)
    table, dialog = page.locator("#bf-articles"), page.locator("#bf-sure")
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(4)
    some = table.get_by_role("button", name="Withdraw selected")
    expect(some).to_be_disabled()

    table.get_by_role("button", name="Headline").press("Enter")
    expect(table.locator("th[aria-sort]")).to_have_text("Headline")
    assert headlines(page) == sorted(headlines(page), key=str.casefold)
    table.get_by_label(f"Select: {HARBOUR.title}").press("Space")
    table.get_by_label(f"Select: {ORCHARD.title}").check()
    expect(some).to_have_text("Withdraw selected … (2)")
    table.get_by_label("Select all on this page").check()
    expect(some).to_have_text("Withdraw selected … (4)")
    table.get_by_label("Select all on this page").uncheck()
    expect(some).to_be_disabled()
    table.get_by_label(f"Select: {HARBOUR.title}").check()
    table.get_by_label(f"Select: {ORCHARD.title}").check()

    some.press("Enter")
    expect(dialog).to_contain_text("and 1 other article from the archive?")
    dialog.get_by_label("Reason").fill("a ruling")
    dialog.get_by_role("button", name="Withdraw").press("Enter")
    expect(rows).to_have_count(2)
    undo = table.locator(".bf-undo")
    expect(undo).to_contain_text("2 articles withdrawn.")
    wait_for_focus(page, undo.get_by_role("button"))
    expect(table.locator("input:checked")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(rows).to_have_count(4)
    expect(page.locator(".bf-coverage summary")).to_contain_text("4 articles")


def test_one_article_is_withdrawn_in_four_actions(open_page: Opened, served: str) -> None:
    page = open_at_archive(open_page, served)
    table = page.locator("#bf-articles")
    page.locator("#bf-table").get_by_placeholder("Search by words").fill("harbour bridge")  # 1
    page.keyboard.press("Enter")
    expect(table.locator("tbody tr")).to_have_count(1)
    table.get_by_role("button", name="Withdraw …: ").click()  # 2
    page.locator("#bf-sure").get_by_label("Reason").fill("a ruling")  # 3
    page.locator("#bf-sure").get_by_role("button", name="Withdraw").click()  # 4
    expect(table.locator(".bf-undo")).to_contain_text("1 article withdrawn.")
    page.get_by_role("button", name="Withdrawn", exact=True).click()
    expect(table.locator("tbody tr")).to_contain_text("a ruling")
    table.get_by_label("Select all on this page").check()
    table.get_by_role("button", name="Undo selected").click()
    expect(table).to_contain_text("No withdrawn articles.")
    page.get_by_role("button", name="In the archive", exact=True).click()
    expect(table.locator("tbody tr")).to_have_count(1)  # the words are still there
    table.get_by_role("button", name="Clear").click()
    expect(table.locator("tbody tr")).to_have_count(4)


def test_filter_is_chosen_shown_and_cleared(open_page: Opened, served: str) -> None:
    page = open_at_archive(open_page, served)
    table = page.locator("#bf-articles")
    publishers = table.get_by_label("Publisher", exact=True)
    publishers.select_option(HARBOUR.publisher)
    expect(table.locator("tbody tr")).to_have_count(1)
    expect(publishers).to_have_value(HARBOUR.publisher)
    table.get_by_role("button", name="Clear").press("Enter")
    expect(table.locator("tbody tr")).to_have_count(4)
    expect(publishers).to_have_value("")
    table.get_by_role("link", name=HARBOUR.title).click()
    expect(page.locator(".bf-article h2")).to_contain_text(HARBOUR.title)


def test_feed_is_added_scheduled_read_and_removed(
    open_page: Opened, served: str, site: FakeSite, tmp_path: Path
) -> None:
    page = open_at_archive(open_page, served)
    view, listed = page.locator("#bf-feeding"), page.locator("#bf-feeds")
    report = page.locator("#bf-feed-report")
    expect(listed).to_contain_text("None yet.")
    address = view.get_by_label("Address of a feed")
    address.fill("http://10.0.0.7/feed")
    view.get_by_role("button", name="Add to the list").click()
    expect(report).to_contain_text("private address")
    address.fill(site.url("/feed"))
    view.get_by_role("button", name="Check address").press("Enter")
    expect(report).to_contain_text("Would add 1 article")
    expect(report).to_contain_text("Ferry Matilda launched")
    view.get_by_label("By hand").check()
    view.get_by_role("button", name="Add to the list").press("Enter")
    expect(listed.locator("li")).to_contain_text("Read by hand.")
    expect(address).to_have_value("")

    listed.get_by_label("Schedule: ").select_option("Every 6 hours")
    expect(listed.locator("li")).to_contain_text("Next read:")
    (feed,) = feeds_of(tmp_path / "archive").all()
    assert feed.every == 21_600
    listed.get_by_role("button", name="Read now").press("Enter")
    expect(listed.locator("li")).to_contain_text("1 new, 0 changed")
    expect(page.locator("#bf-articles")).to_contain_text("Ferry Matilda launched")
    expect(page.locator("#bf-log")).to_contain_text(f"from 127.0.0.1 · {site.url('/feed')}")

    listed.get_by_role("button", name="Pause").press("Enter")
    expect(listed.locator("li")).to_contain_text("Paused.")
    wait_for_focus(page, listed.get_by_role("button", name="Resume"))
    listed.get_by_role("button", name="Remove").press("Enter")
    expect(listed.locator("li")).to_have_count(0)
    wait_for_focus(page, listed.get_by_role("button", name="Undo"))
    page.keyboard.press("Enter")
    expect(listed.locator("li")).to_have_count(1)
    assert page.evaluate("window.pwned") is None


@pytest.mark.parametrize(
    ("width", "scheme", "locale"),
    [(1280, "light", "en"), (1280, "dark", "en"), (390, "light", "de"), (390, "dark", "en")],
)
def test_table_and_feeds_are_accessible(
    open_page: Opened, served: str, tmp_path: Path, width: int, scheme: str, locale: str
) -> None:
    feeds = feeds_of(tmp_path / "archive")
    feeds.add(f"https://gull.example/{'x' * 150}", every=3600, creator="command")
    before = feeds.begin(feeds.add("https://gull.example/b", every=0, creator="command").id)
    assert before is not None
    feeds.finish(before, {}, error=f"failed {EVIL} {'y' * 200}")
    page = open_page(at=served, width=width, color_scheme=scheme, locale=locale)
    page.goto(f"{served}&view=archive")
    table = page.locator("#bf-articles")
    table.locator("tbody tr").first.wait_for()
    table.locator("tbody input").first.check()
    page.locator("#bf-feeds li").first.wait_for()
    assert accessibility_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 390:
        small = page.evaluate(
            """() => JSON.stringify([...document.querySelectorAll(
              '#bf-table :is(button, select, label), #bf-feeding :is(button, select)')]
              .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 44)
              .map((one) => one.outerHTML.slice(0, 80)))"""
        )
        assert json.loads(small) == []
