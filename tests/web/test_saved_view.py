"""Saved searches and dossiers on the page, without a browser: changes, forged events, markup."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from rag.archive.archive import Archive
from rag.schema import Filters
from tests.support.fakes import HARBOUR, HOSTILE, ORCHARD, WordEmbeddings, small_archive
from tests.support.sessions import run_question
from tests.ui.pdf_reader import read_pdf
from tests.web.page_events import event, page_of, sender, shown
from ui.i18n import texts_in
from ui.web.events.saved import SavedHandlers, show_saved
from ui.web.state import Session
from ui.web.updates import PageUpdates
from ui.web.views.saved import CountedSearch, OpenDossier, dossiers_html, rail_html, searches_html

BRIDGE = "What about the harbour bridge?"
EVIL = "<img src=x onerror=window.pwned=1> ${window.pwned=2} {{1}} \u202egnp.exe\u2066 [1]"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with small_archive(tmp_path / "archive") as opened:
        yield opened


@pytest.fixture
def page(archive: Archive) -> PageUpdates:
    return page_of(archive)


@pytest.fixture
def handlers(page: PageUpdates) -> SavedHandlers:
    return SavedHandlers(page)


@pytest.fixture
def asked(archive: Archive) -> Session:
    """A session with an answered question."""
    return run_question(archive, Session(), BRIDGE)[-1]


def act(handlers: SavedHandlers, opened: str = "", **data: str) -> dict[str, Any]:
    updates = shown(handlers.act(Session(), opened, event(**data), sender()))
    return {name: html.unescape(value) for name, value in updates.items()}


def dossier_of(archive: Archive, *articles: Any) -> str:
    """Return the id of a dossier with the beginning of each article."""
    dossier = archive.saved.dossiers.create("Storm")
    for article in articles:
        archive.saved.dossiers.add(dossier.id, article.id, 0, 20)
    return dossier.id


def order(archive: Archive, dossier: str) -> list[str]:
    return [one.article_id for one in archive.saved.dossiers.passages(dossier)]


def test_saved_search_is_kept_once(
    handlers: SavedHandlers, archive: Archive, asked: Session
) -> None:
    for _ in range(2):
        updates = handlers.keep(asked, "", event(turn=1), sender())
    (search,) = archive.saved.searches.list()
    assert (search.name, search.query, search.mode) == (BRIDGE, BRIDGE, "answer")
    assert "bf-searches" not in shown(updates)


def test_same_question_with_filters_is_another_search(
    handlers: SavedHandlers, archive: Archive, asked: Session
) -> None:
    limited = Filters(publishers=(HARBOUR.publisher,))
    other = run_question(archive, asked, BRIDGE, filters=limited)[-1]
    for turn in (1, 2):
        updates = handlers.keep(other, "", event(turn=turn), sender())
    names = [search.name for search in archive.saved.searches.list()]
    assert names == [BRIDGE, f"{BRIDGE} (2)"]
    assert HARBOUR.publisher in html.unescape(shown(updates)["bf-searches"])


def test_asking_a_saved_search_marks_it_as_seen(handlers: SavedHandlers, archive: Archive) -> None:
    search = archive.saved.searches.add("Bridge", "harbour bridge")
    with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()) as writer:
        writer.add(HARBOUR.__class__(id="new", title="Harbour bridge opens", text=HARBOUR.text))
    rail = shown(show_saved(handlers.page, texts_in("en"), ""))["bf-saved-rail"]
    assert 'title="1 new article"' in html.unescape(rail)
    session = Session(is_loaded=True)
    updates = shown(handlers.search(session, event(id=search.id), sender()))
    assert "bf-new" not in updates["bf-saved-rail"]
    assert archive.saved.searches.new(search.id).count == 0


def test_collected_passages_go_to_the_open_or_newest_dossier(
    handlers: SavedHandlers, archive: Archive, asked: Session
) -> None:
    dossiers = archive.saved.dossiers
    handlers.collect(asked, "", event(turn=1, card=1), sender())
    (first,) = dossiers.list()
    assert first.name == "My dossier"
    (passage,) = dossiers.passages(first.id)
    assert passage.quote in HARBOUR.text
    names = [dossiers.create(f"Dossier {n}").id for n in range(9)]
    handlers.collect(asked, "stale", event(turn=1, card=1), sender())
    assert len(dossiers.passages(names[-1])) == 1
    handlers.collect(asked, names[0], event(turn=1, card=1), sender())
    assert len(dossiers.passages(names[0])) == 1


def test_passages_move_by_one_place(handlers: SavedHandlers, archive: Archive) -> None:
    dossier = dossier_of(archive, HARBOUR, ORCHARD, HOSTILE)
    last = archive.saved.dossiers.passages(dossier)[-1].id
    first = archive.saved.dossiers.passages(dossier)[0].id
    act(handlers, dossier, action="up", id=last, dossier=dossier)
    assert order(archive, dossier) == [HARBOUR.id, HOSTILE.id, ORCHARD.id]
    act(handlers, dossier, action="down", id=first, dossier=dossier)
    assert order(archive, dossier) == [HOSTILE.id, HARBOUR.id, ORCHARD.id]
    for _ in range(3):
        act(handlers, dossier, action="down", id=first, dossier=dossier)
    assert order(archive, dossier) == [HOSTILE.id, ORCHARD.id, HARBOUR.id]


def test_removed_passage_comes_back(handlers: SavedHandlers, archive: Archive) -> None:
    dossier = dossier_of(archive, HARBOUR, ORCHARD)
    passage = archive.saved.dossiers.passages(dossier)[0].id
    removed = act(handlers, dossier, action="remove-passage", id=passage, dossier=dossier)
    assert order(archive, dossier) == [ORCHARD.id]
    assert f'data-do="restore-passage" data-id="{passage}"' in removed["bf-dossiers"]
    act(handlers, dossier, action="restore-passage", id=passage, dossier=dossier)
    assert order(archive, dossier) == [HARBOUR.id, ORCHARD.id]


def test_note_is_saved_without_replacing_the_list(
    handlers: SavedHandlers, archive: Archive
) -> None:
    dossier = dossier_of(archive, HARBOUR)
    (passage,) = archive.saved.dossiers.passages(dossier)
    note = "Call the mayor.\n" * 500
    updates = act(handlers, dossier, action="note", id=passage.id, dossier=dossier, value=note)
    assert updates == {}
    assert archive.saved.dossiers.passages(dossier)[0].note == note.strip()


def test_dossier_and_search_are_renamed_deleted_and_restored(
    handlers: SavedHandlers, archive: Archive
) -> None:
    saved = archive.saved
    ids = {"search": saved.searches.add("Bridge", "bridge").id, "dossier": dossier_of(archive)}
    for kind, there in (("search", saved.searches), ("dossier", saved.dossiers)):
        listed: Any = there
        act(handlers, action=f"rename-{kind}", id=ids[kind], value="Harbour")
        assert [one.name for one in listed.list()] == ["Harbour"]
        page = act(handlers, action=f"delete-{kind}", id=ids[kind])
        assert not listed.list()
        assert f'data-do="restore-{kind}"' in page[f"bf-{kind}{'e' * (kind == 'search')}s"]
        act(handlers, action=f"restore-{kind}", id=ids[kind])
        assert [one.name for one in listed.list()] == ["Harbour"]


@pytest.mark.parametrize(
    "data",
    [
        {"action": "rename-search", "id": "0" * 16, "value": "x"},
        {"action": "delete-dossier", "id": "0" * 16},
        {"action": "create-dossier", "value": " "},
        {"action": "create-dossier", "value": "x" * 500},
        {"action": "note", "id": "0" * 16, "dossier": "0" * 16, "value": "x"},
        {"action": "remove-passage", "id": "' OR 1=1 --", "dossier": "Storm"},
        {"action": "up", "id": "0" * 16, "dossier": "gone"},
    ],
)
def test_stale_or_forged_items_change_nothing(
    handlers: SavedHandlers, archive: Archive, data: dict[str, str]
) -> None:
    dossier = dossier_of(archive, HARBOUR)
    with pytest.warns(UserWarning, match="No |The name has"):
        act(handlers, dossier, **data)
    assert [one.name for one in archive.saved.dossiers.list()] == ["Storm"]
    assert order(archive, dossier) == [HARBOUR.id]


@pytest.mark.parametrize(
    "data",
    [
        None,
        {"action": "drop table", "id": "x"},
        {"action": "note", "id": ["x"], "value": {}},
        {"action": "note", "id": "x", "value": "x" * 20_001},
        {"action": "create-dossier", "value": "x" * 20_001},
    ],
)
def test_event_of_another_shape_is_ignored(handlers: SavedHandlers, data: Any) -> None:
    assert shown(handlers.act(Session(), "", gr.EventData(None, data), sender())) == {}


def test_each_handler_checks_write_access(handlers: SavedHandlers, asked: Session) -> None:
    stranger = sender(may_write=False)
    assert shown(handlers.open_view(asked, "", stranger)) == {}
    calls: list[tuple[Any, ...]] = [
        (handlers.act, asked, "", event(action="create-dossier", value="x"), stranger),
        (handlers.keep, asked, "", event(turn=1), stranger),
        (handlers.collect, asked, "", event(turn=1, card=1), stranger),
        (handlers.search, asked, event(id="x"), stranger),
        (handlers.file, asked, event(id="x", form="word"), stranger),
        (handlers.feed, asked, event(id="x"), stranger),
    ]
    for handler, *given in calls:
        with pytest.raises(gr.Error, match="You do not have permission"):
            handler(*given)


@pytest.mark.parametrize(
    "given", [{}, {"turn": 0}, {"turn": 9}, {"turn": 1, "card": 999}, {"turn": "x", "card": "y"}]
)
def test_turn_or_card_that_is_not_there_saves_nothing(
    handlers: SavedHandlers, archive: Archive, asked: Session, given: dict[str, Any]
) -> None:
    handlers.collect(asked, "", event(**given), sender())
    if given.get("turn") != 1:
        handlers.keep(asked, "", event(**given), sender())
    assert not archive.saved.searches.list()
    assert not archive.saved.dossiers.list()


@pytest.mark.parametrize("form", ["word", "pdf", "markdown"])
def test_dossier_is_exported_with_notes(
    handlers: SavedHandlers, archive: Archive, form: str
) -> None:
    dossier = dossier_of(archive, HARBOUR)
    (passage,) = archive.saved.dossiers.passages(dossier)
    archive.saved.dossiers.note(dossier, passage.id, "Ask the mayor")
    made = handlers.file(Session(), event(id=dossier, form=form), sender())
    assert made is not None
    suffix, start = {"word": ("docx", b"PK"), "pdf": ("pdf", b"%PDF"), "markdown": ("md", b"#")}[
        form
    ]
    assert made["name"] == f"storm.{suffix}"
    content = base64.b64decode(made["base64"])
    assert content.startswith(start)
    assert form != "markdown" or b"Ask the mayor" in content
    assert form != "pdf" or "Ask the mayor" in read_pdf(content).text
    with pytest.warns(UserWarning, match="No dossier"):
        assert handlers.file(Session(), event(id="0" * 16, form=form), sender()) is None


def test_withdrawn_and_changed_passages_say_so(handlers: SavedHandlers, archive: Archive) -> None:
    dossier = dossier_of(archive, HARBOUR, ORCHARD)
    with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()) as writer:
        writer.withdraw([HARBOUR.id], reason="a ruling")
        writer.add(ORCHARD.__class__(id=ORCHARD.id, title=ORCHARD.title, text="Pears did well."))
    page = html.unescape(shown(show_saved(handlers.page, texts_in("en"), dossier))["bf-dossiers"])
    assert "This article has been withdrawn." in page
    assert "The article has changed since, and no longer has these words." in page
    assert HARBOUR.text[:20] not in page
    assert HARBOUR.title not in page


def test_current_passage_leads_to_its_place(handlers: SavedHandlers, archive: Archive) -> None:
    dossier = dossier_of(archive, HARBOUR)
    page = html.unescape(shown(show_saved(handlers.page, texts_in("en"), dossier))["bf-dossiers"])
    assert f'<a href="a/courier.example%2Fharbour?at=0-20">{HARBOUR.title}</a>' in page


@pytest.mark.parametrize("language", ["en", "de"])
def test_hostile_names_and_notes_are_text(archive: Archive, language: str) -> None:
    texts, saved = texts_in(language), archive.saved
    search = saved.searches.add(EVIL, EVIL, filters=Filters(publishers=(EVIL,), authors=(EVIL,)))
    dossier = saved.dossiers.create(EVIL)
    for _ in range(2):
        saved.dossiers.add(dossier.id, HOSTILE.id, 0, 150, note=f"</textarea>{EVIL}")
    opened = OpenDossier(dossier, saved.dossiers.passages(dossier.id))
    opened = OpenDossier(dossier, opened.passages, opened.passages)
    pages = [
        searches_html([CountedSearch(search, 7)], [search], texts),
        rail_html([CountedSearch(search, 7)], texts),
        dossiers_html([dossier], [dossier], opened, texts),
    ]
    for page in pages:
        assert not re.search(r"<(?:img|script|i )|\$\{|\{\{|\u202e|javascript:", page)
        assert page.count("<textarea") == page.count("</textarea>")


def test_buttons_name_their_item(archive: Archive) -> None:
    texts = texts_in("en")
    searches = [archive.saved.searches.add(name, "storm") for name in ("Storm", "Ferries")]
    page = html.unescape(searches_html([CountedSearch(one, 0) for one in searches], [], texts))
    labels = re.findall(r'aria-label="([^"]+)"', page)
    assert "Rename: Storm" in labels
    assert len(labels) == len(set(labels)) == 6
