"""Layout and event handlers of saved searches and dossiers, for those who may change the archive.

They are kept on the server under the owner "local".
"""

from __future__ import annotations

import base64
from typing import Any

import gradio as gr

from rag.errors import BackfileError
from rag.schema import ALL_RIGHTS
from ui.dossier_formats import ExportedDossier, export_dossier
from ui.i18n import Texts, texts_in
from ui.permalinks import feed_address
from ui.web import input_validation, run_turn
from ui.web.components import ADMIN_EVENT, SavedView
from ui.web.events.admin import may_write, require_write_access
from ui.web.events.export import COPY_JS, SAVE_JS
from ui.web.places import html_place
from ui.web.state import AskRequest, Session
from ui.web.updates import PageUpdates, Updates
from ui.web.views.article import find_place
from ui.web.views.markup import escape
from ui.web.views.saved import (
    CountedSearch,
    OpenDossier,
    dossiers_html,
    rail_html,
    searches_html,
)

LONGEST_NAME = 80  # characters of a name made from a question
# A name is asked for in place; a note is saved when it is left.
SAVED_JS = """
const send = (pressed, value) => trigger('act', {
  action: pressed.dataset.do, id: pressed.dataset.id, value: value ?? '',
  dossier: pressed.closest('[data-dossier]')?.dataset.dossier ?? '',
});
const askName = (pressed, value) => {
  const field = document.createElement('input');
  field.value = value;
  field.maxLength = 120;
  field.setAttribute('aria-label', pressed.textContent);
  field.addEventListener('keydown', (key) => {
    if (key.key === 'Enter' && field.value.trim()) send(pressed, field.value.trim());
    if (key.key === 'Escape') { key.stopPropagation(); field.replaceWith(pressed); pressed.focus(); }
  });
  pressed.replaceWith(field);
  field.focus();
  field.select();
};
element.addEventListener('click', (event) => {
  const pressed = event.target.closest('[data-do][data-id]');
  if (!pressed) return;
  const name = pressed.dataset.do;
  if (name === 'open-search') trigger('search', {id: pressed.dataset.id});
  else if (name === 'word' || name === 'markdown') trigger('file', {id: pressed.dataset.id, form: name});
  else if (name === 'feed-address') trigger('feed', {id: pressed.dataset.id});
  else if (name.startsWith('rename')) askName(pressed, pressed.closest('[data-name]').dataset.name);
  else if (name === 'create-dossier') askName(pressed, '');
  else send(pressed);
});
element.addEventListener('change', (event) => {
  const note = event.target.closest('[data-note]');
  if (!note) return;
  trigger('act', {action: 'note', id: note.dataset.note, value: note.value,
                  dossier: note.closest('[data-dossier]').dataset.dossier});
});
"""


def lay_out_saved() -> SavedView:
    """Create the view, inside the column that is open."""
    opened = gr.State("")
    with gr.Column(elem_id="bf-saved", elem_classes="bf-view"):
        searches = html_place("bf-searches", SAVED_JS)
        dossiers = html_place("bf-dossiers", SAVED_JS)
    return SavedView(searches, dossiers, opened)


