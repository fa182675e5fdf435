"""The view of the archive in the browser, as an editor uses it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Locator, Page, expect

from rag.archive.archive import Archive
from rag.store.held_changes import HeldChange, HeldChanges
from tests.browser.conftest import free_port, serve
from tests.browser.paced_page import serve_paced
from tests.browser.reader import Opened, accessibility_problems, ask_and_wait
from tests.support.commands import command, run
from tests.support.fakes import HARBOUR, WordEmbeddings

FERRY = {
    "id": "gull.example/ferry",
    "title": "Ferry to Holm stops",
    "text": "The ferry to Holm stopped on Monday because of ice. It sails again on Friday.",
    "publisher": "Gull Post",
    "published": "2024-12-20T09:00:00+00:00",
}
BAKERY = {
    **FERRY,
    "id": "gull.example/bakery",
    "title": "Bakery opens",
    "published": "2024-12-22T09:00:00+00:00",
}
EVIL = "<img src=x onerror=window.pwned=1> ${window.pwned=2} {{window.pwned=3}}"


@dataclass(frozen=True)
class Served:
    """A page that may be written to, and its archive's folder."""

    address: str
    folder: Path

    def write(self) -> Archive:
        """Open the archive for writing, as another process would."""
        return Archive.open(self.folder, mode="write", embeddings=WordEmbeddings())


@pytest.fixture
def served(browser: Browser, tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "go").touch()
    with serve_paced(tmp_path, write_access="local") as address:
        yield Served(address, tmp_path / "archive")


def open_archive(page: Page) -> Locator:
    """Follow the bar's link to the view, and return it."""
    page.locator("#bf-banner nav a[data-view=archive]").click()
    view = page.locator("#bf-archive")
    view.get_by_role("heading", name="What was done").wait_for()
    return view


def open_at_archive(open_page: Opened, address: str, **given: Any) -> Page:
    """Open the address of the view itself."""
    page = open_page(at=address, **given)
    page.goto(f"{address}&view=archive")
    page.locator("#bf-archive").get_by_role("heading", name="What was done").wait_for()
    return page


def give_file(page: Page, path: Path, *lines: object) -> None:
    """Give a file to the upload field."""
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    page.locator("#bf-files input[type=file]").set_input_files(path)
    expect(page.locator("#bf-files")).to_contain_text(path.stem)


def hold(served: Served, *names: str, **given: Any) -> None:
    """Hold an article of each name, as another host's feed sends them."""
    with served.write() as archive:
        for name in names:
            content = json.dumps({**FERRY, "id": f"gull.example/{name}", "title": name})
            place = f"https://other.example/{name}"
            values = {
                "id": name.ljust(32, "0"),
                "place": place,
                "source": place,
                "reason": "another publisher's page",
                "at": datetime(2024, 12, 1, tzinfo=UTC),
                "action": "put",
                "article_id": f"gull.example/{name}",
                "origin": "other.example",
                "content": content,
                **given,
            }
            HeldChanges(archive.store.database).save(HeldChange(**values))


def wait_for_focus(page: Page, there: Locator) -> None:
    expect(there).to_be_focused()
    page.wait_for_timeout(700)  # the view is settled by then
    expect(there).to_be_focused()


