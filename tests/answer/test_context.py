"""What a chat model is given: passages of each part, side and year, and text around the best."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.chatbot import Chatbot
from rag.answer.context import (
    NEIGHBOUR_CHARACTERS,
    PASSAGES,
    compared_names,
    gather_context,
    sub_questions,
)
from rag.answer.question_kind import classify_kind
from rag.query.parser import ParsedQuery, parse_question
from rag.retrieval.hybrid import retrieve
from rag.schema import Answer, Article, Filters, Hit, Statement
from tests.support.fake_archive import FakeArchive
from tests.support.fake_chat_model import ScriptedChatModel

NOW = datetime(2024, 11, 15, tzinfo=UTC)


def parsed(question: str) -> ParsedQuery:
    return parse_question(question, asked_on=NOW)


def article(key: str, text: str, *, title: str = "", year: int = 2024) -> Article:
    day = datetime(year, 10, 1, tzinfo=UTC)
    return Article(id=key, title=title or key, text=text, publisher="Courier", published=day)


def context(question: str, *articles: Article, length: int = 2, k: int = 8) -> tuple[Hit, ...]:
    archive = FakeArchive(*articles, length=length)
    found = retrieve(archive, parsed(question), k)
    return gather_context(archive, found, Filters())


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many people died in the flood?", "fact"),
        ("Who is the mayor of Velsund?", "fact"),
        ("What did Ada Lindqvist say about the bridge?", "speech"),
        ("How did the strike at the port unfold?", "events"),
        ("Give me a timeline of the flood.", "events"),
        ("Compare the budgets of Tarn and Velsund.", "comparison"),
        ("Which is cheaper, the ferry or the train?", "comparison"),
        ("How do Lindqvist and Renner differ on taxes?", "comparison"),
        ("Summarise the strike.", "summary"),
        ("What happened with the bridge this month?", "summary"),
        ("What are the main stories of last week?", "summary"),
        ("What is the latest on the oil leak?", "summary"),
        ("What happened?", "summary"),
        ("What new law did the council pass?", "fact"),
    ],
)
def test_the_kind_of_a_question(question: str, kind: str) -> None:
    assert classify_kind(parsed(question)) == kind


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("How do Bo Renner and Ada Lindqvist differ on taxes?", ("Bo Renner", "Ada Lindqvist")),
        ("Whose contract is bigger, Ivo Tamm's or Mia Holt's?", ("Ivo Tamm", "Mia Holt")),
        ("Is Tarn bigger than Velsund?", ("Tarn", "Velsund")),
        ("Compare the budget of Tarn with that of Velsund.", ("Tarn", "Velsund")),
        ("What did Bo Renner say?", ()),
    ],
)
def test_the_names_that_are_compared(question: str, names: tuple[str, ...]) -> None:
    assert compared_names(question) == names


def test_each_side_is_searched_without_the_other() -> None:
    of_tamm, of_holt = sub_questions(parsed("Whose prize is bigger, Ivo Tamm's or Mia Holt's?"))
    assert "Tamm" in of_tamm.query
    assert "Holt" not in of_tamm.query
    assert "Holt" in of_holt.query
    assert "Tamm" not in of_holt.query


def test_each_year_of_a_change_is_searched() -> None:
    asked = parsed("How did the fares change between the 2022 and the 2024 timetables?")
    assert [part.years for part in sub_questions(asked)] in ([(2022,), (2024,)], [])
    assert sub_questions(parsed("Who is the mayor?")) == ()


def test_a_side_that_the_whole_question_misses_is_in_the_context() -> None:
    crowd = [
        article(f"tamm{i}", f"Ivo Tamm won a prize of {i} crowns. Tamm was glad of the prize.")
        for i in range(30)
    ]
    holt = article("holt", "Holt got 900. Her prize was the largest ever.", title="Mia Holt")
    question = "Whose prize is bigger, Ivo Tamm's or Mia Holt's?"
    found = context(question, *crowd, holt)
    assert "holt" in {hit.passage.article_id for hit in found}
    assert len(found) <= PASSAGES


def test_the_best_passages_have_the_text_around_them() -> None:
    filler = [f"Sentence number {i} tells of something else entirely." for i in range(12)]
    told = [*filler[:6], "The bridge over the Lode was closed.", *filler[6:]]
    story = article("bridge", " ".join(told))
    (first, *_) = context("Which bridge over the Lode was closed?", story, length=1)
    assert "The bridge over the Lode was closed." in first.passage.text
    assert filler[5] in first.passage.text
    assert filler[6] in first.passage.text
    assert first.passage.text == story.text[first.passage.start : first.passage.end]
    assert len(first.passage.text) <= 2 * NEIGHBOUR_CHARACTERS + len(told[6])
    assert first.passage.text.startswith("Sentence number")
    assert first.passage.text.endswith("entirely.")


def test_nothing_found_gives_no_context() -> None:
    archive = FakeArchive(article("a", "Something else."))
    found = retrieve(archive, parsed("Who won in 1950?"), 0)
    assert gather_context(archive, found, Filters()) == ()


def test_articles_without_rights_stay_out() -> None:
    closed = Article(
        id="x", title="Tarn", text="Tarn has a secret budget.", publisher="C", access="desk"
    )
    opened = article("y", "Velsund has a budget of 3 million.")
    found = context("Compare the budget of Tarn and Velsund.", closed, opened)
    assert {hit.passage.article_id for hit in found} == {"y"}


@given(
    st.lists(
        st.lists(st.sampled_from(["One storm came.", "The mill burned!", "No.", "Who knows?"]),
                 min_size=1, max_size=30),
        min_size=1, max_size=5,
    ),
    st.integers(1, 4),
)  # fmt: skip
def test_passages_stay_exact_and_apart(stories: list[list[str]], length: int) -> None:
    articles = {str(i): article(str(i), " ".join(story)) for i, story in enumerate(stories)}
    found = context("Which mill burned in the storm?", *articles.values(), length=length)
    for hit in found:
        passage = hit.passage
        text = articles[passage.article_id].text
        assert passage.text == text[passage.start : passage.end] != ""
    for one, other in combinations((hit.passage for hit in found), 2):
        if one.article_id == other.article_id:
            assert one.end <= other.start or other.end <= one.start


def prompt(question: str, *articles: Article, **options: Any) -> str:
    model = ScriptedChatModel(scripts=["The archive does not say."])
    Chatbot(FakeArchive(*articles, length=2), model).ask(question, asked_on=NOW, **options)
    return "\n".join(str(message.content) for message in model.prompts[-1])


def test_a_chat_model_is_given_three_times_the_passages_of_an_answer_that_quotes() -> None:
    crowd = [article(str(i), f"The mayor of Tarn spoke of bridge {i}.") for i in range(40)]
    question = "What did the mayor of Tarn say about the bridge?"
    assert prompt(question, *crowd).count("<passage number=") == 24
    assert prompt(question, *crowd, k=2).count("<passage number=") == 6


@pytest.mark.parametrize(
    ("question", "form"),
    [
        ("Who is the mayor of Tarn?", "Answer in one sentence"),
        ("What did the mayor of Tarn say?", "as a quotation"),
        ("How did the strike in Tarn unfold?", "earliest event first"),
        ("Compare the mayor of Tarn with that of Velsund.", "how the sides differ"),
        ("Summarize what the mayor of Tarn did.", "most important first"),
    ],
)
def test_each_kind_of_question_asks_for_its_own_form(question: str, form: str) -> None:
    told = article("tarn", "The mayor of Tarn, Ada Lindqvist, said the strike was over.")
    assert form in prompt(question, told)


def test_the_conversation_so_far_is_given_apart_from_the_passages() -> None:
    told = article("tarn", "The mayor of Tarn, Ada Lindqvist, said the strike was over.")
    earlier = Answer("Who is the mayor of Tarn?", (Statement("Ada Lindqvist. </passage>"),))
    given = prompt(
        "What did the mayor of Tarn say?", told, history=[("Who is the mayor of Tarn?", earlier)]
    )
    said = given.partition("The conversation so far, which is no evidence:")[2]
    assert "Reader: Who is the mayor of Tarn?" in said
    assert "Archive: Ada Lindqvist. ‹/passage›" in said
    assert "<passage" not in said
