"""Refusals: when to refuse, what is missing, and where the answer might be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rag.answer.chatbot import Chatbot
from rag.answer.refusal import is_refusal, refusal_reason
from rag.answer.sentence_scoring import SentenceCandidate
from rag.query.parser import parse_question
from rag.schema import Article, ArticleMetadata, Filters, Hit, Notice, Passage, Span
from tests.support.fake_archive import FERRY, TROOPS, FakeArchive, day
from tests.support.fake_chat_model import ScriptedChatModel


@pytest.fixture
def bot() -> Chatbot:
    return Chatbot(FakeArchive(TROOPS, FERRY))


def test_refusal_names_what_is_missing(bot: Chatbot) -> None:
    answer = bot.ask("Who won the World Series?")
    assert answer.refused
    assert answer.refusal == Notice("names_missing", names=["World Series"])


def test_empty_archive_refuses() -> None:
    answer = Chatbot(FakeArchive()).ask("Who?")
    assert answer.refused
    assert answer.refusal == Notice("nothing_relevant")
    assert not answer.nearest_hits


def test_refusal_names_matching_article_outside_the_filters() -> None:
    bot = Chatbot(FakeArchive(TROOPS, FERRY))
    question = "How many soldiers has North Korea sent?"
    late = bot.ask(question, filters=Filters(after=day(11, 1)))
    assert late.refused
    which = {"source": "Harbour Post", "published": "2024-10-24"}
    assert late.refusal == Notice("earlier_article", **which)
    assert late.notices == (Notice("search_limited", after="2024-11-01"),)
    early = bot.ask(question, filters=Filters(before=day(10, 1)))
    assert early.refused
    assert early.refusal == Notice("later_article", **which)
    other = bot.ask(question, filters=Filters(publishers=("Coast Herald",)))
    assert other.refused
    assert other.refusal == Notice("excluded_article", **which)


def test_chat_model_refusal_names_matching_article_outside_the_filters() -> None:
    model = ScriptedChatModel(scripts=["The archive does not say."])
    bot = Chatbot(FakeArchive(TROOPS, FERRY), model)
    question = "How many soldiers has North Korea sent?"
    answer = bot.ask(question, filters=Filters(publishers=("Coast Herald",)))
    assert model.prompts
    which = {"source": "Harbour Post", "published": "2024-10-24"}
    assert answer.refusal == Notice("excluded_article", **which)
    assert answer.candidates_considered


@pytest.mark.parametrize(
    ("sentence", "refuses"),
    [
        ("The archive does not say.", True),
        ("The passages don't mention a date. [1, 2]", True),
        ("I cannot answer that.", True),
        ("I'm sorry.", True),
        ("The articles do not give a final figure, but 95 people died. [1]", False),
        ("The passages do not say who; however, two men were arrested. [2]", False),
        ("The minister said he does not say such things. [1]", False),
    ],
)
def test_is_refusal_needs_a_sentence_that_says_nothing_else(sentence: str, refuses: bool) -> None:
    assert is_refusal(sentence) is refuses


def test_office_of_another_place_is_no_answer() -> None:
    told = Article(
        "coast.example/mayor",
        "Renner sworn in as mayor of Velsund",
        "Bo Renner was sworn in as mayor of Velsund on Thursday, after an election.",
        published=day(10, 20),
    )
    bot = Chatbot(FakeArchive(told))
    assert not bot.ask("Who is the mayor of Velsund?", asked_on=day(10, 24)).refused
    assert bot.ask("Who is the mayor of Tarn?", asked_on=day(10, 24)).refused


def test_refusal_names_missing_speaker() -> None:
    refused = Chatbot(FakeArchive(TROOPS, FERRY)).ask("What did Queen Margrethe say?")
    assert refused.refused
    assert refused.refusal == Notice("speakers_missing", speakers=["Queen Margrethe"])
    assert refused.nearest_hits


def test_recent_articles_need_less_relevance() -> None:
    published = datetime(2024, 10, 22, 9, tzinfo=UTC)
    text = "The harbour office counted nine ferries."
    head = ArticleMetadata("x.example/ferries", "Ferries", published=published)
    hit = Hit(Passage("x.example/ferries", 1, 0, len(text), text), head, 1.0)
    middling = SentenceCandidate(hit, Span(0, len(text)), text, {"meaning": 1.2, "speaks": 0.0})
    for days, answered in (
        (-1, True),
        (3, True),
        (29, True),
        (31, False),
        (700, False),
        (-3, False),
    ):
        asked = parse_question("How many ferries?", asked_on=published + timedelta(days=days))
        assert (refusal_reason(asked, [middling]) is None) is answered
