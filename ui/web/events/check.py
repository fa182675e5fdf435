"""Layout and event handlers of the view that checks a draft against the archive.

A draft is kept in the memory of the server while its page is open, an hour at most, and never
written: neither to a file nor to an address or a log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import gradio as gr

from rag.settings import Settings
from ui.check_formats import ExportedCheck, export_check
from ui.checked_text import plain
from ui.i18n import texts_in
from ui.web import draft_check, input_validation
from ui.web.asset_files import read_asset
from ui.web.components import CHECK_EVENT, QUEUED_EVENT, UNQUEUED_EVENT, CheckView
from ui.web.draft_check import NO_CHECK, DraftCheck
from ui.web.events.export import COPY_JS, SAVE_JS, payload_of
from ui.web.labels import i18n
from ui.web.places import html_place, pieces_place
from ui.web.state import Session
from ui.web.updates import PageUpdates, Updates
from ui.web.views.check import (
    bad_day_html,
    check_pieces,
    form_end_html,
    form_head_html,
    problem_html,
)

KEPT_SECONDS = 60 * 60  # lifetime of a draft in memory after the last event of its page
# Whole characters only; of a draft that is too long, enough for the server to see that it is.
SEND_JS = """(session, check, draft, day) => {
  const sent = (draft ?? '').slice(0, 100002);
  return [session, check, sent.toWellFormed?.() ?? sent, day];
}"""


def lay_out_check() -> CheckView:
    """Create the view, inside the row that is open."""
    check = gr.State(NO_CHECK, time_to_live=KEPT_SECONDS)
    with gr.Column(scale=1, min_width=0, elem_id="bf-checking"):
        with gr.Column(elem_id="bf-check-form"):
            head = html_place("bf-check-head-words")
            draft = gr.Textbox(
                label=i18n("check_draft"),
                show_label=False,
                container=False,
                placeholder=i18n("check_placeholder"),
                lines=12,
                max_lines=24,
                elem_id="bf-draft-field",
            )
            end = html_place("bf-check-end", read_asset("draft.js"))
            problem = html_place("bf-check-problem")
            with gr.Row(elem_id="bf-check-row"):
                written_on = gr.Textbox(
                    label=i18n("written_on"),
                    placeholder=i18n("date_format"),
                    max_length=draft_check.LONGEST_DAY,
                    min_width=120,
                    elem_id="bf-written-on",
                )
                begin = gr.Button(i18n("check_begin"), variant="primary", elem_id="bf-check-begin")
        checked = pieces_place("bf-checked", read_asset("check.js"))
    return CheckView(check, head, draft, end, written_on, begin, problem, checked)


def wire_check(page: PageUpdates, settings: Settings, concurrency: int) -> None:
    """Register the event handlers.

    Args:
        page: The page's components and their updates.
        settings: The address at which readers reach the page, for exports.
        concurrency: Number of drafts that are checked at the same time.
    """
    on, view, handlers = page.on, page.on.check, CheckHandlers(page, settings.base_url)
    state = [on.session, view.check]
    shown = [view.check, view.checked, view.problem]
    opened = [view.head, view.end, view.checked, view.problem]
    on.banner.check(handlers.open_check, state, opened, **UNQUEUED_EVENT)
    begun = view.begin.click(
        handlers.begin_check,
        [*state, view.draft, view.written_on],
        shown,
        js=SEND_JS,
        **CHECK_EVENT,
    )
    checked = begun.success(
        handlers.stream_check,
        state,
        shown,
        api_visibility="private",
        concurrency_limit=concurrency,
        concurrency_id="checking",
        show_progress="hidden",
        trigger_mode="multiple",
    )
    checked.failure(handlers.stop_check, state, shown, **UNQUEUED_EVENT)
    checked.success(handlers.finish_check, state, shown, **UNQUEUED_EVENT)
    view.checked.stop(handlers.stop_check, state, shown, **UNQUEUED_EVENT)
    view.checked.copy(handlers.copy_check, state, on.payload, **QUEUED_EVENT).then(
        None, on.payload, js=COPY_JS
    )
    view.checked.save(handlers.save_check, state, on.payload, **QUEUED_EVENT).then(
        None, on.payload, js=SAVE_JS
    )


@dataclass(frozen=True, slots=True)
class CheckHandlers:
    """Event handlers of the view that checks a draft.

    Attributes:
        page: The page's components and their updates.
        base_url: The address at which readers reach the page; "" if it is unknown.
    """

    page: PageUpdates
    base_url: str = ""

    def show(self, session: Session, check: DraftCheck) -> Updates:
        """Show a check, without articles that the reader may not see any more."""
        view, check = self.page.on.check, self.current(check)
        texts = texts_in(session.language)
        return {view.check: check, view.checked: check_pieces(check, texts), view.problem: ""}

    def current(self, check: DraftCheck) -> DraftCheck:
        """Return a check without articles that were withdrawn, or that are hidden now."""
        articles, view = draft_check.articles_of(check), self.page.view
        if not articles:
            return check
        gone = set(view.whole_archive.withdrawals(articles))
        if view.rights is not None:
            gone |= articles - set(view.archive.readable_ids(articles))
        return draft_check.without_articles(check, gone)

    def open_check(self, session: Session, check: DraftCheck) -> Updates:
        """Show the form, and what was checked last without articles that are gone.

        It may be called while a check is begun, so it leaves alone what that changes.
        """
        view, texts = self.page.on.check, texts_in(session.language)
        words: Updates = {view.head: form_head_html(texts), view.end: form_end_html(texts)}
        current = self.current(check)
        if current is not check and not check.is_busy:
            words[view.checked] = check_pieces(current, texts)
        if not self.page.summary.status.articles:
            words[view.problem] = problem_html(texts("check_archive_empty"))
        return words

    def begin_check(
        self, session: Session, check: DraftCheck, draft: str | None, written_on: str | None
    ) -> Updates:
        """Show the draft, before it is checked; or why it can't be."""
        view, texts = self.page.on.check, texts_in(session.language)
        if draft_check.finish_check(check).is_busy:
            return {view.check: gr.skip()}
        articles = self.page.summary.status.articles
        if problem := draft_check.problem_of(draft or "", articles, texts):
            return {view.check: gr.skip(), view.problem: problem_html(problem)}
        try:
            day = draft_check.read_day(written_on or "")
        except ValueError:
            words = bad_day_html((written_on or "")[: draft_check.LONGEST_DAY], texts)
            return {view.check: gr.skip(), view.problem: words}
        return self.show(session, draft_check.begin_check(draft or "", day))

    def stream_check(self, session: Session, check: DraftCheck) -> Iterator[Updates]:
        """Check the draft that waits, and yield updates while its sentences are looked up."""
        yield {self.page.on.check.check: gr.skip()}  # else Gradio clears the outputs
        if check.progress != "waiting":
            return
        # the draft itself is for no log, whatever the setting says about questions
        self.page.view.record("check", characters=len(check.draft))
        chatbot, texts = self.page.view.chatbot, texts_in(session.language)
        for updated in draft_check.run_check(chatbot, check, texts):
            yield self.show(session, updated)

    def stop_check(self, session: Session, check: DraftCheck) -> Updates:
        """Stop the check, and show what was found up to now."""
        return self.show(session, draft_check.stop_check(check))

    def finish_check(self, session: Session, check: DraftCheck) -> Updates:
        """Show a check that has ended: Gradio shows what its stream had last once more."""
        finished = draft_check.finish_check(check)
        if finished.is_busy:
            return {self.page.on.check.check: gr.skip()}
        return self.show(session, finished)

    def copy_check(self, session: Session, check: DraftCheck) -> dict[str, str] | None:
        """Copy the checked draft as text."""
        if check.is_busy or check.progress == "none":
            return None
        texts = texts_in(session.language)
        gr.Info(texts("copied"), duration=3)
        return {"text": plain(self.current(check).result, texts)}

    def save_check(
        self, session: Session, check: DraftCheck, event: gr.EventData
    ) -> dict[str, str] | None:
        """Export the checked draft as a file."""
        wanted = input_validation.read(input_validation.CheckExport, event._data)
        if wanted is None or check.is_busy or check.progress == "none":
            return None
        exported = ExportedCheck(
            self.current(check).result,
            self.page.archive.version,
            datetime.now(UTC),
            self.base_url,
        )
        self.page.view.record("export", what="check", form=wanted.form)
        return payload_of(export_check(exported, wanted.form, texts_in(session.language)))