def wire_saved(page: PageUpdates) -> list[Any]:
    """Register the event handlers; each one checks authorization again.

    Returns:
        The events that ask a saved search.
    """
    on, view = page.on, page.on.saved
    shown = [view.searches, view.dossiers, on.saved_rail, view.opened]
    outputs = [on.session, *shown]

    def open_view(session: Session, opened: str, request: gr.Request) -> Updates:
        if not may_write(request):
            return page.no_change()
        return show_saved(page, texts_in(session.language), opened)

    on.banner.saved(open_view, [on.session, view.opened], outputs, **ADMIN_EVENT)

    def act(session: Session, opened: str, event: gr.EventData, request: gr.Request) -> Updates:
        texts = require_write_access(session, request)
        wanted = input_validation.read(input_validation.SavedAction, event._data)
        if wanted is None:
            return page.no_change()
        try:
            opened = _change(page, wanted, opened)
        except BackfileError as error:
            gr.Warning(escape(str(error)))
        return show_saved(page, texts, opened)

    def keep(session: Session, opened: str, event: gr.EventData, request: gr.Request) -> Updates:
        """Save the search of a turn."""
        texts = require_write_access(session, request)
        wanted = input_validation.read(input_validation.OfTurn, event._data)
        if wanted is None or wanted.turn > len(session.turns):
            return page.no_change()
        asked = session.turns[wanted.turn - 1].request
        try:
            page.archive.saved.searches.add(
                asked.question[:LONGEST_NAME],
                asked.question,
                filters=asked.filters,
                mode=asked.mode,
            )
            gr.Info(texts("search_saved"), duration=4)
        except BackfileError as error:
            gr.Warning(escape(str(error)))
        return show_saved(page, texts, opened)

    def collect(session: Session, opened: str, event: gr.EventData, request: gr.Request) -> Updates:
        """Add the quotation of a card to the dossier used last, or to a first one."""
        texts = require_write_access(session, request)
        wanted = input_validation.read(input_validation.Card, event._data)
        if wanted is None or wanted.turn > len(session.turns):
            return page.no_change()
        turn = session.turns[wanted.turn - 1]
        place = find_place(turn, wanted.card, wanted.turn)
        if place is None:
            return page.no_change()
        dossiers = page.archive.saved.dossiers
        try:
            known = {one.id for one in dossiers.list()}
            name = opened if opened in known else next(iter(reversed([*known])), "")
            opened = name or dossiers.create(texts("first_dossier")).id
            passage = place.passage
            start, end = place.quotes[0] if place.quotes else (passage.start, passage.end)
            dossiers.add(
                opened, passage.article_id, start, end, revision=passage.revision, access=ALL_RIGHTS
            )
            gr.Info(texts("passage_collected", name=dossiers.get(opened).name), duration=4)
        except BackfileError as error:
            gr.Warning(escape(str(error)))
        return show_saved(page, texts, opened)

    def search(session: Session, event: gr.EventData, request: gr.Request) -> Updates:
        """Ask a saved search in a conversation of its own, and mark it as looked at."""
        texts = require_write_access(session, request)
        wanted = input_validation.read(input_validation.SavedId, event._data)
        if wanted is None:
            return page.no_change()
        try:
            searches = page.archive.saved.searches
            saved = searches.get(wanted.id)
            searches.mark_seen(saved)
        except BackfileError as error:
            gr.Warning(escape(str(error)))
            return page.no_change()
        mode: Any = saved.mode
        asked = AskRequest(saved.query, saved.filters, mode=mode)
        started = run_turn.stop_turn(session).start_conversation()
        return {
            **page.begin_turn(started, asked),
            **page.show_filters(asked, texts),
            on.mode: saved.mode,
            on.saved_rail: rail_html(_counted(page), texts),
        }

    def file(session: Session, event: gr.EventData, request: gr.Request) -> dict[str, str] | None:
        texts = require_write_access(session, request)
        wanted = input_validation.read(input_validation.SavedFile, event._data)
        if wanted is None:
            return None
        dossiers = page.archive.saved.dossiers
        try:
            passages = dossiers.passages(wanted.id, access=ALL_RIGHTS)
            made = export_dossier(
                ExportedDossier(dossiers.get(wanted.id), passages, page.archive.version),
                wanted.form,
                texts,
            )
        except BackfileError as error:
            gr.Warning(escape(str(error)))
            return None
        content = base64.b64encode(made.content).decode("ascii")
        return {"base64": content, "type": made.media_type, "name": made.name}

    def feed(session: Session, event: gr.EventData, request: gr.Request) -> dict[str, str] | None:
        texts = require_write_access(session, request)
        wanted = input_validation.read(input_validation.SavedId, event._data)
        if wanted is None:
            return None
        try:
            token = page.archive.saved.searches.feed_token(wanted.id)
        except BackfileError as error:
            gr.Warning(escape(str(error)))
            return None
        gr.Info(texts("copied"), duration=3)
        return {"path": feed_address(wanted.id, token)}

    for place in (view.searches, view.dossiers):
        place.act(act, [on.session, view.opened], outputs, **ADMIN_EVENT)
    on.thread.keep(keep, [on.session, view.opened], outputs, **ADMIN_EVENT)
    on.evidence.collect(collect, [on.session, view.opened], outputs, **ADMIN_EVENT)
    view.dossiers.file(file, on.session, on.payload, **ADMIN_EVENT).then(
        None, on.payload, js=SAVE_JS
    )
    view.searches.feed(feed, on.session, on.payload, **ADMIN_EVENT).then(
        None, on.payload, js=COPY_JS
    )
    asking = [*page.session_components, *page.filter_components, on.mode, on.saved_rail]
    return [
        place.search(search, on.session, asking, **ADMIN_EVENT)
        for place in (view.searches, on.saved_rail)
    ]


