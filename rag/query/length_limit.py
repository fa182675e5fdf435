"""Length limit of questions: a page of text is no question and would be slow to parse."""

from __future__ import annotations

from rag.errors import QuestionTooLongError

LONGEST_QUESTION = 1000  # characters; a run of white space counts as one


def check_length(question: str) -> None:
    """Check that a question isn't too long.

    Raises:
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    length = len(question)
    if length > LONGEST_QUESTION:
        length = len(" ".join(question.split()))
    if length > LONGEST_QUESTION:
        raise QuestionTooLongError(
            f"The question has {length:,} characters: ask it in at most {LONGEST_QUESTION:,}.",
            code="question_too_long",
            given=length,
            most=LONGEST_QUESTION,
        )
