"""How long a question may be: a page of text is no question, and would be read word by word."""

from __future__ import annotations

from rag.errors import QuestionTooLongError

LONGEST_QUESTION = 1000  # characters, white space counted once


def check_length(question: str) -> None:
    """Raise QuestionTooLongError where `question` is longer than one may be."""
    length = len(question)
    if length > LONGEST_QUESTION:
        length = len(" ".join(question.split()))
    if length > LONGEST_QUESTION:
        raise QuestionTooLongError(
            f"The question has {length:,} characters: ask it in at most {LONGEST_QUESTION:,}."
        )
