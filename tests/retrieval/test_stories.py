"""The news of a period: main stories, empty periods, and the ends of the archive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.schema import Answer, Article, Filters, Notice
from tests.support.fake_chat_model import ScriptedChatModel
from tests.support.fakes import small_archive

ASKED_ON = datetime(2024, 10, 31, 12, tzinfo=UTC)


def article(name: str, title: str, text: str, publisher: str, day: int, month: int = 10) -> Article:
    return Article(
        id=name,
        title=title,
        text=text,
        publisher=publisher,
        url=f"https://www.{publisher.lower().replace(' ', '')}.example/{name}",
        published=datetime(2024, month, day, 9, tzinfo=UTC),
    )


ARTICLES = (
    article(
        "fire1", "Fire destroys the market hall of Ost",
        "A fire destroyed the market hall of Ost on Tuesday. Nobody was hurt.", "Coast Herald", 22,
    ),
    article(
        "fire2", "Market hall of Ost destroyed by fire",
        "A fire destroyed the market hall of Ost on Tuesday night. Nobody was hurt in the fire.",
        "Harbour Post", 23,
    ),
    article(
        "chess", "Berg wins the chess cup",
        "By a reporter\n\nLUND, Oct 24 (Coast Wire) - Anna Berg won the chess cup in Lund on "
        "Thursday after four hours.\n\n“She wins the chess cup as Berg always does,” a coach said.",
        "Coast Herald", 24,
    ),
    article("tram", "Tram fares rise", "Tram fares in Lund will rise in May.", "Harbour Post", 30),
    article("old", "Bridge opens", "The new bridge opened on Friday to all.", "Coast Herald", 5, 7),
)  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder: Path = tmp_path_factory.mktemp("stories") / "archive"
    with small_archive(folder, ARTICLES) as opened:
        yield opened


def ask(archive: Archive, question: str, filters: Filters = Filters()) -> Answer:
    return Chatbot(archive).ask(question, asked_on=ASKED_ON, filters=filters)


def cited(answer: Answer) -> list[str]:
    return [s.citations[0].metadata.article_id for s in answer.statements]


def test_story_of_several_publishers_comes_first_and_once(archive: Archive) -> None:
    answer = ask(archive, "What were the main stories of last week?")
    assert cited(answer) == ["fire2", "chess"]
    assert answer.statements[0].text.startswith("A fire destroyed")
    assert answer.statements[0].label == Notice(
        "dated_source", day="2024-10-23", publisher="Harbour Post"
    )


def test_opening_sentence_is_no_byline_dateline_or_quotation(archive: Archive) -> None:
    answer = ask(archive, "What happened on 24 October?")
    assert [s.text for s in answer.statements] == [
        "Anna Berg won the chess cup in Lund on Thursday after four hours."
    ]


def test_publisher_and_filters_limit_the_stories(archive: Archive) -> None:
    assert cited(ask(archive, "What did the Coast Herald report last week?")) == ["chess", "fire1"]
    only = Filters(publishers=("Harbour Post",))
    assert cited(ask(archive, "What happened last week?", only)) == ["fire2"]


def test_chat_model_writes_about_the_stories_of_a_period(archive: Archive) -> None:
    fire = "A fire destroyed the market hall of Ost on Tuesday night. [1]"
    model = ScriptedChatModel(scripts=[fire])
    question = "What happened on 23 October?"
    answer = Chatbot(archive, model).ask(question, asked_on=ASKED_ON)
    assert [statement.text for statement in answer.statements] == [fire.removesuffix(" [1]")]
    failing = ScriptedChatModel(scripts=[ValueError("no such model")])
    quoted = Chatbot(archive, failing).ask(question, asked_on=ASKED_ON)
    assert cited(quoted) == ["fire2"]


def test_empty_period_names_the_nearest_days(archive: Archive) -> None:
    answer = ask(archive, "What happened in August 2024?")
    assert answer.refused
    assert answer.refusal == Notice(
        "nothing_published_between", first="2024-08-01", last="2024-08-31"
    )
    assert answer.notices == (
        Notice("nearest_earlier", day="2024-07-05"),
        Notice("nearest_later", day="2024-10-22"),
    )
    assert {hit.metadata.article_id for hit in answer.nearest_hits} == {"old", "fire1"}


def test_latest_news_are_the_newest_of_the_archive(archive: Archive) -> None:
    late = datetime(2026, 5, 1, tzinfo=UTC)
    answer = Chatbot(archive).ask("What's the latest?", asked_on=late)
    assert Notice("newest_articles", day="2024-10-30") in answer.notices
    assert "tram" in cited(answer)
    assert "old" not in cited(answer)


def test_period_after_the_archive_ends_offers_its_last_month(archive: Archive) -> None:
    late = datetime(2026, 5, 1, tzinfo=UTC)
    ends = Notice("archive_ends", day="2024-10-30", month="2024-10-30")
    for question in ("What happened last month?", "What happened to the tram fares last month?"):
        answer = Chatbot(archive).ask(question, asked_on=late)
        assert answer.refused
        assert ends in answer.notices


@pytest.mark.parametrize(
    ("message", "code"),
    [("Hello", "greeting"), ("Thanks!", "thanks"), ("Summarize", "no_topic")],
)
def test_message_without_a_question_is_not_searched(
    archive: Archive, message: str, code: str
) -> None:
    answer = ask(archive, message)
    assert answer.refusal == Notice(code)
    assert not answer.nearest_hits


def test_access_rights_apply_to_stories(tmp_path: Path) -> None:
    secret = ARTICLES[3].replace(access="desk")
    with small_archive(tmp_path / "archive", (*ARTICLES[:3], secret)) as archive:
        assert ask(archive, "What happened yesterday?").refused
        desk = Filters(access=("desk",))
        assert cited(ask(archive, "What happened yesterday?", desk)) == ["tram"]
