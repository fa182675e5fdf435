"""Event handlers of the page; those for conversations are in this module."""

from __future__ import annotations

from typing import Any

import gradio as gr

from rag.settings import Settings
from ui.web import input_validation, run_turn
from ui.web.components import UNQUEUED_EVENT
from ui.web.events.admin import wire_admin
from ui.web.events.archive import wire_archive
from ui.web.events.ask import wire_answer, wire_ask
from ui.web.events.browse import wire_browse
from ui.web.events.check import wire_check
from ui.web.events.export import wire_export
from ui.web.events.feedback import wire_feedback
from ui.web.events.histogram import chart_of
from ui.web.events.load import wire_load
from ui.web.events.reading import wire_reading
from ui.web.events.saved import wire_saved
from ui.web.state import Session
from ui.web.updates import PageUpdates, Updates


def wire(page: PageUpdates, blocks: gr.Blocks, settings: Settings, concurrency: int) -> None:
    """Register all event handlers, inside the Blocks that is open.

    Args:
        page: The page's components and their updates.
        blocks: The page.
        settings: Settings for changes to the archive.
        concurrency: Number of questions answered at the same time.
    """
    show_chart_of(page, wire_load(page, blocks))
    wire_ask(page, concurrency)
    wire_reading(page)
    wire_browse(page)
    wire_check(page, settings, max(1, concurrency // 2))
    wire_archive(page, settings, wire_admin(page, settings))
    for event in wire_saved(page):
        wire_answer(page, event, concurrency)
    wire_feedback(page)
    wire_export(page, settings)
    _wire_conversations(page)


def _wire_conversations(page: PageUpdates) -> None:
    """Register the conversations and versions; each action stops the answer in progress."""
    on = page.on

    def show(session: Session) -> Updates:
        return {
            **page.show_session(session),
            **page.show_choices(session),
            **page.close_article(),
            **page.hide_feedback(),
        }

    def start(session: Session) -> Updates:
        """Start a conversation, without the filters of the one before."""
        started = run_turn.stop_turn(session).start_conversation()
        return {**show(started), on.question: page.empty_question()}

    def change_list(session: Session, pressed: gr.EventData) -> Updates:
        wanted = input_validation.read(input_validation.ConversationAction, pressed._data)
        if wanted is None:
            return page.no_change()
        session = run_turn.stop_turn(session)
        match wanted.action:
            case "open":
                session = session.open_conversation(wanted.id)
            case "rename":
                session = session.rename(wanted.id, " ".join(wanted.name.split()))
                return page.show_session(session)
            case "delete":
                session = session.delete(wanted.id)
            case "undo":
                session = session.undelete()
        return show(session)

    def version(session: Session, pressed: gr.EventData) -> Updates:
        wanted = input_validation.read(input_validation.Version, pressed._data)
        if wanted is None or wanted.turn > len(session.turns) or session.is_busy:
            return page.no_change()
        turns = list(session.turns)
        turns[wanted.turn - 1] = turns[wanted.turn - 1].show_version(wanted.version)
        return show(session.with_turns(turns))

    parts = [*page.session_components, *page.feedback_components, *page.choice_components]
    for changed in (
        on.start.click(start, on.session, parts, **UNQUEUED_EVENT),
        on.conversations.act(change_list, on.session, parts, **UNQUEUED_EVENT),
        on.thread.version(version, on.session, parts, **UNQUEUED_EVENT),
    ):
        show_chart_of(page, changed)


def show_chart_of(page: PageUpdates, event: Any) -> None:
    """Register the chart of the last answer after an event."""
    event.success(chart_of(page), page.on.session, page.on.chart, **UNQUEUED_EVENT)
