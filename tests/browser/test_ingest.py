"""Ingest from the page: files, addresses, the report, and withdrawing articles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Paced
from tests.browser.paced_page import serve_paced
from tests.browser.reader import (
    Opened,
    accessibility_problems,
    ask_and_wait,
    cards,
    wait_for_answer,
    wait_for_version,
)

FERRY = {
    "url": "https://ferry.example/sunk",
    "title": "Ferry Matilda sinks in the sound",
    "text": "The ferry Matilda sank in the sound on Tuesday. All were saved, the harbour said.",
    "publisher": "Sound Herald",
    "published": "2024-10-25",
}
MATILDA = "What became of the ferry Matilda?"


STORY = (
    "<p>The shipyard launched a new ferry on Friday, the first to be built in the sound since the "
    "war. Two hundred people came to see it slide into the water, and a band played.</p><p>The "
    "ferry is to carry forty cars and three hundred passengers. It will begin its service in the "
    "spring, the harbour said, when the crew has been trained and the quay has been mended.</p>"
)
WATCH_PROGRESS = """() => {
  const seen = [];
  new MutationObserver(() => {
    if (document.querySelector('#bf-told progress')) {
      seen.push(document.querySelector('#bf-told .bf-note').textContent);
    }
  }).observe(document.body, {subtree: true, childList: true});
  return seen;
}"""


@pytest.fixture(scope="module")
def start_admin(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], str]]:
    """Starts a page over an archive of its own; all end with the module."""
    with ExitStack() as servers:

        def start() -> str:
            folder = tmp_path_factory.mktemp("minded")
            (folder / "go").touch()
            return servers.enter_context(
                serve_paced(folder, write_access="local", fetch_allow="localhost")
            )

        yield start


@pytest.fixture(scope="module")
def admin_servers(start_admin: Callable[[], str]) -> list[str]:
    return [start_admin()]


@pytest.fixture
def admin_page(
    request: pytest.FixtureRequest, start_admin: Callable[[], str], admin_servers: list[str]
) -> str:
    """The address of a page with write access from this machine.

    A test that is run again gets a page of its own: it may have added its articles to the other.
    """
    if getattr(request.node, "execution_count", 1) > 1:
        admin_servers.append(start_admin())
    return admin_servers[-1]


@pytest.fixture
def newspaper(tmp_path: Path) -> Iterator[str]:
    """The address of a local newspaper with one article."""
    page = f"<html><head><title>{FERRY['title']}</title></head><body><article>{STORY}</article>"
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper" / "launched.html").write_text(page)
    asked = partial(Quiet, directory=tmp_path / "paper")
    with ThreadingHTTPServer(("localhost", 0), asked) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/launched.html"
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of what is asked for."""


def drop_file(page: Page, name: str, text: str) -> None:
    """Drop a file on the upload field."""
    given = page.evaluate_handle(
        """([name, text]) => {
          const given = new DataTransfer();
          given.items.add(new File([text], name));
          return given;
        }""",
        [name, text],
    )
    field = page.locator("#bf-files button").first
    for event in ("dragenter", "dragover", "drop"):
        field.dispatch_event(event, {"dataTransfer": given})


def open_admin(page: Page) -> None:
    page.get_by_role("link", name="Archive", exact=True).click()
    expect(page.locator("#bf-archive")).to_be_visible()


def ask_in_view(page: Page, question: str) -> Locator:
    """Go back to the conversation, ask, and return the answer."""
    page.get_by_role("link", name="Ask", exact=True).click()
    return ask_and_wait(page, question)


def test_dropped_file_is_reported_and_answers_a_question(
    open_page: Opened, admin_page: str, tmp_path: Path
) -> None:
    page = open_page(at=admin_page)
    dump = tmp_path / "dump.jsonl"
    open_admin(page)
    expect(page.locator("#bf-status")).to_contain_text("Sequence number")
    for line, said in (
        (
            {**FERRY, "text": "The ferry Matilda is late."},
            "Added 1 article; 0 updated, 0 unchanged",
        ),
        (FERRY, "Added 0 articles; 1 updated, 0 unchanged, 1 not added"),
    ):
        dump.write_text(json.dumps(line) + "\n{broken\n")
        page.locator("#bf-files input[type=file]").set_input_files(dump)
        expect(page.locator("#bf-files")).to_contain_text("dump")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator("#bf-told")).to_contain_text(said)
    expect(page.locator("#bf-told li")).to_contain_text("dump.jsonl:2")
    expect(page.locator("#bf-banner")).to_contain_text("5 articles")
    expect(ask_in_view(page, MATILDA)).to_contain_text("sank in the sound on Tuesday")

    cards(page).first.locator("h3 button").click()
    page.get_by_role("button", name="Revision 1").click()
    expect(page.locator(".bf-text")).to_have_text("The ferry Matilda is late.")
    remove_open_article(page)
    expect(page.locator("#bf-sure")).to_contain_text("Withdraw “Ferry Matilda sinks in the sound”")
    assert accessibility_problems(page) == []
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#bf-sure")).to_be_hidden()
    remove_open_article(page)
    page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(page.get_by_text("Give a reason.")).to_be_visible()
    page.get_by_label("Reason").fill("a test")
    page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(page.get_by_text("1 article withdrawn.")).to_be_visible()
    expect(page.locator("#bf-banner")).to_contain_text("4 articles")
    page.get_by_role("button", name="Try again").click()
    wait_for_version(page, 2, 2)
    expect(page.get_by_test_id("bot")).not_to_contain_text("sank in the sound")


