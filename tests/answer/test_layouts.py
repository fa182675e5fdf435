"""Layouts by kind of question: figures over time, courses of events, comparisons and lists."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rag.answer.chatbot import Chatbot
from rag.answer.comparisons import parse_comparison
from rag.answer.lists import asks_for_list
from rag.answer.timeline import build_timeline
from rag.nlp.event_dates import event_date, report_day
from rag.schema import Answer, Article, Notice
from tests.support.fake_archive import FakeArchive, day

ASKED = day(12, 1)


def story(number: int, published: datetime, title: str, text: str) -> Article:
    return Article(f"gull.example/{number}", title, text, "Gull Post", published=published)


SLIDE = (
    story(1, day(9, 3), "Landslide in Varn kills two",
          "Two people died when a landslide hit Varn on Monday night, the rescue service said.\n\n"
          "About 40 houses were buried on Tuesday morning."),
    story(2, day(9, 4), "Death toll of Varn landslide rises to six",
          "The number of people killed by the landslide in Varn has risen to six, police said on "
          "Wednesday.\n\nFive were still missing, among them a child."),
    story(3, day(9, 9), "Varn landslide: eight dead, search ends",
          "Eight people died in the landslide in Varn, police said on Monday as the search for the "
          "missing ended.\n\nDamage was put at 3.4 million crowns."),
    story(4, day(10, 2, 2023), "Cable car raises fares",
          "The cable car raised its fares by 5 percent on Monday.\n\n"
          "A cable car ticket now costs 21 crowns."),
    story(5, day(10, 3), "Cable car cuts fares",
          "The cable car will cut its fares by 9 percent.\n\n"
          "A cable car ticket now costs 24 crowns."),
    story(6, day(8, 20), "Prices of flour",
          "A bag of flour costs 12 crowns in Varn, 15 in Holm and 11 in Brask, a survey found."),
    story(7, day(7, 18), "Council rejects harbour plan",
          "The Reformers and the Farmers' League voted against the harbour plan in Holm."),
    story(8, day(5, 2), "Brask sends 300 medics to Oria",
          "Brask has sent 300 medics to Oria, its health ministry said."),
    story(9, day(5, 9), "Brask sends more medics",
          "Brask has now sent 900 medics to Oria, its health ministry said."),
    story(10, day(5, 20), "Oria thanks Brask",
          "Brask has sent 2,400 medics to Oria so far, Oria's president said."),
    story(11, day(5, 24), "Medics from Brask reach the south",
          "About 1,800 medics from Brask have reached the southern towns of Oria."),
)  # fmt: skip


@pytest.fixture
def bot() -> Chatbot:
    return Chatbot(FakeArchive(*SLIDE))


def ask(bot: Chatbot, question: str) -> Answer:
    return bot.ask(question, asked_on=ASKED)


def test_toll_leads_with_newest_and_lists_earlier_ones(bot: Chatbot) -> None:
    answer = ask(bot, "How many people died in the landslide in Varn?")
    first, earlier = answer.statements
    assert first.text.startswith("Eight people died")
    assert first.label == Notice(
        "figure_of", figure="eight people", day="2024-09-09", publisher="Gull Post"
    )
    assert earlier.label == Notice(
        "earlier_figures", figures=["six", "two people"], days=["2024-09-04", "2024-09-02"]
    )
    assert len(earlier.citations) == 2
    assert answer.newest_source == day(9, 9)
    assert not answer.notices


def test_count_leads_with_the_newest_of_its_series(bot: Chatbot) -> None:
    first, earlier = ask(bot, "How many medics has Brask sent to Oria?").statements
    assert "2,400 medics" in first.text
    assert earlier.label == Notice(
        "earlier_figures", figures=["900 medics", "300 medics"], days=["2024-05-09", "2024-05-02"]
    )


def test_missing_people_are_not_the_dead(bot: Chatbot) -> None:
    answer = ask(bot, "How many people were missing after the landslide in Varn?")
    assert "Five were still missing" in answer.statements[0].text


def test_damage_is_no_toll(bot: Chatbot) -> None:
    answer = ask(bot, "How much was the damage of the landslide in Varn?")
    assert "3.4 million crowns" in answer.statements[0].text


def test_course_of_events_uses_days_of_events(bot: Chatbot) -> None:
    question = "What is the course of events of the landslide in Varn?"
    answer = bot.ask(question, asked_on=day(9, 12))
    labels = [str(s.label["day"]) for s in answer.statements if s.label]
    assert labels[:2] == ["2024-09-02", "2024-09-03"]
    assert labels == sorted(labels)
    assert "fares" not in answer.text
    assert sum(c.metadata.article_id == "gull.example/1" for c in answer.citations) == 2
    timeline = build_timeline(bot.archive, question, asked_on=day(9, 12))
    assert timeline.statements[0].label == Notice("dated", day="2024-09-02")


def test_word_for_a_course_of_events_need_not_be_in_it(bot: Chatbot) -> None:
    soon = day(9, 12)
    plain = bot.ask("Give me a timeline of the landslide in Varn.", asked_on=soon)
    assert len(plain.statements) > 2
    for word in ("affair", "saga", "crisis"):
        question = f"Give me a timeline of the {word} of the landslide in Varn."
        answer = bot.ask(question, asked_on=soon)
        assert [s.text for s in answer.statements] == [s.text for s in plain.statements]


def test_list_without_names_is_an_answer_as_usual(bot: Chatbot) -> None:
    answer = ask(bot, "Who was killed by the landslide in Varn?")
    assert answer.statements[0].text.startswith("Eight people died")


def test_comparison_has_both_years(bot: Chatbot) -> None:
    answer = ask(bot, "Compare the cable car fares of 2023 and 2024")
    assert [s.text.split()[-2] for s in answer.statements] == ["21", "24"]
    assert not answer.notices


def test_comparison_says_which_side_is_missing(bot: Chatbot) -> None:
    answer = ask(bot, "Compare the cable car fares of 2022 and 2024")
    assert Notice("sides_missing", sides=["2022"]) in answer.notices
    assert len(answer.statements) == 1


def test_sentence_about_both_sides_answers_alone(bot: Chatbot) -> None:
    answer = ask(bot, "Where is flour more expensive, in Holm or in Brask?")
    (statement,) = answer.statements
    assert "15 in Holm and 11 in Brask" in statement.text


def test_list_question_is_not_padded(bot: Chatbot) -> None:
    (statement,) = ask(bot, "Who voted against the harbour plan?").statements
    assert "Reformers" in statement.text


@pytest.mark.parametrize(
    ("question", "sides"),
    [
        ("Compare the fares of 2023 and 2024", ("2023", "2024")),
        ("Compare the rate increases of May and June 2022", ("May 2022", "June 2022")),
        ("Compare the third and the fourth flight of Heron", ("third", "fourth")),
        ("How do Arvik and Lund differ on the ferry?", ("Arvik", "Lund")),
        ("What is the difference between Arvik and Lund in taxes?", ("Arvik", "Lund")),
        ("Which is bigger, Arvik or Lund?", ("Arvik", "Lund")),
        ("Is Arvik bigger than Lund?", ("Arvik", "Lund")),
    ],
)
def test_parse_comparison_finds_sides(question: str, sides: tuple[str, str]) -> None:
    found = parse_comparison(question)
    assert found is not None
    assert tuple(side.name for side in found.sides) == sides


@pytest.mark.parametrize(
    "question",
    ["Who won the vote?", "What is the capital of Arvandia?", "Where did the ferry go and why?"],
)
def test_other_questions_are_no_comparison(question: str) -> None:
    assert parse_comparison(question) is None


@pytest.mark.parametrize(
    ("question", "listed"),
    [
        ("Who was killed?", True),
        ("Which countries joined the pact?", True),
        ("Which country joined the pact?", False),
        ("Who won the vote?", False),
    ],
)
def test_asks_for_list(question: str, listed: bool) -> None:
    assert asks_for_list(question) == listed


WEDNESDAY = datetime(2024, 10, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sentence", "stated"),
    [
        ("The ferry sank on Monday night.", "2024-10-21"),
        ("It was closed last Wednesday.", "2024-10-16"),
        ("He was sworn in on Tuesday, after the election of 8 October.", "2024-10-22"),
        ("The law was signed on 3 November.", "2023-11-03"),
        ("ARVIK, Oct 23 (Wire) - The ferry sank on Sunday.", "2024-10-20"),
        ("It was damaged on Thursday.", "2024-10-24"),  # in a later time zone
        ("Repairs will last until Friday.", ""),
        ("Ferries sail every Monday.", ""),
    ],
)
def test_event_date_is_the_stated_day(sentence: str, stated: str) -> None:
    found = event_date(sentence, WEDNESDAY)
    assert (found.day.isoformat() if found else "") == stated


def test_report_day_of_figures_is_the_weekday_before() -> None:
    text = "31 people were arrested in the park on Saturday."
    assert report_day(text, WEDNESDAY).isoformat() == "2024-10-19"
    assert report_day("31 people were arrested.", WEDNESDAY).isoformat() == "2024-10-23"
