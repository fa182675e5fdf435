"""Order of an answer: short answer first, differing figures, dates, both sides of a question."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answer.chatbot import Chatbot
from rag.answer.sentence_scoring import SentenceCandidate
from rag.answer.short_answers import short_answer
from rag.query.parser import parse_question
from rag.schema import Answer, ArticleMetadata, Hit, Notice, Passage, Span
from tests.support.fake_archive import FERRY, TROOPS, FakeArchive, day


@pytest.fixture
def bot() -> Chatbot:
    return Chatbot(FakeArchive(TROOPS, FERRY))


def first_text(answer: Answer) -> str:
    return answer.statements[0].text


def test_short_answer_comes_first_in_brackets(bot: Chatbot) -> None:
    said = first_text(bot.ask("How many soldiers has North Korea sent, according to whom?"))
    assert said.startswith("[3,000 soldiers:] ")


def test_newest_figure_leads_and_earlier_ones_follow_on_one_line() -> None:
    later = TROOPS.replace(
        id="coast.example/later",
        publisher="Coast Herald",
        published=day(10, 28),
        text="North Korea has sent 10,000 soldiers to Russia, the alliance said in Brussels.",
    )
    answer = Chatbot(FakeArchive(later, TROOPS)).ask("How many soldiers has North Korea sent?")
    assert "10,000" in answer.statements[0].text
    label = Notice(
        "figure_of", figure="10,000 soldiers", day="2024-10-28", publisher="Coast Herald"
    )
    assert answer.statements[0].label == label
    earlier = Notice("earlier_figures", figures=["3,000 soldiers"], days=["2024-10-24"])
    assert answer.statements[1].label == earlier
    assert not answer.notices
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


def candidate(text: str, title: str = "") -> SentenceCandidate:
    passage = Passage("coast.example/a", 1, 0, len(text), text)
    hit = Hit(passage, ArticleMetadata("coast.example/a", title, published=day(10, 24)), 1.0)
    return SentenceCandidate(hit, Span(0, len(text)), text, {"fragment": 0.0, "asks": 0.0})


@pytest.mark.parametrize(
    ("question", "sentence", "short"),
    [
        ("How long would repairs take?", "Repairs would take six weeks.", "six weeks"),
        ("How far is the bridge from town?", "The bridge is 4 miles from town.", "4 miles"),
        ("How old is the ferry?", "The ferry is 12 years old.", "12 years old"),
        ("How much was the ferry fined?", "The ferry was fined $5 million.", "$5 million"),
        (
            "What percentage won the vote on the ferry?",
            "The vote on the ferry was won by 52%.",
            "52%",
        ),
        ("How many people died in the fire?", "At least 9 died in the fire.", "At least 9"),
    ],
)
def test_short_answer_keeps_unit_of_figure(question: str, sentence: str, short: str) -> None:
    asked = parse_question(question, asked_on=day(10, 24))
    assert short_answer(asked, candidate(sentence)) == short


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("How many people died in the fire?", "Four were missing after the fire."),
        ("How many people died in the fire?", "The fire killed 9 people and 4 people in Lund."),
        ("How much was the damage of the fire?", "Nine people died in the fire."),
        ("How many seats has the ferry?", "The ferry was 400 times at sea."),
        ("By how much did the line raise fares?", "The line cut fares by 8 percent."),
        ("When was the ferry built?", "The ferry was sold on Monday after a trial in May 2023."),
        ("How many people died in the fire in Lund?", "The fire in Arvik killed 9 people."),
    ],
)
def test_short_answer_needs_the_thing_that_is_asked(question: str, sentence: str) -> None:
    asked = parse_question(question, asked_on=day(10, 24))
    assert short_answer(asked, candidate(sentence)) is None


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
