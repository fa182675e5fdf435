"""Event handlers of the page; those for articles and conversations are in this module."""

from __future__ import annotations

import gradio as gr

from rag.settings import Settings
from ui.i18n import texts_in
from ui.web import input_validation, run_turn
from ui.web.components import UNQUEUED_EVENT
from ui.web.events.admin import wire_admin
from ui.web.events.ask import wire_ask
from ui.web.events.export import wire_export
from ui.web.events.feedback import wire_feedback
from ui.web.events.histogram import show_histogram
from ui.web.events.load import wire_load
from ui.web.state import Session
from ui.web.updates import PageUpdates, Updates
from ui.web.views.article import find_place


def wire(page: PageUpdates, blocks: gr.Blocks, settings: Settings, concurrency: int) -> None:
    """Register all event handlers, inside the Blocks that is open.

    Args:
        page: The page's components and their updates.
        blocks: The page.
        settings: Settings for changes to the archive.
        concurrency: Number of questions answered at the same time.
    """
    loaded = wire_load(page, blocks)
    loaded.success(
        lambda session: show_histogram(page, session),
        page.on.session,
        page.histogram_components,
        **UNQUEUED_EVENT,
    )
    wire_ask(page, concurrency)
    _wire_reading(page)
    wire_admin(page, settings)
    wire_feedback(page)
    wire_export(page)
    _wire_conversations(page)
    page.on.filters.clear.click(
        lambda: ["", "", "", [], [], [], []], outputs=page.on.filters.inputs, **UNQUEUED_EVENT
    )


def _wire_reading(page: PageUpdates) -> None:
    on = page.on

    def open_(session: Session, pressed: gr.EventData) -> Updates:
        """Open the article of a card, which must belong to this session."""
        wanted = input_validation.read(input_validation.Card, pressed._data)
        if wanted is None or wanted.turn > len(session.turns):
            return {on.article: gr.skip()}
        place = find_place(session.turns[wanted.turn - 1], wanted.card, wanted.turn)
        if place is None:
            return {on.article: gr.skip()}
        return page.article(place, texts_in(session.language), wanted.revision or None)

    shown = [on.article, on.reader, on.cards]
    for place in (on.evidence, on.article):
        place.open(open_, [on.session], [*shown, on.opened], **UNQUEUED_EVENT)
    on.close.click(page.cards, outputs=shown, **UNQUEUED_EVENT)


def _wire_conversations(page: PageUpdates) -> None:
    """Register the conversation list; each of its actions stops the answer in progress."""
    on = page.on

    def show(session: Session) -> Updates:
        return {
            **page.show_session(session),
            **page.cards(),
            **page.hide_histogram(),
            **page.hide_feedback(),
        }

    def start(session: Session) -> Updates:
        return show(run_turn.stop_turn(session).start_conversation())

    def delete(session: Session) -> Updates:
        return show(run_turn.stop_turn(session).without_current())

    def open_(session: Session, wanted: str) -> Updates:
        return show(run_turn.stop_turn(session).open_conversation(wanted))

    parts = [*page.session_components, on.histogram.block, *page.feedback_components]
    on.start.click(start, on.session, parts, **UNQUEUED_EVENT)
    on.chat.clear(start, on.session, parts, **UNQUEUED_EVENT)
    for opened in (
        on.delete.click(delete, on.session, parts, **UNQUEUED_EVENT),
        on.conversations.input(open_, [on.session, on.conversations], parts, **UNQUEUED_EVENT),
    ):
        opened.success(
            lambda session: show_histogram(page, session),
            on.session,
            page.histogram_components,
            **UNQUEUED_EVENT,
        )
