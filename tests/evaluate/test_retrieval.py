"""Evaluation of retrieval, on rankings small enough to work out by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.errors import BackfileError
from rag.evaluate.metrics import bootstrap, compare
from rag.evaluate.retrieval import (
    RetrievalEvaluation,
    evaluate_retrieval,
    measure_rankings,
    read_questions,
    unique_questions,
)
from tests.retrieval.test_hybrid import ARTICLES, in_sentences
from tests.support.fakes import WordEmbeddings
from ui.cli.evaluate_plot import plot

REAL = Path(__file__).parents[3] / "shared" / "data" / "questions.jsonl"


def test_retrieval_measures_follow_the_ranks():
    found = {"a": ["x", "gold"], "b": ["gold"], "c": ["x"]}
    values = measure_rankings({"a": ["gold"], "b": ["gold", "other"], "c": ["gold"]}, found)
    assert values["hit@1"] == {"a": 0.0, "b": 1.0, "c": 0.0}
    assert values["hit@5"] == {"a": 1.0, "b": 1.0, "c": 0.0}
    assert values["mrr@10"] == {"a": 0.5, "b": 1.0, "c": 0.0}
    assert values["recall@10"] == {"a": 1.0, "b": 0.5, "c": 0.0}


def test_unanswerable_question_counts_as_missed():
    assert measure_rankings({"a": []}, {"a": ["x"]})["hit@10"] == {"a": 0.0}
    assert measure_rankings({}, {})["hit@1"] == {}


def test_bootstrap_interval_contains_the_mean():
    score = bootstrap([0.0, 1.0] * 50)
    assert score.low < score.mean == 0.5 < score.high
    assert bootstrap([1.0] * 9).low == 1.0
    assert bootstrap([]).mean == 0.0


def test_read_questions_names_a_bad_line():
    lines = [
        '{"question": "Who?", "gold": ["a"], "asked_on": "2024-10-24", "quiz": "Courier"}',
        "",
        '{"question": "What?", "answer": "yes", "answer_string_usable": false}',
    ]
    first, second = read_questions(lines)
    assert first.asked_on == datetime(2024, 10, 24, tzinfo=UTC)
    assert first.kind == "Courier"
    assert second.answer == ""
    with pytest.raises(ValueError, match="line 2"):
        read_questions([lines[0], '{"gold": []}'])
    with pytest.raises(ValueError, match="line 1"):
        read_questions(["[1]"])


def test_repeated_question_counts_twice_and_last_thumb_wins():
    one = '{"id": "1", "question": "Where did it sink?", "gold": ["a"]}'
    assert len({q.id for q in read_questions([one, one])}) == 2
    up = one.replace("{", '{"thumb": "up", ')
    down = one.replace("{", '{"thumb": "down", ').replace('["a"]', '["b"]')
    assert [q.gold for q in read_questions([up, down])] == [("b",)]


def test_unique_questions_merges_gold_of_repeated_lines():
    lines = [
        '{"question": "Where did it sink?", "asked_on": "2024-10-24", "gold": ["a"]}',
        '{"question": "where did  it sink?", "asked_on": "2024-10-24", "gold": ["b", "a"]}',
        '{"question": "Where did it sink?", "asked_on": "2024-10-25", "answer": "Lund"}',
    ]
    first, second = unique_questions(read_questions(lines))
    assert first.gold == ("a", "b")
    assert (second.answer, second.gold) == ("Lund", ())


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    questions = read_questions(
        [
            '{"id": "1", "question": "Where did the ferry sink?", "gold": ["x.example/new"],'
            ' "answer": "Lund", "asked_on": "2024-10-24"}',
            '{"id": "2", "question": "Who?", "gold": ["nowhere"]}',
        ]
    )
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add([(a, in_sentences(a.text)) for a in ARTICLES if not a.id.endswith("copy")])
        return evaluate_retrieval(archive, questions)


def test_evaluation_uses_questions_it_can_judge(evaluation):
    shown = evaluation.as_json()
    assert shown["gold"] == {"n": 1, "hit@1": 1.0, "hit@5": 1.0, "hit@10": 1.0, "mrr@10": 1.0}
    assert shown["string"]["n"] == 1
    assert set(shown["ms"]) == {"median", "p95"}


def test_saved_evaluation_is_loaded_and_compared(evaluation):
    again = RetrievalEvaluation.loads(evaluation.dumps())
    assert again.as_json() == evaluation.as_json()
    assert all(d.mean == 0 for d in compare(again, evaluation))
    with pytest.raises(ValueError, match="not a saved evaluation"):
        RetrievalEvaluation.loads("{}")


@pytest.mark.slow
def test_plot_draws_a_run_beside_the_previous_one(evaluation, tmp_path):
    plot(tmp_path / "run.svg", evaluation, evaluation)
    drawn = (tmp_path / "run.svg").read_text("utf-8")
    assert drawn.startswith("<?xml")
    plot(tmp_path / "run.png", evaluation, None)
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(BackfileError, match=r"run\.tea"):
        plot(tmp_path / "run.tea", evaluation, None)


@pytest.mark.skipif(not REAL.exists(), reason="shared/data is not there")
def test_real_questions_are_read():
    questions = read_questions(REAL.read_text("utf-8").splitlines())
    assert sum(bool(q.gold) for q in questions) == 277
    assert sum(bool(q.gold) for q in unique_questions(questions)) == 121
    assert json.loads(RetrievalEvaluation({}, (), {}).dumps())["kinds"] == {}
