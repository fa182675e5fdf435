"""What one thinks of an answer: a thumb is kept at once, and a reason when one is given."""

from __future__ import annotations

import gradio as gr

from ui.page.events import AT_ONCE, TELLING
from ui.page.feedback import feedback_of, keep
from ui.page.session import Desk
from ui.page.showing import Page, Shown
from ui.page.texts import texts_in


def wire_opinion(page: Page) -> None:
    """Keep a thumb at once, and a reason when one is given."""
    on = page.on

    def thumb(desk: Desk, given: gr.LikeData) -> Shown:
        at = desk.turn_at(given.index)
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
