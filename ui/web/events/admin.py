"""Layout and event handlers for adding and withdrawing articles, for authorized users."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.errors import BackfileError
from rag.schema import ALL_RIGHTS
from rag.settings import Settings
from ui.accounts.audit import Activity, name_articles
from ui.i18n import Texts, error_text, texts_in
from ui.ingest_job import (
    MOST_SOURCES,
    IngestResult,
    OnAdded,
    find_ids,
    ingest_upload,
    split_addresses,
    withdraw_articles,
)
from ui.web import input_validation
from ui.web.asset_files import read_asset
from ui.web.components import ADMIN_EVENT, QUEUED_EVENT, IngestControls, WithdrawControls
from ui.web.labels import i18n
from ui.web.places import html_place
from ui.web.reader_view import is_local, reader_of
from ui.web.running_ingests import RunningIngests
from ui.web.state import Session
from ui.web.table_request import TableRequest
from ui.web.views.markup import escape, escape_line, paragraph
from ui.web.views.status import failure, ingest_html

if TYPE_CHECKING:
    from ui.web.updates import PageUpdates


LONGEST_REASON = 500  # characters


def lay_out_ingest() -> IngestControls:
    """Create the controls that add articles, inside the column that is open."""
    with gr.Column(elem_id="bf-mind"):
        files = gr.File(label=i18n("files"), file_count="multiple", height=160, elem_id="bf-files")
        addresses = gr.Textbox(
            label=i18n("addresses"), lines=2, max_lines=6, elem_id="bf-addresses"
        )
        with gr.Row():
            preview = gr.Button(
                i18n("preview"), size="sm", min_width=90, elem_id="bf-preview-files"
            )
            add = gr.Button(
                i18n("add"), size="sm", variant="primary", min_width=90, elem_id="bf-add"
            )
            stop = gr.Button(
                i18n("add_stop"), size="sm", min_width=60, visible=False, elem_id="bf-stop"
            )
        report = html_place("bf-told", read_asset("report.js"))
        status = html_place("bf-status")
    return IngestControls(files, addresses, preview, add, stop, report, status)


def lay_out_withdrawal(session_seconds: int) -> WithdrawControls:
    """Create the confirmation of a withdrawal, hidden until it is needed.

    Args:
        session_seconds: Lifetime of its state on the server.
    """
    article_ids = gr.State((), time_to_live=session_seconds)
    with gr.Column(visible=False, elem_id="bf-sure") as block:
        question = html_place("bf-sure-question", read_asset("confirm.js"))
        reason = gr.Textbox(label=i18n("withdraw_reason"), max_length=LONGEST_REASON, max_lines=2)
        with gr.Row():
            yes = gr.Button(i18n("withdraw_yes"), size="sm", variant="stop", min_width=90)
            no = gr.Button(i18n("withdraw_no"), size="sm", min_width=90)
    return WithdrawControls(article_ids, block, question, reason, yes, no)


def wire_admin(page: PageUpdates, settings: Settings) -> list[Any]:
    """Register the event handlers; each one checks authorization again.

    Args:
        page: The page's components and their updates.
        settings: Settings for changes to the archive.

    Returns:
        The events that change the archive.
    """
    on, admin = page.on.admin.ingest, page.on.admin
    withdrawal, session = admin.withdrawal, page.on.session
    ended = [on.report, on.preview, on.add, on.stop, *page.coverage_components]
    running = RunningIngests()
    adding, _ = (
        button.click(
            _add_articles(page, settings, running, preview=button is on.preview),
            [session, on.files, on.addresses],
            [on.files, on.addresses, *ended],
            **ADMIN_EVENT,
        )
        for button in (on.add, on.preview)
    )
    on.stop.click(_stop_adding(running), session, **QUEUED_EVENT)
    asking = [withdrawal.article_ids, withdrawal.block, withdrawal.question, withdrawal.reason]
    table = page.on.archive.table
    table.rows.withdraw(_confirm_selected(page), session, asking, **ADMIN_EVENT)
    page.on.article.remove(
        _confirm_withdrawal(page), [session, page.on.opened], asking, **ADMIN_EVENT
    )
    withdrawal.no.click(
        lambda: ((), gr.Column(visible=False)),
        outputs=[withdrawal.article_ids, withdrawal.block],
        **QUEUED_EVENT,
    )
    withdrawing = withdrawal.yes.click(
        _withdraw(page, settings),
        [session, withdrawal.article_ids, withdrawal.reason, table.asked, page.on.opened],
        [*asking, table.asked, *page.coverage_components, *page.article_components],
        **ADMIN_EVENT,
    )
    return [adding, withdrawing]


def may_write(request: gr.Request) -> bool:
    """Return whether the guard allows the sender of a request to change the archive."""
    return getattr(getattr(request.request, "state", None), "may_write", False) is True


def may_save(request: gr.Request) -> bool:
    """Return whether the sender of a request may keep searches and dossiers.

    Without users, only those who may change the archive do.
    """
    reader = reader_of(request)
    if may_write(request):
        return True
    return reader is not None and not is_local(reader) and reader.may("read")


def require_saving(session: Session, request: gr.Request) -> Texts:
    """Return the reader's texts; raise a message if they may not keep searches and dossiers."""
    texts = texts_in(session.language)
    if not may_save(request):
        raise gr.Error(texts("not_allowed"), print_exception=False)
    return texts


