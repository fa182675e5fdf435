"""Saved searches and dossiers in the browser, as an editor uses them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Locator, Page, expect

from rag.archive.archive import Archive
from rag.schema import Filters
from tests.browser.conftest import free_port, serve
from tests.browser.paced_page import serve_paced
from tests.browser.reader import Opened, accessibility_problems, ask_and_wait, cards
from tests.support.commands import command, run
from tests.support.fakes import HARBOUR, HOSTILE, ORCHARD, WordEmbeddings

BRIDGE = "What of the harbour bridge?"
APPLES = "What of the apples and the growers?"
EVIL = "<img src=x onerror=window.pwned=1> ${window.pwned=2} {{window.pwned=3}}"
WORDPROCESSING = "word/document.xml"


@dataclass(frozen=True)
class Served:
    """A page that may be written to, and its archive's folder."""

    address: str
    folder: Path

    def open(self) -> Archive:
        """Open the archive for reading."""
        return Archive.open(self.folder, embeddings=WordEmbeddings())


@pytest.fixture
def served(browser: Browser, tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "go").touch()
    with serve_paced(tmp_path, write_access="local") as address:
        yield Served(address, tmp_path / "archive")


def open_saved(page: Page) -> Locator:
    """Follow the bar's link to the view, and return it."""
    page.locator("#bf-banner nav a[data-view=saved]").click()
    view = page.locator("#bf-saved")
    view.get_by_role("heading", name="Dossiers").wait_for()
    return view


def collect(page: Page, question: str) -> None:
    """Ask a question, and add the passage of its first card to the dossier."""
    ask_and_wait(page, question)
    cards(page).first.locator("[data-do=collect]").click()
    page.get_by_text("Added to").last.wait_for()


def titles(view: Locator) -> Locator:
    return view.locator(".bf-dossier ol > li > div > b")


def wait_for_focus(page: Page, there: Callable[[], Locator]) -> None:
    expect(there()).to_be_focused()
    page.wait_for_timeout(700)  # the view is settled by then
    expect(there()).to_be_focused()


