"""Follow-up rewriting by the chat model, with the rules as fallback.

The rewritten question is used only for search. If it contains a name or a figure that neither the
question nor the conversation has, the model invented it, and the rules are used instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from rag.answer.llm import SentenceStream
from rag.answer.prompts import Turn, enclose, format_turns
from rag.errors import ChatModelError
from rag.query.length_limit import check_length
from rag.query.parser import needs_history, resolve_followup

LONGEST = 300  # characters of a rewritten question; longer output is not a question
INSTRUCTIONS = """\
You are given a conversation about the news and the question that follows on it. Write that \
question again so that somebody who has not read the conversation understands it: put names for \
pronouns, and add the topic and the time where they were left out. Change nothing else, answer \
nothing, add nothing that the conversation does not say. Write only the question."""
_FIRST = re.compile(r"^(?:(?:rewritten |standalone )?question\s*:\s*|[\"“'‘])+", re.I)
_TELLING = re.compile(r"[A-Z][\w’'-]*\w|\d[\d.,]*")  # names and figures


def needs_rewriting(question: str, history: Sequence[Turn]) -> bool:
    """Return whether `condense_question` rewrites a question or returns it unchanged.

    Args:
        question: The question, as asked.
        history: The turns before it, oldest first.

    Raises:
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    check_length(question)
    return bool(history) and needs_history(question)


def condense_question(question: str, history: Sequence[Turn], writer: SentenceStream) -> str:
    """Return a follow-up as a standalone question.

    Args:
        question: The question, as asked.
        history: The turns before it, oldest first.
        writer: The stream of the chat model that rewrites it.

    Raises:
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    if not needs_rewriting(question, history):
        return question
    try:
        written = " ".join(islice(writer.sentences(_build_messages(question, history)), 2))
    except ChatModelError:
        return resolve_followup(question, history)
    rewritten = _FIRST.sub("", written.strip()).rstrip("\"”'’ ")
    if _adds_nothing(rewritten, question, history):
        return rewritten
    return resolve_followup(question, history)


def _build_messages(question: str, history: Sequence[Turn]) -> list[BaseMessage]:
    said = enclose("conversation", format_turns(history))
    return [SystemMessage(INSTRUCTIONS), HumanMessage(f"{said}\n\nThe question: {question}")]


def _adds_nothing(rewritten: str, question: str, history: Sequence[Turn]) -> bool:
    """Return whether a rewritten question is still a question and adds no name or figure."""
    asks = rewritten.endswith("?") or not question.rstrip().endswith("?")
    if not rewritten or not asks or len(rewritten) > LONGEST:
        return False
    turns = [turn if isinstance(turn, str) else f"{turn[0]} {turn[1].text}" for turn in history]
    known = " ".join([question, *turns]).casefold()
    telling = _TELLING.findall(rewritten)[1:]  # the first match is the question's opening word
    return all(word.casefold().removesuffix("'s").removesuffix("’s") in known for word in telling)
