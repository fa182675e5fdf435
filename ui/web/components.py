"""Typed handles to the Gradio components of the page, and options of their events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr


@dataclass(frozen=True, slots=True)
class FilterControls:
    """Filters of a question: the chips, and the fields of their panels."""

    chips: gr.HTML
    preset: gr.Radio
    after: gr.Textbox
    before: gr.Textbox
    asked_on: gr.Textbox
    publishers: gr.Dropdown
    authors: gr.Dropdown
    sections: gr.Dropdown
    languages: gr.Dropdown
    excluded: gr.Dropdown
    order: gr.Radio

    @property
    def inputs(self) -> list[Any]:
        """The fields, in the order of `ask_request.FIELDS`."""
        return [
            *(self.after, self.before, self.asked_on),
            *(self.publishers, self.authors, self.sections, self.languages, self.excluded),
        ]


@dataclass(frozen=True, slots=True)
class FeedbackForm:
    """Form for the reason of a thumb; `thumb` is the turn and whether it was liked."""

    block: gr.Group
    thumb: gr.State
    reason: gr.Textbox


@dataclass(frozen=True, slots=True)
class IngestControls:
    """Controls that add articles, and the archive's status."""

    files: gr.File
    addresses: gr.Textbox
    preview: gr.Button
    add: gr.Button
    stop: gr.Button
    report: gr.HTML
    status: gr.HTML


@dataclass(frozen=True, slots=True)
class WithdrawControls:
    """Confirmation of a withdrawal; `article_ids` are the articles to withdraw."""

    article_ids: gr.State
    block: gr.Column
    question: gr.HTML
    reason: gr.Textbox
    yes: gr.Button
    no: gr.Button


@dataclass(frozen=True, slots=True)
class AdminControls:
    """Controls that change the archive."""

    ingest: IngestControls
    withdrawal: WithdrawControls


@dataclass(frozen=True, slots=True)
class FeedControls:
    """Feeds that the archive is fed from, and the form that adds one."""

    heading: gr.HTML
    listed: gr.HTML
    url: gr.Textbox
    every: gr.Radio
    preview: gr.Button
    add: gr.Button
    stop: gr.Button
    report: gr.HTML


@dataclass(frozen=True, slots=True)
class ArticleTable:
    """Table of articles; `asked` is what is shown."""

    asked: gr.State
    heading: gr.HTML
    words: gr.Textbox
    rows: gr.HTML

    @property
    def parts(self) -> list[Any]:
        """All components."""
        return [self.asked, self.heading, self.words, self.rows]


@dataclass(frozen=True, slots=True)
class ArchiveView:
    """View of the archive: adding, feeds, articles, what waits, what it covers, what was done."""

    heading: gr.HTML
    ingest: IngestControls
    feeds: FeedControls
    table: ArticleTable
    pending: gr.HTML
    coverage: gr.HTML
    log: gr.HTML


@dataclass(frozen=True, slots=True)
class BrowseView:
    """View for browsing; `asked` is what is shown, `shown` the number of articles."""

    asked: gr.State
    shown: gr.State
    words: gr.Textbox
    order: gr.Radio
    facets: gr.HTML
    results: gr.HTML
    names: gr.HTML


@dataclass(frozen=True, slots=True)
class CheckView:
    """View that checks a draft; `check` is what is known of it."""

    check: gr.State
    head: gr.HTML
    draft: gr.Textbox
    end: gr.HTML
    written_on: gr.Textbox
    begin: gr.Button
    problem: gr.HTML
    checked: gr.HTML


@dataclass(frozen=True, slots=True)
class SavedView:
    """View of saved searches and dossiers; `opened` is the id of the open dossier."""

    searches: gr.HTML
    dossiers: gr.HTML
    opened: gr.State


@dataclass(frozen=True, slots=True)
class Components:
    """All components of the page that events read or update."""

    session: gr.State
    stored: gr.BrowserState
    link: gr.Textbox
    banner: gr.HTML
    thread: gr.HTML
    understood: gr.CheckboxGroup
    mode: gr.Radio
    question: gr.Textbox
    filters: FilterControls
    feedback: FeedbackForm
    payload: gr.JSON
    chart: gr.HTML
    evidence: gr.HTML
    article: gr.HTML
    similar: gr.HTML
    conversations: gr.HTML
    start: gr.Button
    opened: gr.State
    browse: BrowseView
    check: CheckView
    saved: SavedView
    saved_rail: gr.HTML
    archive: ArchiveView
    admin: AdminControls


# No preprocessing: Gradio raises on unknown choices, which a page has that was opened before a
# restart of the server. `ui.web.gradio_calls` checks the shapes of values, handlers the rest.
_PRIVATE_EVENT: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "preprocess": False,
}

# Runs at once, without waiting in the queue of questions.
UNQUEUED_EVENT: dict[str, Any] = {**_PRIVATE_EVENT, "queue": False}

# For handlers that show messages (gr.Info, gr.Warning): Gradio sends them through the queue only.
QUEUED_EVENT: dict[str, Any] = {**_PRIVATE_EVENT, "concurrency_limit": None}

# Reads all matching articles: one at a time, for all clients together.
EXPORT_EVENT: dict[str, Any] = {
    **_PRIVATE_EVENT,
    "concurrency_limit": 1,
    "concurrency_id": "export",
}

# Starts an answer: rejected if the client has too many questions in progress.
ASK_EVENT: dict[str, Any] = {**QUEUED_EVENT, "concurrency_id": "begin"}

# Starts the check of a draft, which takes the places of several questions.
CHECK_EVENT: dict[str, Any] = {**QUEUED_EVENT, "concurrency_id": "begin_checking"}

# Changes what the reader keeps.
OWN_EVENT: dict[str, Any] = {
    **QUEUED_EVENT,
    "concurrency_limit": 4,
    "concurrency_id": "own",
    "preprocess": True,
}

# Changes the archive: has its own queue, and preprocessing, which it needs for uploaded files.
ADMIN_EVENT: dict[str, Any] = {
    **QUEUED_EVENT,
    "concurrency_limit": 4,
    "concurrency_id": "admin",
    "preprocess": True,
}
