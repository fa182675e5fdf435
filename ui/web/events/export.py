"""Event handlers for export: copy, download, and link."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

import gradio as gr

from rag.schema import Citation
from rag.settings import Settings
from ui import answer_formats
from ui.i18n import texts_in
from ui.web import input_validation
from ui.web.ask_request import permalink
from ui.web.components import QUEUED_EVENT
from ui.web.state import Session, Turn
from ui.web.updates import PageUpdates

# The browser creates the file, so that the server has no copy that others could access.
SAVE_JS = """(payload) => {
  if (!payload) return;
  const link = document.createElement('a');
  const content = Uint8Array.from(atob(payload.base64), (byte) => byte.charCodeAt(0));
  link.href = URL.createObjectURL(new Blob([content], {type: payload.type}));
  link.download = payload.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}"""
COPY_JS = """async (payload) => {
  if (!payload) return;
  const address = payload.query ?? payload.path;
  const text = address ? new URL(address, document.baseURI).href : payload.text;
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // browsers allow the clipboard for https and localhost only
    const field = document.createElement('textarea');
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  }
}"""


def wire_export(page: PageUpdates, settings: Settings) -> None:
    """Register the buttons that copy, link or download an answer."""
    on = page.on

    def select_turns(session: Session, turn: int) -> list[answer_formats.ExportedTurn]:
        turns = page.current(session).turns
        chosen = turns[turn - 1 : turn] if turn else turns
        return export_turns([one for one in chosen if not one.is_under_way], settings.base_url)

    def copy(session: Session, pressed: gr.EventData) -> dict[str, str] | None:
        wanted = input_validation.read(input_validation.OfTurn, pressed._data)
        answers = select_turns(session, wanted.turn) if wanted else []
        if not answers:
            return None
        texts = texts_in(session.language)
        gr.Info(texts("copied"), duration=3)
        return {"text": answer_formats.plain(answers, texts)}

    def link(session: Session, pressed: gr.EventData) -> dict[str, str] | None:
        wanted = input_validation.read(input_validation.OfTurn, pressed._data)
        if wanted is None or wanted.turn > len(session.turns):
            return None
        gr.Info(texts_in(session.language)("copied"), duration=3)
        return {"query": permalink(session.turns[wanted.turn - 1].request)}

    def save(session: Session, pressed: gr.EventData) -> dict[str, str] | None:
        wanted = input_validation.read(input_validation.SaveAs, pressed._data)
        answers = select_turns(session, wanted.turn) if wanted else []
        if wanted is None or wanted.form not in answer_formats.FILE_FORMATS or not answers:
            return None
        page.view.record("export", what="answers", form=wanted.form)
        return payload_of(
            answer_formats.export_file(answers, wanted.form, texts_in(session.language))
        )

    for event, give, script in (
        (on.thread.copy, copy, COPY_JS),
        (on.thread.link, link, COPY_JS),
        (on.thread.save, save, SAVE_JS),
    ):
        event(give, on.session, on.payload, **QUEUED_EVENT).then(None, on.payload, js=script)


def payload_of(made: answer_formats.ExportedFile) -> dict[str, str]:
    """Return a file as the payload that SAVE_JS saves."""
    content = base64.b64encode(made.content).decode("ascii")
    return {"base64": content, "type": made.media_type, "name": made.name}


def export_turns(turns: Sequence[Turn], base_url: str = "") -> list[answer_formats.ExportedTurn]:
    """Convert turns to the values that `answer_formats` exports.

    Args:
        turns: The turns, oldest first.
        base_url: The address at which readers reach the page.

    Returns:
        A value for each turn; for turns in the mode "passages", with the passages shown.
    """
    return [
        answer_formats.ExportedTurn(
            turn.request.question,
            turn.answer,
            turn.sequence,
            turn.asked_on,
            tuple(_passages(turn)) if turn.request.mode == "passages" else (),
            base_url=base_url,
        )
        for turn in turns
    ]


def _passages(turn: Turn) -> Iterator[Citation]:
    """Yield the passages shown, as citations of whole passages."""
    for number, hit in enumerate(turn.card_hits, start=1):
        passage = hit.passage
        where = (passage.start, passage.end, passage)
        yield Citation(number, passage.text, *where, hit.metadata, hit.copies)