def test_first_articles_are_previewed_and_added(
    browser: Browser, open_page: Opened, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    with serve(command("serve", "--port", free_port(), "--archive", folder)) as address:
        visitor = open_page(at=address.partition("?")[0])
        expect(visitor.locator("body")).to_have_attribute("data-view", "ask")
        expect(visitor.locator(".bf-coverage")).to_have_text("The archive is empty.")

        page = visitor
        page.goto(address)
        view = page.locator("#bf-archive")
        expect(view.get_by_role("heading", name="Add your first articles")).to_be_visible()
        assert accessibility_problems(page) == []
        give_file(page, tmp_path / "dump.jsonl", FERRY, BAKERY, {"title": "no text"})
        view.get_by_role("button", name="Preview").press("Enter")
        report = page.locator("#bf-told")
        expect(report).to_contain_text("Would add 2 articles")
        expect(report).to_contain_text("Ferry to Holm stops Gull Post, 20 December 2024")
        expect(report.get_by_role("row", name="dump.jsonl")).to_contain_text("2001")
        wait_for_focus(page, report.locator(".bf-note"))
        expect(page.locator(".bf-coverage")).to_have_text("The archive is empty.")
        expect(view.locator("#bf-pending li")).to_have_count(0)

        view.get_by_role("button", name="Add", exact=True).press("Enter")  # the file is still there
        expect(report).to_contain_text("Added 2 articles")
        wait_for_focus(page, report.locator(".bf-note"))
        expect(page.locator("#bf-files")).not_to_contain_text("dump")
        expect(page.locator(".bf-coverage summary")).to_contain_text("2 articles")
        expect(view.get_by_role("heading", name="Add articles")).to_be_visible()
        expect(view.locator("#bf-pending li")).to_contain_text("dump.jsonl:3")
        expect(view.locator("#bf-log li")).to_contain_text("2 new, 0 changed, 1 rejected")
        row = view.locator("#bf-coverage-calendar").get_by_role("row", name="Gull Post 2")
        expect(row.locator("[data-shade='4']")).to_have_count(2)
        expect(row.get_by_role("gridcell")).to_have_count(3)
        expect(row.get_by_role("gridcell").first).to_have_attribute(
            "title", "20 Dec 2024: 1 article"
        )
        expect(page.locator("nav a[data-view=archive]")).to_have_attribute("aria-current", "page")

        page.locator("#bf-banner nav a[data-view=ask]").click()
        answer = ask_and_wait(page, "Why did the ferry to Holm stop?")
        expect(answer).to_contain_text("because of ice")


def test_served_folder_must_be_empty_to_become_an_archive(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear editor")
    done = run("serve", "--port", "0", "--archive", tmp_path)
    assert done.code == 1
    assert "no archive at" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_held_changes_are_decided_by_keyboard(open_page: Opened, served: Served) -> None:
    hold(served, "alpha", "beta", "gamma")
    page = open_at_archive(open_page, served.address)
    view = page.locator("#bf-archive")
    waiting = view.locator("#bf-pending li")
    expect(waiting).to_have_count(3)
    view.get_by_role("button", name="Let in: https://other.example/alpha").press("Enter")
    expect(waiting).to_have_count(2)
    expect(page.locator(".bf-coverage summary")).to_contain_text("5 articles")
    assert page.evaluate("document.activeElement.closest('#bf-pending') !== null")
    view.get_by_role("button", name="Discard: https://other.example/beta").dblclick()
    expect(waiting).to_have_count(1)  # a double click decides about one
    view.get_by_role("button", name="Discard: https://other.example/gamma").press("Enter")
    expect(view.locator("#bf-pending")).to_contain_text("Nothing waits for a decision.")
    wait_for_focus(page, view.get_by_role("heading", name="Held and rejected"))
    expect(page.locator(".bf-coverage summary")).to_contain_text("5 articles")


def test_held_change_decided_elsewhere_is_gone(open_page: Opened, served: Served) -> None:
    hold(served, "alpha")
    page = open_at_archive(open_page, served.address)
    view = page.locator("#bf-archive")
    view.locator("#bf-pending li").wait_for()
    with served.write() as archive:
        changes = HeldChanges(archive.store.database)
        changes.drop([change.id for change in changes.all()])
    view.get_by_role("button", name="Let in").click()
    expect(page.get_by_text("It is no longer there.")).to_be_visible()
    expect(view.locator("#bf-pending li")).to_have_count(0)


def test_article_is_withdrawn_with_a_reason_and_brought_back(
    open_page: Opened, served: Served
) -> None:
    page = open_page(at=served.address)
    view, dialog = open_archive(page), page.locator("#bf-sure")
    view.get_by_label("address or ID").fill(HARBOUR.url)
    view.get_by_label("address or ID").press("Enter")
    expect(view.locator("#bf-articles tbody tr")).to_have_count(1)
    opener = view.get_by_role("button", name=f"Withdraw …: {HARBOUR.title}")
    opener.press("Enter")
    wait_for_focus(page, dialog.get_by_label("Reason"))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    wait_for_focus(page, opener)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alertdialog", name="Withdraw “Harbour bridge")).to_be_visible()
    dialog.get_by_role("button", name="Withdraw").press("Enter")
    expect(page.get_by_text("Give a reason.")).to_be_visible()
    wait_for_focus(page, dialog.get_by_label("Reason"))
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    page.keyboard.type(f"a ruling {EVIL}")
    dialog.get_by_role("button", name="Withdraw").press("Enter")
    expect(dialog).to_be_hidden()
    undo = view.locator("#bf-articles .bf-undo").get_by_role("button", name="Undo")
    wait_for_focus(page, undo)
    log = view.locator("#bf-log")
    expect(log).to_contain_text(f"Withdrawn: {HARBOUR.title}: a ruling {EVIL}")
    expect(page.locator(".bf-coverage summary")).to_contain_text("3 articles")
    assert page.evaluate("window.pwned") is None
    undo.press("Enter")
    expect(log.locator("li")).to_have_count(0)
    expect(view.locator("#bf-articles tbody tr")).to_contain_text(HARBOUR.title)
    expect(page.locator(".bf-coverage summary")).to_contain_text("4 articles")


def test_upload_beside_another_ingest_can_be_tried_again(
    open_page: Opened, served: Served, tmp_path: Path
) -> None:
    page = open_page(at=served.address)
    view, report = open_archive(page), page.locator("#bf-told")
    with served.write():
        give_file(page, tmp_path / "dump.jsonl", FERRY)
        view.get_by_role("button", name="Add", exact=True).click()
        expect(report).to_contain_text("is being written to by process")
        expect(page.locator("#bf-files")).to_contain_text("dump")
    view.get_by_role("button", name="Add", exact=True).click()
    expect(report).to_contain_text("Added 1 article")


def test_hostile_places_are_text(open_page: Opened, served: Served) -> None:
    hold(served, "alpha", place=EVIL, reason=EVIL * 60)
    page = open_at_archive(open_page, served.address, width=390, height=844)
    view = page.locator("#bf-archive")
    expect(view.locator("#bf-pending li b")).to_have_text(EVIL)
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_visitor_has_no_archive_view(open_page: Opened, served: Served) -> None:
    page = open_page("?view=archive", at=served.address.partition("?")[0])
    expect(page.locator("body")).to_have_attribute("data-view", "ask")
    expect(page.locator("#bf-archive")).to_be_hidden()
    expect(page.get_by_role("link", name="Archive")).to_have_count(0)


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
)
def test_archive_view_is_accessible(
    open_page: Opened, served: Served, tmp_path: Path, width: int, scheme: str
) -> None:
    hold(served, "alpha")
    with served.write() as archive:
        archive.withdraw([HARBOUR.id], reason="a ruling")
    page = open_at_archive(open_page, served.address, width=width, color_scheme=scheme)
    view = page.locator("#bf-archive")
    view.locator("#bf-log li").wait_for()
    give_file(page, tmp_path / "dump.jsonl", FERRY, {"title": "no text"})
    view.get_by_role("button", name="Preview").click()
    expect(page.locator("#bf-told")).to_contain_text("Would add 1 article")
    assert accessibility_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    view.get_by_label("address or ID").fill("gazette.example/orchard")
    view.get_by_label("address or ID").press("Enter")
    expect(view.locator("#bf-articles tbody tr")).to_have_count(1)
    view.get_by_role("button", name="Withdraw …: ").click()
    page.locator("#bf-sure").get_by_label("Reason").wait_for()
    assert accessibility_problems(page) == []
