"""Event handlers for asking: typing, examples, editing, retrying, filters and links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from rag.schema import Filters
from ui.i18n import texts_in
from ui.web import input_validation, run_turn
from ui.web.ask_request import FIELDS, fields_from_request, request_from_fields, request_from_link
from ui.web.components import ASK_EVENT, UNQUEUED_EVENT
from ui.web.events.histogram import on_bar_click, on_busiest_click, on_plot_drag, show_histogram
from ui.web.state import AskRequest, Session
from ui.web.updates import PageUpdates, Updates
from ui.web.views.markup import escape, unescape


def wire_ask(page: PageUpdates, concurrency: int) -> None:
    """Register the event handlers for asking and stopping.

    Each shows the question first, then its answer, then the histogram.

    Args:
        page: The page's components and their updates.
        concurrency: Number of questions answered at the same time.
    """
    on = page.on
    scope = [on.mode, on.order, *on.filters.inputs]
    outputs = [*page.session_components, *on.filters.inputs]
    begun = [
        on.question.submit(
            lambda session, question, *now: page.begin_turn(
                session, _make_request(session, question, now)
            ),
            [on.session, on.question, *scope],
            page.session_components,
            **ASK_EVENT,
        ),
        on.chat.example_select(
            _ask_example(page), [on.session, *scope], page.session_components, **ASK_EVENT
        ),
        on.chat.retry(_retry(page), [on.session], page.session_components, **ASK_EVENT),
        on.chat.edit(_edit(page), [on.session], page.session_components, **ASK_EVENT),
        on.understood.input(
            _remove_constraints(page), [on.session, on.understood], outputs, **ASK_EVENT
        ),
        on.link.change(
            _ask_link(page), [on.session, on.link], [*outputs, on.mode, on.order], **ASK_EVENT
        ),
        on.histogram.plot.select(on_plot_drag(page), [on.session], outputs, **ASK_EVENT),
        on.histogram.note.pick(on_bar_click(page), [on.session], outputs, **ASK_EVENT),
        on.histogram.busiest.input(
            on_busiest_click(page), [on.session, on.histogram.busiest], outputs, **ASK_EVENT
        ),
    ]
    for event in begun:
        _wire_answer(page, event, concurrency)
    on.question.stop(_stop(page), on.session, page.session_components, **UNQUEUED_EVENT)


def _wire_answer(page: PageUpdates, begun: Any, concurrency: int) -> None:
    """Register the answer that follows the event `begun`.

    Stopping sets a flag that ends the answer. Gradio's `cancels` does not work here: until the
    server confirms it, the browser drops the next question as a duplicate.
    """

    def stream_answer(session: Session) -> Iterator[Updates]:
        yield from page.stream_answer(session)

    answer = begun.success(
        stream_answer,
        page.on.session,
        page.session_components,
        api_visibility="private",
        concurrency_limit=concurrency,
        concurrency_id="asking",
        show_progress="hidden",
        trigger_mode="multiple",
    )
    # The form belongs to the previous answer.
    begun.success(page.hide_feedback, None, page.feedback_components, **UNQUEUED_EVENT)
    answer.failure(_stop(page), page.on.session, page.session_components, **UNQUEUED_EVENT)
    answer.success(
        page.show_finished, page.on.session, page.session_components, **UNQUEUED_EVENT
    ).then(
        lambda session: show_histogram(page, session),
        page.on.session,
        page.histogram_components,
        **UNQUEUED_EVENT,
    )


def _stop(page: PageUpdates) -> Any:
    return lambda session: page.show_session(run_turn.stop_turn(session))


def _ask_link(page: PageUpdates) -> Any:
    """Return the handler that asks the question of a link and fills in the form fields."""
    on = page.on

    def ask_link(session: Session, link: str | None) -> Updates:
        wanted = request_from_link(parse_qsl((link or "")[: input_validation.LONGEST_LINK]))
        if wanted is None or (session.turns and session.turns[-1].request == wanted):
            return page.no_change()
        fields = zip(on.filters.inputs, fields_from_request(wanted).values(), strict=True)
        begun = page.begin_turn(session.start_conversation(), wanted)
        return {**begun, **dict(fields), on.mode: wanted.mode, on.order: wanted.order}

    return ask_link


def _make_request(session: Session, question: str | None, scope: tuple[Any, ...]) -> AskRequest:
    mode, order, *fields = scope
    request, wrong = request_from_fields(
        question or "", mode, order, dict(zip(FIELDS, fields, strict=True))
    )
    for text in wrong:
        gr.Warning(texts_in(session.language)("bad_date", text=escape(text)))
    return request


def _ask_example(page: PageUpdates) -> Any:
    def ask_example(session: Session, event: gr.EventData, *scope: Any) -> Updates:
        example = input_validation.read(input_validation.Example, event._data)
        return page.begin_turn(
            session, _make_request(session, example.value.text if example else "", scope)
        )

    return ask_example


def _retry(page: PageUpdates) -> Any:
    def retry(session: Session, event: gr.EventData) -> Updates:
        message = input_validation.read(input_validation.Message, event._data)
        return _ask_again(page, session, message.index) if message else page.no_change()

    return retry


def _edit(page: PageUpdates) -> Any:
    def edit(session: Session, changed: gr.EventData) -> Updates:
        edited = input_validation.read(input_validation.Edited, changed._data)
        if edited is None:
            return page.no_change()
        question = unescape(edited.value)
        return _ask_again(page, session, edited.index, question=question, removed_constraints=())

    return edit


def _ask_again(
    page: PageUpdates, session: Session, index: int | tuple[int, int], **changed: Any
) -> Updates:
    """Repeat the request of a chat message with changes."""
    at = session.turn_at(index)
    if at is None:
        return page.no_change()
    return page.begin_turn(session, replace(session.turns[at].request, **changed), at)


def _remove_constraints(page: PageUpdates) -> Any:
    def remove_constraints(session: Session, chosen: list[str] | None) -> Updates:
        kept = chosen or []
        if not session.turns:
            return page.no_change()
        last = session.turns[-1]
        removed = [kind for kind, _ in last.understood if kind not in kept]
        request = replace(
            last.request, removed_constraints=(*last.request.removed_constraints, *removed)
        )
        if "filters" not in removed:
            return page.begin_turn(session, request, len(session.turns) - 1)
        request = replace(
            request, filters=Filters(), removed_constraints=last.request.removed_constraints
        )
        cleared = dict(
            zip(page.on.filters.inputs, fields_from_request(request).values(), strict=True)
        )
        return {**page.begin_turn(session, request, len(session.turns) - 1), **cleared}

    return remove_constraints
