"""Export: copies, links and files; and feedback."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Paced
from tests.browser.reader import Opened, ask_and_wait, choose_mode, export_menu
from tests.support.fakes import HARBOUR
from tests.ui.pdf_reader import read_pdf

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
    page.get_by_role("button", name="Copy with citations").click()
    copied = read_clipboard(page, "[1]")
    assert "closed on Monday after the storm. [1]" in copied
    assert f"[1] {HARBOUR.title}, The Harbour Courier, 21 October 2024" in copied
    assert HARBOUR.url in copied
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()


def test_copied_link_asks_the_question_elsewhere(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, permissions=COPYING)
    choose_mode(page, "Passages")
    ask_and_wait(page, BRIDGE)
    page.get_by_role("button", name="Copy link").click()
    link = read_clipboard(page, "?q=")
    other = open_page(link.removeprefix(paced.address), at=paced.address)
    expect(other.get_by_test_id("user")).to_have_text(BRIDGE)
    expect(other.locator("#bf-mode").get_by_label("Passages")).to_be_checked()
    expect(other.locator("#bf-evidence")).to_contain_text("closed on Monday")


def read_saved(path: Path) -> str:
    """Return the text of a saved file, that of a Word document without its markup."""
    if path.suffix == ".pdf" or path.read_bytes()[:4] == b"%PDF":
        return read_pdf(path.read_bytes()).text
    if path.read_bytes()[:2] != b"PK":
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as archive:
        files = [archive.read(name).decode() for name in archive.namelist() if ".xml" in name]
    return " ".join(re.sub(r"<[^>]+>", "", file) for file in files) + " ".join(files)


@pytest.mark.parametrize(
    ("button", "suffix"),
    [
        ("Word", "docx"),
        ("PDF", "pdf"),
        ("Markdown", "md"),
        ("HTML", "html"),
        ("RIS", "ris"),
        ("CSL-JSON", "json"),
    ],
)
@pytest.mark.parametrize("which", ["answer", "conversation"])
def test_answer_or_conversation_is_saved_as_a_file(
    open_page: Opened, paced: Paced, which: str, button: str, suffix: str
) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, "What of the apples and the growers?")
    expect(page.get_by_label("Whole conversation")).to_be_hidden()
    ask_and_wait(page, BRIDGE)
    menu = export_menu(page)
    if which == "conversation":
        menu.get_by_label("Whole conversation").check()
    with page.expect_download() as saved:
        menu.get_by_role("button", name=button, exact=True).click()
    expect(menu.get_by_role("button", name=button, exact=True)).to_be_hidden()
    whole = which == "conversation"
    name = "what-of-the-apples-and-the-growers" if whole else "what-of-the-harbour-bridge"
    assert saved.value.suggested_filename == f"{name}.{suffix}"
    text = read_saved(Path(saved.value.path()))
    assert HARBOUR.title in text
    assert "harbour bridge was closed on Monday after the storm" in text
    assert re.search(r"courier\\?\.example/harbour", text)
    assert re.search(r"21 October 2024|2024/10/21|2024-10-21", text)
    assert re.search(r"sequence(?: number)? \d+", text)
    assert ("Orchards expect" in text) == whole


def test_passages_are_exported_too(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    choose_mode(page, "Passages")
    ask_and_wait(page, BRIDGE)
    with page.expect_download() as saved:
        export_menu(page).get_by_role("button", name="RIS", exact=True).click()
    text = Path(saved.value.path()).read_text(encoding="utf-8")
    assert f"TI  - {HARBOUR.title}" in text
    assert "repairs would take six weeks" in text


def test_print_shows_the_answer_and_its_sources_only(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address, color_scheme="dark")
    page.evaluate("window.print = () => { window.printed = true; }")
    ask_and_wait(page, BRIDGE)
    export_menu(page).get_by_role("button", name="Print", exact=True).click()
    page.wait_for_function("window.printed")
    page.emulate_media(media="print")
    expect(page.get_by_test_id("bot").locator(".bf-statement").first).to_be_visible()
    expect(page.locator(".bf-card").first).to_be_visible()
    for hidden in ("#bf-composer", "#bf-rail", ".bf-tools", "#bf-banner"):
        expect(page.locator(hidden).first).to_be_hidden()
    said = page.locator(".bf-statement").first
    assert said.evaluate("said => getComputedStyle(said).color") == "rgb(0, 0, 0)"


def test_thumb_and_reason_are_kept_beside_the_archive(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, BRIDGE)
    page.get_by_role("button", name="Bad answer").click()
    reason = page.get_by_label("What was good or wrong?")
    expect(reason).to_be_focused()
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
    thumb = page.get_by_role("button", name="Good answer", exact=True)
    thumb.click()
    expect(thumb).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#bf-opinion").first).to_be_visible()
    ask_and_wait(page, "What of the apples and the growers?")
    expect(page.locator("#bf-opinion").first).to_be_hidden()
