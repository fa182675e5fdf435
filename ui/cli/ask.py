"""`backfile ask`: answer one question."""

from __future__ import annotations

import sys

import click

from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.options import (
    DATES,
    Scope,
    archive_options,
    check_publishers,
    question_argument,
    required_question,
    scope_options,
)


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
        Example("Read the question from a file", "backfile ask --json - < question.txt"),
    ],
)
@question_argument(
    help="The question. If missing, a conversation begins on a terminal (see `backfile chat`); "
    "otherwise the question is read from standard input, as it always is for -."
)
@scope_options(k=8, k_is_for="answer from")
@archive_options
def ask(words: tuple[str, ...], scope: Scope, settings: Settings, as_json: bool) -> int:
    """Answer a question from the archive, with citations.

    Without a chat model, the answer quotes sentences from the articles. With one
    (BACKFILE_CHAT_MODEL), the model writes the answer, and each of its sentences is checked
    against the passages it cites. If the archive has no answer, the closest articles are listed.
    """
    converses = not " ".join(words) and sys.stdin.isatty() and not as_json
    question = "" if converses else required_question(words)
    from ui import answer_formats, opening, render
    from ui.cli import chat

    with opening.open_chatbot(settings) as (archive, chatbot):
        check_publishers(archive, scope.filters)
        chatbot = chatbot.as_of(scope.as_of) if scope.as_of else chatbot
        if converses:
            chat.chat_loop(chatbot, scope)
        elif as_json:
            answer = chatbot.ask(
                question, k=scope.k, filters=scope.filters, asked_on=scope.asked_on
            )
            print(render.json_text(answer_formats.answer_value(answer)))
        else:
            chat.show_answer(chatbot, question, scope)
    return ExitCode.DONE
