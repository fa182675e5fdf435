"""Putting articles in and taking them out, for those who may: where it stands, what it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.errors import BackfileError
from rag.schema import ALL_RIGHTS
from rag.settings import Settings
from ui.i18n import Texts, texts_in
from ui.web.components import MINDING, TELLING, IngestControls, WithdrawControls
from ui.web.ingest_job import (
    MOST_SOURCES,
    IngestResult,
    addresses_in,
    ingest_upload,
    parse_ids,
    withdraw_articles,
)
from ui.web.labels import say
from ui.web.state import Session
from ui.web.views.markup import escape, escape_line, paragraph
from ui.web.views.status import failure, ingest_html

if TYPE_CHECKING:
    from ui.web.updates import PageUpdates


LONGEST_REASON = 500  # of a removal


def lay_out_ingest() -> IngestControls:
    """Put what feeds in its place, inside the column that is open; hidden from who may not."""
    with gr.Accordion(say("manage"), open=False, visible=False, elem_id="bf-mind") as block:
        files = gr.File(label=say("files"), file_count="multiple", height=130, elem_id="bf-files")
        addresses = gr.Textbox(label=say("addresses"), lines=2, max_lines=6, elem_id="bf-addresses")
        with gr.Row():
            feed = gr.Button(say("add"), size="sm", variant="primary", min_width=90)
            stop = gr.Button(say("add_stop"), size="sm", min_width=60, visible=False)
        told = gr.HTML(elem_id="bf-told", padding=False)
        name = gr.Textbox(label=say("withdraw_name"), max_length=2000, max_lines=1)
        remove = gr.Button(say("withdraw"), size="sm", elem_id="bf-remove")
        status = gr.HTML(elem_id="bf-status", padding=False)
    return IngestControls(block, files, addresses, feed, stop, told, name, remove, status)


def lay_out_withdrawal(kept_seconds: int) -> WithdrawControls:
    """Put the question whether that is sure in its place; hidden until there is one."""
    doomed = gr.State((), time_to_live=kept_seconds)
    with gr.Column(visible=False, elem_id="bf-sure") as block:
        question = gr.HTML(padding=True)
        reason = gr.Textbox(label=say("withdraw_reason"), max_length=LONGEST_REASON, max_lines=2)
        with gr.Row():
            yes = gr.Button(say("withdraw_yes"), size="sm", variant="stop", min_width=90)
            no = gr.Button(say("withdraw_no"), size="sm", min_width=90)
    return WithdrawControls(doomed, block, question, reason, yes, no)


def wire_admin(page: PageUpdates, settings: Settings) -> None:
    """Say what each of them does; each asks again whether who asks may."""
    on, minding = page.on.admin.intake, page.on.admin
    removal, session = minding.removal, page.on.session
    feeding = on.feed.click(
        _feed(page, settings),
        [session, on.files, on.addresses],
        [on.files, on.addresses, on.feed, on.stop, on.told, *page.covering_parts],
        **MINDING,
    )
    ended = [on.told, on.feed, on.stop, *page.covering_parts]
    on.stop.click(_stopped(page), session, ended, cancels=feeding, **TELLING)
    asking = [removal.doomed, removal.block, removal.question, removal.reason]
    on.remove.click(_confirm_withdrawal(page), [session, on.name], asking, **MINDING)
    minding.remove_this.click(
        _confirm_withdrawal(page), [session, page.on.opened], asking, **MINDING
    )
    removal.no.click(
        lambda: ((), gr.Column(visible=False)), outputs=[removal.doomed, removal.block], **TELLING
    )
    removal.yes.click(
        _remove(page, settings),
        [session, removal.doomed, removal.reason],
        [*asking, on.name, *page.covering_parts, page.on.reader, page.on.cards],
        **MINDING,
    )


def allowed(request: gr.Request) -> bool:
    """Return whether the guard found that the sender of a request may change the archive."""
    return getattr(getattr(request.request, "state", None), "may_feed", False) is True


def _refuse_others(session: Session, request: gr.Request) -> Texts:
    texts = texts_in(session.language)
    if not allowed(request):
        raise gr.Error(texts("not_allowed"), print_exception=False)
    return texts


def _feed(page: PageUpdates, settings: Settings) -> Any:
    on = page.on.admin.intake

    def feed(
        session: Session, files: list[str] | None, pasted: str | None, request: gr.Request
    ) -> Iterator[dict[Any, Any]]:
        texts = _refuse_others(session, request)
        addresses, wrong = addresses_in(pasted or "")
        if wrong:
            yield {on.told: failure(texts("bad_address", text=wrong[0][:200]))}
            return
        sources = [Path(file) for file in files or []]
        if not sources and not addresses:
            yield {on.told: failure(texts("add_nothing"))}
            return
        busy = {on.feed: gr.Button(interactive=False), on.stop: gr.Button(visible=True)}
        yield {**busy, on.files: None, on.told: ingest_html(IngestResult(), texts)}
        intake = IngestResult()
        for intake in ingest_upload(page.archive, settings, sources, addresses[:MOST_SOURCES]):
            yield {on.told: ingest_html(intake, texts)}
        yield {
            on.told: ingest_html(intake, texts),
            on.feed: gr.Button(interactive=True),
            on.stop: gr.Button(visible=False),
            **({} if intake.failed else {on.addresses: ""}),
            **page.covered(texts),
        }

    return feed


def _stopped(page: PageUpdates) -> Any:
    on = page.on.admin.intake

    def stopped(session: Session) -> dict[Any, Any]:
        texts = texts_in(session.language)
        return {
            **page.covered(texts),
            on.told: failure(texts("add_stopped")),
            on.feed: gr.Button(interactive=True),
            on.stop: gr.Button(visible=False),
        }

    return stopped


def _confirm_withdrawal(page: PageUpdates) -> Any:
    on = page.on.admin.removal

    def doomed(session: Session, name: str, request: gr.Request) -> dict[Any, Any]:
        texts = _refuse_others(session, request)
        ids = parse_ids(page.archive, str(name or ""))
        if not ids:
            gr.Warning(texts("no_such_article"))
            return {on.doomed: (), on.block: gr.Column(visible=False)}
        first = page.archive.article(ids[0], access=ALL_RIGHTS)
        title = first.title if first else ids[0]
        more = f" (+{len(ids) - 1})" if len(ids) > 1 else ""
        question = texts("withdraw_confirm", title=f"{title or ids[0]}{more}")
        return {
            on.doomed: tuple(ids),
            on.question: paragraph(escape_line(question), "bf-sure"),
            on.block: gr.Column(visible=True),
            on.reason: "",
        }

    return doomed


def _remove(page: PageUpdates, settings: Settings) -> Any:
    on = page.on.admin.removal

    def remove(
        session: Session, ids: tuple[str, ...], reason: str | None, request: gr.Request
    ) -> dict[Any, Any]:
        texts = _refuse_others(session, request)
        said = (reason or "").strip()[:LONGEST_REASON]
        try:
            count = withdraw_articles(page.archive, settings, ids, said) if ids else 0
        except BackfileError as error:
            gr.Warning(escape(str(error)))
            return {on.doomed: ids}
        gr.Info(texts("withdrawn_articles", count=count), duration=5)
        return {
            on.doomed: (),
            on.block: gr.Column(visible=False),
            page.on.admin.intake.name: "",
            **page.covered(texts),
            **page.cards(),
        }

    return remove
