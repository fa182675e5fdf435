"""Commands, courtesies and small talk, and questions about a period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rag.query.commands import command_spans, small_talk
from rag.query.parser import ParsedQuery, parse_question

ASKED_ON = datetime(2024, 10, 31, 15, tzinfo=UTC)


def parse(question: str) -> ParsedQuery:
    return parse_question(
        question,
        asked_on=ASKED_ON,
        publishers=("Coast Herald", "Harbour Post", "The Week"),
        authors=("Ada Quill",),
    )


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("Summarize the budget", "the budget"),
        ("Summarise the Moldova election", "the Moldova election"),
        ("List the people killed", "the people killed"),
        ("Compare the fares of both lines", "the fares of both lines"),
        ("Tell me about the dockers' strike", "the dockers' strike"),
        ("Give me the price of bread", "price of bread"),
        ("Please explain who Rea Sund is", "who Rea Sund is"),
        ("Could you please summarise the news about the ferry in two sentences?", "the ferry?"),
        ("Give me a short summary of the deal, please", "the deal"),
        ("What do you know about the Greens?", "the Greens?"),
        ("Hello, who is the mayor?", "who is the mayor?"),
        ("Show me all articles about Nordok", "Nordok"),
        ("Name the actor who won", "the actor who won"),
    ],
)
def test_command_is_no_part_of_the_topic(question: str, topic: str) -> None:
    assert " ".join(parse(question).query.split()) == topic


@pytest.mark.parametrize(
    "question", ["Can you drive without a licence?", "Name of the ship?", "Listing ships sank"]
)
def test_words_that_only_look_like_a_command_stay(question: str) -> None:
    assert command_spans(question) == ()


def test_names_are_those_of_the_topic() -> None:
    assert parse("Summarise the Moldova election").names == ("Moldova",)
    assert parse("Compare Tarn and Velsund").names == ("Tarn", "Velsund")
    assert parse("Who won the case of Quill v. Berg?").names == ("Quill v. Berg",)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Hello", "greeting"),
        ("Good morning!", "greeting"),
        ("Guten Tag", "greeting"),
        ("What can you do?", "greeting"),
        ("Thanks!", "thanks"),
        ("Thanks, that helped!", "thanks"),
        ("That helped whom?", None),
        ("ok, thank you very much", "thanks"),
        ("Vielen Dank", "thanks"),
        ("Thanks to whom was the bridge saved?", None),
        ("Hello Kitty sued whom?", None),
    ],
)
def test_small_talk_is_recognised_as_a_whole(message: str, kind: str | None) -> None:
    assert small_talk(message) == kind


def test_command_without_a_topic_has_none() -> None:
    assert parse("Summarize, please").intent == "no topic"
    assert parse("Tell me about").intent == "no topic"


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("What happened yesterday?", "2024-10-30", "2024-10-30"),
        ("What is today's news?", "2024-10-31", "2024-10-31"),
        ("What were the main stories of last week?", "2024-10-21", "2024-10-27"),
        ("main stories of September 2024", "2024-09-01", "2024-09-30"),
        ("What did the Coast Herald report on 3 May?", "2024-05-03", "2024-05-03"),
        ("What did the papers say on Monday?", "2024-10-28", "2024-10-28"),
        ("Give me the biggest stories of October", "2024-10-01", "2024-10-31"),
        ("What did Ada Quill write last week?", "2024-10-21", "2024-10-27"),
        ("yesterday", "2024-10-30", "2024-10-30"),
        ("What's new?", "2024-10-24", "2024-10-31"),
        ("Any news?", "2024-10-24", "2024-10-31"),
        ("What's the latest?", "2024-10-24", "2024-10-31"),
    ],
)
def test_question_without_a_topic_asks_for_a_period(question: str, first: str, last: str) -> None:
    asked = parse(question)
    assert asked.intent == "period"
    assert asked.time_range is not None
    assert asked.time_range.start is not None
    assert asked.time_range.end is not None
    assert asked.time_range.start.date().isoformat() == first
    assert (asked.time_range.end - timedelta(days=1)).date().isoformat() == last


@pytest.mark.parametrize(
    "question",
    [
        "What happened in Tarn last week?",
        "What happened to him yesterday?",
        "What is new today in the US?",
        "Who was there yesterday?",
        "What was published about the ferry yesterday?",
        "What will happen tomorrow?",
    ],
)
def test_question_with_a_topic_is_no_period(question: str) -> None:
    assert parse(question).intent == "question"
