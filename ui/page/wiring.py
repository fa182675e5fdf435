"""What happens when: each of the page's events, all of them private to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from rag.schema import Filters
from rag.settings import Settings
from ui.page import answering
from ui.page.asking import FIELDS, asked_of, fields_of, linked
from ui.page.feedback import feedback_of, keep
from ui.page.loading import wire_loading
from ui.page.markup import escaped, unescaped
from ui.page.minding import wire_minding
from ui.page.plotting import clicked, dragged, plotted
from ui.page.reading import place_of
from ui.page.session import Asked, Desk
from ui.page.showing import Page, Shown
from ui.page.taking import wire_taking
from ui.page.texts import texts_in

# Not an endpoint, and not in the queue of those who wait for an answer.
AT_ONCE: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}


# The same for what may have to tell something beside: that reaches the browser by the queue alone.
TELLING: dict[str, Any] = {
    "api_visibility": "private",
    "concurrency_limit": None,
    "show_progress": "hidden",
}


def wire(page: Page, blocks: gr.Blocks, settings: Settings, at_once: int) -> None:
    """Say what each event of the page does; `at_once` questions are answered at a time."""
    loaded = wire_loading(page, blocks, settings, AT_ONCE)
    loaded.success(lambda desk: plotted(page, desk), page.on.desk, page.time_parts, **AT_ONCE)
    _wire_asking(page, at_once)
    _wire_reading(page)
    wire_minding(page, settings, TELLING)
    _wire_opinion(page)
    wire_taking(page, TELLING)
    _wire_conversations(page)
    page.on.narrowing.widen.click(
        lambda: ["", "", "", [], [], [], []], outputs=page.on.narrowing.inputs, **AT_ONCE
    )


def _wire_asking(page: Page, at_once: int) -> None:
    """Every way to ask: it shows the question at once, then its answer, then all that follows."""
    on = page.on
    scope = [on.mode, on.order, *on.narrowing.inputs]
    narrowing = [*page.desk_parts, *on.narrowing.inputs]
    begun = [
        on.question.submit(
            lambda desk, question, *now: page.begun(desk, _asked(desk, question, now)),
            [on.desk, on.question, *scope],
            page.desk_parts,
            **TELLING,
        ),
        on.chat.example_select(_of_example(page), [on.desk, *scope], page.desk_parts, **TELLING),
        on.chat.retry(_retry(page), [on.desk], page.desk_parts, **TELLING),
        on.chat.edit(_edit(page), [on.desk], page.desk_parts, **TELLING),
        on.understood.input(_strike(page), [on.desk, on.understood], narrowing, **TELLING),
        on.link.change(_linked(page), [on.desk, on.link], page.desk_parts, **TELLING),
        on.time.plot.select(dragged(page), [on.desk], narrowing, **TELLING),
        on.time.busiest.input(clicked(page), [on.desk, on.time.busiest], narrowing, **TELLING),
    ]
    for event in begun:
        _wire_answer(page, event, at_once)
    on.question.stop(_stop(page), on.desk, page.desk_parts, **AT_ONCE)


def _wire_answer(page: Page, begun: Any, at_once: int) -> None:
    """After `begun`, answer what waits.

    An answer that is stopped ends by itself. Gradio's way to cancel it would not do: until the
    server has heard of it, the browser drops the next question as asked twice.
    """

    def answered(desk: Desk) -> Iterator[Shown]:
        yield from page.answered(desk)

    answer = begun.then(
        answered,
        page.on.desk,
        page.desk_parts,
        api_visibility="private",
        concurrency_limit=at_once,
        concurrency_id="asking",
        show_progress="hidden",
        trigger_mode="multiple",
    )
    answer.failure(_stop(page), page.on.desk, page.desk_parts, **AT_ONCE)
    answer.success(page.settled, page.on.desk, page.desk_parts, **AT_ONCE).then(
        lambda desk: plotted(page, desk), page.on.desk, page.time_parts, **AT_ONCE
    )


def _stop(page: Page) -> Any:
    return lambda desk: page.desk(answering.stopped(desk))


def _linked(page: Page) -> Any:
    """Return what asks the question of a link, once the page is there."""

    def asked(desk: Desk, link: str) -> Shown:
        wanted = linked(parse_qsl(link))
        if wanted is None or (desk.turns and desk.turns[-1].asked == wanted):
            return page.nothing()
        return page.begun(desk.started(), wanted)

    return asked


def _asked(desk: Desk, question: str, scope: tuple[Any, ...]) -> Asked:
    mode, order, *fields = scope
    asked, wrong = asked_of(question, mode, order, dict(zip(FIELDS, fields, strict=True)))
    for text in wrong:
        gr.Warning(texts_in(desk.language)("bad_date", text=escaped(text)))
    return asked


def _of_example(page: Page) -> Any:
    def of_example(desk: Desk, picked: gr.SelectData, *scope: Any) -> Shown:
        return page.begun(desk, _asked(desk, str(picked.value["text"]), scope))

    return of_example


def _retry(page: Page) -> Any:
    def retry(desk: Desk, picked: gr.RetryData) -> Shown:
        at = _turn_at(desk, picked.index)
        if at is None:
            return page.nothing()
        return page.begun(desk, desk.turns[at].asked, at)

    return retry


def _edit(page: Page) -> Any:
    def edit(desk: Desk, edited: gr.EditData) -> Shown:
        at = _turn_at(desk, edited.index)
        if at is None:
            return page.nothing()
        asked = replace(desk.turns[at].asked, question=unescaped(str(edited.value)), struck=())
        return page.begun(desk, asked, at)

    return edit


def _strike(page: Page) -> Any:
    def strike(desk: Desk, left: list[str]) -> Shown:
        if not desk.turns:
            return page.nothing()
        last = desk.turns[-1]
        struck = [kind for kind, _ in last.understood if kind not in left]
        asked = replace(last.asked, struck=(*last.asked.struck, *struck))
        if "filters" not in struck:
            return page.begun(desk, asked, len(desk.turns) - 1)
        asked = replace(asked, filters=Filters(), struck=last.asked.struck)
        cleared = dict(zip(page.on.narrowing.inputs, fields_of(asked).values(), strict=True))
        return {**page.begun(desk, asked, len(desk.turns) - 1), **cleared}

    return strike


def _turn_at(desk: Desk, index: int | tuple[int, int]) -> int | None:
    """Return which turn of the desk the chat's message `index` belongs to; two make a turn."""
    at = (index if isinstance(index, int) else index[0]) // 2
    return at if 0 <= at < len(desk.turns) else None


