"""The endpoints that are meant for programs; everything else of the page is private to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradio import events

from rag.questions import LONGEST_QUESTION
from ui import render

if TYPE_CHECKING:
    from rag.archive import Archive
    from rag.chatbot import Chatbot


def add_endpoints(archive: Archive, chatbot: Chatbot, at_once: int) -> None:
    """Name `/ask` and `/search`, inside the Blocks that is open."""

    def ask(question: str, k: int = 8) -> dict[str, Any]:
        """Answer a question from the archive, with citations."""
        return render.answer_value(chatbot.ask(question[:LONGEST_QUESTION], k=_bounded(k)))

    def search(question: str, k: int = 10) -> list[dict[str, Any]]:
        """Return the passages that answer a question best, best first."""
        hits = archive.search(question[:LONGEST_QUESTION], _bounded(k))
        return [render.hit_value(hit) for hit in hits]

    for function in (ask, search):
        events.api(
            function,
            api_name=function.__name__,
            concurrency_limit=at_once,
            concurrency_id="asking",
        )


def _bounded(k: int) -> int:
    return max(1, min(int(k), 100))
