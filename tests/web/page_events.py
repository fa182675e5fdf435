"""Events of the page's handlers, as a browser of an editor or of a visitor sends them."""

from __future__ import annotations

from typing import Any

import fastapi
import gradio as gr

from rag.archive.archive import Archive
from tests.support.fakes import QuotingChatbot
from ui.web.archive_summary import SummaryCache
from ui.web.layout import build_layout
from ui.web.reader_view import ReaderView
from ui.web.saved_counts import SavedCounts
from ui.web.updates import PageUpdates


def page_of(archive: Archive) -> PageUpdates:
    """Return the page of an archive, without a server."""
    chatbot: Any = QuotingChatbot(archive)
    with gr.Blocks(analytics_enabled=False):
        layout = build_layout("test")
        view = ReaderView(archive, chatbot)
        return PageUpdates(view, layout, SummaryCache(archive), SavedCounts(archive))


def sender(*, may_write: bool = True) -> gr.Request:
    """Return a request of somebody who may or may not change the archive."""
    scope = {"type": "http", "headers": [], "state": {"may_write": may_write}}
    return gr.Request(fastapi.Request(scope))


def event(**data: Any) -> gr.EventData:
    """Return an event with these data."""
    return gr.EventData(None, data)


def shown(updates: dict[Any, Any]) -> dict[str, Any]:
    """Return the updates of the components that have an id, by id."""
    return {part.elem_id: value for part, value in updates.items() if part.elem_id}
