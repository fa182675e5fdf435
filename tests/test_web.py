"""The page without a browser: what it says, what it keeps apart, what it lets programs call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.archive import Archive
from rag.errors import ChatModelError
from rag.schema import Answer
from tests.fakes import ARTICLES, QuotingChatbot, small_archive
from ui import web


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with small_archive(tmp_path_factory.mktemp("page") / "archive") as opened:
        yield opened


@pytest.fixture(scope="module")
def page(archive: Archive) -> Any:
    return web.build_page(archive, QuotingChatbot(archive))  # type: ignore[arg-type]


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


def test_a_conversation_grows_by_whole_answers(archive: Archive) -> None:
    chatbot: Any = QuotingChatbot(archive)
    states = list(web.conversations(chatbot, " What about the harbour bridge? ", ()))
    assert states[0][0][1].notice
    asked, answer = states[-1][-1]
    assert asked == "What about the harbour bridge?"
    assert answer.statements[0].text == "The harbour bridge was closed on Monday after the storm."
    again = list(web.conversations(chatbot, "apples", states[-1]))[-1]
    assert [question for question, _ in again] == [asked, "apples"]
    assert again[0] == states[-1][0]


def test_no_question_changes_nothing(archive: Archive) -> None:
    chatbot: Any = QuotingChatbot(archive)
    before = (("Who?", Answer("Who?")),)
    assert list(web.conversations(chatbot, "  ", before)) == [before]


def test_what_goes_wrong_is_said_in_the_chat() -> None:
    class Failing:
        def stream(self, question: str, **given: object) -> Iterator[Answer]:
            yield Answer(question, notice="Found 3 passages")
            raise ChatModelError("the chat model did not answer: is it running?")

    chatbot: Any = Failing()
    *_, ((_, answer),) = web.conversations(chatbot, "Who?", ())
    assert answer.refused
    said = web.messages((("Who?", answer),))[-1]["content"]
    assert "the chat model did not answer" in said


def test_headlines_of_several_publishers_are_offered(archive: Archive) -> None:
    offered = web.examples(archive)
    assert set(offered) <= {article.title for article in ARTICLES}
    assert len(offered) == len(set(offered)) == 4


def test_an_empty_archive_offers_nothing(tmp_path: Path) -> None:
    with small_archive(tmp_path / "empty", []) as empty:
        assert web.examples(empty) == []
