"""Follow-ups rewritten by the chat model, and the fallback to rules."""

from __future__ import annotations

from typing import Any

import pytest

from rag.answer.chatbot import Chatbot
from rag.answer.followups_llm import condense_question
from rag.answer.llm import SentenceStream
from rag.query.parser import resolve_followup
from tests.support.fake_archive import FERRY, TROOPS, FakeArchive
from tests.support.fake_chat_model import ScriptedChatModel

HISTORY = ["How many soldiers has North Korea sent to Russia?"]
FOLLOW_UP = "And who said so?"
REWRITTEN = "Who said how many soldiers North Korea has sent to Russia?"


def condense(script: Any, question: str = FOLLOW_UP) -> str:
    model = ScriptedChatModel(scripts=[script])
    return condense_question(question, HISTORY, SentenceStream(model, timeout=1.0))


@pytest.mark.parametrize(
    "script",
    [REWRITTEN, f'"{REWRITTEN}"', f"Question: {REWRITTEN}", f"Rewritten question: {REWRITTEN}"],
)
def test_condensed_follow_up_is_used(script: str) -> None:
    assert condense(script) == REWRITTEN


@pytest.mark.parametrize(
    "script",
    [
        "South Korean intelligence said so.",
        "Who said that Kim Jong Un sent soldiers?",
        "Who said that North Korea sent 9,000 soldiers?",
        f"{'Who said ' * 60}so?",
        ValueError("no such model"),
        "",
    ],
    ids=["an answer", "a new name", "a new figure", "an essay", "a failure", "nothing"],
)
def test_bad_condensed_follow_up_falls_back_to_rules(script: Any) -> None:
    assert condense(script) == resolve_followup(FOLLOW_UP, HISTORY) != FOLLOW_UP


def test_standalone_question_does_not_call_the_model() -> None:
    model = ScriptedChatModel(scripts=[REWRITTEN])
    question = "What did the harbour office say about the ferry to Lund?"
    assert condense_question(question, HISTORY, SentenceStream(model, timeout=1.0)) == question
    assert condense_question(FOLLOW_UP, [], SentenceStream(model, timeout=1.0)) == FOLLOW_UP
    assert not model.prompts


def test_chatbot_searches_condensed_question_and_counts_tokens() -> None:
    right = (
        "According to South Korean intelligence, North Korea has sent 3,000 soldiers so far. [1]"
    )
    model = ScriptedChatModel(scripts=[REWRITTEN, right])
    bot = Chatbot(FakeArchive(TROOPS, FERRY), model)
    answer = bot.ask(FOLLOW_UP, history=HISTORY)
    assert answer.question == FOLLOW_UP
    assert [citation.metadata.article_id for citation in answer.citations] == [TROOPS.id]
    assert REWRITTEN in str(model.prompts[1][-1].content)
    assert answer.usage.output_tokens == 20
    assert f"\nReader: {HISTORY[0]}" in str(model.prompts[1][-1].content)
