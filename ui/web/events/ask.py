"""Event handlers for asking: typing, examples, editing, retrying, filters and links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from ui.i18n import texts_in
from ui.web import input_validation, run_turn
from ui.web.ask_request import FIELDS, preset_days, request_from_fields, request_from_link
from ui.web.components import ASK_EVENT, UNQUEUED_EVENT
from ui.web.events.histogram import chart_of, on_pick
from ui.web.state import AskRequest, Session
from ui.web.updates import PageUpdates, Updates
from ui.web.views.chips import chips_html


def wire_ask(page: PageUpdates, concurrency: int) -> None:
    """Register the event handlers for asking and stopping.

    Each shows the question first, then its answer, then the histogram.

    Args:
        page: The page's components and their updates.
        concurrency: Number of questions answered at the same time.
    """
    on = page.on
    fields = [on.mode, on.filters.order, *on.filters.inputs]
    outputs = [*page.session_components, *page.choice_components]
    asking = [on.session, on.question, *fields]
    narrowing = [
        *(field.input for field in on.filters.inputs[3:]),
        *(event for field in on.filters.inputs[:3] for event in (field.submit, field.blur)),
        on.filters.order.input,
    ]
    begun = [
        on.question.submit(_ask(page), asking, outputs, **ASK_EVENT),
        on.thread.suggested(_ask_suggested(page), asking, outputs, **ASK_EVENT),
        on.thread.again(_ask_again(page), on.session, outputs, **ASK_EVENT),
        on.thread.widen(_widen(page), on.session, outputs, **ASK_EVENT),
        on.mode.input(_change_mode(page), asking, outputs, **ASK_EVENT),
        *(event(_narrow(page), asking, outputs, **ASK_EVENT) for event in narrowing),
        on.filters.preset.input(
            _choose_preset(page), [*asking, on.filters.preset], outputs, **ASK_EVENT
        ),
        on.filters.chips.clear(_clear_filters(page), asking, outputs, **ASK_EVENT),
        on.understood.input(
            _remove_constraints(page), [on.session, on.understood], outputs, **ASK_EVENT
        ),
        on.link.change(_ask_link(page), [on.session, on.link], outputs, **ASK_EVENT),
        on.chart.pick(on_pick(page), [on.session], outputs, **ASK_EVENT),
    ]
    for event in begun:
        wire_answer(page, event, concurrency)
    on.question.stop(_stop(page), on.session, page.session_components, **UNQUEUED_EVENT)


def wire_answer(page: PageUpdates, begun: Any, concurrency: int) -> None:
    """Register the answer that follows the event `begun`, and the chart after it.

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
    ).then(chart_of(page), page.on.session, page.on.chart, **UNQUEUED_EVENT)


def _stop(page: PageUpdates) -> Any:
    return lambda session: page.show_session(run_turn.stop_turn(session))


def _ask_link(page: PageUpdates) -> Any:
    """Return the handler that asks the question of a link and fills in the form fields."""

    def ask_link(session: Session, link: str | None) -> Updates:
        wanted = request_from_link(parse_qsl((link or "")[: input_validation.LONGEST_LINK]))
        if wanted is None or (session.turns and session.turns[-1].request == wanted):
            return page.no_change()
        begun = page.begin_turn(session.start_conversation(), wanted)
        return {**begun, **page.show_asked(wanted, session)}

    return ask_link


def _read_fields(question: str | None, fields: Sequence[Any]) -> tuple[AskRequest, list[str]]:
    mode, order, *values = fields
    return request_from_fields(question or "", mode, order, dict(zip(FIELDS, values, strict=True)))


def _show_wrong(
    page: PageUpdates, session: Session, asked: AskRequest, wrong: list[str]
) -> Updates:
    """Show which dates can't be read; nothing is asked."""
    texts = texts_in(session.language)
    return {**page.no_change(), page.on.filters.chips: chips_html(asked, texts, tuple(wrong))}


def _ask(page: PageUpdates) -> Any:
    def ask(session: Session, question: str | None, *fields: Any) -> Updates:
        asked, wrong = _read_fields(question, fields)
        if wrong:
            return _show_wrong(page, session, asked, wrong)
        return page.begin_turn(session, asked)

    return ask


