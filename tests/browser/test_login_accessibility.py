"""The login page for everybody: what axe-core finds, in each colour scheme and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from rag.settings import Settings
from tests.accounts.conftest import PASSWORD
from tests.browser.paced_page import serve_paced
from tests.browser.reader import accessibility_problems
from ui.accounts.opening import open_accounts

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCREENS = [
    pytest.param(1600, "light", id="light"),
    pytest.param(1600, "dark", id="dark"),
    pytest.param(390, "light", id="phone"),
    pytest.param(390, "dark", id="phone-dark"),
]
SMALLEST_TARGET = 24  # pixels, WCAG 2.2, 2.5.8


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("login")
    (folder / "archive").mkdir()
    accounts = open_accounts(Settings(archive=folder / "archive"))
    accounts.add_user("ada", PASSWORD, ["read"])
    accounts.add_user("bot", PASSWORD, ["ingest"])
    with serve_paced(folder) as served:
        yield served


def enter(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_login_page_has_no_accessibility_problems(
    browser: Browser, address: str, width: int, scheme: str
) -> None:
    size = {"width": width, "height": 844}
    context = browser.new_context(locale="en-GB", viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert accessibility_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for control in page.locator("input:visible, button").all():
        assert (control.bounding_box() or {"height": 0})["height"] >= SMALLEST_TARGET
    enter(page, "ada", "a wrong password")
    expect(page.get_by_role("alert")).to_be_visible()
    assert accessibility_problems(page) == []
    enter(page, "bot", PASSWORD)  # may not read: the page that says so
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    expect(page.locator("meta[name=viewport]")).to_have_count(1)  # else tiny on a phone
    assert accessibility_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
