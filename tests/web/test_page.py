"""The page without a browser: turns, sessions, browser storage, links and filters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from rag.archive.archive import Archive
from rag.errors import ChatModelError
from rag.query.parser import ParsedQuery
from rag.schema import Answer, Article, ArticleMetadata, Filters, Notice, Statement
from tests.support.fakes import (
    ARTICLES,
    HARBOUR,
    ORCHARD,
    QuotingChatbot,
    WordEmbeddings,
    small_archive,
)
from tests.support.sessions import run_question
from ui.i18n import texts_in
from ui.web import browser_storage, run_turn
from ui.web.archive_summary import SummaryCache, suggestions
from ui.web.ask_request import (
    fields_from_request,
    limit_dates,
    permalink,
    request_from_fields,
    request_from_link,
)
from ui.web.state import MOST_VERSIONS, AskRequest, Conversation, Session, Turn
from ui.web.views.thread import thread_pieces
from ui.web.withdrawn import LOST


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with small_archive(tmp_path_factory.mktemp("page") / "archive") as opened:
        yield opened


def test_conversation_grows_by_whole_answers(archive: Archive) -> None:
    sessions = run_question(archive, Session(), " What about the harbour bridge? ")
    assert sessions[0].turns[0].progress == "growing"
    (turn,) = sessions[-1].turns
    assert turn.request.question == "What about the harbour bridge?"
    assert turn.answer.statements[0].text.startswith("The harbour bridge was closed on Monday")
    again = run_question(archive, sessions[-1], "apples")[-1]
    assert [t.request.question for t in again.turns] == ["What about the harbour bridge?", "apples"]
    assert again.turns[0] == turn


def test_empty_question_changes_nothing() -> None:
    session = Session()
    assert run_turn.begin_turn(session, AskRequest("  ")) is session


def test_no_question_starts_while_another_is_answered(archive: Archive) -> None:
    waiting = run_turn.begin_turn(Session(), AskRequest("What about the harbour bridge?"))
    growing = next(run_turn.run_turn(archive, QuotingChatbot(archive), waiting))  # type: ignore[arg-type]
    for busy in (waiting, growing):
        assert run_turn.begin_turn(busy, AskRequest("apples")) is busy
        assert run_turn.begin_turn(busy, AskRequest("apples"), 0) is busy
    assert len(run_turn.begin_turn(run_turn.stop_turn(growing), AskRequest("apples")).turns) == 2


def test_error_is_shown_in_the_chat(archive: Archive) -> None:
    class Failing:
        chat_model = None

        def stream(self, question: ParsedQuery, **given: object) -> Iterator[Answer]:
            yield Answer(question.text)
            raise ChatModelError("the chat model did not answer: is it running?")

    chatbot: Any = Failing()
    session = run_turn.begin_turn(Session(), AskRequest("Who?"))
    *_, session = run_turn.run_turn(archive, chatbot, session)
    assert session.turns[0].answer.refused
    said = "".join(thread_pieces(session.turns, texts_in("en"), ())[0])
    assert "the chat model did not answer" in said


def test_stopped_answer_keeps_its_statements(archive: Archive) -> None:
    begun = run_turn.begin_turn(Session(), AskRequest("What about the harbour bridge?"))
    answers = run_turn.run_turn(archive, QuotingChatbot(archive), begun)  # type: ignore[arg-type]
    growing = next(answers)
    stopped = run_turn.stop_turn(growing)
    assert stopped.turns[-1].progress == "stopped"
    assert stopped.turns[-1].answer == growing.turns[-1].answer
    assert list(answers) == []
    assert list(run_turn.run_turn(archive, None, stopped)) == []  # type: ignore[arg-type]


def test_broken_off_answer_is_stopped(archive: Archive) -> None:
    class Broken:
        chat_model = None

        def stream(self, question: ParsedQuery, **given: object) -> Iterator[Answer]:
            yield Answer(question.text)
            raise RuntimeError

    chatbot: Any = Broken()
    session = run_turn.begin_turn(Session(), AskRequest("Who?"))
    assert run_turn.finish_turn(session) is session
    answers = run_turn.run_turn(archive, chatbot, session)
    growing = next(answers)
    assert run_turn.finish_turn(growing) is growing
    with pytest.raises(RuntimeError):
        list(answers)
    assert run_turn.finish_turn(growing).turns[-1].progress == "stopped"


def test_turn_keeps_its_time_and_standalone_question(archive: Archive) -> None:
    session = run_question(archive, Session(), "What about the harbour bridge?")[-1]
    session = run_question(archive, session, "And what about it last week?")[-1]
    first, second = session.turns
    assert first.sequence == archive.version
    assert first.asked_on is not None
    assert "harbour bridge" in second.standalone_question
    assert second.request.question == "And what about it last week?"


def test_question_outside_coverage_is_flagged(archive: Archive) -> None:
    before, after = datetime(2023, 3, 1, tzinfo=UTC), datetime(2023, 4, 1, tzinfo=UTC)
    for question, filters, outside in (
        ("What was reported about the harbour in March 2023?", Filters(), True),
        ("What was reported about the harbour in October 2024?", Filters(), False),
        ("What of the harbour?", Filters(after=before, before=after), True),
        ("What of the harbour?", Filters(), False),
    ):
        turn = run_question(archive, Session(), question, filters=filters)[-1].turns[0]
        assert turn.out_of_coverage == outside, question


def test_browser_storage_keeps_spans_not_text(archive: Archive) -> None:
    session = run_question(archive, Session(), "What about the harbour bridge?")[-1]
    value = browser_storage.to_browser(session)
    assert "six weeks" in session.turns[0].answer.hits[0].passage.text
    assert "six weeks" not in json.dumps(value)
    (back,) = browser_storage.from_browser(value, archive)
    assert back.turns[0].answer.citations == session.turns[0].answer.citations
    assert back.turns[0].request == session.turns[0].request
    assert [h.passage for h in back.turns[0].answer.hits] == [
        h.passage for h in session.turns[0].answer.hits
    ]


def test_browser_storage_restores_the_whole_session(archive: Archive) -> None:
    begun = run_turn.begin_turn(
        Session(), AskRequest("What about the harbour?", removed_constraints=("window", "moon"))
    )
    answers = run_turn.run_turn(archive, QuotingChatbot(archive), begun)  # type: ignore[arg-type]
    stopped = run_turn.stop_turn(next(answers))
    session = run_question(archive, stopped, "What about the harbour bridge?")[-1]
    last = session.turns[-1]
    session = session.with_last_turn(
        replace(last, answer=replace(last.answer, candidates_considered=77))
    )

    class Reprinted:
        def article(self, article_id: str, revision: int | None = None, /) -> Article | None:
            return archive.article(article_id, revision)

        def near_duplicates(
            self, article_ids: Iterable[str], /
        ) -> dict[str, tuple[ArticleMetadata, ...]]:
            return dict.fromkeys(article_ids, (ORCHARD.metadata,))

    (back,) = browser_storage.from_browser(browser_storage.to_browser(session), Reprinted())
    first, second = back.turns
    assert first.progress == "stopped"
    assert first.request.removed_constraints == ("window",)
    assert thread_pieces(back.turns, texts_in("de"), ())
    assert second.answer.candidates_considered == 77
    assert second.answer.citations[0].copies == (ORCHARD.metadata,)
    assert (second.id, second.sequence, second.asked_on, second.standalone_question) == (
        *(session.turns[-1].id, session.turns[-1].sequence),
        *(session.turns[-1].asked_on, session.turns[-1].standalone_question),
    )


def test_browser_storage_restores_notices_and_drops_forged_ones(archive: Archive) -> None:
    label = Notice("dated", day="2024-10-21")
    why = Notice("names_missing", names=["Ada Quill", "Jonas Berg"])
    notices = (Notice("low_confidence"), Notice("corrected", title="A", correction="B"))
    reason = Notice("number_missing", number="nine")
    said = Statement("It rained.", (), "partly", reason, label)
    answer = Answer(
        "Who?", (said,), refused=True, refusal=why, notices=notices, rejected_statements=(said,)
    )
    session = Session((Conversation(turns=(Turn(AskRequest("Who?"), answer),)),))
    value = json.loads(json.dumps(browser_storage.to_browser(session)))
    (back,) = browser_storage.from_browser(value, archive)
    assert back.turns[0].answer == answer

    (turn,) = value["conversations"][0]["turns"]
    turn["notices"] += [
        {"code": "no_such_code"},
        {"code": "dated", "params": {"day": "no day"}},
        {"code": "names_missing", "params": {"names": 7, "name": "A"}},
    ]
    turn["refusal"] = {"code": "later_article", "params": {"source": "A", "published": "9999999"}}
    (back,) = browser_storage.from_browser(value, archive)
    assert back.turns[0].answer.notices == notices
    assert back.turns[0].answer.refusal is None
    assert thread_pieces(back.turns, texts_in("de"), ())


def test_browser_storage_restores_texts_of_an_earlier_version(archive: Archive) -> None:
    said = {"text": "[3 May 2024:] It rained.", "support": "partly", "reason": "only part of it"}
    turn = {"question": "Who?", "statements": [said], "notice": "The passages differ."}
    value = {"conversations": [{"id": "0" * 16, "turns": [turn]}]}
    (back,) = browser_storage.from_browser(value, archive)
    answer = back.turns[0].answer
    assert answer.notices == (Notice("message", text="The passages differ."),)
    assert answer.statements[0].reason == Notice("message", text="only part of it")
    shown = "".join(chain(*thread_pieces(back.turns, texts_in("en"), ())))
    assert "The passages differ" in shown


def test_browser_storage_does_not_restore_withdrawn_articles(archive: Archive) -> None:
    class Emptied:
        def article(self, article_id: str, revision: int | None = None, /) -> Article | None:
            return None

        def near_duplicates(
            self, article_ids: Iterable[str], /
        ) -> dict[str, tuple[ArticleMetadata, ...]]:
            return {}

    session = run_question(archive, Session(), "What about the harbour bridge?")[-1]
    (back,) = browser_storage.from_browser(browser_storage.to_browser(session), Emptied())
    assert back.turns[0].answer.statements == ()
    assert back.turns[0].answer.notices == (LOST,)


@pytest.mark.parametrize("value", [None, 7, "x", {}, {"conversations": [{"id": 1}]}, [[]]])
def test_browser_storage_ignores_other_values(archive: Archive, value: object) -> None:
    assert browser_storage.from_browser(value, archive) == ()


def test_permalink_round_trips_the_request() -> None:
    fields: dict[str, object] = {
        "after": "2024-10-01",
        "before": "2024-10-31",
        "asked_on": "2024-11-15",
        "publishers": ["A & B", "Ç"],
        "authors": [],
        "sections": ["World"],
        "languages": ["en"],
        "excluded": ["B &"],
    }
    question, wrong = request_from_fields("Who & why?", "timeline", "date", fields)
    assert not wrong
    assert question.filters.before == datetime(2024, 11, 1, tzinfo=UTC)
    assert request_from_link(parse_qsl(permalink(question)[1:])) == question
    assert fields_from_request(question) == fields
    assert request_from_link([("after", "2024-10-01")]) is None


def test_invalid_date_is_named_and_filters_nothing() -> None:
    question, wrong = request_from_fields("Who?", "answer", "relevance", {"after": "10/11/2024"})
    assert wrong == ["10/11/2024"]
    assert question.filters.after is None


def test_conversations_are_switched_and_deleted(archive: Archive) -> None:
    first = run_question(archive, Session(), "What about the harbour bridge?")[-1]
    second = run_question(archive, first.start_conversation(), "What about the apples?")[-1]
    assert second.conversations[0].title == "What about the apples?"
    back = second.open_conversation(first.current.id)
    assert back.current == first.current
    assert back.open_conversation("nobody's") is back
    named = back.rename(first.current.id, "The bridge")
    assert [one.title for one in named.conversations] == ["The bridge", "What about the apples?"]
    assert named.open_conversation(second.current.id).conversations[1].title == "The bridge"
    deleted = named.delete(first.current.id)
    assert deleted.turns == ()
    assert deleted.undelete().current == named.current
    other = named.delete(second.current.id)
    assert [one.id for one in other.conversations] == [first.current.id]
    assert other.undelete().conversations == named.conversations
    assert other.start_conversation().undelete().deleted is None
    assert named.delete("nobody's") is named


def test_answer_asked_again_keeps_its_earlier_versions(archive: Archive) -> None:
    session = run_question(archive, Session(), "What about the harbour bridge?")[-1]
    for mode in ("passages", "timeline"):
        asked = replace(session.turns[0].request, mode=mode)  # type: ignore[arg-type]
        session = run_turn.begin_turn(session, asked, 0)
        *_, session = run_turn.run_turn(archive, QuotingChatbot(archive), session)  # type: ignore[arg-type]
    (turn,) = session.turns
    assert [one.request.mode for one in turn.versions] == ["answer", "passages", "timeline"]
    assert turn.version == 2
    first = turn.show_version(0)
    assert first.request.mode == "answer"
    assert first.versions == turn.versions
    assert first.show_version(2) == turn
    assert turn.show_version(3) is turn
    shown = session.with_last_turn(first)
    (back,) = browser_storage.from_browser(browser_storage.to_browser(shown), archive)
    assert [one.request for one in back.turns[0].versions] == [o.request for o in turn.versions]
    assert back.turns[0].version == 0
    for _ in range(9):
        turn = turn.ask_again(Turn(turn.request, Answer("Who?")))
    assert len(turn.versions) == MOST_VERSIONS
    assert turn.version == MOST_VERSIONS - 1


def test_day_of_the_histogram_limits_to_that_day() -> None:
    day = datetime(2024, 10, 21, 13, 5, tzinfo=UTC)
    filters = limit_dates(AskRequest("Who?", Filters(publishers=("A",))), day, day).filters
    assert filters.after == datetime(2024, 10, 21, tzinfo=UTC)
    assert filters.before == datetime(2024, 10, 22, tzinfo=UTC)
    assert filters.publishers == ("A",)


def test_filter_fields_are_shown_as_a_constraint(archive: Archive) -> None:
    filters = Filters(after=datetime(2024, 10, 21, tzinfo=UTC), publishers=("Orchard Gazette",))
    turn = run_question(archive, Session(), "What of the growers?", filters=filters)[-1].turns[0]
    assert turn.understood == (("filters", "only from 21 October 2024, Orchard Gazette"),)


def test_suggestions_are_questions_about_the_stories(tmp_path: Path) -> None:
    told = "“Velsund will need help for many months now,” Mayor Ada Quill said. It rained."
    story = HARBOUR.replace(title="Ada Quill resigns after the Velsund flood", text=told)
    with small_archive(tmp_path / "archive", [story, ORCHARD]) as archive:
        offered = [one.question for one in suggestions(archive, archive.status())]
    assert offered
    assert not set(offered) & {story.title, ORCHARD.title}
    assert any("Quill" in question or "Velsund" in question for question in offered)


def test_suggestions_without_stories_are_headlines_of_several_publishers(archive: Archive) -> None:
    offered = [one.question for one in suggestions(archive, archive.status())]
    assert set(offered) <= {article.title for article in ARTICLES}
    assert len(offered) == len(set(offered)) == 4


def test_summary_is_computed_once_per_sequence_number(tmp_path: Path) -> None:
    class Counting:
        def __init__(self, archive: Archive) -> None:
            self.archive = archive
            self.counted = 0

        def __getattr__(self, name: str) -> Any:
            self.counted += name == "status"
            return getattr(self.archive, name)

    with small_archive(tmp_path / "archive") as opened:
        counting: Any = Counting(opened)
        overview = SummaryCache(counting)
        assert overview.current() is overview.current()
        assert counting.counted == 1
        with Archive.open(opened.path, mode="write", embeddings=WordEmbeddings()) as writer:
            writer.withdraw([ORCHARD.id])
        assert overview.current().status.articles == len(ARTICLES) - 1
        assert counting.counted == 2


def test_empty_archive_has_no_suggestions(tmp_path: Path) -> None:
    with small_archive(tmp_path / "empty", []) as empty:
        assert suggestions(empty, empty.status()) == ()
