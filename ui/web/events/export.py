"""Event handlers for export: copy, download, and link."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from rag.schema import Citation
from ui import answer_formats
from ui.i18n import texts_in
from ui.web.ask_request import permalink
from ui.web.components import QUEUED_EVENT
from ui.web.state import Session, Turn
from ui.web.updates import PageUpdates

# The browser creates the file, so that the server has no copy that others could access.
SAVE_JS = """(payload) => {
  if (!payload) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([payload.text], {type: payload.type}));
  link.download = payload.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}"""
COPY_JS = """async (payload) => {
  if (!payload) return;
  const text = payload.query ? location.origin + location.pathname + payload.query : payload.text;
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


def wire_export(page: PageUpdates) -> None:
    """Register the buttons that copy or download an answer or the whole conversation."""
    on = page.on.export

    def select_turns(session: Session, which: str) -> list[answer_formats.ExportedTurn]:
        turns = [turn for turn in page.current(session).turns if not turn.is_under_way]
        return export_turns(turns if which == "conversation" else turns[-1:])

    def copy(session: Session, which: str) -> dict[str, str] | None:
        answers = select_turns(session, which)
        if not answers:
            return None
        texts = texts_in(session.language)
        gr.Info(texts("copied"), duration=3)
        return {"text": answer_formats.plain(answers, texts)}

    def link(session: Session) -> dict[str, str] | None:
        if not session.turns:
            return None
        gr.Info(texts_in(session.language)("copied"), duration=3)
        return {"query": permalink(session.turns[-1].request)}

    def save_as(form: str) -> Any:
        def save(session: Session, which: str) -> dict[str, str] | None:
            answers, kind = select_turns(session, which), answer_formats.FORMATS[form]
            if not answers:
                return None
            text = answer_formats.export(answers, form, texts_in(session.language))
            return {"text": text, "type": kind.media_type, "name": f"backfile.{kind.suffix}"}

        return save

    inputs = [page.on.session, on.which]
    on.copy.click(copy, inputs, on.payload, **QUEUED_EVENT).then(None, on.payload, js=COPY_JS)
    on.link.click(link, page.on.session, on.payload, **QUEUED_EVENT).then(
        None, on.payload, js=COPY_JS
    )
    for form, button in on.files.items():
        button.click(save_as(form), inputs, on.payload, **QUEUED_EVENT).then(
            None, on.payload, js=SAVE_JS
        )


def export_turns(turns: Sequence[Turn]) -> list[answer_formats.ExportedTurn]:
    """Convert turns to the values that `answer_formats` exports.

    Args:
        turns: The turns, oldest first.

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
        )
        for turn in turns
    ]


def _passages(turn: Turn) -> Iterator[Citation]:
    """Yield the passages shown, as citations of whole passages."""
    for number, hit in enumerate(turn.card_hits, start=1):
        passage = hit.passage
        where = (passage.start, passage.end, passage)
        yield Citation(number, passage.text, *where, hit.metadata, hit.copies)
