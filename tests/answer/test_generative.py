"""A generated answer: evidence, repair, the grader, and what the reader sees meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from rag.answer.chatbot import Chatbot
from rag.answer.grading import parse_judgements
from rag.schema import Answer, Notice
from tests.support.fake_archive import FERRY, TROOPS, FakeArchive
from tests.support.fake_chat_model import ScriptedChatModel

QUESTION = "How long does the ferry take?"
PARAPHRASE = "A boat trip between the islands lasts less than half an hour."
EVIDENCE = '> [1] "the crossing takes 25 minutes"\n'


def stream(*scripts: Any, size: int = 5, **options: Any) -> tuple[list[Answer], ScriptedChatModel]:
    model = ScriptedChatModel(scripts=list(scripts), size=size)
    bot = Chatbot(FakeArchive(FERRY, TROOPS), model, **options)
    return list(bot.stream(QUESTION)), model


def supports(answer: Answer) -> list[str]:
    return [statement.support for statement in answer.statements]


@pytest.mark.parametrize("size", [1, 3, 40, 1000])
def test_evidence_lines_are_no_sentences(size: int) -> None:
    script = (
        f"{EVIDENCE}The crossing takes 25 minutes. [1]\n"
        '> [1] "It carries 400 passengers and 60 cars."\n> [1] "two islands"\n'
        "It carries 400 passengers. [1]"
    )
    answers, _ = stream(script, size=size, grader="none")
    assert [s.text for s in answers[-1].statements] == [
        "The crossing takes 25 minutes.",
        "It carries 400 passengers.",
    ]
    assert answers[-1].statements[0].citations[0].quote == "the crossing takes 25 minutes"
    for answer in answers:
        assert ">" not in answer.text


@pytest.mark.parametrize(
    ("verdict", "unsupported", "shown"),
    [
        ("supported", "strict", ["supported"]),
        ("partly", "strict", ["partly"]),
        ("unsupported", "strict", []),
        ("unsupported", "mark", ["not supported"]),
        ("contradicted", "mark", []),
    ],
)
def test_grader_decides_what_comparison_leaves_open(
    verdict: str, unsupported: str, shown: list[str]
) -> None:
    answers, model = stream(f"{EVIDENCE}{PARAPHRASE} [1]", f"1: {verdict}", unsupported=unsupported)
    generated = [s for s in answers[-1].statements if s.text == PARAPHRASE]
    assert [s.support for s in generated] == shown
    if not shown:
        assert [s.text for s in answers[-1].rejected_statements] == [PARAPHRASE]
    rules, asked = (str(message.content) for message in model.prompts[1])
    assert PARAPHRASE in asked
    assert "crossing takes 25 minutes" in asked
    assert QUESTION not in rules + asked


def test_statement_is_unverified_until_it_is_graded() -> None:
    answers, _ = stream(f"{PARAPHRASE} [1]", "1: supported")
    assert supports(answers[0]) == ["unverified"]
    assert answers[0].statements[0].reason == Notice("being_verified")
    assert supports(answers[-1]) == ["supported"]


@pytest.mark.parametrize(
    "output", ["", "fine", "1: good", "1: supported\n2: supported", "2: partly"]
)
def test_unreadable_grader_decides_nothing(output: str) -> None:
    answers, _ = stream(f"{PARAPHRASE} [1]", output)
    assert supports(answers[-1]) == ["unverified"]
    assert answers[-1].statements[0].reason != Notice("being_verified")


def test_failing_grader_decides_nothing() -> None:
    answers, _ = stream(f"{PARAPHRASE} [1]", ValueError("busy"))
    assert supports(answers[-1]) == ["unverified"]
    assert not answers[-1].notices


def test_grader_is_asked_once_for_all_statements_and_can_be_turned_off() -> None:
    script = f"{PARAPHRASE} [1]\nThe vessel takes several hundred people. [1]"
    answers, model = stream(script, "1: supported\n2: unsupported")
    assert len(model.prompts) == 2
    assert supports(answers[-1]) == ["supported"]
    answers, model = stream(script, grader="none")
    assert len(model.prompts) == 1
    assert supports(answers[-1]) == ["unverified", "unverified"]


def test_verbatim_sentence_is_not_graded() -> None:
    _, model = stream("It carries 400 passengers and 60 cars. [1]", "1: unsupported")
    assert len(model.prompts) == 1


def test_words_in_no_passage_are_asked_for_once_more() -> None:
    invented = '> [1] "the boat needs under thirty minutes"\n'
    repaired = '1. [1] "the crossing takes 25 minutes"'
    answers, model = stream(f"{invented}{PARAPHRASE} [1]", repaired, grader="none")
    assert len(model.prompts) == 2
    assert answers[-1].statements[0].citations[0].quote == "the crossing takes 25 minutes"


@pytest.mark.parametrize(("unsupported", "shown"), [("strict", []), ("mark", ["unverified"])])
def test_sentence_without_evidence_is_left_to_the_setting(
    unsupported: str, shown: list[str]
) -> None:
    invented = '> [1] "the boat needs under thirty minutes"\n'
    answers, _ = stream(
        f"{invented}{PARAPHRASE} [1]", "1. NONE", unsupported=unsupported, grader="none"
    )
    generated = [s for s in answers[-1].statements if s.text == PARAPHRASE]
    assert [s.support for s in generated] == shown
    statement = (*generated, *answers[-1].rejected_statements)[0]
    assert statement.reason == Notice("evidence_missing")


def test_hedge_with_content_is_shown() -> None:
    hedge = "The passages do not say who built it, but the crossing takes 25 minutes."
    answers, _ = stream(f"{hedge} [1]", grader="none")
    assert [s.text for s in answers[-1].statements] == [hedge]


@pytest.mark.parametrize(
    ("written", "judged"),
    [
        ("1: supported\n2: Partly.", ["supported", "partly"]),
        ("2) contradicted\n\n1) unsupported", ["unsupported", "contradicted"]),
        ("1: supported", []),
        ("1: supported\n1: partly\n2: partly", []),
        ("Here you are:\n1: supported\n2: supported", []),
    ],
)
def test_parse_judgements_wants_one_line_a_statement(written: str, judged: list[str]) -> None:
    assert parse_judgements(written, 2) == judged


def test_answer_status_follows_from_its_parts() -> None:
    answers, _ = stream("It carries 400 passengers and 60 cars. [1]")
    answer = answers[-1]
    assert answer.status == "answered"
    assert answer.to_dict()["status"] == "answered"
    assert Answer.from_dict(answer.to_dict()) == answer
    refused, _ = stream("The archive does not say.")
    assert refused[-1].status == "not found"


def test_words_given_for_another_sentence_are_not_cited() -> None:
    script = '> [1] "It carries 400 passengers and 60 cars."\nThe crossing takes 25 minutes. [1]'
    answers, _ = stream(script, grader="none")
    (statement,) = answers[-1].statements
    assert all("400" not in citation.quote for citation in statement.citations)
    assert "crossing takes 25 minutes" in statement.citations[0].quote


def test_all_words_given_of_one_passage_are_cited() -> None:
    script = (
        '> [1] "the crossing takes 25 minutes"\n> [1] "It carries 400 passengers"\n'
        "The crossing takes 25 minutes, with 400 passengers aboard. [1]"
    )
    answers, _ = stream(script, grader="none")
    (statement,) = answers[-1].statements
    assert {c.quote for c in statement.citations} == {
        "the crossing takes 25 minutes",
        "It carries 400 passengers",
    }


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_sentence_on_the_line_of_its_evidence_is_read(size: int) -> None:
    script = '> [1] "the crossing takes 25 minutes" The crossing takes 25 minutes. [1]'
    answers, _ = stream(script, size=size, grader="none")
    assert [s.text for s in answers[-1].statements] == ["The crossing takes 25 minutes."]


@pytest.mark.parametrize("line", ["# The ferry", "## Overview", "[-1]", "<passage number=9>"])
def test_headings_and_odd_markers_are_no_statements(line: str) -> None:
    answers, _ = stream(f"{line}\n{EVIDENCE}The crossing takes 25 minutes. [1]", grader="none")
    assert [s.text for s in answers[-1].statements] == ["The crossing takes 25 minutes."]
    assert not answers[-1].rejected_statements