def test_saved_search_counts_what_came_in(
    browser: Browser, open_page: Opened, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"

    def ingest(number: int, text: str) -> None:
        story = {"id": f"gull.example/{number}", "title": f"Tide {number}", "text": text}
        (tmp_path / "more.jsonl").write_text(json.dumps(story))
        assert run("ingest", tmp_path / "more.jsonl", "--archive", archive).code == 0

    ingest(1, "The lighthouse of Holm was painted red in May, the harbour office said.")
    with serve(command("serve", "--port", free_port(), "--archive", archive)) as address:
        page = open_page(at=address)
        ask_and_wait(page, "lighthouse of Holm")
        page.locator("[data-do=keep]").click()
        page.get_by_text("The search is saved.").wait_for()
        expect(page.locator("#bf-saved-rail")).to_contain_text("lighthouse of Holm")
        expect(page.locator("#bf-saved-rail .bf-new")).to_have_count(0)

        ingest(2, "The lighthouse of Holm went dark on Friday, when a cable broke.")
        ingest(3, "The bakery opened on Sunday.")
        page.reload()
        expect(page.locator("#bf-saved-rail .bf-new")).to_have_text("1")
        view = open_saved(page)
        expect(view.locator(".bf-new")).to_have_text("1 new article")
        view.get_by_role("button", name="lighthouse of Holm", exact=True).click()
        expect(page.locator(".bf-asked")).to_have_text("lighthouse of Holm")
        expect(cards(page).filter(has_text="Tide 2")).to_have_count(1)
        expect(page.locator("#bf-saved-rail .bf-new")).to_have_count(0)
        expect(open_saved(page)).to_contain_text("Nothing new")


def test_dossier_is_collected_written_ordered_and_exported(
    open_page: Opened, served: Served
) -> None:
    page = open_page(at=served.address)
    collect(page, BRIDGE)
    collect(page, APPLES)
    view = open_saved(page)
    view.get_by_role("button", name="My dossier", exact=True).click()
    expect(titles(view)).to_have_text([HARBOUR.title, ORCHARD.title])
    note = view.get_by_label(f"Note: {HARBOUR.title}")
    note.fill("Ask the mayor about <money>.\nTwice.")
    view.get_by_label(f"Note: {ORCHARD.title}").click()  # leaves the first note
    page.keyboard.type("Call the growers")
    view.get_by_role("button", name=f"Up: {ORCHARD.title}").click()
    expect(titles(view)).to_have_text([ORCHARD.title, HARBOUR.title])
    for label, text in (
        (ORCHARD.title, "Call the growers"),
        (HARBOUR.title, "Ask the mayor about <money>.\nTwice."),
    ):
        expect(view.get_by_label(f"Note: {label}")).to_have_value(text)

    with served.open() as archive:
        while sum(bool(one.note) for one in archive.saved.dossiers.passages("My dossier")) < 2:
            page.wait_for_timeout(100)
    page.reload()  # the view and what was written are there again
    view.get_by_role("button", name="My dossier", exact=True).click()
    expect(titles(view)).to_have_text([ORCHARD.title, HARBOUR.title])
    expect(view.get_by_label(f"Note: {HARBOUR.title}")).to_have_value(
        "Ask the mayor about <money>.\nTwice."
    )

    view.get_by_role("button", name="Rename: My dossier").click()
    page.keyboard.type("Storm & harvest")
    page.keyboard.press("Enter")
    expect(view.locator(".bf-dossier h3")).to_have_text("Storm & harvest")
    with page.expect_download() as saved:
        view.get_by_role("button", name="Word: Storm & harvest").click()
    assert saved.value.suggested_filename.endswith(".docx")
    with zipfile.ZipFile(io.BytesIO(Path(saved.value.path()).read_bytes())) as word:
        document = word.read(WORDPROCESSING).decode()
    with page.expect_download() as saved:
        view.get_by_role("button", name="Markdown: Storm & harvest").click()
    assert saved.value.suggested_filename.endswith(".md")
    markdown = Path(saved.value.path()).read_text(encoding="utf-8")
    for text in (document, markdown):
        assert text.index("Call the growers") < text.index("Ask the mayor about")
        assert text.index("third fewer apples") < text.index("closed on Monday")
        assert HARBOUR.title in text
    assert "&lt;money&gt;" in document


def test_removed_things_are_brought_back_by_keyboard(open_page: Opened, served: Served) -> None:
    page = open_page(at=served.address)
    collect(page, BRIDGE)
    page.locator("[data-do=keep]").last.click()
    collect(page, APPLES)
    view = open_saved(page)
    view.get_by_role("button", name="My dossier", exact=True).press("Enter")
    wait_for_focus(page, lambda: view.get_by_role("button", name="My dossier", exact=True))
    view.get_by_role("button", name=f"Remove: {HARBOUR.title}").press("Enter")
    expect(titles(view)).to_have_text([ORCHARD.title])
    wait_for_focus(page, lambda: view.get_by_role("button", name=f"Undo: {HARBOUR.title}"))
    page.keyboard.press("Enter")
    expect(titles(view)).to_have_text([HARBOUR.title, ORCHARD.title])
    wait_for_focus(page, lambda: view.get_by_label(f"Note: {HARBOUR.title}"))

    view.get_by_role("button", name="New dossier").press("Enter")
    page.keyboard.type("Empty")
    page.keyboard.press("Enter")
    wait_for_focus(page, lambda: view.get_by_role("button", name="Empty", exact=True))
    expect(view.locator(".bf-dossier")).to_contain_text("This dossier is empty.")
    for name in ("My dossier", BRIDGE):  # each the first of its list, before another or alone
        view.get_by_role("button", name=f"Remove: {name}").press("Enter")
        wait_for_focus(page, lambda name=name: view.get_by_role("button", name=f"Undo: {name}"))
        page.keyboard.press("Enter")
        wait_for_focus(page, lambda name=name: view.get_by_role("button", name=name, exact=True))
    view.get_by_role("button", name="Rename: Empty").press("Enter")
    page.keyboard.type("Other name")
    page.keyboard.press("Escape")
    wait_for_focus(page, lambda: view.get_by_role("button", name="Rename: Empty"))


def test_searches_of_filters_open_with_their_filters(open_page: Opened, served: Served) -> None:
    with served.open() as archive:
        searches = archive.saved.searches
        searches.add("The Courier", filters=Filters(publishers=(HARBOUR.publisher,)))
        since = datetime(2024, 10, 22, tzinfo=UTC)
        searches.add(
            "Since the storm", filters=Filters(after=since, publishers=(ORCHARD.publisher,))
        )
    page = open_page(at=served.address)
    ask_and_wait(page, BRIDGE)
    page.locator("#bf-saved-rail").get_by_role("button", name="The Courier").click()
    expect(page.locator("#bf-results h2")).to_have_text("1 article")
    expect(page.locator(".bf-chosen")).to_have_text([f"{HARBOUR.publisher} ×"])
    assert "view=browse&publisher=" in page.url
    page.locator("#bf-banner nav a[data-view=saved]").click()
    page.locator("#bf-searches").get_by_role("button", name="Since the storm", exact=True).click()
    expect(page.locator("#bf-question textarea")).to_be_visible()
    expect(page.locator(".bf-chip[data-panel=date]")).to_have_text("from 22 Oct 2024")
    expect(page.locator(".bf-chip[data-panel=publisher]")).to_have_text(ORCHARD.publisher)
    expect(page.get_by_test_id("user")).to_have_count(0)
    answer = ask_and_wait(page, APPLES)
    expect(answer).to_contain_text("a third fewer")
    expect(page.locator(".bf-chip[data-panel=publisher]")).to_have_text(ORCHARD.publisher)


def test_dossier_open_on_two_pages(open_page: Opened, served: Served) -> None:
    page = open_page(at=served.address)
    collect(page, BRIDGE)
    collect(page, APPLES)
    beside = open_page(at=served.address, beside=page)
    first, second = open_saved(page), open_saved(beside)
    for view in (first, second):
        view.get_by_role("button", name="My dossier", exact=True).click()
        expect(titles(view)).to_have_count(2)
    second.get_by_role("button", name=f"Remove: {HARBOUR.title}").click()
    expect(titles(second)).to_have_count(1)
    first.get_by_role("button", name=f"Down: {HARBOUR.title}").click()  # it is gone
    expect(titles(first)).to_have_text([ORCHARD.title])
    second.get_by_role("button", name="Remove: My dossier").click()
    second.get_by_role("button", name="Undo: My dossier").wait_for()
    first.get_by_label(f"Note: {ORCHARD.title}").fill("to nobody")
    first.get_by_role("heading", name="Dossiers").click()
    expect(page.get_by_text("No dossier").first).to_be_visible()


def test_hostile_names_and_titles_are_text(open_page: Opened, served: Served) -> None:
    with served.open() as archive:
        archive.saved.searches.add(EVIL, EVIL)
        dossier = archive.saved.dossiers.create(f"</h3>{EVIL}")
        archive.saved.dossiers.add(dossier.id, HOSTILE.id, 0, 100, note=f"</textarea>{EVIL}")
        archive.saved.dossiers.create("long " * 40)
    page = open_page(at=served.address, width=390, height=844)
    view = open_saved(page)
    view.get_by_role("button", name=f"</h3>{EVIL}", exact=True).click()
    expect(view.get_by_label("Note")).to_have_value(f"</textarea>{EVIL}")
    view.get_by_role("button", name=f"Rename: </h3>{EVIL}").click()
    expect(view.locator("input")).to_have_value(f"</h3>{EVIL}")
    page.keyboard.press("Escape")
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_withdrawn_article_leaves_a_dossier(open_page: Opened, served: Served) -> None:
    page = open_page(at=served.address)
    collect(page, BRIDGE)
    with Archive.open(served.folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.withdraw([HARBOUR.id], reason="a ruling")
    view = open_saved(page)
    view.get_by_role("button", name="My dossier", exact=True).click()
    expect(view.locator(".bf-dossier")).to_contain_text("This article has been withdrawn.")
    expect(view.locator(".bf-dossier")).not_to_contain_text("closed on Monday")


def test_visitor_has_no_saved_view(open_page: Opened, served: Served) -> None:
    page = open_page("?view=saved", at=served.address.partition("?")[0])
    expect(page.locator("body")).to_have_attribute("data-view", "ask")
    expect(page.locator("#bf-saved")).to_be_hidden()
    ask_and_wait(page, BRIDGE)
    expect(page.locator("[data-do=keep]")).to_be_hidden()
    expect(cards(page).first.locator("[data-do=collect]")).to_be_hidden()


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
)
def test_saved_view_is_accessible(
    open_page: Opened, served: Served, width: int, scheme: str
) -> None:
    with served.open() as archive:
        archive.saved.searches.add("Bridge", "harbour bridge")
        deleted = archive.saved.searches.add("Old", "old")
        archive.saved.searches.delete(deleted.id)
        dossier = archive.saved.dossiers.create("Storm")
        for article in (HARBOUR, ORCHARD, HOSTILE):
            added = archive.saved.dossiers.add(dossier.id, article.id, 0, 20)
        archive.saved.dossiers.remove(dossier.id, added.id)
    page = open_page(at=served.address, width=width, color_scheme=scheme)
    page.goto(f"{served.address}&view=saved")
    page.get_by_role("button", name="Storm", exact=True).click()
    expect(titles(page.locator("#bf-saved"))).to_have_count(2)
    assert accessibility_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 390:
        buttons = page.locator("#bf-saved button:visible").all()
        assert min((box["height"] for b in buttons if (box := b.bounding_box())), default=0) >= 44
