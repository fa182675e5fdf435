"""A desk of the page that is asked without a browser."""

from __future__ import annotations

from typing import Any

from rag.archive.archive import Archive
from tests.fakes import QuotingChatbot
from ui.web import run_turn
from ui.web.state import Asked, Desk


def asked(archive: Archive, desk: Desk, question: str, **given: Any) -> list[Desk]:
    chatbot: Any = QuotingChatbot(archive)
    now = run_turn.begun(desk, Asked(question, **given))
    return list(run_turn.answered(archive, chatbot, now))
