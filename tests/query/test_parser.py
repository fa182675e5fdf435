"""Question parsing: publishers, authors, phrases, exclusions, answer type, follow-ups."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.query.parser import parse_question, remove_constraints, resolve_followup
from rag.schema import Answer, Notice, Statement
from ui.i18n import texts_in, understood_text

ASKED_ON = datetime(2024, 10, 24, 15, tzinfo=UTC)
FIELDS = {"window": "time_range"}  # field of `ParsedQuery`, if its name differs
PUBLISHERS = ("The Week", "Harbour Post", "BBC News", "Fox News - Health", "Fox News - Travel")


def parse(question):
    return parse_question(
        question, asked_on=ASKED_ON, publishers=PUBLISHERS, authors=("Ada Lindqvist", "Wire")
    )


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What did South Korea threaten, according to The Week?", ("The Week",)),
        ("What did the Harbour Post report about the ferry?", ("Harbour Post",)),
        ("What was reported by both the BBC and The Week?", ("BBC News", "The Week")),
        ("What does the Fox News article say?", ("Fox News - Health", "Fox News - Travel")),
        ("Who bought The Week?", ()),
        ("What happened in the week of 3 June?", ()),
        ("Why did BBC News dismiss its director?", ()),
        ("According to the week's figures, who won?", ()),
    ],
)
def test_publisher_is_understood_if_its_reports_are_asked_for(question, names):
    assert parse(question).publishers == names


@pytest.mark.parametrize("name", ["The Ost Week", "theostweek.co.uk", "TheOstWeek"])
def test_publisher_called_by_a_domain_is_understood_by_name(name: str) -> None:
    question = f"What did {name} say about the funeral?"
    asked = parse_question(question, asked_on=ASKED_ON, publishers=("theostweek.co.uk",))
    assert asked.publishers == ("theostweek.co.uk",)
    lower = parse_question("What did the ost week say?", asked_on=ASKED_ON, publishers=PUBLISHERS)
    assert lower.publishers == ()


def test_what_a_publisher_says_needs_no_speaker() -> None:
    assert parse("What did The Week say about the funeral?").expected.whose == ""
    assert parse("What did Seoul say, according to The Week?").expected.whose.startswith("Seoul")


def test_time_and_attribution_words_are_not_searched():
    question = parse("What did Seoul threaten on 24 October, according to The Week?")
    assert question.query == "What did Seoul threaten ?"
    assert question.describe() == (
        Notice("published_on", day="2024-10-24"),
        Notice("from_publishers", publishers=["The Week"]),
    )


def test_question_of_only_a_time_expression_keeps_its_words():
    assert parse("yesterday").query == "yesterday"


def test_author_is_recognised_by_full_name():
    assert parse("What is the column by Ada Lindqvist about?").authors == ("Ada Lindqvist",)
    assert parse("Who is Ada Lindqvist?").authors == ()


def test_quoted_words_are_a_phrase():
    assert parse("Who said “red line” first?").phrases == ("red line",)


def test_excluded_words_are_not_searched():
    question = parse("Which countries other than Germany sent tanks?")
    assert question.excluded == ("Germany",)
    assert "Germany" not in question.query


@pytest.mark.parametrize(
    "question",
    [
        "Who was once praised, but not by the Harbour Courier?",
        "Did the ferry sail for reasons other than an injury?",
        "Was it said in the Courier, not in any other paper?",
    ],
)
def test_small_word_is_never_excluded(question):
    assert parse(question).excluded == ()


@pytest.mark.parametrize(
    ("question", "kind", "layout"),
    [
        ("Who met the minister?", "person", "best first"),
        ("When did the ferry sink?", "day", "best first"),
        ("How many people were aboard?", "figure", "best first"),
        ("Did Seoul send weapons?", "yes or no", "best first"),
        ("Where did it happen?", "place", "best first"),
        ("Why did he refuse?", "reason", "best first"),
        ("Which countries voted against?", "place", "best first"),
        ("How did the strike unfold?", "anything", "by date"),
        ("What do supporters and critics say?", "speech", "by side"),
        ("What did Seoul threaten?", "speech", "best first"),
        ("What happened?", "anything", "best first"),
    ],
)
def test_answer_type_is_read_from_the_words(question, kind, layout):
    expected = parse(question).expected
    assert (expected.type, expected.layout) == (kind, layout)


@given(st.text(max_size=120))
def test_any_text_is_parsed(text):
    question = parse(text)
    assert understood_text(question.describe(), texts_in("en")) is not None
    assert resolve_followup(text, ["Who resigned?"])


def test_question_with_its_own_names_is_unchanged():
    assert resolve_followup("What did South Korea threaten?", ["Who won the cup?"]) == (
        "What did South Korea threaten?"
    )


def test_follow_up_takes_over_earlier_terms():
    history = ["What did Seoul say about the North Korean soldiers?"]
    assert "North" in resolve_followup("And what did Moscow say?", history)
    assert "soldiers" in resolve_followup("How many?", history)


def test_pronoun_is_resolved_to_a_name_in_the_answer():
    answer = Answer("Who refused to sign?", (Statement("Yesterday Jonas Berg refused to sign."),))
    asked = resolve_followup("Why did he refuse?", [("Who refused to sign?", answer)])
    assert "Jonas Berg" in asked


def test_question_without_history_is_unchanged():
    assert resolve_followup("Why did he refuse?", []) == "Why did he refuse?"


def test_follow_up_keeps_the_time_range():
    asked = resolve_followup("And what did Moscow say?", ["What did Seoul threaten in June 2022?"])
    window = parse(asked).time_range
    assert window is not None
    assert window.start == datetime(2022, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("window", "What did the “grain deal” change according to The Week?"),
        ("publishers", "What did the “grain deal” change in June 2022 ?"),
        ("phrases", "What did the grain deal change in June 2022 according to The Week?"),
    ],
)
def test_constraint_can_be_removed(kind: str, left: str) -> None:
    question = "What did the “grain deal” change in June 2022 according to The Week?"
    now = datetime(2022, 8, 1, tzinfo=UTC)
    text = remove_constraints(question, [kind], asked_on=now, publishers=["The Week"])
    assert text.replace(" ?", "?") == left.replace(" ?", "?")
    assert not getattr(
        parse_question(text, asked_on=now, publishers=["The Week"]), FIELDS.get(kind, kind)
    )


@pytest.mark.parametrize("before", ["", "Große Straße: ", "İzmir: "])
def test_author_is_removed_where_the_name_stands(before: str) -> None:
    question = f"{before}articles by ADA Lindqvist about the harbour"
    now, authors = datetime(2022, 8, 1, tzinfo=UTC), ["Ada Lindqvist"]
    assert parse_question(question, asked_on=now, authors=authors).authors == ("Ada Lindqvist",)
    text = remove_constraints(question, ["authors"], asked_on=now, authors=authors)
    assert text == f"{before}articles by about the harbour"
