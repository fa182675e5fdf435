"""Feedback of readers, as the page stores it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.evaluate.retrieval import read_questions
from rag.schema import Filters
from tests.support.fakes import small_archive
from tests.support.sessions import run_question
from ui.web import feedback
from ui.web.state import Session


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with small_archive(tmp_path_factory.mktemp("page") / "archive") as opened:
        yield opened


def test_feedback_is_kept_with_its_answer(archive: Archive, tmp_path: Path) -> None:
    session = run_question(archive, Session(), "What about the harbour bridge?")[-1]
    for liked, reason in ((True, ""), (True, "it was the right one\nindeed")):
        told = feedback.make_feedback(session, 0, liked=liked, reason=reason)
        assert told is not None
        feedback.save_feedback(tmp_path, told)
    lines = (tmp_path / "feedback.jsonl").read_text(encoding="utf-8").splitlines()
    first, second = map(json.loads, lines)
    assert first["id"] == second["id"]
    assert second["reason"] == "it was the right one\nindeed"
    assert first["said"][0]["text"] == session.turns[0].answer.statements[0].text
    assert first["passages"][0]["text"] == session.turns[0].answer.hits[0].passage.text
    assert first["archive_sequence"] == archive.version


def test_feedback_of_two_visitors_has_different_ids(archive: Archive) -> None:
    sessions = [
        run_question(archive, Session(), "What about the harbour bridge?")[-1] for _ in range(2)
    ]
    told = [feedback.make_feedback(session, 0, liked=True) for session in sessions]
    assert told[0] is not None
    assert told[1] is not None
    assert told[0]["id"] != told[1]["id"]


def test_feedback_on_a_follow_up_can_be_replayed(archive: Archive) -> None:
    session = run_question(archive, Session(), "What about the harbour bridge?")[-1]
    filters = Filters(after=datetime(2024, 10, 1, tzinfo=UTC), publishers=("The Harbour Courier",))
    session = run_question(archive, session, "And what about it?", filters=filters)[-1]
    told = feedback.make_feedback(session, 1, liked=True)
    assert told is not None
    assert told["typed"] == "And what about it?"
    (question,) = read_questions([json.dumps(told)])
    assert "harbour bridge" in question.question
    assert question.filters == filters
    assert question.asked_on == session.turns[1].asked_on.replace(microsecond=0)  # type: ignore[union-attr]


def test_liked_answers_become_evaluation_questions(archive: Archive, tmp_path: Path) -> None:
    for liked in (False, True):
        session = run_question(archive, Session(), "What about the harbour bridge?")[-1]
        told = feedback.make_feedback(session, 0, liked=liked)
        assert told is not None
        feedback.save_feedback(tmp_path, told)
    with (tmp_path / "feedback.jsonl").open(encoding="utf-8") as lines:
        disliked, liked_one = read_questions(lines)
    assert disliked.gold == ()
    assert liked_one.gold == ("courier.example/harbour",)
    assert liked_one.question == "What about the harbour bridge?"


def test_later_feedback_replaces_the_earlier(archive: Archive) -> None:
    session = run_question(archive, Session(), "What about the harbour bridge?")[-1]
    told = [json.dumps(feedback.make_feedback(session, 0, liked=liked)) for liked in (False, True)]
    (question,) = read_questions(told)
    assert question.gold == ("courier.example/harbour",)


def test_feedback_on_a_missing_turn_is_none() -> None:
    assert feedback.make_feedback(Session(), 0, liked=True) is None
