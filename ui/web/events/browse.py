"""Layout and event handlers of the view for browsing articles and names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from ingest.export_format import to_record
from rag.errors import BackfileError
from rag.schema import Article
from ui.answer_formats import ExportedFile
from ui.i18n import Texts, error_text, texts_in
from ui.render import iso_date, json_line
from ui.web import input_validation
from ui.web.asset_files import read_asset
from ui.web.browse_request import BrowseRequest, browse_from_link
from ui.web.components import EXPORT_EVENT, UNQUEUED_EVENT, BrowseView
from ui.web.events.export import SAVE_JS, payload_of
from ui.web.labels import i18n
from ui.web.places import html_place
from ui.web.state import Session
from ui.web.updates import PageUpdates, Updates
from ui.web.views.browse import MOST_SHOWN, facets_html, name_html, names_html, results_html
from ui.web.views.markup import escape
from ui.web.views.status import failure

PAGE = 50  # articles shown at once
MOST_NAMES = 60  # of all kinds
MOST_EXPORTED = 20_000  # articles in one file; `backfile browse --export` has no limit
MOST_CHARACTERS = 20_000_000  # of one file, which is in memory several times until it is saved
TOO_MUCH = "too_many_requests"
BROWSE_JS = read_asset("browse.js")
COLUMNS = ("id", "title", "publisher", "authors", "published", "section", "language", "url")


def lay_out_browse(session_seconds: int) -> BrowseView:
    """Create the view, inside the column that is open.

    Args:
        session_seconds: Lifetime of its state on the server.
    """
    asked = gr.State(BrowseRequest(), time_to_live=session_seconds)
    shown = gr.State(PAGE, time_to_live=session_seconds)
    with gr.Column(elem_id="bf-browse", elem_classes="bf-view"):
        with gr.Row(elem_id="bf-browse-bar"):
            words = gr.Textbox(
                label=i18n("browse_words"),
                show_label=False,
                container=False,
                placeholder=i18n("browse_words"),
                max_length=2000,
                elem_id="bf-browse-words",
                submit_btn=str(i18n("browse_search")),
            )
            order = gr.Radio(
                [(i18n(f"order_{order}"), order) for order in ("date", "relevance")],
                value="date",
                label=i18n("order"),
                show_label=False,
                container=False,
                elem_id="bf-browse-order",
            )
        with gr.Row(elem_id="bf-browse-desk"):
            facets = html_place("bf-facets", f"{read_asset('facets.js')}\n{BROWSE_JS}")
            results = html_place("bf-results", BROWSE_JS)
        names = html_place("bf-names", BROWSE_JS)
    return BrowseView(asked, shown, words, order, facets, results, names)


def wire_browse(page: PageUpdates) -> None:
    """Register the event handlers."""
    on, view, handlers = page.on, page.on.browse, BrowseHandlers(page)
    inputs = [on.session, view.asked, view.shown, view.words, view.order]
    outputs = [view.asked, view.shown, view.words, view.order, view.facets, view.results]
    for event in (view.words.submit, view.order.input):
        event(handlers.search, inputs, outputs, **UNQUEUED_EVENT)
    on.banner.browse(handlers.open_view, inputs[:2], [*outputs, view.names], **UNQUEUED_EVENT)
    # Each choice has all values, so of quick ones only the last counts. The script of the facets
    # sends those of the results too: otherwise two could be under way.
    view.facets.act(handlers.act, inputs, outputs, trigger_mode="always_last", **UNQUEUED_EVENT)
    for place in (view.results, view.names):
        place.act(handlers.act, inputs, outputs, trigger_mode="multiple", **UNQUEUED_EVENT)
    view.names.prefix(
        handlers.find_names, on.session, view.names, trigger_mode="always_last", **UNQUEUED_EVENT
    )
    exported = view.results.file(
        handlers.export, [on.session, view.asked], on.payload, **EXPORT_EVENT
    )
    exported.then(None, on.payload, js=SAVE_JS)


@dataclass(frozen=True, slots=True)
class BrowseHandlers:
    """Event handlers of the view for browsing.

    Attributes:
        page: The page's components and their updates.
    """

    page: PageUpdates

    def show(self, session: Session, asked: BrowseRequest, shown: int = PAGE) -> Updates:
        """Show what is asked for."""
        return show_browse(self.page, texts_in(session.language), asked, shown)

    def too_much(self, session: Session) -> Updates:
        """Say in place of the articles that this client sends too many requests."""
        return {self.page.on.browse.results: failure(texts_in(session.language)(TOO_MUCH))}

    def search(
        self,
        session: Session,
        asked: BrowseRequest,
        shown: int,
        words: str | None,
        order: str,
        request: gr.Request,
    ) -> Updates:
        """Show the articles that have the words, in the order."""
        if self.page.is_too_much(request):
            return self.too_much(session)
        self.page.view.record("browse", question=words or "")
        chosen: Any = "relevance" if order == "relevance" else "date"
        return self.show(session, replace(asked, words=words or "", order=chosen, name="", kind=""))

    def open_view(
        self, session: Session, asked: BrowseRequest, event: gr.EventData, request: gr.Request
    ) -> Updates:
        """Show what the page's address names, or what was shown last."""
        if self.page.is_too_much(request):
            return self.too_much(session)
        link = input_validation.read(input_validation.Link, event._data)
        texts = texts_in(session.language)
        if link and link.query:
            asked = browse_from_link(parse_qsl(link.query.lstrip("?")))
        names = self.page.archive.names(limit=MOST_NAMES)
        return {
            **self.show(session, asked),
            self.page.on.browse.names: names_html(names, "", texts),
        }

    def act(
        self,
        session: Session,
        asked: BrowseRequest,
        shown: int,
        words: str | None,
        order: str,
        event: gr.EventData,
        request: gr.Request,
    ) -> Updates:
        """Choose facet values, show a name or more articles."""
        if self.page.is_too_much(request):
            return self.too_much(session)
        wanted = input_validation.read(input_validation.BrowseAction, event._data)
        if wanted is None:
            return {self.page.on.browse.asked: gr.skip()}
        if wanted.action == "more":
            return self.show(session, asked, min(shown + PAGE, MOST_SHOWN))
        if wanted.action == "back":
            return self.show(session, replace(asked, name="", kind=""))
        if wanted.action == "name":
            return self.show(session, replace(asked, name=wanted.value, kind=wanted.kind))
        return self.show(session, asked.choose(wanted.chosen))

    def find_names(self, session: Session, event: gr.EventData, request: gr.Request) -> Updates:
        """List the names that begin with what is typed."""
        wanted = input_validation.read(input_validation.NamePrefix, event._data)
        if wanted is None:
            return {self.page.on.browse.names: gr.skip()}
        if self.page.is_too_much(request):
            texts = texts_in(session.language)
            told = names_html((), wanted.prefix, texts, instead=failure(texts(TOO_MUCH)))
            return {self.page.on.browse.names: told}
        found = self.page.archive.names(prefix=wanted.prefix, limit=MOST_NAMES)
        return {
            self.page.on.browse.names: names_html(found, wanted.prefix, texts_in(session.language))
        }

    def export(
        self, session: Session, asked: BrowseRequest, event: gr.EventData, request: gr.Request
    ) -> Any:
        """Export all matching articles."""
        wanted = input_validation.read(input_validation.BrowseExport, event._data)
        if wanted is None:
            return None
        if not self.page.exports.take(request.client.host if request.client else ""):
            gr.Warning(texts_in(session.language)(TOO_MUCH))
            return None
        try:
            made = export_articles(self.page, asked, wanted.form)
        except BackfileError as error:
            gr.Warning(escape(error_text(error, texts_in(session.language))))
            return None
        self.page.view.record("export", what="articles", form=wanted.form, question=asked.words)
        return payload_of(made)