def _ask_suggested(page: PageUpdates) -> Any:
    def ask_suggested(
        session: Session, event: gr.EventData, question: str | None, *fields: Any
    ) -> Updates:
        wanted = input_validation.read(input_validation.Suggested, event._data)
        if wanted is None:
            return page.no_change()
        asked, wrong = _read_fields(wanted.question, fields)
        if wrong:
            return _show_wrong(page, session, asked, wrong)
        asked = replace(asked, mode=wanted.mode)
        return {**page.begin_turn(session, asked), page.on.mode: wanted.mode}

    return ask_suggested


def _ask_again(page: PageUpdates) -> Any:
    def ask_again(session: Session, event: gr.EventData) -> Updates:
        wanted = input_validation.read(input_validation.OfTurn, event._data)
        if wanted is None or wanted.turn > len(session.turns):
            return page.no_change()
        asked = session.turns[wanted.turn - 1].request
        return {
            **page.begin_turn(session, asked, wanted.turn - 1),
            **page.show_asked(asked, session),
        }

    return ask_again


def _widen(page: PageUpdates) -> Any:
    """Return the handler that asks a question without its dates."""

    def widen(session: Session, event: gr.EventData) -> Updates:
        wanted = input_validation.read(input_validation.OfTurn, event._data)
        if wanted is None or wanted.turn > len(session.turns):
            return page.no_change()
        asked = session.turns[wanted.turn - 1].request
        asked = replace(
            asked,
            filters=replace(asked.filters, after=None, before=None),
            removed_constraints=(*asked.removed_constraints, "window"),
        )
        return {
            **page.begin_turn(session, asked, wanted.turn - 1),
            **page.show_asked(asked, session),
        }

    return widen


def _change_mode(page: PageUpdates) -> Any:
    """Return the handler of another mode: the last question is answered in it too."""

    def change_mode(session: Session, question: str | None, *fields: Any) -> Updates:
        asked, wrong = _read_fields(question, fields)
        if wrong or not _is_between_questions(session, question):
            return page.no_change()
        return page.begin_turn(
            session, replace(session.turns[-1].request, mode=asked.mode), len(session.turns) - 1
        )

    return change_mode


def _is_between_questions(session: Session, question: str | None) -> bool:
    """Return whether a change is for the last question: nothing else is typed or answered."""
    return bool(session.turns) and not session.is_busy and not (question or "").strip()


def _narrow(page: PageUpdates) -> Any:
    """Return the handler of other filters: the last question is asked again with them."""

    def narrow(session: Session, question: str | None, *fields: Any) -> Updates:
        return _ask_with(page, session, question, *_read_fields(question, fields))

    return narrow


def _ask_with(
    page: PageUpdates, session: Session, question: str | None, asked: AskRequest, wrong: list[str]
) -> Updates:
    if wrong:
        return _show_wrong(page, session, asked, wrong)
    shown = {page.on.filters.chips: chips_html(asked, texts_in(session.language))}
    if not _is_between_questions(session, question):
        return {**page.no_change(), **shown}
    last = session.turns[-1].request
    again = replace(last, filters=asked.filters, asked_on=asked.asked_on, order=asked.order)
    if again == last:
        return {**page.no_change(), **shown}
    return {**page.begin_turn(session, again, len(session.turns) - 1), **shown}


def _choose_preset(page: PageUpdates) -> Any:
    """Return the handler of a preset of dates, counted back from the archive's newest article."""

    def choose(session: Session, question: str | None, *fields: Any) -> Updates:
        *rest, preset = fields
        newest = page.summary.status.last
        after, before = preset_days(str(preset), newest) if newest else ("", "")
        rest[2:4] = [after, before]
        filters = page.on.filters
        days = {filters.after: after, filters.before: before}
        return {**_ask_with(page, session, question, *_read_fields(question, rest)), **days}

    return choose


def _clear_filters(page: PageUpdates) -> Any:
    def clear(session: Session, question: str | None, mode: str, *_: Any) -> Updates:
        asked = AskRequest("")
        shown = page.show_filters(asked, texts_in(session.language))
        return {**_ask_with(page, session, question, asked, []), **shown}

    return clear


def _remove_constraints(page: PageUpdates) -> Any:
    def remove_constraints(session: Session, chosen: list[str] | None) -> Updates:
        kept = chosen or []
        if not session.turns:
            return page.no_change()
        last = session.turns[-1]
        removed = [kind for kind, _ in last.removable if kind not in kept]
        request = replace(
            last.request, removed_constraints=(*last.request.removed_constraints, *removed)
        )
        shown = page.show_filters(request, texts_in(session.language))
        return {**page.begin_turn(session, request, len(session.turns) - 1), **shown}

    return remove_constraints
