"""Log in, use the page, and log out, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from rag.settings import Settings
from tests.accounts.conftest import PASSWORD
from tests.browser.paced_page import serve_paced
from ui.accounts.opening import open_accounts

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "archive").mkdir()
    accounts = open_accounts(Settings(archive=tmp_path / "archive"))
    accounts.add_user("ada <b>", PASSWORD, ["read"])
    accounts.add_user("ben", PASSWORD, ["read"])
    with serve_paced(tmp_path) as served:
        yield served


def enter(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_reader_logs_in_asks_and_logs_out(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{address}?view=browse")
    enter(page, "ada <b>", "a wrong password")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    enter(page, "ada <b>")
    page.wait_for_url("**view=browse*")
    expect(page.locator(".bf-account")).to_contain_text("ada <b>")
    expect(page.locator("nav a[data-view=saved]")).to_be_visible()
    expect(page.locator("nav a[data-view=archive]")).to_have_count(0)
    page.goto(address)
    page.locator("#bf-question textarea").fill("Which bridge was closed?")
    page.keyboard.press("Enter")
    expect(page.locator("#bf-conversations")).to_contain_text("Which bridge was closed?")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    enter(page, "ben")
    expect(page.locator(".bf-account")).to_contain_text("ben")
    expect(page.locator("#bf-conversations")).not_to_contain_text("Which bridge was closed?")
    context.close()
