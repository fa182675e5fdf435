"""The page without a browser: what it says, what it keeps apart, what it lets programs call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from rag.archive import Archive
from rag.errors import ChatModelError
from rag.evaluation import read_questions
from rag.schema import Answer, Article, Filters
from tests.fakes import ARTICLES, QuotingChatbot, small_archive
from ui.page import answering, feedback, kept, saying
from ui.page.asking import asked_of, fields_of, link_to, linked, within
from ui.page.loading import examples
from ui.page.serving import build_page
from ui.page.session import Asked, Conversation, Desk
from ui.page.texts import texts_in


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with small_archive(tmp_path_factory.mktemp("page") / "archive") as opened:
        yield opened


@pytest.fixture(scope="module")
def page(archive: Archive) -> Any:
    return build_page(archive, QuotingChatbot(archive))  # type: ignore[arg-type]


def test_only_ask_and_search_are_endpoints(page: Any) -> None:
    public = {
        dependency["api_name"]
        for dependency in page.config["dependencies"]
        if dependency["api_visibility"] != "private"
    }
    assert public == {"ask", "search"}
    assert set(page.get_api_info()["named_endpoints"]) == {"/ask", "/search"}
    assert not page.get_api_info()["unnamed_endpoints"]


def test_nothing_is_reported_to_anybody(page: Any) -> None:
    assert page.config["analytics_enabled"] is False
    assert "googleapis" not in str(page.config)


def asked(archive: Archive, desk: Desk, question: str, **given: Any) -> list[Desk]:
    chatbot: Any = QuotingChatbot(archive)
    now = answering.begun(desk, Asked(question, **given))
    return list(answering.answered(archive, chatbot, now))


def test_a_conversation_grows_by_whole_answers(archive: Archive) -> None:
    desks = asked(archive, Desk(), " What about the harbour bridge? ")
    assert desks[0].turns[0].progress == "growing"
    (turn,) = desks[-1].turns
    assert turn.asked.question == "What about the harbour bridge?"
    assert turn.answer.statements[0].text.startswith("The harbour bridge was closed on Monday")
    again = asked(archive, desks[-1], "apples")[-1]
    assert [t.asked.question for t in again.turns] == ["What about the harbour bridge?", "apples"]
    assert again.turns[0] == turn


def test_no_question_changes_nothing() -> None:
    desk = Desk()
    assert answering.begun(desk, Asked("  ")) is desk


def test_what_goes_wrong_is_said_in_the_chat(archive: Archive) -> None:
    class Failing:
        def stream(self, question: str, **given: object) -> Iterator[Answer]:
            yield Answer(question)
            raise ChatModelError("the chat model did not answer: is it running?")

    chatbot: Any = Failing()
    desk = answering.begun(Desk(), Asked("Who?"))
    *_, desk = answering.answered(archive, chatbot, desk)
    assert desk.turns[0].answer.refused
    said = saying.messages(desk.turns, texts_in("en"))[-1]["content"]
    assert "the chat model did not answer" in said


def test_a_stopped_answer_stays_as_far_as_it_came(archive: Archive) -> None:
    growing = asked(archive, Desk(), "What about the harbour bridge?")[1]
    stopped = answering.stopped(growing)
    assert stopped.turns[-1].progress == "stopped"
    assert stopped.turns[-1].answer == growing.turns[-1].answer
    assert list(answering.answered(archive, None, stopped)) == [stopped]  # type: ignore[arg-type]


def test_what_lies_outside_of_the_archive_is_said_to(archive: Archive) -> None:
    before, after = datetime(2023, 3, 1, tzinfo=UTC), datetime(2023, 4, 1, tzinfo=UTC)
    for question, filters, outside in (
        ("What was reported about the harbour in March 2023?", Filters(), True),
        ("What was reported about the harbour in October 2024?", Filters(), False),
        ("What of the harbour?", Filters(after=before, before=after), True),
        ("What of the harbour?", Filters(), False),
    ):
        turn = asked(archive, Desk(), question, filters=filters)[-1].turns[0]
        assert turn.outside == outside, question


def test_a_browser_keeps_where_it_stands_not_what_it_says(archive: Archive) -> None:
    desk = asked(archive, Desk(), "What about the harbour bridge?")[-1]
    value = kept.to_browser(desk)
    assert "six weeks" not in str([t["hits"] for c in value["conversations"] for t in c["turns"]])
    (back,) = kept.from_browser(value, archive, "lost")
    assert back.turns[0].answer.citations == desk.turns[0].answer.citations
    assert back.turns[0].asked == desk.turns[0].asked
    assert [h.passage for h in back.turns[0].answer.hits] == [
        h.passage for h in desk.turns[0].answer.hits
    ]


def test_what_was_taken_down_does_not_come_back_from_a_browser(archive: Archive) -> None:
    class Emptied:
        def article(self, article_id: str, revision: int | None = None, /) -> Article | None:
            return None

    desk = asked(archive, Desk(), "What about the harbour bridge?")[-1]
    (back,) = kept.from_browser(kept.to_browser(desk), Emptied(), "lost")
    assert back.turns[0].answer.statements == ()
    assert back.turns[0].answer.notice == "lost"


@pytest.mark.parametrize("value", [None, 7, "x", {}, {"conversations": [{"id": 1}]}, [[]]])
def test_what_a_browser_holds_else_is_passed_over(archive: Archive, value: object) -> None:
    assert kept.from_browser(value, archive, "lost") == ()


def test_a_link_asks_what_was_asked() -> None:
    fields: dict[str, object] = {
        "after": "2024-10-01",
        "before": "2024-10-31",
        "asked_on": "2024-11-15",
        "publishers": ["A & B", "Ç"],
        "authors": [],
        "sections": ["World"],
        "languages": ["en"],
    }
    question, wrong = asked_of("Who & why?", "timeline", "date", fields)
    assert not wrong
    assert question.filters.before == datetime(2024, 11, 1, tzinfo=UTC)
    assert linked(parse_qsl(link_to(question)[1:])) == question
    assert fields_of(question) == fields
    assert linked([("after", "2024-10-01")]) is None


def test_what_is_no_day_is_named_and_narrows_nothing() -> None:
    question, wrong = asked_of("Who?", "answer", "relevance", {"after": "10/11/2024"})
    assert wrong == ["10/11/2024"]
    assert question.filters.after is None


def test_conversations_are_put_in_front_and_taken_away(archive: Archive) -> None:
    first = asked(archive, Desk(), "What about the harbour bridge?")[-1]
    second = asked(archive, first.started(), "What about the apples?")[-1]
    assert second.conversations[0].title == "What about the apples?"
    back = second.opened(first.current.id)
    assert back.current == first.current
    assert back.opened("nobody's") is back
    assert back.without_current().current == second.current
    assert Desk((Conversation("x"),)).without_current().turns == ()


def test_a_thumb_is_kept_with_all_it_was_given_for(archive: Archive, tmp_path: Path) -> None:
    desk = asked(archive, Desk(), "What about the harbour bridge?")[-1]
    for liked, reason in ((True, ""), (True, "it was the right one\nindeed")):
        told = feedback.feedback_of(desk, 0, liked=liked, reason=reason, sequence=3)
        assert told is not None
        feedback.keep(tmp_path, told)
    lines = (tmp_path / "feedback.jsonl").read_text(encoding="utf-8").splitlines()
    first, second = map(json.loads, lines)
    assert first["id"] == second["id"]
    assert second["reason"] == "it was the right one\nindeed"
    assert first["said"][0]["text"] == desk.turns[0].answer.statements[0].text
    assert first["passages"][0]["text"] == desk.turns[0].answer.hits[0].passage.text
    assert first["archive_sequence"] == 3


def test_what_readers_liked_is_evaluated_with(archive: Archive, tmp_path: Path) -> None:
    desk = asked(archive, Desk(), "What about the harbour bridge?")[-1]
    for liked in (False, True):
        told = feedback.feedback_of(desk, 0, liked=liked)
        assert told is not None
        feedback.keep(tmp_path, told)
    with (tmp_path / "feedback.jsonl").open(encoding="utf-8") as lines:
        disliked, liked_one = read_questions(lines)
    assert disliked.gold == ()
    assert liked_one.gold == ("courier.example/harbour",)
    assert liked_one.question == "What about the harbour bridge?"


def test_no_thumb_is_kept_of_a_turn_that_is_not_there() -> None:
    assert feedback.feedback_of(Desk(), 0, liked=True) is None


def test_a_day_of_the_plot_narrows_to_that_day() -> None:
    day = datetime(2024, 10, 21, 13, 5, tzinfo=UTC)
    filters = within(Asked("Who?", Filters(publishers=("A",))), day, day).filters
    assert filters.after == datetime(2024, 10, 21, tzinfo=UTC)
    assert filters.before == datetime(2024, 10, 22, tzinfo=UTC)
    assert filters.publishers == ("A",)


def test_what_the_fields_narrow_is_a_chip_as_well(archive: Archive) -> None:
    filters = Filters(after=datetime(2024, 10, 21, tzinfo=UTC), publishers=("Orchard Gazette",))
    turn = asked(archive, Desk(), "What of the growers?", filters=filters)[-1].turns[0]
    assert turn.understood == (
        ("filters", "only published since 21 October 2024, Orchard Gazette"),
    )


def test_headlines_of_several_publishers_are_offered(archive: Archive) -> None:
    offered = examples(archive)
    assert set(offered) <= {article.title for article in ARTICLES}
    assert len(offered) == len(set(offered)) == 4


def test_an_empty_archive_offers_nothing(tmp_path: Path) -> None:
    with small_archive(tmp_path / "empty", []) as empty:
        assert examples(empty) == []
