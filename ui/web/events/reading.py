"""Event handlers of the article that is being read: open, close, and what is similar to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gradio as gr

from rag.archive.similar import similar_articles
from rag.errors import BackfileError
from ui.article_address import ArticleAddress
from ui.i18n import Texts, texts_in
from ui.web import input_validation
from ui.web.components import UNQUEUED_EVENT
from ui.web.events.admin import may_write
from ui.web.state import Session
from ui.web.updates import PageUpdates, Updates
from ui.web.views.article import (
    AS_CITED,
    MOST_LISTED,
    Place,
    Reading,
    find_place,
    missing_html,
    place_at,
    similar_html,
)
from ui.web.views.status import failure


def wire_reading(page: PageUpdates) -> None:
    """Register the event handlers.

    Args:
        page: The page's components and their updates.
    """
    on = page.on

    def open_(session: Session, pressed: gr.EventData, request: gr.Request) -> Updates:
        """Open the article of a card of this session, or of an address."""
        wanted = input_validation.read(input_validation.Opened, pressed._data)
        if wanted is None:
            return {on.article: gr.skip()}
        if page.is_too_much(request):
            texts = texts_in(session.language)
            told = missing_html(texts("too_many_requests"), wanted.address, None, texts)
            return {**page.close_article(), on.article: told}
        return _open(page, session, wanted, request)

    def similar(session: Session, article_id: str, request: gr.Request) -> Updates:
        texts = texts_in(session.language)
        if page.is_too_much(request):
            return {on.similar: failure(texts("too_many_requests"))}
        article = page.archive.article(article_id) if article_id else None
        if article is None:
            return {on.similar: ""}
        try:
            found = similar_articles(page.archive, article, MOST_LISTED)
        except BackfileError:  # the archive's model can't be opened here
            found = []
        return {on.similar: similar_html(found, texts)}

    for place in (on.evidence, on.article):
        place.open(open_, on.session, page.article_components, **UNQUEUED_EVENT)
    on.article.close(page.close_article, outputs=page.article_components, **UNQUEUED_EVENT)
    on.article.similar(similar, [on.session, on.opened], on.similar, **UNQUEUED_EVENT)


def open_linked(
    page: PageUpdates, query: Mapping[str, str], texts: Texts, request: gr.Request
) -> Updates:
    """Open the article that the page's address names, if it names one.

    Args:
        page: The page's components and their updates.
        query: Parameters of the page's address.
        texts: Language of the labels.
        request: The request, which tells what the reader may do.
    """
    address = ArticleAddress.from_query(query)
    if address is None:
        return page.close_article()
    return _show(page, place_at(page.archive, address), address, texts, AS_CITED, request)


def _open(
    page: PageUpdates, session: Session, wanted: input_validation.Opened, request: gr.Request
) -> Updates:
    address = ArticleAddress.from_path(wanted.address)
    place = _place_of_card(session, wanted, address)
    if address is None:
        if place is None:
            return {page.on.article: gr.skip()}
        address = ArticleAddress(place.passage.article_id)
    revision = address.revision if place else None  # `place_at` finds the address's own
    place = place or place_at(page.archive, address)
    texts = texts_in(session.language)
    return _show(page, place, address, texts, Reading(revision, wanted.since), request)


def _place_of_card(
    session: Session, wanted: input_validation.Opened, address: ArticleAddress | None
) -> Place | None:
    """Return the place of a card; None if the session has no such card for the address."""
    if not 0 < wanted.turn <= len(session.turns):
        return None
    span = (address.start, address.end) if address else None
    place = find_place(session.turns[wanted.turn - 1], wanted.card, wanted.turn, span)
    if place is None or (address and address.article_id != place.passage.article_id):
        return None
    return place


def _show(
    page: PageUpdates,
    place: Place | None,
    address: ArticleAddress,
    texts: Texts,
    reading: Reading,
    request: gr.Request,
) -> Updates:
    """Show the article of a place, or that the address has none."""
    if place is not None:
        page.view.record("read", article=place.passage.article_id)
    if place is None:
        markup: Any = missing_html(texts("no_such_address"), address.path, None, texts)
        return {**page.close_article(), page.on.article: markup}
    reading = replace(reading, rights="remove" if may_write(request) else "read")
    return page.article(place, texts, reading)
