"""Event handlers for feedback: a thumb is saved at once, its reason when it is sent."""

from __future__ import annotations

import gradio as gr

from ui.i18n import texts_in
from ui.web import input_validation
from ui.web.components import QUEUED_EVENT, UNQUEUED_EVENT
from ui.web.feedback import make_feedback, save_feedback
from ui.web.state import Session
from ui.web.updates import PageUpdates, Updates


def wire_feedback(page: PageUpdates) -> None:
    """Register the event handlers for thumbs and reasons."""
    on = page.on

    def thumb(session: Session, pressed: gr.EventData, request: gr.Request) -> Updates:
        given = input_validation.read(input_validation.Thumb, pressed._data)
        if given is None or given.turn > len(session.turns):
            return page.hide_feedback()
        vote = given.turn - 1, given.liked
        _save(page, session, vote, "", request)
        return {on.feedback.thumb: vote, on.feedback.block: gr.Group(visible=True)}

    def explain(
        session: Session, vote: tuple[int, bool] | None, reason: str | None, request: gr.Request
    ) -> Updates:
        text = (reason or "").strip()
        if vote is not None and text:
            _save(page, session, vote, text, request)
            gr.Info(texts_in(session.language)("thanks"), duration=4)
        return page.hide_feedback()

    on.thread.vote(thumb, [on.session], page.feedback_components, **UNQUEUED_EVENT)
    on.feedback.reason.submit(
        explain,
        [on.session, on.feedback.thumb, on.feedback.reason],
        page.feedback_components,
        **QUEUED_EVENT,
    )


def _save(
    page: PageUpdates, session: Session, vote: tuple[int, bool], reason: str, request: gr.Request
) -> None:
    at, liked = vote
    texts = texts_in(session.language)
    entry = make_feedback(page.current(session), at, liked=liked, reason=reason)
    if entry is None:
        return
    if not page.thumbs.take(request.client.host if request.client else ""):
        raise gr.Error(texts("too_much_feedback"), print_exception=False)
    try:
        is_saved = save_feedback(page.view.whole_archive.path, entry, page.feedback)
    except OSError as error:
        raise gr.Error(texts("feedback_not_saved"), print_exception=False) from error
    if not is_saved:
        raise gr.Error(texts("feedback_full"), print_exception=False)
