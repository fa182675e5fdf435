"""Public Gradio endpoints `/ask` and `/search`; all other functions of the page are private."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio import events

from rag.errors import QuestionTooLongError
from rag.query.length_limit import check_length
from rag.query.parser import LONGEST_QUESTION
from ui import answer_formats, render
from ui.web import input_validation

if TYPE_CHECKING:
    from ui.web.reader_view import ReaderView


def add_endpoints(view: ReaderView, concurrency: int) -> None:
    """Add the endpoints to the Blocks that is open.

    Args:
        view: The archive and the chatbot, as each reader may use them.
        concurrency: Number of calls that run at the same time, shared with the page's questions.
    """

    def ask(question: str, k: int = 8) -> dict[str, Any]:
        """Answer a question from the archive, with citations."""
        question, k = _validate(question, k, 8)
        view.record("ask", question=question, via="endpoint")
        return answer_formats.answer_value(view.chatbot.ask(question, k=k))

    def search(question: str, k: int = 10) -> list[dict[str, Any]]:
        """Return the passages that answer a question best, best first."""
        question, k = _validate(question, k, 10)
        view.record("search", question=question, via="endpoint")
        hits = view.archive.search(question, k)
        return [render.hit_value(hit) for hit in hits]

    for function in (ask, search):
        events.api(
            function,
            api_name=function.__name__,
            concurrency_limit=concurrency,
            concurrency_id="asking",
        )


def _validate(question: object, k: object, otherwise: int) -> tuple[str, int]:
    """Return the valid arguments, `k` within its limits; raise gr.Error if they are invalid."""
    asked = input_validation.read(input_validation.AskFields, {"question": question, "k": k})
    if asked is None:
        words = (
            "Invalid arguments: `question` must be a text of at most "
            f"{LONGEST_QUESTION:,} characters, and `k` a number from 1 to 100."
        )
        raise gr.Error(words, print_exception=False)
    try:
        check_length(asked.question)
    except QuestionTooLongError as error:
        raise gr.Error(str(error), print_exception=False) from error
    return asked.question, max(1, min(asked.k or otherwise, 100))
