"""Sessions do not mix: what one visitor asks, another never sees."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from tests.browser.person import HARBOUR_QUESTION, Opened, ask, ask_and_wait, cards


def test_two_visitors_never_see_each_other(open_page: Opened) -> None:
    one, other = open_page(), open_page()
    ask(one, HARBOUR_QUESTION)
    ask(other, "Why is the apple harvest small?")
    expect(cards(one).first).to_contain_text("Harbour")
    expect(cards(other).first).to_contain_text("Orchard")
    ask_and_wait(one, "What about the ferries?")
    assert not any("apple" in said for said in one.get_by_test_id("bot").all_inner_texts())
    expect(other.get_by_test_id("bot")).to_have_count(1)
    assert "harbour" not in other.locator("#bf-evidence").inner_text().lower()
