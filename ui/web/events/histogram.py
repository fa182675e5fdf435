"""The plot of how many articles speak of a question, which sets the window of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import gradio as gr

from rag.errors import BackfileError
from rag.retrieval.histogram import (
    Bucket,
    Histogram,
    bucket_start,
    date_histogram,
    next_bucket_start,
)
from rag.retrieval.hybrid import apply_query_constraints
from ui.i18n import Texts, texts_in
from ui.web import input_validation
from ui.web.ask_request import fields_from_request, within
from ui.web.components import CITED, NOT_CITED
from ui.web.run_turn import REMEMBERED, read_question
from ui.web.state import Session
from ui.web.updates import PageUpdates, Shown
from ui.web.views.markup import escape

BUSIEST = 5  # days, weeks or months that stand beneath the plot, to be clicked


def plotted(page: PageUpdates, session: Session) -> Shown:
    """Show how the articles that speak of the last question are spread over time."""
    on = page.on.histogram
    if session.is_busy:
        return {on.block: gr.skip()}
    turn = session.turns[-1] if session.turns else None
    if turn is None or turn.progress != "done" or turn.answer.refused:
        return page.no_time()
    history = replace(session.current, turns=session.turns[:-1]).history[-REMEMBERED:]
    try:
        question = turn.parsed or read_question(page.archive, turn, history)
        filters = apply_query_constraints(turn.request.filters, question)
        cited = [citation.metadata.article_id for citation in turn.answer.citations]
        found = (
            date_histogram(page.archive, question.query, filters=filters, cited=cited)
            if filters is not None
            else Histogram()
        )
    except BackfileError:
        found = Histogram()
    if not found.bars:
        return page.no_time()
    texts = texts_in(session.language)
    return {
        on.block: gr.Accordion(visible=True),
        on.note: _note(found, texts),
        on.plot: _plot(found, texts),
        on.busiest: gr.Radio(choices=_busiest(found, texts), value=None),
    }


def _plot(found: Histogram, texts: Texts) -> gr.BarPlot:
    """Return the bars alone: with anything else that changes, Gradio draws the bars of before."""
    import pandas  # 0.3 s, and Gradio has it by now

    # Browsers show moments in their own time: noon is in the same day nearly everywhere.
    starts = [bar.start.replace(hour=12, tzinfo=None) for bar in found.bars]
    rows: list[tuple[datetime, int, str]] = []
    for noon, bar in zip(starts, found.bars, strict=True):
        rows.append((noon, bar.cited, texts("cited")))
        rows.append((noon, bar.articles - bar.cited, texts("not_cited")))
    for margin in (starts[0] - timedelta(days=1), starts[-1] + timedelta(days=1)):
        rows.append((margin, 0, texts("not_cited")))
    frame = pandas.DataFrame(rows, columns=["day", "articles", "kind"])
    return gr.BarPlot(frame, y_title=texts("article_count"))


def _note(found: Histogram, texts: Texts) -> str:
    total = sum(bar.articles for bar in found.bars)
    when = texts.period(found.bars[0].start, found.end(found.bars[-1]))
    step = texts(f"step_{found.step}")
    said = escape(texts("matching_articles", count=total, when=when, step=step))
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{escape(texts(key))}</span>'
        for key, colour in (("cited", CITED), ("not_cited", NOT_CITED))
    )
    note = f'<p class="bf-note" dir="auto" data-step="{found.step}">{said}</p>'
    cited = any(bar.cited for bar in found.bars)  # passages without an answer cite nothing
    return f'{note}<p class="bf-legend">{legend}</p>' if cited else note


def _busiest(found: Histogram, texts: Texts) -> list[tuple[str, str]]:
    """Return what to call the busiest bars, in order, and their first and last day."""
    most = sorted(found.bars, key=lambda bar: -bar.articles)[:BUSIEST]
    return [
        (
            f"{texts.period(bar.start, found.end(bar))} ({bar.articles})",
            f"{bar.start.date()}/{found.end(bar).date()}",
        )
        for bar in sorted(most, key=_start)
        if bar.articles
    ]


def _start(bar: Bucket) -> datetime:
    return bar.start


def narrowed_to(page: PageUpdates, session: Session, first: datetime, last: datetime) -> Shown:
    """Ask the last question again, of the articles of those days."""
    if not session.turns or first > last:
        return page.nothing()
    asked = within(session.turns[-1].request, first, last)
    fields = fields_from_request(asked)
    narrowing = page.on.filters
    return {
        **page.begun(session, asked, len(session.turns) - 1),
        narrowing.after: fields["after"],
        narrowing.before: fields["before"],
    }


def dragged(page: PageUpdates) -> Any:
    """Return what to do when a stretch of the plot is marked."""

    def drag(session: Session, marked: gr.EventData) -> Shown:
        found = input_validation.read(input_validation.Dragged, marked._data)
        if found is None:
            return page.nothing()
        first, last = (datetime.fromtimestamp(end, UTC) for end in sorted(found.index))
        return narrowed_to(page, session, first, last)

    return drag


def picked(page: PageUpdates) -> Any:
    """Return what to do when a bar of the plot is clicked: its day, week or month is asked for."""

    def pick(session: Session, bar: gr.EventData) -> Shown:
        found = input_validation.read(input_validation.Bar, bar._data)
        if found is None:
            return page.nothing()
        first = bucket_start(datetime.fromtimestamp(found.day / 1000, UTC), found.step)
        return narrowed_to(
            page, session, first, next_bucket_start(first, found.step) - timedelta(days=1)
        )

    return pick


def clicked(page: PageUpdates) -> Any:
    """Return what to do when one of the busiest bars is picked."""

    def click(session: Session, picked: object) -> Shown:
        found = input_validation.read(input_validation.Days, {"days": picked})
        return narrowed_to(page, session, *found.ends) if found else page.nothing()

    return click
