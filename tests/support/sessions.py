"""Ask questions in a session of the page, without a browser."""

from __future__ import annotations

from typing import Any

from rag.archive.archive import Archive
from tests.support.fakes import QuotingChatbot
from ui.web import run_turn
from ui.web.state import AskRequest, Session


def run_question(archive: Archive, session: Session, question: str, **given: Any) -> list[Session]:
    chatbot: Any = QuotingChatbot(archive)
    now = run_turn.begin_turn(session, AskRequest(question, **given))
    return list(run_turn.run_turn(archive, chatbot, now))
