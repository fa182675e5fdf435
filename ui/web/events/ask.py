"""Every way to ask: typed, picked, edited, tried again, narrowed or linked; and what follows."""

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
from ui.web.events.histogram import clicked, dragged, picked, plotted
from ui.web.state import AskRequest, Session
from ui.web.updates import PageUpdates, Shown
from ui.web.views.markup import escape, unescape


def wire_ask(page: PageUpdates, concurrency: int) -> None:
    """Every way to ask: it shows the question at once, then its answer, then all that follows."""
    on = page.on
    scope = [on.mode, on.order, *on.filters.inputs]
    narrowing = [*page.session_components, *on.filters.inputs]
    begun = [
        on.question.submit(
            lambda session, question, *now: page.begun(session, _asked(session, question, now)),
            [on.session, on.question, *scope],
            page.session_components,
            **ASK_EVENT,
        ),
        on.chat.example_select(
            _of_example(page), [on.session, *scope], page.session_components, **ASK_EVENT
        ),
        on.chat.retry(_retry(page), [on.session], page.session_components, **ASK_EVENT),
        on.chat.edit(_edit(page), [on.session], page.session_components, **ASK_EVENT),
        on.understood.input(_strike(page), [on.session, on.understood], narrowing, **ASK_EVENT),
        on.link.change(
            _linked(page), [on.session, on.link], [*narrowing, on.mode, on.order], **ASK_EVENT
        ),
        on.histogram.plot.select(dragged(page), [on.session], narrowing, **ASK_EVENT),
        on.histogram.note.pick(picked(page), [on.session], narrowing, **ASK_EVENT),
        on.histogram.busiest.input(
            clicked(page), [on.session, on.histogram.busiest], narrowing, **ASK_EVENT
        ),
    ]
    for event in begun:
        _wire_answer(page, event, concurrency)
    on.question.stop(_stop(page), on.session, page.session_components, **UNQUEUED_EVENT)


def _wire_answer(page: PageUpdates, begun: Any, concurrency: int) -> None:
    """After `begun`, answer what waits.

    An answer that is stopped ends by itself. Gradio's way to cancel it would not do: until the
    server has heard of it, the browser drops the next question as asked twice.
    """

    def answered(session: Session) -> Iterator[Shown]:
        yield from page.answered(session)

    answer = begun.success(
        answered,
        page.on.session,
        page.session_components,
        api_visibility="private",
        concurrency_limit=concurrency,
        concurrency_id="asking",
        show_progress="hidden",
        trigger_mode="multiple",
    )
    begun.success(
        page.no_opinion, None, page.feedback_components, **UNQUEUED_EVENT
    )  # what was asked is past
    answer.failure(_stop(page), page.on.session, page.session_components, **UNQUEUED_EVENT)
    answer.success(page.settled, page.on.session, page.session_components, **UNQUEUED_EVENT).then(
        lambda session: plotted(page, session),
        page.on.session,
        page.histogram_components,
        **UNQUEUED_EVENT,
    )


def _stop(page: PageUpdates) -> Any:
    return lambda session: page.show_session(run_turn.stop_turn(session))


def _linked(page: PageUpdates) -> Any:
    """Return what asks the question of a link, and sets the page's fields to what it asks."""
    on = page.on

    def asked(session: Session, link: str | None) -> Shown:
        wanted = request_from_link(parse_qsl((link or "")[: input_validation.LONGEST_LINK]))
        if wanted is None or (session.turns and session.turns[-1].request == wanted):
            return page.nothing()
        fields = zip(on.filters.inputs, fields_from_request(wanted).values(), strict=True)
        begun = page.begun(session.started(), wanted)
        return {**begun, **dict(fields), on.mode: wanted.mode, on.order: wanted.order}

    return asked


def _asked(session: Session, question: str | None, scope: tuple[Any, ...]) -> AskRequest:
    mode, order, *fields = scope
    asked, wrong = request_from_fields(
        question or "", mode, order, dict(zip(FIELDS, fields, strict=True))
    )
    for text in wrong:
        gr.Warning(texts_in(session.language)("bad_date", text=escape(text)))
    return asked


def _of_example(page: PageUpdates) -> Any:
    def of_example(session: Session, picked: gr.EventData, *scope: Any) -> Shown:
        example = input_validation.read(input_validation.Example, picked._data)
        return page.begun(session, _asked(session, example.value.text if example else "", scope))

    return of_example


def _retry(page: PageUpdates) -> Any:
    def retry(session: Session, picked: gr.EventData) -> Shown:
        message = input_validation.read(input_validation.Message, picked._data)
        return _again(page, session, message.index) if message else page.nothing()

    return retry


def _edit(page: PageUpdates) -> Any:
    def edit(session: Session, changed: gr.EventData) -> Shown:
        edited = input_validation.read(input_validation.Edited, changed._data)
        if edited is None:
            return page.nothing()
        question = unescape(edited.value)
        return _again(page, session, edited.index, question=question, removed_constraints=())

    return edit


def _again(
    page: PageUpdates, session: Session, index: int | tuple[int, int], **changed: Any
) -> Shown:
    """Ask again what was asked at that place of the chat, but for what is `changed`."""
    at = session.turn_at(index)
    if at is None:
        return page.nothing()
    return page.begun(session, replace(session.turns[at].request, **changed), at)


def _strike(page: PageUpdates) -> Any:
    def strike(session: Session, chosen: list[str] | None) -> Shown:
        left = chosen or []
        if not session.turns:
            return page.nothing()
        last = session.turns[-1]
        struck = [kind for kind, _ in last.understood if kind not in left]
        asked = replace(
            last.request, removed_constraints=(*last.request.removed_constraints, *struck)
        )
        if "filters" not in struck:
            return page.begun(session, asked, len(session.turns) - 1)
        asked = replace(
            asked, filters=Filters(), removed_constraints=last.request.removed_constraints
        )
        cleared = dict(
            zip(page.on.filters.inputs, fields_from_request(asked).values(), strict=True)
        )
        return {**page.begun(session, asked, len(session.turns) - 1), **cleared}

    return strike
