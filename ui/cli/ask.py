"""`backfile ask`: answer one question."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.export_file import FORMATS, format_of, write_new
from ui.cli.options import (
    DATES,
    Scope,
    SourceName,
    archive_options,
    check_publishers,
    question_argument,
    required_question,
    scope_options,
)

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from rag.schema import Answer


@click.command(
    cls=ManualPage,
    notes=[DATES],
    examples=[
        Example(
            "Ask the archive in the folder demo/",
            'backfile ask "What did South Korea threaten?" --archive demo',
        ),
        Example(
            'Ask as if it were 15 November, so that "last month" is October',
            'backfile ask "Who met in Seoul last month?" --asked-on 2024-11-15',
        ),
        Example(
            "Ask two publishers only",
            'backfile ask "Who won?" --publisher "Harbour Courier" --publisher "Fennmark Wire"',
        ),
        Example(
            "See who said what about a topic, in their own words",
            'backfile ask "What did Ada Quill say about the bridge?" --mode quotes',
        ),
        Example(
            "Write the answer with its sources to a PDF",
            'backfile ask "What did South Korea threaten?" --export answer.pdf',
        ),
        Example("Read the question from a file", "backfile ask --json - < question.txt"),
    ],
)
@question_argument(
    help="The question. If missing, a conversation begins on a terminal (see `backfile chat`); "
    "otherwise the question is read from standard input, as it always is for -."
)
@click.option(
    "--mode",
    type=click.Choice(["answer", "timeline", "quotes", "compare"]),
    default="answer",
    show_default=True,
    help="Layout: an answer, dated events in order, quotations with their speakers, or what "
    "publishers (or the sides of the question) say, side by side. -k applies to an answer only.",
)
@click.option(
    "--export",
    "file",
    type=SourceName(),
    metavar="FILE",
    help="Write the answer with its sources to a new file instead of printing it. Its name ends in "
    ".docx (Word), .pdf, .md (Markdown), .html, .ris or .json (CSL-JSON).",
)
@scope_options(k=8, k_is_for="answer from")
@archive_options
def ask(
    words: tuple[str, ...],
    mode: str,
    file: str | None,
    scope: Scope,
    settings: Settings,
    as_json: bool,
) -> int:
    """Answer a question from the archive, with citations.

    Without a chat model, the answer quotes sentences from the articles. With one
    (BACKFILE_CHAT_MODEL), the model writes the answer, and each of its sentences is checked
    against the passages it cites. If the archive has no answer, the closest articles are listed.
    """
    is_answer = mode == "answer"
    form = format_of(file, tuple(FORMATS.values())) if file is not None else ""
    is_shown = not as_json and file is None
    converses = not " ".join(words) and sys.stdin.isatty() and is_shown and is_answer
    question = "" if converses else required_question(words)
    from ui import answer_formats, opening, render
    from ui.cli import chat
    from ui.cli import format as text

    with opening.open_chatbot(settings) as (archive, chatbot):
        check_publishers(archive, scope.filters)
        chatbot = chatbot.as_of(scope.as_of) if scope.as_of else chatbot
        if converses:
            chat.chat_loop(chatbot, scope)
            return ExitCode.DONE
        if is_answer and is_shown:
            chat.show_answer(chatbot, question, scope)
            return ExitCode.DONE
        if is_answer:
            answer = chatbot.ask(
                question, k=scope.k, filters=scope.filters, asked_on=scope.asked_on
            )
        else:
            answer = _lay_out(chatbot, question, mode, scope)
        if file is not None:
            _export(answer, Path(file), form, archive.version, scope, settings)
        if as_json:
            print(render.json_text(answer_formats.answer_value(answer)))
        elif file is None:
            print(text.answer_text(answer, text.terminal_width()))
        else:
            print(render.terminal_text(f"exported: {file}"))
    return ExitCode.DONE


def _export(
    answer: Answer, file: Path, form: str, sequence: int, scope: Scope, settings: Settings
) -> None:
    from ui import answer_formats
    from ui.i18n import texts_in

    asked = scope.asked_on or datetime.now(UTC)
    turn = answer_formats.ExportedTurn(
        answer.question, answer, sequence, asked, base_url=settings.base_url
    )
    content = answer_formats.export_file([turn], form, texts_in("en")).content
    write_new(file, content)


def _lay_out(chatbot: Chatbot, question: str, mode: str, scope: Scope) -> Answer:
    """Return the answer in a mode that needs no chat model."""
    from rag.answer.modes import LAYOUTS, LayoutMode

    build = LAYOUTS[cast("LayoutMode", mode)]
    return build(chatbot.archive, question, filters=scope.filters, asked_on=scope.asked_on)
