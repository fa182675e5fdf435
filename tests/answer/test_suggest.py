"""Suggested questions: made of what the sources speak of, answered by the archive, good English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.answer.chatbot import Chatbot
from rag.answer.first_questions import first_questions
from rag.answer.followup_topics import clean_topics, deeds
from rag.answer.suggest import can_answer, followup_questions
from rag.answer.topics import is_person, named_events, tolls, with_article
from rag.archive.archive import Archive
from rag.schema import Answer, Article, ArticleMetadata, Filters, Hit, Passage
from tests.support.fakes import small_archive

FIRST = datetime(2024, 10, 21, tzinfo=UTC)


def article(number: int, publisher: str, title: str, text: str) -> Article:
    return Article(
        id=f"{publisher.lower()}.example/{number}",
        title=title,
        text=text,
        publisher=publisher,
        published=FIRST + timedelta(days=number),
    )


ARTICLES = [
    article(
        0,
        "Courier",
        "Landslide hits Varn",
        "The landslide in Varn killed 12 people. “Varn will need help for many months now,” Mayor "
        "Ada Quill said. The Harbour Council sent boats to Varn. It met at noon.",
    ),
    article(
        1,
        "Gazette",
        "Varn landslide: what is known",
        "Rescuers dug in Varn for a second day. The Harbour Council, which runs the port, sent "
        "food to Varn. “Nobody had warned the people of Varn about the rain,” Jonas Berg said.",
    ),
    article(
        2,
        "Courier",
        "Ada Quill resigns after the Varn landslide",
        "Mayor Ada Quill resigned on Wednesday because of the warnings she had missed in Varn. "
        "Ida Holt, the head of the port, takes over. “I failed the people of Varn,” Quill said.",
    ),
    article(
        4,
        "Gazette",
        "Varn buries its dead",
        "Varn buried the dead of the Varn landslide on Friday.",
    ),
]
QUESTION = "What happened in Varn?"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with small_archive(tmp_path_factory.mktemp("suggest") / "archive", ARTICLES) as opened:
        yield opened


def followups(archive: Archive, question: str, *before: str) -> tuple[str, ...]:
    answer = Chatbot(archive).ask(question, asked_on=FIRST)
    return followup_questions(archive, answer, asked_on=FIRST, asked_before=before)


def test_followups_are_about_what_the_sources_speak_of(archive: Archive) -> None:
    found = followups(archive, QUESTION)
    assert len(found) == 3
    assert all("Varn" in question or "Quill" in question for question in found)
    openings = {question.split()[0] for question in found}
    assert len(openings) > 1  # of different kinds
    # the answer has just quoted both
    assert not any(re.search("did (?:Ada Quill|Jonas Berg) say", q) for q in found)
    assert len(set(found)) == len(found)
    for question in found:
        assert re.fullmatch(r"(?:What|Who|How|Why|When) .+\?", question)


def test_followups_have_answers(archive: Archive) -> None:
    bot = Chatbot(archive)
    for question in followups(archive, QUESTION):
        assert not bot.ask(question, asked_on=FIRST).refused, question


def test_followups_do_not_repeat_questions(archive: Archive) -> None:
    first = followups(archive, QUESTION)
    again = followups(archive, QUESTION, *first)
    assert not set(first) & set(again)


def test_followups_respect_filters(archive: Archive) -> None:
    courier = Filters(publishers=("Courier",))
    answer = Chatbot(archive).ask(QUESTION, filters=courier, asked_on=FIRST)
    found = followup_questions(archive, answer, asked_on=FIRST)
    assert not any("Jonas Berg" in question for question in found)


def test_followups_speak_the_language_of_the_question(archive: Archive) -> None:
    answer = Chatbot(archive).ask("Was hat Jonas Berg über Varn gesagt?", asked_on=FIRST)
    assert not answer.refused
    for question in followup_questions(archive, answer, asked_on=FIRST):
        assert re.match(r"(?:Was|Wer) ", question)


def test_refusal_has_no_followups(archive: Archive) -> None:
    assert followup_questions(archive, Answer("Who?", refused=True)) == ()


def hits_of(*texts: str, publisher: str = "Courier") -> list[Hit]:
    return [
        Hit(
            Passage(f"a{n}", 1, 0, len(text), text),
            ArticleMetadata(f"a{n}", "", publisher=publisher),
            0.0,
        )
        for n, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("question", "text", "topics"),
    [
        ("Who runs Velsund?", "Velsund is old. In Velsund, few work.", ["Velsund"]),
        ("Who runs the Oxter?", "The Oxter is deep. They swam in the Oxter.", ["the Oxter"]),
        ("Who runs Norway?", "They met in Norway, on the Norway coast.", ["Norway"]),
        ("Who hit a Norwegian boat?", "A Norwegian said so. Norwegian boats left.", []),
        ("What about Foxglove?", "Foxglove and more foxglove grew. Foxglove is red.", []),
        ("Who left Quill?", "Mary Quill left. Quill is old. Mary Quill is back.", ["Mary Quill"]),
        ("What of Sept?", "It met on Sept. 3 and Sept. 4. In Sept it closed.", []),
    ],
)
def test_topics_read_well_in_a_question(question: str, text: str, topics: list[str]) -> None:
    assert clean_topics(question, hits_of(text)) == topics


def test_deeds_are_asked_for_by_day_and_reason() -> None:
    hits = hits_of(
        "Mary Quill was arrested on 3 May 2024 in Lund. John Berg resigned because he was ill. "
        "The aide of Anna Holt was fired for stealing."
    )
    found = [deed.question for deed in deeds(hits, "")]
    assert found == ["When was Mary Quill arrested?", "Why did John Berg resign?"]
    assert list(deeds(hits, hits[0].passage.text)) == []


def test_can_answer_tells_a_question_without_an_answer(archive: Archive) -> None:
    assert can_answer(archive, "How many people did the landslide in Varn kill?", asked_on=FIRST)
    assert not can_answer(archive, "Who won the chess olympiad in Budapest?", asked_on=FIRST)


def test_first_questions_are_one_for_each_mode(archive: Archive) -> None:
    found = {one.mode: one.question for one in first_questions(archive)}
    assert list(found) == ["answer", "timeline", "compare", "quotes", "passages"]
    assert found["answer"] in (
        "Why did Ada Quill resign?",
        "How many people died in the Varn landslide?",
    )
    assert "Courier" in found["compare"]
    assert "Gazette" in found["compare"]
    assert re.match(r"What did (?:Ada Quill|Jonas Berg) say about .+\?", found["quotes"])
    titles = {article.title for article in ARTICLES}
    assert not titles & set(found.values())


def test_first_question_has_an_answer(archive: Archive) -> None:
    question = first_questions(archive)[0].question
    assert not Chatbot(archive).ask(question, asked_on=FIRST + timedelta(days=5)).refused


def test_first_questions_leave_out_what_the_reader_may_not_read(tmp_path: Path) -> None:
    secret = [article.replace(access="staff") for article in ARTICLES]
    with small_archive(tmp_path / "archive", secret) as archive:
        assert first_questions(archive) == ()
        assert first_questions(archive, filters=Filters(access=("staff",)))


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("The Varn landslide killed 12 people.", ["the Varn landslide"]),
        ("Hurricane Ida hit Lund on Monday.", ["Hurricane Ida"]),
        (
            "People fled the Lund Harbour fire and Lund’s flood.",
            ["the Lund Harbour fire", "Lund’s flood"],
        ),
        ("Flash floods hit the coast. A fire broke out.", []),
        ("The election was held on a Monday election day.", []),
    ],
)
def test_named_events_have_a_name(text: str, events: list[str]) -> None:
    assert named_events(text) == events


def test_nobody_is_asked_to_have_died_at_a_funeral(tmp_path: Path) -> None:
    text = "At the Lund funeral, the mayor named the 12 people who died. “We miss them,” he said."
    funeral = article(0, "Courier", "The Lund funeral of twelve", text)
    with small_archive(tmp_path / "archive", [funeral]) as archive:
        hits = archive.search("Lund funeral", 4)
    assert tolls(hits) == []


@pytest.mark.parametrize("name", ["Ada Quill", "Yoon Suk Yeol", "Karin Berg-Holt"])
def test_full_names_are_persons(name: str) -> None:
    assert is_person(name)


@pytest.mark.parametrize(
    "name",
    [
        "Quill",
        "NASA Administrator Bill Nelson",
        "the mayor of Lund",
        "Lund Palace",
        "Lt. Ada Quill",
        "",
    ],
)
def test_other_speakers_are_no_persons(name: str) -> None:
    assert not is_person(name)


def test_names_have_the_article_that_texts_give_them(archive: Archive) -> None:
    hits: list[Hit] = archive.search("Harbour Council Varn", 4)
    assert with_article("Harbour Council", hits) == "the Harbour Council"
    assert with_article("Varn", hits) == "Varn"
