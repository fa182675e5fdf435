"""Chart of the articles that match a question; a click or a drag sets the date filter."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import gradio as gr

from rag.errors import BackfileError
from rag.retrieval.histogram import Histogram, date_histogram
from rag.retrieval.hybrid import apply_query_constraints
from ui.i18n import texts_in
from ui.web import input_validation
from ui.web.ask_request import limit_dates
from ui.web.run_turn import HISTORY_TURNS, read_question
from ui.web.state import Session
from ui.web.updates import PageUpdates, Updates
from ui.web.views.chart import chart_html


def chart_of(page: PageUpdates) -> Any:
    """Return the handler that shows the chart of the last question."""

    def show(session: Session, request: gr.Request) -> Updates:
        if page.is_too_much(request):
            return {page.on.chart: ""}
        return show_chart(page, session)

    return show


def show_chart(page: PageUpdates, session: Session) -> Updates:
    """Return the update that shows the chart of the last question, or none while it is answered."""
    if session.is_busy:
        return {page.on.chart: gr.skip()}
    return {page.on.chart: chart_html(_histogram(page, session), texts_in(session.language))}


def _histogram(page: PageUpdates, session: Session) -> Histogram:
    turn = session.turns[-1] if session.turns else None
    if turn is None or turn.progress != "done" or turn.answer.refused:
        return Histogram()
    history = replace(session.current, turns=session.turns[:-1]).history[-HISTORY_TURNS:]
    try:
        question = turn.parsed or read_question(page.archive, turn, history)
        filters = apply_query_constraints(turn.request.filters, question)
        cited = [citation.metadata.article_id for citation in turn.answer.citations]
        if filters is None:
            return Histogram()
        return date_histogram(page.archive, question.query, filters=filters, cited=cited)
    except BackfileError:
        return Histogram()


def ask_within(page: PageUpdates, session: Session, first: datetime, last: datetime) -> Updates:
    """Ask the last question again, limited to a range of days.

    Args:
        page: The page's components and their updates.
        session: The session.
        first: First day.
        last: Last day, which is included.
    """
    if not session.turns or first > last:
        return page.no_change()
    asked = limit_dates(session.turns[-1].request, first, last)
    return {
        **page.begin_turn(session, asked, len(session.turns) - 1),
        **page.show_filters(asked, texts_in(session.language)),
    }


def on_pick(page: PageUpdates) -> Any:
    """Return the handler of a click on a bar, or of a drag over several."""

    def pick(session: Session, event: gr.EventData) -> Updates:
        picked = input_validation.read(input_validation.Days, event._data)
        return ask_within(page, session, *picked.ends) if picked else page.no_change()

    return pick