def client_of(request: gr.Request) -> str:
    """Return the address of the sender of a request, as the guard sees it, for the log."""
    return str(getattr(getattr(request.request, "state", None), "client", ""))


def require_write_access(session: Session, request: gr.Request) -> Texts:
    """Return the reader's texts; raise a message if they may not change the archive."""
    texts = texts_in(session.language)
    if not may_write(request):
        raise gr.Error(texts("not_allowed"), print_exception=False)
    return texts


def _add_articles(
    page: PageUpdates, settings: Settings, running: RunningIngests, *, preview: bool = False
) -> Any:
    """Return the handler that adds articles, or only shows what would be added."""
    on = page.on.admin.ingest

    def add(
        session: Session, files: list[str] | None, pasted: str | None, request: gr.Request
    ) -> Iterator[dict[Any, Any]]:
        texts = require_write_access(session, request)
        addresses, invalid = split_addresses(pasted or "")
        if invalid:
            yield {on.report: failure(texts("bad_address", text=invalid[0][:200]))}
            return
        sources = [Path(file) for file in files or []]
        if not sources and not addresses:
            yield {on.report: failure(texts("add_nothing"))}
            return
        if not preview:
            page.view.record("ingest", files=len(sources), addresses=len(addresses))
        result = IngestResult()
        with running.begin(request.session_hash) as stop:
            yield {**_show_busy(page, is_busy=True), on.report: ingest_html(result, texts)}
            progress = ingest_upload(
                page.view.whole_archive,
                settings,
                sources,
                addresses[:MOST_SOURCES],
                preview=preview,
                by=client_of(request),
                on_added=_recording_added(page),
            )
            for result in until_stopped(progress, stop):
                yield {on.report: ingest_html(result, texts, preview=preview)}
            is_stopped = stop.is_set()
        is_kept = is_stopped or result.failed or preview
        yield {
            on.report: report_html(result, texts, is_stopped=is_stopped, preview=preview),
            **_show_busy(page, is_busy=False),
            **({} if is_kept else {on.addresses: "", on.files: None}),
            **page.show_coverage(texts, may_write=True),
        }

    return add


def _recording_added(page: PageUpdates) -> OnAdded:
    """Return what logs the articles that were added, also after the page was closed."""
    sender = page.view.sender()

    def record(ids: Sequence[str], count: int) -> None:
        if sender is not None:
            sender.record(Activity("ingest", details=name_articles(ids, count)))

    return record


def until_stopped(
    progress: Generator[IngestResult, None, None], stop: Event
) -> Iterator[IngestResult]:
    """Yield the progress of an ingest, until it has ended or its reader stops it.

    After a stop, the batch in progress is finished in the background.

    Args:
        progress: The progress; closing it stops the ingest.
        stop: Set when the reader stops the ingest.
    """
    with closing(progress):
        for result in progress:
            yield result
            if stop.is_set():
                return


