"""Component updates for a session: the only place that turns state into what the page shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.sanitize import single_line
from ui.i18n import Texts, texts_in
from ui.web import browser_storage, run_turn
from ui.web.archive_summary import ArchiveSummary, SummaryCache
from ui.web.ask_request import NAME_FIELDS, fields_from_request
from ui.web.components import Components
from ui.web.feedback import DailyLimit
from ui.web.labels import i18n
from ui.web.quota import Bucket
from ui.web.reader_view import ReaderView
from ui.web.saved_counts import SavedCounts
from ui.web.state import AskRequest, Session
from ui.web.views.article import AS_CITED, Place, Reading, article_html
from ui.web.views.cards import card_pieces
from ui.web.views.chips import chips_html
from ui.web.views.conversations import conversations_html
from ui.web.views.header import Account, header_html
from ui.web.views.saved import CountedSearch
from ui.web.views.status import status_html
from ui.web.views.thread import thread_pieces
from ui.web.withdrawn import without_hidden, without_withdrawn

if TYPE_CHECKING:
    from rag.archive.archive import Archive

Updates = dict[Any, Any]  # components, with their new values or properties

THUMB_BURST, THUMB_SECONDS = 20, 15.0  # rate limit per client
EXPORT_BURST, EXPORT_SECONDS = 4, 15.0  # per client, since all clients' files wait in one queue
WORK_BURST, WORK_SECONDS = 60, 0.25  # per client, of events that search or read articles


@dataclass(frozen=True, slots=True)
class PageUpdates:
    """Updates of the page's components; holds no session state.

    Attributes:
        view: The archive and the chatbot, as each reader may use them.
        on: The components.
        summaries: Cached overviews of the archive.
        counts: Saved searches with their counts of new articles.
        feedback: Limit on the feedback per day.
        thumbs: Rate limit of thumbs per client.
        exports: Rate limit of files with all matching articles, per client.
        work: Rate limit of events that search or read articles, per client.
    """

    view: ReaderView
    on: Components
    summaries: SummaryCache
    counts: SavedCounts
    feedback: DailyLimit = field(default_factory=DailyLimit)
    thumbs: Bucket = field(default_factory=lambda: Bucket(THUMB_BURST, THUMB_SECONDS))
    exports: Bucket = field(default_factory=lambda: Bucket(EXPORT_BURST, EXPORT_SECONDS))
    work: Bucket = field(default_factory=lambda: Bucket(WORK_BURST, WORK_SECONDS))

    def is_too_much(self, request: gr.Request) -> bool:
        """Count an event that searches or reads articles; return whether a client sends too many.

        The handler then shows `too_many_requests` in place of what was asked for.
        """
        return not self.work.take(request.client.host if request.client else "")

    @property
    def archive(self) -> Archive:
        """The archive as the reader may see it whose request is being handled."""
        return self.view.archive

    @property
    def summary(self) -> ArchiveSummary:
        """Overview of what the reader may see of the archive."""
        return self.summaries.current(self.view.archive, self.view.rights)

    @property
    def counted(self) -> list[CountedSearch]:
        """The reader's saved searches, with the number of new articles that they may see.

        Raises:
            BackfileError: The file of saved items can't be read.
        """
        return self.counts.list(self.view.saved, self.view.saved_rights)

    @property
    def session_components(self) -> list[Any]:
        """Components that show a session."""
        on = self.on
        return [
            *(on.session, on.thread, on.evidence, on.understood, on.conversations, on.question),
            *(*self.article_components, on.stored),
        ]

    @property
    def owner(self) -> str:
        """Whose conversations the browser keeps; "" without users."""
        return self.view.reader.id if self.view.needs_login() else ""

    @property
    def filter_components(self) -> list[Any]:
        """Components that show filters: the fields and the chips."""
        filters = self.on.filters
        return [*filters.inputs, filters.order, filters.preset, filters.chips]

    def current(self, session: Session) -> Session:
        """Return the session without articles that were withdrawn, or that are hidden now."""
        session = without_withdrawn(session, self.view.whole_archive)
        return session if self.view.rights is None else without_hidden(session, self.archive)

    def show_finished(self, session: Session) -> Updates:
        """Show a completed answer; change nothing while another one is in progress."""
        updated = run_turn.finish_turn(session)
        return self.no_change() if updated.is_busy else self.show_session(updated)

    def show_session(self, session: Session) -> Updates:
        """Show the whole session, and store it in the browser."""
        session = self.current(session).trim()
        return {
            **self.show_progress(session),
            self.on.conversations: conversations_html(session, texts_in(session.language)),
            self.on.question: gr.Textbox(submit_btn=str(i18n("ask")), stop_btn=False),
            self.on.stored: browser_storage.to_browser(session, self.owner),
        }

    def show_progress(self, session: Session) -> Updates:
        """Show the parts of the session that change while an answer is written."""
        session = self.current(session)
        texts = texts_in(session.language)
        last = session.turns[-1] if session.turns else None
        chips = [(words, kind) for kind, words in last.removable] if last else []
        suggestions = () if session.turns else self.summary.suggestions
        return {
            self.on.session: session,
            self.on.thread: thread_pieces(session.turns, texts, suggestions),
            self.on.evidence: card_pieces(session.turns, texts),
            self.on.understood: gr.CheckboxGroup(
                choices=chips, value=[kind for _, kind in chips], visible=bool(chips)
            ),
        }

    def show_filters(self, asked: AskRequest, texts: Texts) -> Updates:
        """Show the filters of a request in their fields and chips."""
        on = self.on.filters
        fields = zip(on.inputs, fields_from_request(asked).values(), strict=True)
        return {
            **dict(fields),
            on.order: asked.order,
            on.preset: None,
            on.chips: chips_html(asked, texts),
        }

    def show_choices(self, session: Session) -> Updates:
        """Show the filters and the mode of the last answer; none in an empty conversation."""
        asked = session.turns[-1].request if session.turns else AskRequest("")
        return self.show_asked(asked, session)

    def show_asked(self, asked: AskRequest, session: Session) -> Updates:
        """Show the filters and the mode of a request."""
        return {**self.show_filters(asked, texts_in(session.language)), self.on.mode: asked.mode}

    @property
    def choice_components(self) -> list[Any]:
        """Components that show filters and the mode."""
        return [*self.filter_components, self.on.mode]

    def begin_turn(self, session: Session, asked: AskRequest, at: int | None = None) -> Updates:
        """Show a new question with a stop button, before it is answered.

        Args:
            session: The session.
            asked: The request.
            at: Index of a turn that is asked again; None for a new question.

        Returns:
            The updates; none if the question is empty or another answer is in progress.
        """
        if not session.is_loaded:  # the session was dropped; answering would lose its conversations
            gr.Warning(texts_in(session.language)("reload"))
            return self.no_change()
        updated = run_turn.begin_turn(session, asked, at)
        if updated is session:
            if session.is_busy:
                gr.Info(texts_in(session.language)("busy"), duration=4)
            return self.no_change()
        busy = gr.Textbox("", submit_btn=False, stop_btn=str(i18n("stop")))
        return {**self.show_progress(updated), **self.close_article(), self.on.question: busy}

    def stream_answer(self, session: Session) -> Iterator[Updates]:
        """Answer the waiting question, and yield updates while the answer is written."""
        yield self.no_change()  # Gradio clears the outputs of a generator without values
        session, archive, chatbot = self.current(session), self.archive, self.view.chatbot
        if session.turns and session.turns[-1].progress == "waiting":
            asked = session.turns[-1].request
            self.view.record("ask", question=asked.question, mode=asked.mode)
        for updated in run_turn.run_turn(archive, chatbot, session):
            yield self.show_progress(updated)

    @property
    def coverage_components(self) -> list[Any]:
        """Components that show what the archive contains."""
        filters = self.on.filters
        lists = [filters.publishers, filters.authors, filters.sections, filters.languages]
        lists.append(filters.excluded)
        return [self.on.banner, self.on.admin.ingest.status, *lists]

    def show_coverage(
        self, texts: Texts, *, may_write: bool, chosen: AskRequest | None = None
    ) -> Updates:
        """Show the archive's current coverage, status and filter choices.

        Args:
            texts: Language of the labels.
            may_write: Whether the reader may change the archive, and sees the way there.
            chosen: Request whose names to select; None keeps what is selected.
        """
        seen = self.summary
        banner, status, publishers, *lists = self.coverage_components
        counts = {p.name: texts.number(p.articles) for p in seen.status.publishers}
        counted = [
            (f"{single_line(name) or name} ({counts.get(name, 0)})", name)
            for name in seen.choices[0]
        ]
        others = (
            [(single_line(name) or name, name) for name in names] for names in seen.choices[1:]
        )
        values = fields_from_request(chosen) if chosen else {}
        selected: list[dict[str, Any]] = [
            {"value": values[name]} if chosen else {} for name in NAME_FIELDS
        ]
        parts = zip((publishers, *lists), (counted, *others, counted), selected, strict=True)
        return {
            banner: header_html(seen.status, seen.days, texts, self._account(may_write)),
            status: status_html(seen.status, texts),
            **{part: gr.Dropdown(choices=choices, **value) for part, choices, value in parts},
        }

    def _account(self, may_write: bool) -> Account:
        reader = self.view.reader
        may_save = may_write or (self.view.needs_login() and reader.may("read"))
        return Account(reader.name, may_save=may_save, may_write=may_write)

    @property
    def article_components(self) -> list[Any]:
        """Components that show the article that is being read."""
        return [self.on.article, self.on.opened, self.on.similar]

    def article(self, place: Place, texts: Texts, reading: Reading = AS_CITED) -> Updates:
        """Show an article in place of the sources."""
        return {
            self.on.opened: place.passage.article_id,
            self.on.article: article_html(self.archive, place, texts, reading),
            self.on.similar: "",
        }

    def close_article(self) -> Updates:
        """Show the sources again."""
        return {self.on.article: "", self.on.opened: "", self.on.similar: ""}

    def empty_question(self) -> gr.Textbox:
        """Return the field of the question, empty and ready."""
        return gr.Textbox("", submit_btn=str(i18n("ask")), stop_btn=False)

    def no_change(self) -> Updates:
        """Change nothing."""
        return {self.on.session: gr.skip()}

    def hide_feedback(self) -> Updates:
        """Hide the feedback form."""
        form = self.on.feedback
        return {form.thumb: None, form.block: gr.Group(visible=False), form.reason: ""}

    @property
    def feedback_components(self) -> list[Any]:
        """Components of the feedback form."""
        form = self.on.feedback
        return [form.thumb, form.block, form.reason]
