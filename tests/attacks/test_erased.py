"""Erasure while a page is open: the page shows the text no more."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from itertools import product
from pathlib import Path
from zipfile import ZipFile

import pytest

from rag.archive.archive import Archive
from rag.schema import Notice
from tests.attacks.server import QUESTION, Visit, open_client, serve
from tests.support.fakes import HARBOUR, ORCHARD, WordEmbeddings, small_archive
from tests.support.sessions import run_question
from tests.ui.pdf_reader import read_pdf
from ui import answer_formats
from ui.web.app import Served
from ui.web.feedback import FILE
from ui.web.state import Session
from ui.web.withdrawn import without_withdrawn

pytestmark = pytest.mark.slow

SECRETS = ("closed on Monday", "six weeks", HARBOUR.title)
LOST = Notice("articles_withdrawn")
SAID_OF_IT = "Parts of this answer are hidden"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[Served]:
    with serve(folder) as found:
        yield found


@pytest.fixture
def visit(server: Served) -> Iterator[Visit]:
    """A page with one conversation, about the harbour and the orchards."""
    with open_client(server) as asking:
        opened = Visit(server, asking)
        opened.load()
        assert "six weeks" in json.dumps(opened.ask(QUESTION))
        assert "third fewer" in json.dumps(opened.ask("What about the growers?"))
        yield opened


def erase(folder: Path, *ids: str) -> None:
    with Archive.open(folder / "archive", mode="write", embeddings=WordEmbeddings()) as writer:
        writer.erase(ids, reason="court order")


def without_erased_text(told: object) -> str:
    """Return a response after asserting that it has nothing of the erased article."""
    text = json.dumps(told, ensure_ascii=False)
    assert not [secret for secret in SECRETS if secret in text]
    return text


def read_file(content: bytes) -> str:
    """Return the text of an exported file."""
    if content.startswith(b"%PDF"):
        made = read_pdf(content)
        return f"{made.text} {made.properties}"
    if not content.startswith(b"PK"):
        return content.decode()
    with ZipFile(BytesIO(content)) as document:
        return document.read("word/document.xml").decode()


def test_exports_of_an_open_page_lose_erased_text(visit: Visit, folder: Path) -> None:
    def export(turn: int, form: str) -> str:
        event = {"turn": turn, "form": form}
        (made,) = visit.call(visit.index("save"), event_data=event)["output"]["data"]
        return read_file(b64decode(made["base64"])) + made["name"]

    def copy(turn: int) -> str:
        called = visit.call(visit.index("copy"), event_data={"turn": turn})
        return json.dumps(called["output"]["data"])

    for turn, form in product((0, 1), answer_formats.FILE_FORMATS):
        assert "closed on Monday" in export(turn, form), form
    assert "closed on Monday" in copy(1)
    erase(folder, HARBOUR.id)
    for form in answer_formats.FILE_FORMATS:
        assert "third fewer" in without_erased_text(export(0, form))
        without_erased_text(export(1, form))
    assert SAID_OF_IT in without_erased_text(copy(1))
    assert "third fewer" in without_erased_text(copy(2))


def test_next_answer_shows_earlier_turn_without_erased_text(visit: Visit, folder: Path) -> None:
    erase(folder, HARBOUR.id)
    told = without_erased_text(visit.ask("What about the frost of the growers?"))
    assert "killed the blossom" in told


def test_reopened_conversation_has_no_erased_text(visit: Visit, folder: Path) -> None:
    listed = visit.run(visit.index("start")).text
    erase(folder, HARBOUR.id)
    (found,) = set(re.findall(r'data-conversation=\\"([0-9a-f]{16})', listed))
    event = {"action": "open", "id": found}
    shown = without_erased_text(
        visit.run(visit.index("change_list"), event_data=event).json()["data"]
    )
    assert "third fewer" in shown
    assert SAID_OF_IT in shown


def test_earlier_version_of_an_answer_has_no_erased_text(visit: Visit, folder: Path) -> None:
    visit.call(visit.index("ask_again"), event_data={"turn": 2})
    visit.call(visit.index("stream_answer"))
    erase(folder, ORCHARD.id)
    event = {"turn": 2, "version": 0}
    shown = visit.run(visit.index("version"), event_data=event).text
    assert "closed on Monday" in shown
    assert "third fewer" not in shown


def test_conversation_from_browser_has_no_erased_text(
    visit: Visit, server: Served, folder: Path
) -> None:
    app = server.server.config.loaded_app.page._page.gradio  # type: ignore[union-attr]
    session = next(
        value
        for value in app.state_holder.session_data[visit.session].state_data.values()
        if isinstance(value, Session)
    )
    from ui.web import browser_storage

    stored = browser_storage.to_browser(session)
    assert "closed on Monday" in json.dumps(stored)
    erase(folder, HARBOUR.id)
    with open_client(server) as asking:
        told = without_erased_text(Visit(server, asking).load(stored).json()["data"])
        assert "third fewer" in told
        assert SAID_OF_IT in told


def test_card_and_feedback_of_erased_article_are_empty(visit: Visit, folder: Path) -> None:
    erase(folder, HARBOUR.id)
    opened = visit.run(visit.index("open_"), event_data={"turn": 1, "card": 1, "revision": 0})
    assert "This article is no longer in the archive" in without_erased_text(opened.json()["data"])
    visit.run(visit.index("thumb"), event_data={"turn": 1, "liked": True})
    without_erased_text((folder / "archive" / FILE).read_text(encoding="utf-8"))


def test_withdrawn_article_disappears_from_copies_and_nearest(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive") as archive:
        refused = run_question(archive, Session(), "storm frost")[-1]
        assert {hit.metadata.article_id for hit in refused.turns[0].answer.nearest_hits} >= {
            HARBOUR.id
        }
        said = run_question(archive, Session(), QUESTION)[-1]
        erase(tmp_path, HARBOUR.id)
        suggested = replace(said.turns[0], followups=(f"Who wrote “{HARBOUR.title}”?",))
        for session in (refused, said.with_last_turn(suggested)):
            (turn,) = without_withdrawn(session, archive).turns
            without_erased_text(repr(turn.answer))
            assert turn.followups == ()
            assert turn.answer.notices == (LOST,)
        assert ORCHARD.id in {
            hit.metadata.article_id
            for hit in without_withdrawn(refused, archive).turns[0].answer.nearest_hits
        }
        other = run_question(archive, Session(), "What about the growers?")[-1]
        assert without_withdrawn(other, archive) is other
        assert other.turns[0].answer.hits[0].metadata == ORCHARD.metadata
