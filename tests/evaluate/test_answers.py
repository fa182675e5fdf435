"""Evaluation of answers, claims, perturbations and premises: metrics and intervals."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rag.answer.chatbot import Chatbot
from rag.citations import build_citation
from rag.evaluate.answers import (
    answer_says,
    distinct_questions,
    measure_answers,
    measure_calibration,
    question_sets,
    refusal_sets,
    statements_per_answer,
)
from rag.evaluate.claims import (
    Claim,
    best_threshold,
    measure_claims,
    measure_perturbations,
    read_claims,
)
from rag.evaluate.metrics import F1, OUTCOME_STATISTICS, OutcomeEvaluation, compare, outcome_metric
from rag.evaluate.perturbations import perturb
from rag.evaluate.premises import measure_premises, read_premises
from rag.evaluate.retrieval import EvaluationQuestion
from rag.schema import Answer, Notice, Statement
from tests.support.fake_archive import FERRY, TROOPS, FakeArchive, bag_of_words

PASSENGERS = EvaluationQuestion(
    "1", "How many passengers does the new ferry carry?", (FERRY.id,), "400 passengers"
)
SOLDIERS = EvaluationQuestion(
    "2",
    "How many soldiers has North Korea sent?",
    (),
    "3,000 soldiers",
    datetime(2024, 10, 25, tzinfo=UTC),
    candidates=(TROOPS.id,),
)
LATER = EvaluationQuestion("3", "Who won?", (), "Ines", datetime(2024, 11, 2, tzinfo=UTC))


def number_outcomes(*pairs: tuple[bool, bool]) -> dict[str, tuple[bool, bool]]:
    return {str(i): pair for i, pair in enumerate(pairs)}


def test_answer_says_ignores_typography() -> None:
    assert answer_says("It takes 25 minutes.", "25 Minutes")
    assert answer_says("“Squid Game” returns", "the 'Squid Game'")
    assert answer_says("Arvandia’s capital is Port Ellis.", "Arvandia")
    assert answer_says("It is sold at McDermot's.", "McDermot’s")
    assert not answer_says("It takes 125 minutes.", "25 minutes")
    assert not answer_says("It takes 2.5 minutes.", "5 minutes")


def test_questions_are_judged_by_article_or_answer() -> None:
    sets = question_sets(FakeArchive(TROOPS, FERRY), [PASSENGERS, SOLDIERS], 10)
    assert [q.id for q in sets.gold] == ["1"]
    assert [q.id for q in sets.string] == ["2"]


def test_distinct_questions_keep_the_first_of_the_same_words() -> None:
    again = replace(SOLDIERS, id="4", asked_on=None)
    assert distinct_questions([PASSENGERS, SOLDIERS, again]) == [PASSENGERS, SOLDIERS]


def test_answer_is_right_if_a_quotation_contains_it() -> None:
    answer = Chatbot(FakeArchive(TROOPS, FERRY)).ask(PASSENGERS.question)
    found = {
        m.name: m.score().mean for m in measure_answers("gold", {"1": (answer, PASSENGERS.answer)})
    }
    assert found == {
        "first statement": 1,
        "in the answer": 1,
        "in the passages": 1,
        "refused": 0,
        "verbatim": 1,
    }


def test_refused_question_counts_as_wrong() -> None:
    refused = Answer("?", refused=True)
    first, anywhere, within, said, verbatim = measure_answers(
        "gold", {"1": (refused, "25 minutes")}
    )
    assert within.score().mean == 0
    assert first.score().mean == anywhere.score().mean == 0
    assert said.score().mean == 1
    assert verbatim.n == 0


def test_answer_measures_count_three_statements() -> None:
    hit = FakeArchive(FERRY).passages[0]
    said = build_citation(1, hit)
    other = replace(said, quote="It rained.")
    answer = Answer("?", tuple(Statement("", (c,)) for c in (other, other, other, said)), (hit,))
    found = {m.name: m.score().mean for m in measure_answers("gold", {"1": (answer, "Duarte")})}
    assert (found["in the answer"], found["in the passages"]) == (0, 1)


def test_statements_per_answer_leaves_refusals_out() -> None:
    hit = FakeArchive(FERRY).passages[0]
    two = Answer("?", (Statement("", (build_citation(1, hit),)),) * 2, (hit,))
    one = replace(two, statements=two.statements[:1])
    answers = {"1": (two, ""), "2": (one, ""), "3": (Answer("?", refused=True), "")}
    assert statements_per_answer(measure_answers("gold", answers)) == {"gold": 1.5}


def test_calibration_compares_confidence_with_correctness() -> None:
    hit = FakeArchive(FERRY).passages[0]
    said = Answer("?", (Statement("", (build_citation(1, hit),)),), (hit,), confidence=0.7)
    measures = measure_calibration(
        [(said, "Duarte"), (said, "Orlov"), (Answer("?", refused=True), "Orlov")]
    )
    assert [(m.name, m.n, m.score().mean) for m in measures] == [("right, said 0.6 to 0.8", 2, 0.5)]


def test_later_question_is_unanswerable_from_before() -> None:
    archive = FakeArchive(TROOPS, FERRY)
    until = datetime(2024, 11, 1, tzinfo=UTC)
    can, cannot = refusal_sets(archive, [PASSENGERS, SOLDIERS, LATER], until, 10)
    assert [q.id for q in can] == ["2"]
    assert [q.id for q in cannot] == ["3"]


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("share", 0.5), ("precision", 2 / 3), ("recall", 0.5), ("f1", 4 / 7),
     ("balanced accuracy", 0.5)],
)  # fmt: skip
def test_outcome_statistic_has_expected_value(statistic: str, expected: float) -> None:
    four_so = number_outcomes(
        (True, True), (True, True), (True, False), (True, False), (False, True), (False, False)
    )
    score = outcome_metric("set", "name", four_so, OUTCOME_STATISTICS[statistic]).score()
    assert score.mean == pytest.approx(expected)
    assert score.low <= score.mean <= score.high


def test_outcome_evaluation_round_trips() -> None:
    found = outcome_metric("set", "f1", number_outcomes((True, False), (True, True)), F1)
    kept = OutcomeEvaluation((found,))
    assert OutcomeEvaluation.loads(kept.dumps()) == kept


@pytest.mark.parametrize("text", ["{", "[1]", '[{"set": "x"}]', '{"a": 1}'])
def test_loading_something_else_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="not a saved evaluation"):
        OutcomeEvaluation.loads(text)


def test_compare_uses_common_items_only() -> None:
    old = OutcomeEvaluation(
        (outcome_metric("set", "right", number_outcomes(*[(True, False)] * 20)),)
    )
    new = OutcomeEvaluation(
        (outcome_metric("set", "right", number_outcomes(*[(True, True)] * 30)),)
    )
    (difference,) = compare(new, old)
    assert (difference.n, difference.mean, difference.low) == (20, 1, 1)


def test_claims_are_read_in_wice_and_qags_format() -> None:
    wice = {"claim": "A ferry.", "evidence": ["A ferry sails."], "label": "partially_supported"}
    said = [{"response": "yes"}, {"response": "yes"}, {"response": "no"}]
    qags = {
        "article": "A ferry sails. It is new.",
        "summary_sentences": [{"sentence": "It sails.", "responses": said}],
    }
    one, two = read_claims([json.dumps(wice), "", json.dumps(qags)])
    assert (one.supported, two.supported) == (False, True)
    assert two.evidence == ("A ferry sails.", "It is new.")


def test_line_without_a_claim_is_named() -> None:
    with pytest.raises(ValueError, match="line 2 holds no claim"):
        read_claims(["", "{}"])


def test_threshold_is_chosen_on_the_other_half() -> None:
    claims = [Claim(str(i), "", (), i % 4 < 2, i) for i in range(8)]
    measures = measure_claims("set", claims, lambda claim: float(claim.supported))
    assert [measure.n for measure in measures] == [4, 4]
    assert [measure.score().mean for measure in measures] == [1, 1]
    assert not measures[0].items.keys() & measures[1].items.keys()


def test_outlier_does_not_move_the_threshold() -> None:
    false = [(0.1 + 0.02 * i, False) for i in range(10)]
    true = [(0.7 + 0.02 * i, True) for i in range(10)]
    assert 0.28 < best_threshold([*false, *true]) < 0.7
    assert 0.28 < best_threshold([*false, *true, (0.6, False), (0.3, True)]) < 0.7
    assert best_threshold([]) == 0.5


def test_perturbed_sentences_are_caught_and_others_pass() -> None:
    measures = measure_perturbations(list(perturb([TROOPS, FERRY])), bag_of_words)
    found = {m.name: m.score().mean for m in measures}
    assert found["caught, all kinds"] == 1
    assert found["unaltered passed"] == 1


def test_premise_counts_as_corrected_if_words_are_quoted() -> None:
    pair = {"false": "Why does the ferry carry 900 cars?", "true": "Why was the old boat sold?",
            "corrected": ["60 cars"]}  # fmt: skip
    (read,) = read_premises([json.dumps(pair)])
    bot = Chatbot(FakeArchive(TROOPS, FERRY))
    right = bot.ask(read.true)
    named = Answer("?", notices=(Notice("premise_contradicted", premise="the ferry carry"),))
    measures = measure_premises([(read, named, right)])
    assert [m.score().mean for m in measures] == [1, 0, 1]


@pytest.mark.parametrize("line", ["{", "{}", '{"false": "a", "true": "b", "corrected": "c"}'])
def test_line_without_a_pair_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 1 is not a pair"):
        read_premises([line])
