"""Export: copies, links and files; and feedback."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Paced
from tests.browser.reader import Opened, ask_and_wait
from tests.support.fakes import HARBOUR

BRIDGE = "What of the harbour bridge?"
COPYING = ["clipboard-read", "clipboard-write"]

# The text comes from the server before it is copied; the clipboard is read until it is there.
READ = """
async (mark) => {
  for (let tries = 0; tries < 1200; tries++) {
    const text = await navigator.clipboard.readText();
    if (text.includes(mark)) return text;
    await new Promise((go) => setTimeout(go, 50));
  }
  return '';
}
"""


def read_clipboard(page: Page, mark: str) -> str:
    """Return the clipboard's text once it contains `mark`."""
    return str(page.evaluate(READ, mark))


def test_answer_is_copied_with_citations(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, permissions=COPYING)
    ask_and_wait(page, BRIDGE)
    page.get_by_role("button", name="Export").click()
    page.get_by_role("button", name="Copy", exact=True).click()
    copied = read_clipboard(page, "[1]")
    assert "closed on Monday after the storm. [1]" in copied
    assert f"[1] {HARBOUR.title}, The Harbour Courier, 21 October 2024" in copied
    assert HARBOUR.url in copied


def test_copied_link_asks_the_question_elsewhere(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, permissions=COPYING)
    ask_and_wait(page, BRIDGE)
    page.get_by_role("button", name="Export").click()
    page.get_by_role("button", name="Copy link").click()
    link = read_clipboard(page, "?q=")
    other = open_page(link.removeprefix(paced.address), at=paced.address)
    expect(other.get_by_test_id("user")).to_have_text(BRIDGE)
    expect(other.get_by_test_id("bot")).to_contain_text("closed on Monday")


@pytest.mark.parametrize(
    ("button", "name"),
    [
        ("Markdown", "backfile.md"),
        ("HTML", "backfile.html"),
        ("RIS", "backfile.ris"),
        ("CSL-JSON", "backfile.json"),
    ],
)
@pytest.mark.parametrize("which", ["This answer", "Whole conversation"])
def test_answer_or_conversation_is_saved_as_a_file(
    open_page: Opened, paced: Paced, which: str, button: str, name: str
) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, "What of the apples and the growers?")
    ask_and_wait(page, BRIDGE)
    page.get_by_role("button", name="Export").click()
    page.get_by_label(which).check()
    with page.expect_download() as saved:
        page.get_by_role("button", name=button, exact=True).click()
    assert saved.value.suggested_filename == name
    text = Path(saved.value.path()).read_text(encoding="utf-8")
    assert HARBOUR.title in text
    assert "harbour bridge was closed on Monday after the storm" in text
    assert re.search(r"courier\\?\.example/harbour", text)
    assert re.search(r"21 October 2024|2024/10/21|2024-10-21", text)
    assert re.search(r"sequence(?: number)? \d+", text)
    assert ("Orchards expect" in text) == (which == "Whole conversation")


def test_passages_are_exported_too(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    page.locator("#bf-mode").get_by_label("Passages").check()
    ask_and_wait(page, BRIDGE)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="RIS", exact=True).click()
    text = Path(saved.value.path()).read_text(encoding="utf-8")
    assert f"TI  - {HARBOUR.title}" in text
    assert "repairs would take six weeks" in text


def test_feedback_is_kept_beside_the_archive(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, BRIDGE)
    page.get_by_role("button", name="Dislike").click()
    reason = page.get_by_label("What was good or wrong?")
    reason.fill("the mayor is missing")
    reason.press("Enter")
    expect(page.locator("#bf-opinion").first).to_be_hidden()
    kept = (paced.go.parent / "archive" / "feedback.jsonl").read_text(encoding="utf-8")
    last = json.loads(kept.splitlines()[-1])
    assert (last["thumb"], last["reason"]) == ("down", "the mayor is missing")
    assert last["question"] == BRIDGE
    assert last["passages"][0]["article_id"] == HARBOUR.id


def test_feedback_reason_closes_with_the_next_question(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, BRIDGE)
    page.get_by_role("button", name="Like", exact=True).click()
    expect(page.locator("#bf-opinion").first).to_be_visible()
    ask_and_wait(page, "What of the apples and the growers?")
    expect(page.locator("#bf-opinion").first).to_be_hidden()
