"""Layout and event handlers of saved searches and dossiers, of each reader.

They are kept on the server under the reader's id, or under "local" without users.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import gradio as gr

from rag.errors import BackfileError
from rag.schema import Filters
from rag.store.saved_names import name_key
from ui.dossier_formats import ExportedDossier, export_dossier
from ui.i18n import Texts, error_text, texts_in
from ui.permalinks import feed_address
from ui.web import input_validation, run_turn
from ui.web.asset_files import read_asset
from ui.web.browse_request import browse_from_filters
from ui.web.components import OWN_EVENT, SavedView
from ui.web.events.admin import may_save, require_saving
from ui.web.events.export import COPY_JS, SAVE_JS, payload_of
from ui.web.places import html_place
from ui.web.state import MODES, AskRequest, Session
from ui.web.updates import PageUpdates, Updates
from ui.web.views.article import find_place
from ui.web.views.markup import escape, escape_line
from ui.web.views.saved import (
    OpenDossier,
    dossiers_html,
    rail_html,
    searches_html,
)

LONGEST_NAME = 80  # characters of a name made from a question
SAVED_JS = read_asset("saved.js")


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
    on, view, handlers = page.on, page.on.saved, SavedHandlers(page)
    inputs = [on.session, view.opened]
    outputs = [on.session, view.searches, view.dossiers, on.saved_rail, view.opened]
    on.banner.saved(handlers.open_view, inputs, outputs, **OWN_EVENT)
    for place in (view.searches, view.dossiers):
        # A note that is being saved must not keep the next action from being sent.
        place.act(handlers.act, inputs, outputs, **OWN_EVENT, trigger_mode="multiple")
    on.thread.keep(handlers.keep, inputs, outputs, **OWN_EVENT)
    on.evidence.collect(handlers.collect, inputs, outputs, **OWN_EVENT)
    view.dossiers.file(handlers.file, on.session, on.payload, **OWN_EVENT).then(
        None, on.payload, js=SAVE_JS
    )
    view.searches.feed(handlers.feed, on.session, on.payload, **OWN_EVENT).then(
        None, on.payload, js=COPY_JS
    )
    asking = [*page.session_components, *page.filter_components, on.mode, on.saved_rail]
    return [
        place.search(handlers.search, on.session, asking, **OWN_EVENT)
        for place in (view.searches, on.saved_rail)
    ]


@dataclass(frozen=True, slots=True)
class SavedHandlers:
    """Event handlers of saved searches and dossiers.

    Attributes:
        page: The page's components and their updates.
    """

    page: PageUpdates

    def open_view(self, session: Session, opened: str, request: gr.Request) -> Updates:
        """Show the view to those who may see it."""
        if not may_save(request):
            return self.page.no_change()
        return show_saved(self.page, texts_in(session.language), opened)

    def act(
        self, session: Session, opened: str, event: gr.EventData, request: gr.Request
    ) -> Updates:
        """Change what is saved."""
        texts = require_saving(session, request)
        wanted = input_validation.read(input_validation.SavedAction, event._data)
        if wanted is None:
            return self.page.no_change()
        try:
            if wanted.action == "note":  # shown already, perhaps beside one that is being written
                self.page.view.saved.dossiers.note(wanted.dossier, wanted.id, wanted.value)
                return self.page.no_change()
            opened = _change(self.page, wanted, opened)
        except BackfileError as error:
            gr.Warning(escape(error_text(error, texts)))
        return show_saved(self.page, texts, opened)

    def keep(
        self, session: Session, opened: str, event: gr.EventData, request: gr.Request
    ) -> Updates:
        """Save the search of a turn."""
        texts = require_saving(session, request)
        wanted = input_validation.read(input_validation.OfTurn, event._data)
        if wanted is None or wanted.turn > len(session.turns):
            return self.page.no_change()
        asked = session.turns[wanted.turn - 1].request
        searches = self.page.view.saved.searches
        known = searches.list()
        if any((s.query, s.filters, s.mode) == _search_of(asked) for s in known):
            gr.Info(texts("search_known"), duration=4)
            return self.page.no_change()
        try:
            query, filters, mode = _search_of(asked)
            name = _free_name(query, {name_key(search.name) for search in known})
            searches.add(name, query, filters=filters, mode=mode)
            gr.Info(texts("search_saved"), duration=4)
        except BackfileError as error:
            gr.Warning(escape(error_text(error, texts)))
        return show_saved(self.page, texts, opened)

    def collect(
        self, session: Session, opened: str, event: gr.EventData, request: gr.Request
    ) -> Updates:
        """Add the quotation of a card to the open dossier, else to the newest or a first one."""
        texts = require_saving(session, request)
        wanted = input_validation.read(input_validation.OfCard, event._data)
        if wanted is None or wanted.turn > len(session.turns):
            return self.page.no_change()
        turn = session.turns[wanted.turn - 1]
        place = find_place(turn, wanted.card, wanted.turn)
        if place is None:
            return self.page.no_change()
        dossiers = self.page.view.saved.dossiers
        try:
            known = [one.id for one in dossiers.list()]
            if opened not in known:
                opened = known[-1] if known else dossiers.create(texts("first_dossier")).id
            passage = place.passage
            start, end = place.quotes[0] if place.quotes else (passage.start, passage.end)
            dossiers.add(
                opened,
                passage.article_id,
                start,
                end,
                revision=passage.revision,
                access=self.page.view.saved_rights,
            )
            gr.Info(texts("collected_in", name=escape_line(dossiers.get(opened).name)), duration=4)
        except BackfileError as error:
            gr.Warning(escape(error_text(error, texts)))
        return show_saved(self.page, texts, opened)

    def search(self, session: Session, event: gr.EventData, request: gr.Request) -> Updates:
        """Ask a saved search in a conversation of its own, and mark it as looked at.

        One of filters alone is shown under Browse; if Browse doesn't have such filters, a new
        conversation has them, and waits for a question.
        """
        texts = require_saving(session, request)
        wanted = input_validation.read(input_validation.SavedId, event._data)
        if wanted is None:
            return self.page.no_change()
        try:
            searches = self.page.view.saved.searches
            saved = searches.get(wanted.id)
            if not session.is_loaded:
                gr.Warning(texts("reload"))
                return self.page.no_change()
            searches.mark_seen(saved)
            rail = {self.page.on.saved_rail: rail_html(self.page.counted, texts)}
        except BackfileError as error:
            gr.Warning(escape(error_text(error, texts)))
            return self.page.no_change()
        mode: Any = saved.mode if saved.mode in MODES else "answer"
        asked = AskRequest(saved.query, saved.filters, mode=mode)
        chips = {**self.page.show_filters(asked, texts), self.page.on.mode: mode, **rail}
        if not saved.query and browse_from_filters(saved.filters):
            return {**self.page.no_change(), **rail}  # `saved.js` shows them under Browse
        started = run_turn.stop_turn(session).start_conversation()
        if not saved.query:
            return {**self.page.show_session(started), **self.page.close_article(), **chips}
        return {**self.page.begin_turn(started, asked), **chips}

    def file(
        self, session: Session, event: gr.EventData, request: gr.Request
    ) -> dict[str, str] | None:
        """Export a dossier."""
        texts = require_saving(session, request)
        wanted = input_validation.read(input_validation.SavedFile, event._data)
        if wanted is None:
            return None
        dossiers = self.page.view.saved.dossiers
        try:
            passages = dossiers.passages(wanted.id, access=self.page.view.saved_rights)
            made = export_dossier(
                ExportedDossier(
                    dossiers.get(wanted.id).name,
                    passages,
                    self.page.archive.version,
                    datetime.now(UTC),
                ),
                wanted.form,
                texts,
            )
        except BackfileError as error:
            gr.Warning(escape(error_text(error, texts)))
            return None
        self.page.view.record("export", what="dossier", form=wanted.form)
        return payload_of(made)

    def feed(
        self, session: Session, event: gr.EventData, request: gr.Request
    ) -> dict[str, str] | None:
        """Copy the address of a feed."""
        texts = require_saving(session, request)
        wanted = input_validation.read(input_validation.SavedId, event._data)
        if wanted is None:
            return None
        try:
            token = self.page.view.saved.searches.feed_token(wanted.id)
        except BackfileError as error:
            gr.Warning(escape(error_text(error, texts)))
            return None
        gr.Info(texts("copied"), duration=3)
        return {"path": feed_address(wanted.id, token)}


def _search_of(asked: AskRequest) -> tuple[str, Filters, str]:
    return " ".join(asked.question.split()), asked.filters, asked.mode


def _free_name(question: str, taken: Collection[str]) -> str:
    """Return a name made from a question, with a number if it is taken."""
    free = name = question[:LONGEST_NAME]
    numbers = count(2)
    while name_key(free) in taken:
        free = f"{name} ({next(numbers)})"
    return free


def _change(page: PageUpdates, wanted: input_validation.SavedAction, opened: str) -> str:
    """Change a saved search, a dossier or a passage; return the id of the open dossier.

    Raises:
        BackfileError: There is no such item, or its new name is taken or invalid.
    """
    searches, dossiers = page.view.saved.searches, page.view.saved.dossiers
    target, value, dossier = wanted.id, wanted.value, wanted.dossier
    if wanted.action == "open-dossier":
        return target
    if wanted.action == "create-dossier":
        return dossiers.create(value).id
    if wanted.action in ("up", "down"):
        order = [one.id for one in dossiers.passages(dossier, access=page.view.saved_rights)]
        if target in order:
            place = order.index(target) + 1  # from 1
            dossiers.move(dossier, target, place + (-1 if wanted.action == "up" else 1))
        return opened
    changes: dict[str, Callable[[], object]] = {
        "rename-search": lambda: searches.rename(target, value),
        "delete-search": lambda: searches.delete(target),
        "restore-search": lambda: searches.restore(target),
        "rename-dossier": lambda: dossiers.rename(target, value),
        "delete-dossier": lambda: dossiers.delete(target),
        "restore-dossier": lambda: dossiers.restore(target),
        "remove-passage": lambda: dossiers.remove(dossier, target),
        "restore-passage": lambda: dossiers.restore_passage(dossier, target),
    }
    changes[wanted.action]()
    return opened


def show_saved(page: PageUpdates, texts: Texts, opened: str) -> Updates:
    """Show the saved searches and dossiers.

    Args:
        page: The page's components and their updates.
        texts: Language of the labels.
        opened: Id of the open dossier; "" for none.
    """
    view, saved, rights = page.on.saved, page.view.saved, page.view.saved_rights
    counted = page.counted
    dossiers = saved.dossiers.list()
    dossier = next((one for one in dossiers if one.id == opened), None)
    shown = None
    if dossier is not None:
        removed = saved.dossiers.removed(dossier.id, access=rights)
        passages = saved.dossiers.passages(dossier.id, access=rights)
        shown = OpenDossier(dossier, passages, removed[:1])
    return {
        view.searches: searches_html(counted, saved.searches.deleted(), texts),
        view.dossiers: dossiers_html(dossiers, saved.dossiers.deleted(), shown, texts),
        page.on.saved_rail: rail_html(counted, texts),
        view.opened: dossier.id if dossier else "",
    }


def show_rail(page: PageUpdates, texts: Texts) -> Updates:
    """Show the saved searches in the rail; without them if their file can't be read."""
    try:
        counted = page.counted
    except (BackfileError, ValueError) as error:
        told = error_text(error, texts) if isinstance(error, BackfileError) else str(error)
        return {page.on.saved_rail: f'<p role="alert">{escape(told)}</p>'}
    return {page.on.saved_rail: rail_html(counted, texts)}
