"""Order of an answer: short answer first, differing figures, dates, both sides of a question."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answer.chatbot import Chatbot
from rag.answer.extractive import short_answer
from rag.query.parser import parse_question
from rag.schema import Answer, Notice
from tests.support.fake_archive import FERRY, TROOPS, FakeArchive, day


@pytest.fixture
def bot() -> Chatbot:
    return Chatbot(FakeArchive(TROOPS, FERRY))


def first_text(answer: Answer) -> str:
    return answer.statements[0].text


def test_short_answer_comes_first_in_brackets(bot: Chatbot) -> None:
    said = first_text(bot.ask("How many soldiers has North Korea sent, according to whom?"))
    assert said.startswith("[3,000 soldiers:] ")


def test_differing_figures_are_both_given_newest_marked() -> None:
    later = TROOPS.replace(
        id="coast.example/later",
        publisher="Coast Herald",
        published=day(10, 28),
        text="North Korea has sent 10,000 soldiers to Russia, the alliance said in Brussels.",
    )
    answer = Chatbot(FakeArchive(later, TROOPS)).ask("How many soldiers has North Korea sent?")
    assert "3,000" in answer.statements[0].text
    label = Notice("later_source", day="2024-10-28", publisher="Coast Herald")
    assert answer.statements[1].label == label
    assert Notice("sources_disagree_newest_last") in answer.notices
    assert answer.newest_source == day(10, 28)


def test_course_of_events_is_in_date_order() -> None:
    later = FERRY.replace(
        id="coast.example/ferry2",
        published=day(11, 2),
        text="The new ferry between the two islands stopped on Saturday after a fault.",
    )
    answer = Chatbot(FakeArchive(later, FERRY)).ask(
        "What is the timeline of the new ferry between the islands?"
    )
    labels = [statement.label for statement in answer.statements]
    assert labels[0] == Notice("dated", day="2024-10-21")
    assert labels[-1] == Notice("dated", day="2024-11-02")


def test_short_answer_includes_unit() -> None:
    bot = Chatbot(FakeArchive(TROOPS, FERRY))
    answer = bot.ask("How many minutes does the ferry crossing take, as Mayor Ines Duarte said?")
    assert answer.statements[0].text.startswith("[25 minutes:]")


@pytest.mark.parametrize(
    ("sentence", "short"),
    [
        ("Repairs would take six weeks.", "six weeks"),
        ("The bridge is 400 metres long.", "400 metres"),
        ("The ferry is 12 years old.", "12 years old"),
        ("They asked for $5 million.", "$5 million"),
        ("The vote was won by 52%.", "52%"),
    ],
)
def test_short_answer_keeps_unit_of_figure(sentence: str, short: str) -> None:
    asked = parse_question("How much is it, all told?", asked_on=day(10, 24))
    assert short_answer(asked, sentence) == short


def test_weekday_gets_its_date_unless_in_the_future() -> None:
    ferry = FERRY.replace(published=day(10, 23))
    answer = Chatbot(FakeArchive(ferry)).ask("When did the new ferry begin to sail?")
    assert answer.statements[0].label == Notice("weekday", weekday="2024-10-21")
    soon = replace(ferry, text="The new ferry will begin to sail between the islands on Monday.")
    answer = Chatbot(FakeArchive(soon)).ask("When will the new ferry begin to sail?")
    assert answer.statements[0].text.startswith("[Monday:] ")


def test_two_sides_are_answered_from_separate_sentences() -> None:
    answer = Chatbot(FakeArchive(TROOPS, FERRY)).ask(
        "What do South Korea and Russia say about the soldiers?"
    )
    assert not answer.refused


def test_course_of_events_cites_several_articles() -> None:
    told = [
        FERRY.replace(id=f"coast.example/{n}", published=day(10, n), text=f"On day {n} the ferry "
                f"between the islands {what}. The ferry {what}, said the mayor of the islands.")
        for n, what in ((3, "was ordered"), (9, "came to port"), (21, "began to sail"))
    ]  # fmt: skip
    answer = Chatbot(FakeArchive(*told)).ask("How did the ferry between the islands come about?")
    assert len({citation.metadata.article_id for citation in answer.citations}) == 3
