"""Histogram of the articles that match a question; clicks and drags set the date filter."""

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
from ui.web.ask_request import fields_from_request, limit_dates
from ui.web.components import CITED, NOT_CITED
from ui.web.run_turn import HISTORY_TURNS, read_question
from ui.web.state import Session
from ui.web.updates import PageUpdates, Updates
from ui.web.views.markup import escape

BUSIEST = 5  # days, weeks or months listed below the plot


def show_histogram(page: PageUpdates, session: Session) -> Updates:
    """Return the updates that show the histogram of the last question.

    Args:
        page: The page's components and their updates.
        session: The session.

    Returns:
        The updates; they hide the histogram if there is nothing to show.
    """
    on = page.on.histogram
    if session.is_busy:
        return {on.block: gr.skip()}
    turn = session.turns[-1] if session.turns else None
    if turn is None or turn.progress != "done" or turn.answer.refused:
        return page.hide_histogram()
    history = replace(session.current, turns=session.turns[:-1]).history[-HISTORY_TURNS:]
    try:
        question = turn.parsed or read_question(page.archive, turn, history)
        filters = apply_query_constraints(turn.request.filters, question)
        cited = [citation.metadata.article_id for citation in turn.answer.citations]
        histogram = (
            date_histogram(page.archive, question.query, filters=filters, cited=cited)
            if filters is not None
            else Histogram()
        )
    except BackfileError:
        histogram = Histogram()
    if not histogram.bars:
        return page.hide_histogram()
    texts = texts_in(session.language)
    return {
        on.block: gr.Accordion(visible=True),
        on.note: _note(histogram, texts),
        on.plot: _plot(histogram, texts),
        on.busiest: gr.Radio(choices=_busiest(histogram, texts), value=None),
    }


def _plot(histogram: Histogram, texts: Texts) -> gr.BarPlot:
    """Return the bars. With other changed properties, Gradio would draw the previous bars."""
    import pandas  # 0.3 s, unless Gradio has imported it

    # Browsers use local time; noon UTC is on the same day in nearly all time zones.
    starts = [bar.start.replace(hour=12, tzinfo=None) for bar in histogram.bars]
    rows: list[tuple[datetime, int, str]] = []
    for noon, bar in zip(starts, histogram.bars, strict=True):
        rows.append((noon, bar.cited, texts("cited")))
        rows.append((noon, bar.articles - bar.cited, texts("not_cited")))
    for margin in (starts[0] - timedelta(days=1), starts[-1] + timedelta(days=1)):
        rows.append((margin, 0, texts("not_cited")))
    frame = pandas.DataFrame(rows, columns=["day", "articles", "kind"])
    return gr.BarPlot(frame, y_title=texts("article_count"))


def _note(histogram: Histogram, texts: Texts) -> str:
    total = sum(bar.articles for bar in histogram.bars)
    when = texts.period(histogram.bars[0].start, histogram.end(histogram.bars[-1]))
    step = texts(f"step_{histogram.step}")
    text = escape(texts("matching_articles", count=total, when=when, step=step))
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{escape(texts(key))}</span>'
        for key, colour in (("cited", CITED), ("not_cited", NOT_CITED))
    )
    note = f'<p class="bf-note" dir="auto" data-step="{histogram.step}">{text}</p>'
    cited = any(bar.cited for bar in histogram.bars)  # in the mode "passages" nothing is cited
    return f'{note}<p class="bf-legend">{legend}</p>' if cited else note


def _busiest(histogram: Histogram, texts: Texts) -> list[tuple[str, str]]:
    """Return label and value (first and last day) of the highest bars, in order of time."""
    most = sorted(histogram.bars, key=lambda bar: -bar.articles)[:BUSIEST]
    return [
        (
            f"{texts.period(bar.start, histogram.end(bar))} ({bar.articles})",
            f"{bar.start.date()}/{histogram.end(bar).date()}",
        )
        for bar in sorted(most, key=_start)
        if bar.articles
    ]


def _start(bar: Bucket) -> datetime:
    return bar.start


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
    fields = fields_from_request(asked)
    narrowing = page.on.filters
    return {
        **page.begin_turn(session, asked, len(session.turns) - 1),
        narrowing.after: fields["after"],
        narrowing.before: fields["before"],
    }


def on_plot_drag(page: PageUpdates) -> Any:
    """Return the handler of dragging across the plot."""

    def drag(session: Session, event: gr.EventData) -> Updates:
        marked = input_validation.read(input_validation.PlotRange, event._data)
        if marked is None:
            return page.no_change()
        first, last = (datetime.fromtimestamp(end, UTC) for end in sorted(marked.index))
        return ask_within(page, session, first, last)

    return drag


def on_bar_click(page: PageUpdates) -> Any:
    """Return the handler of a click on a bar."""

    def pick(session: Session, event: gr.EventData) -> Updates:
        bar = input_validation.read(input_validation.Bar, event._data)
        if bar is None:
            return page.no_change()
        first = bucket_start(datetime.fromtimestamp(bar.day / 1000, UTC), bar.step)
        return ask_within(
            page, session, first, next_bucket_start(first, bar.step) - timedelta(days=1)
        )

    return pick


def on_busiest_click(page: PageUpdates) -> Any:
    """Return the handler of a choice among the busiest bars."""

    def click(session: Session, days: object) -> Updates:
        span = input_validation.read(input_validation.Days, {"days": days})
        return ask_within(page, session, *span.ends) if span else page.no_change()

    return click
