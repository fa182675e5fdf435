"""Follow-ups: the part they replace, the person they mean, and new topics."""

from __future__ import annotations

import pytest

from rag.query.followups import needs_history, resolve_followup
from rag.schema import Answer, ArticleMetadata, Hit, Passage, Statement

FLOOD = "How many people died in the flood in Tarn?"
MAYOR = "Who is the mayor of Velsund?"


def answered(question: str, said: str, *passages: str) -> tuple[str, Answer]:
    hits = tuple(
        Hit(Passage(f"a{i}", 1, 0, len(text), text), ArticleMetadata(f"a{i}", ""), 1.0)
        for i, text in enumerate(passages)
    )
    return question, Answer(question, (Statement(said),), hits)


@pytest.mark.parametrize(
    ("last", "followup", "whole"),
    [
        (MAYOR, "And of Tarn?", "Who is the mayor of Tarn?"),
        (
            "What does bread cost in Tarn?",
            "What about Ostmark?",
            "What does bread cost in Ostmark?",
        ),
        ("What did Ada Quill open in Tarn?", "And Bo Renner?", "What did Bo Renner open in Tarn?"),
        ("What does a trip cost in 2024?", "And in 2023?", "What does a trip cost in 2023?"),
        (
            "What does a trip to Tarn cost?",
            "And in 2023?",
            "What does a trip to Tarn cost in 2023?",
        ),
        ("What happened in Tarn yesterday?", "Last week?", "What happened in Tarn last week?"),
        (
            "What does the ferry cost?",
            "And for children?",
            "What does the ferry cost for children?",
        ),
        ("When was the bridge closed?", "Why?", "Why was the bridge closed?"),
        ("Did the council pass the budget?", "Why?", "Why did the council pass the budget?"),
        ("Who is Ada Quill?", "Who succeeded her?", "Who succeeded Ada Quill?"),
        ("What did Per Dahl say?", "Who is his successor?", "Who is Per Dahl’s successor?"),
    ],
)
def test_follow_up_replaces_a_part_of_the_last_question(
    last: str, followup: str, whole: str
) -> None:
    assert resolve_followup(followup, [last]) == whole


def test_follow_ups_of_a_follow_up_are_resolved() -> None:
    history = [MAYOR, "And of Tarn?"]
    assert resolve_followup("And of Ostmark?", history) == "Who is the mayor of Ostmark?"


def test_another_slot_keeps_the_event_and_drops_the_old_one() -> None:
    whole = resolve_followup("How much was the damage?", [FLOOD])
    assert "flood" in whole
    assert "Tarn" in whole
    assert "died" not in whole


def test_person_of_the_answer_is_named() -> None:
    turn = answered(MAYOR, "Bo Renner was sworn in as mayor of Velsund on Thursday.")
    assert resolve_followup("When was he elected?", [turn]).startswith(
        "When was Bo Renner elected?"
    )


def test_place_is_not_taken_for_a_person() -> None:
    turn = answered("Who is the mayor of New Tarn?", "Eric Quill was sworn in.")
    assert resolve_followup("When was he elected?", [turn]).startswith("When was Eric Quill elect")


def test_new_topic_inherits_nothing() -> None:
    turn = answered(FLOOD, "Nine died.", "Nine people died in the flood in Tarn. Houses fell.")
    for question in ("What did the council decide?", "What did the ferry line announce?"):
        assert resolve_followup(question, [turn]) == question
    assert "Tarn" in resolve_followup("How many houses fell?", [turn])


def test_small_talk_is_no_follow_up_and_is_skipped() -> None:
    assert resolve_followup("Thanks!", [MAYOR]) == "Thanks!"
    assert not needs_history("Thanks!")
    assert resolve_followup("And of Tarn?", [MAYOR, "Thanks!"]) == "Who is the mayor of Tarn?"


def test_question_about_a_period_is_no_follow_up() -> None:
    assert resolve_followup("What happened yesterday?", [MAYOR]) == "What happened yesterday?"