def _wire_opinion(page: Page) -> None:
    """Keep a thumb at once, and a reason when one is given."""
    on = page.on

    def thumb(desk: Desk, given: gr.LikeData) -> Shown:
        at = _turn_at(desk, given.index)
        liked = given.liked is True or given.liked == "Like"
        told = None if at is None else (at, liked)
        if told is None or given.liked == "":
            return page.no_opinion()
        _keep(page, desk, told, "")
        return {on.opinion.given: told, on.opinion.block: gr.Group(visible=True)}

    def explain(desk: Desk, told: tuple[int, bool] | None, reason: str) -> Shown:
        if told is not None and reason.strip():
            _keep(page, desk, told, reason.strip())
            gr.Info(texts_in(desk.language)("thanks"), duration=4)
        return page.no_opinion()

    on.chat.like(thumb, [on.desk], page.opinion_parts, **AT_ONCE)
    on.opinion.reason.submit(
        explain, [on.desk, on.opinion.given, on.opinion.reason], page.opinion_parts, **TELLING
    )


def _keep(page: Page, desk: Desk, told: tuple[int, bool], reason: str) -> None:
    at, liked = told
    found = feedback_of(desk, at, liked=liked, reason=reason)
    if found is not None:
        try:
            keep(page.archive.path, found)
        except OSError as error:
            raise gr.Error(texts_in(desk.language)("not_kept"), print_exception=False) from error


def _wire_reading(page: Page) -> None:
    on = page.on

    def open_(desk: Desk, pressed: gr.EventData) -> Shown:
        """Open the article of a card; the card must be one of this very desk."""
        told = [getattr(pressed, name, None) for name in ("turn", "card", "revision")]
        turn, card, revision = (one if isinstance(one, int) else 0 for one in told)
        known = 0 < turn <= len(desk.turns)
        place = place_of(desk.turns[turn - 1], card, turn) if known else None
        if place is None:
            return {on.article: gr.skip()}
        return page.article(place, texts_in(desk.language), revision or None)

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
