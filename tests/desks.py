"""A desk of the page that is asked without a browser."""

from __future__ import annotations

from typing import Any

from rag.archive import Archive
from tests.fakes import QuotingChatbot
from ui.page import answering
from ui.page.session import Asked, Desk


def asked(archive: Archive, desk: Desk, question: str, **given: Any) -> list[Desk]:
    chatbot: Any = QuotingChatbot(archive)
    now = answering.begun(desk, Asked(question, **given))
    return list(answering.answered(archive, chatbot, now))
