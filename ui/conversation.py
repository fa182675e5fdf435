"""Asking on a terminal: an answer as it grows, and one question after another."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rag.errors import BackfileError
from ui import render, terminal

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from rag.schema import Answer
    from ui.scope import Scope

WIDEST = 96  # longer lines are hard to read
REMEMBERED = 6  # turns that a follow-up question may refer to


def width() -> int:
    """Return how many columns to fill."""
    return max(20, min(shutil.get_terminal_size((88, 24)).columns, WIDEST))


def show_answer(
    chatbot: Chatbot, question: str, scope: Scope, history: Sequence[tuple[str, Answer]] = ()
) -> Answer:
    """Print the answer to `question`; on a terminal it is seen growing."""
    answers = chatbot.stream(
        question, k=scope.k, filters=scope.filters, asked_on=scope.asked_on, history=history
    )
    answer = _watched(answers) if sys.stdout.isatty() else _last(answers)
    print(terminal.answer_text(answer, width()))
    return answer


def hold(chatbot: Chatbot, scope: Scope) -> None:
    """Answer what is typed, each question knowing those before it, until Ctrl-D."""
    with contextlib.suppress(ImportError):  # Windows has none
        import readline  # noqa: F401  # arrow keys and history in input()

    print("Ask the archive; Ctrl-D ends.")
    history: list[tuple[str, Answer]] = []
    for question in _typed():
        try:
            answer = show_answer(chatbot, question, scope, history[-REMEMBERED:])
        except BackfileError as error:
            print(f"backfile: {render.terminal_text(str(error))}", file=sys.stderr)
        except KeyboardInterrupt:
            print("(stopped)")
        else:
            history.append((question, answer))
        print()


def _typed() -> Iterator[str]:
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


def _watched(answers: Iterator[Answer]) -> Answer:
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text  # not a string: markup in an article stays text

    console = Console()
    waiting = Spinner("dots", "Searching the archive")
    with Live(waiting, console=console, transient=True, refresh_per_second=10) as live:
        for answer in answers:
            lines = terminal.answer_text(answer, width()).splitlines()
            live.update(Text("\n".join(lines[-(console.height - 2) :])))
    return answer
