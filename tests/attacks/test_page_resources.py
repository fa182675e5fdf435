"""Memory and disk: closed routes, bounded sessions, bounded feedback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.schema import Answer, Hit, Passage
from tests.attacks.server import QUESTION, Visit, ask, open_client, read_answer, serve
from tests.support.fakes import HARBOUR
from ui.web import browser_storage, feedback
from ui.web.app import Served
from ui.web.feedback import DailyLimit
from ui.web.quota import SESSIONS, SESSIONS_EACH, Bucket
from ui.web.state import MOST_TURNS, AskRequest, Conversation, Session, Turn

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("page")) as found:
        yield found


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "component_server"),
        ("POST", "process_recording"),
        ("POST", "stream/x"),
        ("POST", "vibe-code/"),
        ("POST", "run/ask"),
        ("POST", "api/ask"),
        ("POST", "call/v2/ask"),
        ("POST", "call/feed"),
        ("POST", "call/lambda"),
        ("GET", "proxy=http://127.0.0.1:1/"),
        ("GET", "file=/etc/passwd"),
        ("GET", "file/etc/passwd"),
        ("GET", "startup-events"),
        ("GET", "runs"),
        ("GET", "openapi.json"),
        ("GET", "deep_link?session_hash=x"),
        ("GET", "dev/reload"),
        ("GET", "token"),
        ("PUT", "queue/join"),
        ("DELETE", "queue/data"),
        ("GET", "../monitoring"),
        ("GET", "../docs"),
        ("GET", "../svelte/x"),
    ],
)
def test_unused_route_is_closed(server: Served, method: str, path: str) -> None:
    with open_client(server, token=True) as asking:
        told = asking.request(method, f"/gradio_api/{path}", content=b"{}")
        assert told.status_code == 404
        assert told.text.count("Not found: this address") >= 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_login_without_users_only_leads_to_the_page(server: Served, method: str) -> None:
    with open_client(server, token=True) as asking:
        told = asking.request(method, "/login?next=https://evil.example/", content=b"{}")
        assert told.status_code == 303
        assert told.headers["location"] == "/"
        assert "set-cookie" not in told.headers


def test_queued_function_cannot_bypass_the_queue(server: Served) -> None:
    with open_client(server) as asking:
        visit = Visit(server, asking)
        assert visit.run(visit.index("stream_answer")).status_code == 404
        assert visit.join(visit.index("load")).status_code == 404


def test_upload_without_permission_leaves_no_file(
    server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_client(server) as asking:
        files = {"files": ("big.bin", b"x" * 5_000_000)}
        told = asking.post("/gradio_api/upload?upload_id=x", files=files)
        assert told.status_code == 403


def test_sessions_of_one_client_do_not_evict_others(server: Served) -> None:
    app = server.server.config.loaded_app.page._page.gradio  # type: ignore[union-attr]
    with open_client(server) as mine, open_client(server, source="127.0.0.9") as flooding:
        visit = Visit(server, mine)
        visit.load()
        visit.ask(QUESTION)
        for _ in range(SESSIONS_EACH + 20):
            Visit(server, flooding).load()
        assert len(app.state_holder.session_data) <= SESSIONS
        assert SESSIONS_EACH <= len(app.state_holder.session_data) <= SESSIONS_EACH + 5
        assert visit.session in app.state_holder.session_data
        assert "was closed on Monday" in json.dumps(visit.ask("And the harbour bridge?"))


def test_api_questions_leave_no_session(server: Served) -> None:
    app = server.server.config.loaded_app.page._page.gradio  # type: ignore[union-attr]
    queue = server.blocks._queue
    with open_client(server, source="127.0.0.10") as asking:
        before = len(app.state_holder.session_data), len(queue.pending_messages_per_session)
        for _ in range(8):
            read_answer(asking, ask(asking))
        after = len(app.state_holder.session_data), len(queue.pending_messages_per_session)
    assert after[0] <= before[0] + 2
    assert after[1] <= before[1] + 2


def make_turn(characters: int) -> Turn:
    passage = Passage(HARBOUR.id, 1, 0, characters, "x" * characters)
    return Turn(AskRequest("Who?"), Answer("Who?", hits=(Hit(passage, HARBOUR.metadata, 1.0),)))


def test_server_session_is_bounded() -> None:
    big = Session(tuple(Conversation(turns=(make_turn(50_000),) * 10) for _ in range(20)))
    small = big.trim(1_200_000)
    turns = [turn for conversation in small.conversations for turn in conversation.turns]
    assert sum(turn.size for turn in turns) <= 1_200_000
    assert small.current.turns == big.current.turns  # the oldest went
    assert len(Session((Conversation(turns=(make_turn(10**7),)),)).trim().turns) == 1
    assert big.trim(10**9) == big


def test_forged_spans_do_not_multiply_an_article() -> None:
    text = "x" * 100_000
    article = replace(HARBOUR, text=text)

    class Shelf:
        def article(self, article_id: str, revision: int | None = None, /) -> object:
            return article

        def near_duplicates(self, article_ids: object, /) -> dict[str, object]:
            return {}

    places = [[HARBOUR.id, 1, n, 100_000] for n in range(100)]
    turns = [{"question": "Who?", "mode": "passages", "hits": places}] * MOST_TURNS
    value = {"conversations": [{"id": "x", "turns": turns}] * 20}
    found = browser_storage.from_browser(value, Shelf())  # type: ignore[arg-type]
    passages = {
        id(hit.passage): len(hit.passage.text)
        for conversation in found
        for turn in conversation.turns
        for hit in turn.answer.hits
    }
    assert 0 < sum(passages.values()) <= browser_storage.MAX_RESTORED_TEXT


def test_browser_storage_fits_its_own_limit() -> None:
    said = replace(make_turn(1000), standalone_question="y" * 4000)
    session = Session(tuple(Conversation(turns=(said,) * MOST_TURNS) for _ in range(20)))
    value = browser_storage.to_browser(session)
    assert len(json.dumps(value)) <= 1.2 * browser_storage.MAX_STORED
    assert len(value["conversations"][0]["turns"]) == MOST_TURNS


def test_feedback_line_is_small_and_rate_limited(tmp_path: Path) -> None:
    with serve(tmp_path) as served, open_client(served) as asking:
        visit = Visit(served, asking)
        visit.load()
        visit.ask(QUESTION)
        event = {"turn": 1, "liked": True}
        told = [visit.run(visit.index("thumb"), event_data=event).status_code for _ in range(40)]
        file = tmp_path / "archive" / feedback.FILE
        lines = file.read_bytes().splitlines()
        assert told[0] == 200
        assert 20 <= len(lines) < 40
        assert max(map(len, lines)) < 20_000


def test_feedback_is_bounded_by_line_day_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    huge = [make_turn(50_000)] * 1
    hits = huge[0].answer.hits * 500
    session = Session((Conversation(turns=(replace(huge[0], answer=Answer("Who?", hits=hits)),)),))
    told = feedback.make_feedback(session, 0, liked=True, reason="y" * 10**6)
    assert told is not None
    assert feedback.save_feedback(tmp_path, told)
    size = (tmp_path / feedback.FILE).stat().st_size
    assert size <= feedback.MAX_LINE
    ledger = DailyLimit(3 * size)
    assert [feedback.save_feedback(tmp_path, told, ledger) for _ in range(4)] == [
        True,
        True,
        True,
        False,
    ]
    monkeypatch.setattr(feedback, "MAX_FILE", 4 * size)
    assert not feedback.save_feedback(tmp_path, told)
    assert (tmp_path / feedback.FILE).stat().st_size == 4 * size


def test_bucket_refills_with_time() -> None:
    now = [0.0]
    bucket = Bucket(burst=2, seconds=10.0, clock=lambda: now[0])
    assert [bucket.take("a") for _ in range(3)] == [True, True, False]
    assert bucket.take("b")
    now[0] = 10.0
    assert [bucket.take("a") for _ in range(2)] == [True, False]
