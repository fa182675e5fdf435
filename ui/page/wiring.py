"""What happens when: each of the page's events, the shorter ones here."""

from __future__ import annotations

import gradio as gr

from rag.settings import Settings
from ui.page import answering, inputs
from ui.page.events import AT_ONCE
from ui.page.loading import wire_loading
from ui.page.minding import wire_minding
from ui.page.opinion import wire_opinion
from ui.page.plotting import plotted
from ui.page.reading import place_of
from ui.page.session import Desk
from ui.page.showing import Page, Shown
from ui.page.taking import wire_taking
from ui.page.texts import texts_in
from ui.page.ways_to_ask import wire_asking


def wire(page: Page, blocks: gr.Blocks, settings: Settings, at_once: int) -> None:
    """Say what each event of the page does; `at_once` questions are answered at a time."""
    loaded = wire_loading(page, blocks)
    loaded.success(lambda desk: plotted(page, desk), page.on.desk, page.time_parts, **AT_ONCE)
    wire_asking(page, at_once)
    _wire_reading(page)
    wire_minding(page, settings)
    wire_opinion(page)
    wire_taking(page)
    _wire_conversations(page)
    page.on.narrowing.widen.click(
        lambda: ["", "", "", [], [], [], []], outputs=page.on.narrowing.inputs, **AT_ONCE
    )


def _wire_reading(page: Page) -> None:
    on = page.on

    def open_(desk: Desk, pressed: gr.EventData) -> Shown:
        """Open the article of a card; the card must be one of this very desk."""
        wanted = inputs.read(inputs.Card, pressed._data)
        if wanted is None or wanted.turn > len(desk.turns):
            return {on.article: gr.skip()}
        place = place_of(desk.turns[wanted.turn - 1], wanted.card, wanted.turn)
        if place is None:
            return {on.article: gr.skip()}
        return page.article(place, texts_in(desk.language), wanted.revision or None)

    shown = [on.article, on.reader, on.cards]
    for place in (on.evidence, on.article):
        place.open(open_, [on.desk], [*shown, on.opened], **AT_ONCE)
    on.close.click(page.cards, outputs=shown, **AT_ONCE)


def _wire_conversations(page: Page) -> None:
    """To start, open or delete a conversation ends the answer that is under way."""
    on = page.on

    def show(desk: Desk) -> Shown:
        return {**page.desk(desk), **page.cards(), **page.no_time(), **page.no_opinion()}

    def start(desk: Desk) -> Shown:
        return show(answering.stopped(desk).started())

    def delete(desk: Desk) -> Shown:
        return show(answering.stopped(desk).without_current())

    def open_(desk: Desk, wanted: str) -> Shown:
        return show(answering.stopped(desk).opened(wanted))

    parts = [*page.desk_parts, on.time.block, *page.opinion_parts]
    on.start.click(start, on.desk, parts, **AT_ONCE)
    on.chat.clear(start, on.desk, parts, **AT_ONCE)
    for opened in (
        on.delete.click(delete, on.desk, parts, **AT_ONCE),
        on.conversations.input(open_, [on.desk, on.conversations], parts, **AT_ONCE),
    ):
        opened.success(lambda desk: plotted(page, desk), on.desk, page.time_parts, **AT_ONCE)