def _change(page: PageUpdates, wanted: input_validation.SavedAction, opened: str) -> str:
    """Change a saved search, a dossier or a passage; return the id of the open dossier.

    Raises:
        BackfileError: There is no such item, or its new name is taken or invalid.
    """
    searches, dossiers = page.archive.saved.searches, page.archive.saved.dossiers
    match wanted.action:
        case "rename-search":
            searches.rename(wanted.id, wanted.value)
        case "delete-search":
            searches.delete(wanted.id)
        case "restore-search":
            searches.restore(wanted.id)
        case "open-dossier":
            return wanted.id
        case "create-dossier":
            return dossiers.create(wanted.value).id
        case "rename-dossier":
            dossiers.rename(wanted.id, wanted.value)
        case "delete-dossier":
            dossiers.delete(wanted.id)
            return "" if opened == wanted.id else opened
        case "restore-dossier":
            return dossiers.restore(wanted.id).id
        case "note":
            dossiers.note(wanted.dossier, wanted.id, wanted.value)
        case "remove-passage":
            dossiers.remove(wanted.dossier, wanted.id)
        case "up" | "down":
            order = [one.id for one in dossiers.passages(wanted.dossier, access=ALL_RIGHTS)]
            step = -1 if wanted.action == "up" else 1
            if wanted.id in order:
                place = order.index(wanted.id) + step
                dossiers.move(wanted.dossier, wanted.id, max(0, place))
    return opened


def show_saved(page: PageUpdates, texts: Texts, opened: str) -> Updates:
    """Show the saved searches and dossiers.

    Args:
        page: The page's components and their updates.
        texts: Language of the labels.
        opened: Id of the open dossier; "" for none.
    """
    view, saved = page.on.saved, page.archive.saved
    counted = _counted(page)
    dossiers = saved.dossiers.list()
    dossier = next((one for one in dossiers if one.id == opened), None)
    shown = dossier and OpenDossier(dossier, saved.dossiers.passages(dossier.id, access=ALL_RIGHTS))
    return {
        view.searches: searches_html(counted, saved.searches.deleted(), texts),
        view.dossiers: dossiers_html(dossiers, saved.dossiers.deleted(), shown, texts),
        page.on.saved_rail: rail_html(counted, texts),
        view.opened: dossier.id if dossier else "",
    }


def _counted(page: PageUpdates) -> list[CountedSearch]:
    searches = page.archive.saved.searches
    return [
        CountedSearch(one, searches.new(one, access=ALL_RIGHTS, most=0).count)
        for one in searches.list()
    ]


def show_rail(page: PageUpdates, texts: Texts) -> Updates:
    """Show the saved searches in the rail."""
    return {page.on.saved_rail: rail_html(_counted(page), texts)}
