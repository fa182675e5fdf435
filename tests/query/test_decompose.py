"""Decomposition: compound questions are split, single ones stay whole."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.query.decompose import split_question
from rag.query.parser import parse_question

ASKED = datetime(2024, 11, 15, tzinfo=UTC)
PAPERS = ("Harbour Courier", "Inland Post")


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "Did the harbour workers accept the offer while the ferry crews rejected it?",
            (
                "Did the harbour workers accept the offer",
                "the ferry crews rejected it",
            ),
        ),
        (
            "When was the bridge closed for repairs, and who pays for the ferries meanwhile?",
            ("When was the bridge closed for repairs", "who pays for the ferries meanwhile"),
        ),
        (
            "Who opened the new tunnel under the fjord? How much did the tunnel cost the town?",
            (
                "Who opened the new tunnel under the fjord",
                "How much did the tunnel cost the town",
            ),
        ),
        (
            "Compare the fares of 2023 and 2024",
            ("the fares of 2023", "the fares of 2024"),
        ),
        (
            "What is the difference between the budgets of Tarn and Velsund?",
            ("the budgets of Tarn", "the budgets of Velsund"),
        ),
    ],
)
def test_split_question_separates_the_sides(question: str, parts: tuple[str, ...]) -> None:
    assert split_question(question) == parts


@pytest.mark.parametrize(
    "question",
    [
        "What did South Korea threaten?",
        "Who was hurt while mowing the lawn of the town hall?",
        "Which minister resigned and left the country after the vote on the budget?",
        "How many soldiers has North Korea sent to Russia, and who?",
        "What did the mayor say about the bridge and the ferry?",
    ],
)
def test_split_question_keeps_single_question(question: str) -> None:
    assert split_question(question) == ()


def test_clauses_about_one_subject_are_parts() -> None:
    question = (
        "Which company raised its prices twice, is accused of bribing an inspector, "
        "and lost a lawsuit over ferries, as reported by the Harbour Courier and the Inland Post?"
    )
    asked = parse_question(question, asked_on=ASKED, publishers=PAPERS)
    assert asked.publishers == PAPERS
    assert any("accused of bribing an inspector" in part.text for part in asked.parts)


def test_time_of_one_side_does_not_limit_the_other() -> None:
    question = (
        "Did the Harbour Courier report a strike on 24 October 2024, while the Inland Post "
        "report of 2 November 2024 spoke of a lockout?"
    )
    asked = parse_question(question, asked_on=ASKED, publishers=PAPERS)
    first, second = asked.parts
    assert asked.time_range is not None
    assert first.time_range is not None
    assert not asked.time_range.hard
    assert not first.time_range.hard
    assert first.time_range.contains(datetime(2024, 10, 24, tzinfo=UTC))
    assert (first.publishers, second.publishers) == (PAPERS[:1], PAPERS[1:])


@given(st.text(max_size=300), st.integers(0, 3))
def test_parts_are_words_of_the_question_in_order(question: str, cited: int) -> None:
    at = 0
    for part in split_question(question, cited=cited):
        at = question.index(part, at) + len(part)