def remove_open_article(page: Page) -> None:
    """Choose to remove the article that is open; a confirmation follows."""
    page.locator(".bf-article .bf-menu summary").click()
    page.get_by_role("button", name="Remove article").click()
    page.locator("#bf-sure").wait_for()


def test_pasted_private_address_is_rejected(open_page: Opened, admin_page: str) -> None:
    page = open_page(at=admin_page)
    open_admin(page)
    expect(page.get_by_role("button", name="Add", exact=True)).to_be_visible()
    assert accessibility_problems(page) == []
    box = page.get_by_label("Web addresses")
    box.fill("/etc/passwd")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#bf-told")).to_contain_text("“/etc/passwd” is not a web address")
    box.fill("http://127.0.0.1:9/secret")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#bf-told")).to_contain_text(
        "Added 0 articles; 0 updated, 0 unchanged, 1 not added"
    )
    expect(page.locator("#bf-told li")).to_contain_text("http://127.0.0.1:9/secret")


def test_file_and_address_go_in_and_article_is_withdrawn(
    open_page: Opened, admin_page: str, newspaper: str
) -> None:
    page = open_page(at=admin_page)
    seen = page.evaluate_handle(WATCH_PROGRESS)
    open_admin(page)
    articles = page.locator("#bf-status dt:text-is('Articles') + dd")
    before = int(articles.inner_text())
    address = "https://ferry.example/raised"
    drop_file(
        page, "raised.jsonl", json.dumps({**FERRY, "url": address, "title": "Ferry is raised"})
    )
    expect(page.locator("#bf-files")).to_contain_text("raised")
    page.get_by_label("Web addresses").fill(newspaper)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#bf-told")).to_contain_text(
        "Added 2 articles; 0 updated, 0 unchanged, 0 not added"
    )
    assert any(told.startswith("Reading:") for told in seen.evaluate("seen => seen"))
    expect(articles).to_have_text(str(before + 2))
    page.get_by_label("address or id").fill(address)
    page.get_by_label("address or id").press("Enter")
    page.get_by_role("button", name="Withdraw …: Ferry is raised").click()
    expect(page.locator("#bf-sure")).to_contain_text("Withdraw “Ferry is raised”")
    page.get_by_label("Reason").fill("a test")
    page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(articles).to_have_text(str(before + 1))


def test_ingest_can_be_stopped(open_page: Opened, admin_page: str) -> None:
    page = open_page(at=admin_page)
    open_admin(page)
    story = {**FERRY, "text": STORY * 10}
    lines = [json.dumps({**story, "url": f"https://ferry.example/{n}"}) for n in range(2_000)]
    drop_file(page, "many.jsonl", "\n".join(lines))
    expect(page.locator("#bf-files")).to_contain_text("many")
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator("#bf-archive").get_by_role("button", name="Stop").click()
    expect(page.locator("#bf-told")).to_contain_text(
        "Stopped. Articles added so far stay in the archive."
    )
    expect(page.get_by_role("button", name="Add", exact=True)).to_be_enabled()


def test_articles_over_years_are_plotted_by_month(open_page: Opened, admin_page: str) -> None:
    page = open_page(at=admin_page)
    open_admin(page)
    told = "The regatta of {0} was won by the crew of the {0} boat, the jury said."
    years = [
        {"url": f"https://ferry.example/{year}", "title": f"Regatta {year}"}
        | {"text": told.format(year), "published": f"{year}-05-07"}
        for year in (2021, 2022, 2023)
    ]
    drop_file(page, "regattas.jsonl", "\n".join(map(json.dumps, years)))
    expect(page.locator("#bf-files")).to_contain_text("regattas")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#bf-told")).to_contain_text("Added 3 articles")
    ask_in_view(page, "Who won the regatta?")
    expect(page.locator("#bf-time")).to_contain_text("3 matching articles")
    page.locator("#bf-time button[aria-label*='1 May 2022']").click()
    wait_for_version(page, 2, 2)
    expect(page.locator(".bf-chip[data-panel=date]")).to_have_text("1 May 2022 – 31 May 2022")
    expect(wait_for_answer(page)).to_contain_text("regatta of 2022")


def test_visitor_without_access_sees_no_ingest(open_page: Opened, paced: Paced) -> None:
    page = open_page(at=paced.address)
    ask_and_wait(page, "What of the harbour bridge?")
    expect(page.get_by_role("link", name="Archive", exact=True)).to_have_count(0)
    cards(page).first.locator("h3 button").click()
    page.locator(".bf-article .bf-menu summary").click()
    expect(page.get_by_role("button", name="Similar articles")).to_be_visible()
    expect(page.get_by_role("button", name="Remove article")).to_have_count(0)
    page.goto(f"{paced.address}?view=archive")
    expect(page.locator("#bf-question textarea")).to_be_visible()
    expect(page.locator("#bf-archive")).to_be_hidden()