def report_html(result: IngestResult, texts: Texts, *, is_stopped: bool, preview: bool) -> str:
    """Return the last report of an ingest."""
    if is_stopped:
        return failure(texts("add_stopped"))
    return ingest_html(result, texts, preview=preview)


def _stop_adding(running: RunningIngests) -> Any:
    """Return the handler that stops the session's ingest, which then shows its end itself."""

    def stop_adding(session: Session, request: gr.Request) -> None:
        require_write_access(session, request)
        running.stop(request.session_hash)

    return stop_adding


def _show_busy(page: PageUpdates, *, is_busy: bool) -> dict[Any, Any]:
    """Return the buttons while articles are added or previewed, or when that has ended."""
    on = page.on.admin.ingest
    return {
        on.preview: gr.Button(interactive=not is_busy),
        on.add: gr.Button(interactive=not is_busy),
        on.stop: gr.Button(visible=is_busy),
    }


def _confirm_withdrawal(page: PageUpdates) -> Any:
    def confirm(session: Session, name: str, request: gr.Request) -> dict[Any, Any]:
        texts = require_write_access(session, request)
        return _ask_for_reason(page, find_ids(page.view.whole_archive, str(name or "")), texts)

    return confirm


def _confirm_selected(page: PageUpdates) -> Any:
    def confirm_selected(
        session: Session, pressed: gr.EventData, request: gr.Request
    ) -> dict[Any, Any]:
        texts = require_write_access(session, request)
        wanted = input_validation.read(input_validation.ArticleIds, pressed._data)
        ids = dict.fromkeys(wanted.ids if wanted else ())
        there = [one for one in ids if page.view.whole_archive.article(one, access=ALL_RIGHTS)]
        return _ask_for_reason(page, there, texts)

    return confirm_selected


def _ask_for_reason(page: PageUpdates, ids: Sequence[str], texts: Texts) -> dict[Any, Any]:
    """Show the dialog that confirms the withdrawal of these articles."""
    on = page.on.admin.withdrawal
    if not ids:
        gr.Warning(texts("no_such_article"))
        return {on.article_ids: (), on.block: gr.Column(visible=False)}
    first = page.view.whole_archive.article(ids[0], access=ALL_RIGHTS)
    title = (first and first.title) or ids[0]
    others = len(ids) - 1
    question = (
        texts("withdraw_confirm_several", title=title, count=others)
        if others
        else texts("withdraw_confirm", title=title)
    )
    return {
        on.article_ids: tuple(ids),
        on.question: paragraph(escape_line(question), "bf-sure"),
        on.block: gr.Column(visible=True),
        on.reason: "",
    }


def _withdraw(page: PageUpdates, settings: Settings) -> Any:
    on = page.on.admin.withdrawal

    def withdraw(
        session: Session,
        ids: tuple[str, ...],
        reason: str | None,
        asked: TableRequest,
        opened: str,
        request: gr.Request,
    ) -> dict[Any, Any]:
        texts = require_write_access(session, request)
        reason_text = (reason or "").strip()[:LONGEST_REASON]
        if not reason_text:
            gr.Warning(texts("withdraw_reason_missing"))
            return {on.article_ids: ids}
        try:
            count = (
                withdraw_articles(page.view.whole_archive, settings, ids, reason_text) if ids else 0
            )
        except BackfileError as error:
            gr.Warning(escape(error_text(error, texts)))
            return {on.article_ids: ids}
        page.view.record("withdraw", articles=" ".join(ids))
        if opened:  # in the table, a bar says so and undoes it
            gr.Info(texts("withdrawn_articles", count=count), duration=5)
        return {
            on.article_ids: (),
            on.block: gr.Column(visible=False),
            page.on.archive.table.asked: replace(asked, undoable=tuple(ids)),
            **page.show_coverage(texts, may_write=True),
            **page.close_article(),
        }

    return withdraw
