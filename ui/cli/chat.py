"""`backfile chat`: a conversation on the terminal; and one answer as it is written."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from rag.errors import BackfileError
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.options import DATES, Scope, check_publishers, scope_options, settings_option

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from rag.schema import Answer

HISTORY_TURNS = 6  # turns that a follow-up question may refer to


@click.command(
    cls=ManualPage,
    notes=[DATES],
    examples=[
        Example("Talk to the archive in demo/", "backfile chat --archive demo"),
        Example(
            "Talk about one publisher's articles since October",
            'backfile chat --publisher "Harbour Courier" --after 2024-10',
        ),
    ],
)
@scope_options(k=8, k_is_for="answer from")
@settings_option
def chat(scope: Scope, settings: Settings) -> int:
    """Ask one question after another, with follow-up questions.

    A question may refer to those before it ("And who replied?"). Ctrl-C stops an answer, Ctrl-D
    ends the conversation. The options apply to every question.
    """
    from ui import opening

    with opening.open_chatbot(settings) as (archive, chatbot):
        check_publishers(archive, scope.filters)
        chat_loop(chatbot.as_of(scope.as_of) if scope.as_of else chatbot, scope)
    return ExitCode.DONE


def chat_loop(chatbot: Chatbot, scope: Scope) -> None:
    """Answer each line typed, with the previous turns as history, until Ctrl-D."""
    from rag.sanitize import single_line

    with contextlib.suppress(ImportError):  # Windows has none
        import readline  # noqa: F401  # arrow keys and history in input()

    print("Ask a question. Ctrl-D ends the conversation.")
    history: list[tuple[str, Answer]] = []
    for question in _read_questions():
        try:
            answer = show_answer(chatbot, question, scope, history[-HISTORY_TURNS:])
        except BackfileError as error:
            print(f"backfile: {single_line(str(error))}", file=sys.stderr)
        except KeyboardInterrupt:
            print("(stopped)")
        else:
            history.append((question, answer))
        print()


def show_answer(
    chatbot: Chatbot, question: str, scope: Scope, history: Sequence[tuple[str, Answer]] = ()
) -> Answer:
    """Print the answer to a question; on a terminal, also while it is being written.

    Args:
        chatbot: Answers the question.
        question: The question, which may refer to `history`.
        scope: Part of the archive that is searched.
        history: Earlier questions with their answers, oldest first.

    Returns:
        The whole answer.
    """
    from ui.cli import format as text

    answers = chatbot.stream(
        question, k=scope.k, filters=scope.filters, asked_on=scope.asked_on, history=history
    )
    answer = _show_live(answers) if sys.stdout.isatty() else _last(answers)
    print(text.answer_text(answer, text.terminal_width()))
    return answer


def _read_questions() -> Iterator[str]:
    while True:
        try:
            question = input("> ").strip()
        except EOFError:
            print()
            return
        if question:
            yield question


def _last(answers: Iterator[Answer]) -> Answer:
    *_, answer = answers
    return answer


def _show_live(answers: Iterator[Answer]) -> Answer:
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text  # not a string: markup in an article stays text

    from ui.cli import format as text

    console = Console()
    waiting = Spinner("dots", "Searching the archive")
    with Live(waiting, console=console, transient=True, refresh_per_second=10) as live:
        for answer in answers:
            lines = text.answer_text(answer, text.terminal_width()).splitlines()
            live.update(Text("\n".join(lines[-(console.height - 2) :])))
    return answer
