"""What the page's components show of a desk: the one way from values to what is on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.sanitize import single_line
from ui.i18n import Texts, texts_in
from ui.web import browser_storage, run_turn
from ui.web.archive_summary import SummaryCache
from ui.web.components import Components
from ui.web.feedback import FeedbackFile
from ui.web.labels import i18n
from ui.web.quota import Bucket
from ui.web.state import AskRequest, Session
from ui.web.views.article import Place, article_html
from ui.web.views.cards import cards_html
from ui.web.views.header import header_html
from ui.web.views.messages import chat_messages
from ui.web.views.status import status_html
from ui.web.withdrawn import without_withdrawn

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive

Shown = dict[Any, Any]  # a component, and its new value or properties

THUMBS, THUMB_SECONDS = 20, 15.0  # of one client at once, and then one each so many seconds
TITLE_UP_TO = 60  # characters of a conversation's first question, in the list


@dataclass(frozen=True, slots=True)
class PageUpdates:
    """The page over one archive; nothing of any desk is kept in it."""

    archive: Archive
    chatbot: Chatbot
    on: Components
    overview: SummaryCache
    feedback: FeedbackFile = field(default_factory=FeedbackFile)
    thumbs: Bucket = field(default_factory=lambda: Bucket(THUMBS, THUMB_SECONDS))

    @property
    def session_components(self) -> list[Any]:
        """The components that show a desk."""
        on = self.on
        return [
            *(on.session, on.chat, on.evidence, on.understood, on.conversations, on.question),
            *(on.reader, on.cards, on.stored),
        ]

    @property
    def histogram_components(self) -> list[Any]:
        """The components that show how articles are spread over time."""
        time = self.on.histogram
        return [time.block, time.note, time.plot, time.busiest]

    def current(self, session: Session) -> Session:
        """Return the desk without what was withdrawn from the archive since."""
        return without_withdrawn(session, self.archive)

    def settled(self, session: Session) -> Shown:
        """Show the desk when an answer has come to its end; nothing while another is under way."""
        now = run_turn.finish_turn(session)
        return self.nothing() if now.is_busy else self.show_session(now)

    def show_session(self, session: Session) -> Shown:
        """Show all of `desk`, and have the browser keep it."""
        session = self.current(session).bounded()
        listed = [(_shortened(c.title), c.id) for c in session.conversations if c.turns]
        return {
            **self.growing(session),
            self.on.conversations: gr.Radio(
                choices=listed, value=session.current.id if session.current.turns else None
            ),
            self.on.question: gr.Textbox(submit_btn=str(i18n("ask")), stop_btn=False),
            self.on.stored: browser_storage.to_browser(session),
        }

    def growing(self, session: Session) -> Shown:
        """Show what changes of `desk` while an answer grows."""
        session = self.current(session)
        texts = texts_in(session.language)
        last = session.turns[-1] if session.turns else None
        chips = [(words, kind) for kind, words in last.understood] if last else []
        return {
            self.on.session: session,
            self.on.chat: chat_messages(session.turns, texts),
            self.on.evidence: cards_html(session.turns, texts),
            self.on.understood: gr.CheckboxGroup(
                choices=chips, value=[kind for _, kind in chips], visible=bool(chips)
            ),
        }

    def begun(self, session: Session, asked: AskRequest, at: int | None = None) -> Shown:
        """Show the question at once, and a button that stops its answer."""
        if not session.is_loaded:  # the server has forgotten this page, and would begin anew
            gr.Warning(texts_in(session.language)("reload"))
            return self.nothing()
        now = run_turn.begin_turn(session, asked, at)
        if now is session:
            if session.is_busy:
                gr.Info(texts_in(session.language)("busy"), duration=4)
            return self.nothing()
        busy = gr.Textbox("", submit_btn=False, stop_btn=str(i18n("stop")))
        return {**self.growing(now), **self.cards(), self.on.question: busy}

    def answered(self, session: Session) -> Iterator[Shown]:
        """Show the answer to what waits for one, as it grows."""
        yield self.nothing()  # what yields nothing at all would empty every component
        for now in run_turn.run_turn(self.archive, self.chatbot, self.current(session)):
            yield self.growing(now)

    @property
    def coverage_components(self) -> list[Any]:
        """The components that show what the archive covers."""
        narrow = self.on.filters
        lists = [narrow.publishers, narrow.authors, narrow.sections, narrow.languages]
        return [self.on.banner, self.on.admin.ingest.status, *lists]

    def covered(self, texts: Texts) -> Shown:
        """Show what the archive covers as it stands now."""
        seen = self.overview.now()
        banner, status, *lists = self.coverage_components
        return {
            banner: header_html(seen.status, texts),
            status: status_html(seen.status, texts),
            **{
                part: gr.Dropdown(choices=[(single_line(name) or name, name) for name in names])
                for part, names in zip(lists, seen.choices, strict=True)
            },
        }

    def article(self, place: Place, texts: Texts, revision: int | None = None) -> Shown:
        """Show an article in the place of the cards."""
        return {
            self.on.opened: place.passage.article_id,
            self.on.article: article_html(self.archive, place, texts, revision),
            self.on.reader: gr.Column(visible=True),
            self.on.cards: gr.Column(visible=False),
        }

    def cards(self) -> Shown:
        """Show the cards again."""
        return {self.on.reader: gr.Column(visible=False), self.on.cards: gr.Column(visible=True)}

    def nothing(self) -> Shown:
        """Leave everything as it is."""
        return {self.on.session: gr.skip()}

    def no_time(self) -> Shown:
        """Show no plot."""
        return {self.on.histogram.block: gr.Accordion(visible=False)}

    def no_opinion(self) -> Shown:
        """Ask for no reason."""
        opinion = self.on.feedback
        return {opinion.thumb: None, opinion.block: gr.Group(visible=False), opinion.reason: ""}

    @property
    def feedback_components(self) -> list[Any]:
        """The components that ask what is thought of an answer."""
        opinion = self.on.feedback
        return [opinion.thumb, opinion.block, opinion.reason]


def _shortened(title: str) -> str:
    return title if len(title) <= TITLE_UP_TO else f"{title[: TITLE_UP_TO - 2].rstrip()} …"