def show_browse(page: PageUpdates, texts: Texts, asked: BrowseRequest, shown: int) -> Updates:
    """Show the articles that match, or the page of a name.

    Args:
        page: The page's components and their updates.
        texts: Language of the labels.
        asked: What to show.
        shown: Number of articles.
    """
    view = page.on.browse
    updates: Updates = {
        view.asked: asked,
        view.shown: shown,
        view.words: asked.words,
        view.order: asked.order,
    }
    try:
        if asked.name:
            kind: Any = asked.kind if asked.kind in ("person", "place", "organisation") else None
            found = page.archive.name(asked.name, kind)
            return {**updates, view.facets: "", view.results: name_html(found, asked, texts)}
        matching = page.archive.browse(
            asked.words, filters=asked.filters, order=asked.order, limit=shown
        )
    except BackfileError as error:
        return {**updates, view.results: f'<p role="alert">{escape(error_text(error, texts))}</p>'}
    return {
        **updates,
        view.facets: facets_html(matching.facets, asked, texts),
        view.results: results_html(matching, asked, texts),
    }


def export_articles(page: PageUpdates, asked: BrowseRequest, form: str) -> ExportedFile:
    """Return the matching articles as CSV (without texts) or JSONL, at most MOST_EXPORTED.

    Raises:
        BackfileError: The words can't be searched for.
    """
    matching = page.archive.browse_all(asked.words, filters=asked.filters, order=asked.order)
    articles = islice(matching, MOST_EXPORTED)
    if form == "csv":
        return ExportedFile("articles.csv", "text/csv", _csv(articles).encode())
    lines = "".join(_up_to(MOST_CHARACTERS, (json_line(to_record(one)) for one in articles)))
    return ExportedFile("articles.jsonl", "application/x-ndjson", lines.encode())


def _up_to(room: int, lines: Iterator[str]) -> Iterator[str]:
    """Yield lines until they have `room` characters."""
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return
        yield f"{line}\n"


def _csv(articles: Iterator[Article]) -> str:
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for one in articles:
        authors = "; ".join(one.authors)
        row = (one.id, one.title, one.publisher, authors, iso_date(one.published) or "")
        writer.writerow([_cell(text) for text in (*row, one.section, one.language, one.url)])
    return written.getvalue()


def _cell(text: str) -> str:
    """Return a text that spreadsheets don't take for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text
