"""A follow-up made to stand alone by the chat model, and by rules where what it wrote is no good.

The rewritten question is only searched for, and what went before is evidence of nothing: a name or
a figure that neither the question nor what went before it has is the model's own, and the rules
are taken instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from rag.answer.llm import SentenceStream
from rag.errors import ChatModelError
from rag.query.length_limit import check_length
from rag.query.parser import needs_history, resolve_followup
from rag.sanitize import strip_controls
from rag.schema import Answer

Turn = tuple[str, Answer] | str

REMEMBERED = 4  # turns before the question that the model is shown
LONGEST_ANSWER = 400  # characters of each answer
LONGEST = 300  # characters of a question; a longer one is an answer, or an essay
INSTRUCTIONS = """\
You are given a conversation about the news and the question that follows on it. Write that \
question again so that somebody who has not read the conversation understands it: put names for \
pronouns, and add the topic and the time where they were left out. Change nothing else, answer \
nothing, add nothing that the conversation does not say. Write only the question."""
_FIRST = re.compile(r"^(?:(?:rewritten |standalone )?question\s*:\s*|[\"“'‘])+", re.I)
_TELLING = re.compile(r"[A-Z][\w’'-]*\w|\d[\d.,]*")  # names and figures


def rewrites(question: str, history: Sequence[Turn]) -> bool:
    """Return whether `condense_question` rewrites a question, and doesn't return it as it is.

    Raises:
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    check_length(question)
    return bool(history) and needs_history(question)


def condense_question(question: str, history: Sequence[Turn], writer: SentenceStream) -> str:
    """Return `question` as it can be asked without what went before it, oldest first."""
    if not rewrites(question, history):
        return question
    try:
        written = " ".join(islice(writer.sentences(_messages(question, history)), 2))
    except ChatModelError:
        return resolve_followup(question, history)
    rewritten = _FIRST.sub("", written.strip()).rstrip("\"”'’ ")
    if _keeps_to(rewritten, question, history):
        return rewritten
    return resolve_followup(question, history)


def _messages(question: str, history: Sequence[Turn]) -> list[BaseMessage]:
    said = "\n".join(_said(turn) for turn in history[-REMEMBERED:])
    return [SystemMessage(INSTRUCTIONS), HumanMessage(f"{said}\n\nThe question: {question}")]


def _said(turn: Turn) -> str:
    if isinstance(turn, str):
        return f"Reader: {turn}"
    question, answer = turn
    return f"Reader: {question}\nArchive: {strip_controls(answer.text)[:LONGEST_ANSWER]}"


def _keeps_to(rewritten: str, question: str, history: Sequence[Turn]) -> bool:
    """Whether it asks, if the question did, and names nothing that was not named before."""
    asks = rewritten.endswith("?") or not question.rstrip().endswith("?")
    if not rewritten or not asks or len(rewritten) > LONGEST:
        return False
    turns = [turn if isinstance(turn, str) else f"{turn[0]} {turn[1].text}" for turn in history]
    known = " ".join([question, *turns]).casefold()
    telling = _TELLING.findall(rewritten)[1:]  # the first is the word that the question opens with
    return all(word.casefold().removesuffix("'s").removesuffix("’s") in known for word in telling)
