"""Consensus: names and figures that several sentences agree on."""

from __future__ import annotations

import pytest

from rag.answer.consensus import consensus_scores, extract_facts, names_the_asked_type
from rag.query.answer_type import classify_question


def test_consensus_prefers_what_several_articles_name() -> None:
    asked = classify_question("Which company built the ferry?")
    question = "Which company built the ferry?"
    said = [
        "The ferry was built by Norden.",
        "Norden, which builds ferries, has 90 workers.",
        "Mayor Duarte praised the ferry.",
    ]
    each = [extract_facts(text, question, asked) for text in said]
    shares = consensus_scores(each, [1.0, 0.5, 1.0], ["a", "b", "c"])
    assert shares[0] == shares[1] == 1
    assert shares[2] == pytest.approx(1 / 1.5)


def test_consensus_counts_each_article_once() -> None:
    asked = classify_question("Who runs it?")
    each = [extract_facts(text, "Who runs it?", asked) for text in ("Ann Dunmore does.",) * 2]
    each.append(extract_facts("Bob Keller does.", "Who runs it?", asked))
    assert consensus_scores(each, [1.0, 1.0, 1.0], ["a", "a", "b"]) == [1, 1, 1]


def test_month_supports_each_of_its_days() -> None:
    question = "When was the lock opened?"
    asked = classify_question(question)
    said = ["It was opened in June.", "It was opened on 19 June.", "It was opened on 4 July."]
    each = [extract_facts(text, question, asked) for text in said]
    june, day_of_june, july = consensus_scores(each, [1.0, 0.6, 1.0], ["a", "b", "c"])
    assert day_of_june == 1
    assert june == july < 1


def test_asked_type_must_stand_beside_its_name() -> None:
    question = "On which island did the volcano erupt?"
    asked = classify_question(question)
    beside = "It erupted on the island of Kyushu on Sunday."
    apart = "Kyushu was told by an official that everybody should leave the whole island."
    assert names_the_asked_type(extract_facts(beside, question, asked), beside, asked) == 1
    assert names_the_asked_type(extract_facts(apart, question, asked), apart, asked) == 0
