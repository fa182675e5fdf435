"""Typed handles to the page's components, and the options of their events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

CITED, NOT_CITED = "#f59e0b", "#93a4bd"  # of the plot's bars, on light and on dark


@dataclass(frozen=True, slots=True)
class FilterControls:
    """What a search can be narrowed by."""

    after: gr.Textbox
    before: gr.Textbox
    asked_on: gr.Textbox
    publishers: gr.Dropdown
    authors: gr.Dropdown
    sections: gr.Dropdown
    languages: gr.Dropdown
    clear: gr.Button

    @property
    def inputs(self) -> list[Any]:
        """The components in the order in which `asking.asked_of` takes their values."""
        return [
            *(self.after, self.before, self.asked_on),
            *(self.publishers, self.authors, self.sections, self.languages),
        ]


@dataclass(frozen=True, slots=True)
class HistogramControls:
    """The plot of a question's articles over time."""

    block: gr.Accordion
    note: gr.HTML
    plot: gr.BarPlot
    busiest: gr.Radio


@dataclass(frozen=True, slots=True)
class ExportControls:
    """What takes an answer away; `parcel` is what the browser is handed."""

    which: gr.Radio
    copy: gr.Button
    link: gr.Button
    files: dict[str, gr.Button]
    payload: gr.JSON


@dataclass(frozen=True, slots=True)
class FeedbackForm:
    """What is thought of an answer, after a thumb."""

    block: gr.Group
    thumb: gr.State
    reason: gr.Textbox


@dataclass(frozen=True, slots=True)
class IngestControls:
    """What puts articles in, and what the archive holds."""

    block: gr.Accordion
    files: gr.File
    addresses: gr.Textbox
    add: gr.Button
    stop: gr.Button
    report: gr.HTML
    article_name: gr.Textbox
    withdraw: gr.Button
    status: gr.HTML


@dataclass(frozen=True, slots=True)
class WithdrawControls:
    """What asks whether that is sure; `doomed` are the ids of what is to be removed."""

    article_ids: gr.State
    block: gr.Column
    question: gr.HTML
    reason: gr.Textbox
    yes: gr.Button
    no: gr.Button


@dataclass(frozen=True, slots=True)
class AdminControls:
    """Everything that changes the archive; `remove_this` the article that is read."""

    ingest: IngestControls
    withdrawal: WithdrawControls
    withdraw_this: gr.Button


@dataclass(frozen=True, slots=True)
class Components:
    """Everything on the page that something happens to."""

    session: gr.State
    stored: gr.BrowserState
    link: gr.Textbox
    banner: gr.HTML
    chat: gr.Chatbot
    understood: gr.CheckboxGroup
    mode: gr.Radio
    order: gr.Radio
    question: gr.Textbox
    filters: FilterControls
    feedback: FeedbackForm
    export: ExportControls
    histogram: HistogramControls
    evidence: gr.HTML
    cards: gr.Column
    article: gr.HTML
    reader: gr.Column
    close: gr.Button
    conversations: gr.Radio
    start: gr.Button
    delete: gr.Button
    opened: gr.State
    admin: AdminControls


# Values come as the browser sends them: Gradio fails with a traceback on a choice that it doesn't
# know, which a page open across a restart of the server has. `ui.web.gradio_calls` has checked
# their shapes; the handlers check the rest.
_PRIVATE_EVENT: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "preprocess": False,
}

# Not in the queue of those who wait for an answer.
UNQUEUED_EVENT: dict[str, Any] = {**_PRIVATE_EVENT, "queue": False}

# The same for what may have to tell something beside: that reaches the browser by the queue alone.
QUEUED_EVENT: dict[str, Any] = {**_PRIVATE_EVENT, "concurrency_limit": None}

# What begins an answer: refused where its client has enough of them under way.
ASK_EVENT: dict[str, Any] = {**QUEUED_EVENT, "concurrency_id": "begin"}

# What changes the archive: nobody who asks waits for it, nor it for them. It may read files.
ADMIN_EVENT: dict[str, Any] = {
    **QUEUED_EVENT,
    "concurrency_limit": 4,
    "concurrency_id": "admin",
    "preprocess": True,
}
