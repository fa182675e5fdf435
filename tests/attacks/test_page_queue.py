"""Quotas: a visitor who asks too much is told at once and delays nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.attacks.server import QUESTION, Visit, ask, open_client, read_answer, serve
from tests.benchmarks.load import hold
from tests.support.fakes import HARBOUR, QuotingChatbot, text_of
from ui.web import quota
from ui.web.app import Served
from ui.web.quota import EVENTS, QUESTIONS, UNREAD_SECONDS, Quota, client_key

pytestmark = pytest.mark.slow

Sources = tuple[str, str]
NUMBERS = count(2)
HELD = "What about the held harbour?"
BUSY = (
    f"Too many questions at once: {QUESTIONS} of yours are still being answered. "
    "Wait for one to finish, then ask again."
)


@pytest.fixture
def sources() -> Sources:
    """Two client addresses that no other test uses."""
    number = next(NUMBERS)
    return f"127.0.1.{number}", f"127.0.2.{number}"


class HoldingChatbot(QuotingChatbot):
    """Answers held questions only after `go` is set."""

    go = Event()

    def stream(self, question: Any, **given: Any) -> Iterator[Any]:
        if "held" in text_of(question):
            assert self.go.wait(60)
        yield from super().stream(question, **given)


@pytest.fixture
def go() -> Iterator[Event]:
    HoldingChatbot.go.clear()
    yield HoldingChatbot.go
    HoldingChatbot.go.set()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("page"), HoldingChatbot) as found:
        yield found


def test_questions_beyond_the_quota_are_rejected_at_once(
    server: Served, go: Event, sources: Sources
) -> None:
    with (
        open_client(server, source=sources[0]) as mine,
        open_client(server, source=sources[1]) as other,
    ):
        joined = [ask(mine, HELD) for _ in range(QUESTIONS)]
        refused = [ask(mine, HELD, n) for n in range(70)]
        assert {told.status_code for told in refused} == {429}
        assert refused[0].json()["detail"] == BUSY
        theirs = ask(other)
        assert theirs.status_code == 200
        go.set()
        assert "was closed on Monday" in read_answer(other, theirs)
        for one in joined:
            assert "was closed on Monday" in read_answer(mine, one)
        assert ask(mine).status_code == 200


def test_quota_error_is_in_the_readers_language(
    server: Served, go: Event, sources: Sources
) -> None:
    with open_client(server, source=sources[0]) as mine:
        for _ in range(QUESTIONS):
            ask(mine, HELD)
        visit = Visit(server, mine)
        visit.load()
        mine.headers["Accept-Language"] = "de"
        begin = visit.index("ask", "submit")
        values = [None, QUESTION, "answer", "relevance", "", "", "", [], [], [], [], []]
        told = visit.join(begin, values)
        assert told.status_code == 429
        assert told.json()["detail"].startswith(f"Zu viele Fragen auf einmal: {QUESTIONS} Ihrer")


def test_administration_does_not_wait_for_questions(
    server: Served, go: Event, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "WAITING", 2)
    with (
        open_client(server, source=sources[0]) as mine,
        open_client(server, source=sources[1]) as other,
    ):
        told = [ask(asking, HELD) for asking in (mine, other) for _ in range(QUESTIONS)]
        assert told[-1].status_code == 429  # the shared queue is full
        assert told[-1].json()["detail"].startswith("The archive is busy answering other questions")
        with open_client(server, token=True) as operator:
            visit = Visit(server, operator)
            visit.load()
            assert visit.call(visit.index("confirm_selected"), event_data={"ids": [HARBOUR.id]})[
                "success"
            ]


def test_client_cannot_choose_its_address(server: Served, go: Event, sources: Sources) -> None:
    with open_client(server, source=sources[0]) as mine:
        told = []
        for n in range(QUESTIONS + 1):
            mine.headers.update({"X-Forwarded-For": f"192.0.2.{n}", "X-Real-IP": f"192.0.2.{n}"})
            told.append(ask(mine, HELD).status_code)
        assert told == [200] * QUESTIONS + [429]


def test_trusted_proxy_names_the_client(tmp_path: Path, go: Event, sources: Sources) -> None:
    with serve(tmp_path, HoldingChatbot, proxies="127.0.0.0/8") as served:
        with open_client(served, source=sources[0]) as proxy:
            told = []
            for n in range(QUESTIONS + 1):
                proxy.headers["X-Forwarded-For"] = f"192.0.2.{n}"
                told.append(ask(proxy, HELD).status_code)
            assert told == [200] * (QUESTIONS + 1)
            told = []
            for n in range(QUESTIONS + 1):  # what stands before the proxy's own word is forged
                proxy.headers["X-Forwarded-For"] = f"192.0.2.{n}, 198.51.100.7"
                told.append(ask(proxy, HELD).status_code)
            assert told == [200] * QUESTIONS + [429]
        go.set()


def test_many_clients_are_answered_beside_a_greedy_one(server: Served) -> None:
    found = hold(server.address, 20, 2.0, greedy=True)
    assert found.errors == []
    assert len(found.seconds) >= 20
    assert found.greedy[429] > 0
    assert found.busy


class FakeEvents:
    """A queue whose events are set by the test."""

    def __init__(self) -> None:
        self.under_way: set[str] = set()
        self.unread: set[str] = set()
        self.dropped: list[str] = []

    def is_under_way(self, event_id: str) -> bool:
        return event_id in self.under_way

    def is_unread(self, session: str, event_id: str) -> bool:
        return event_id in self.unread

    def waiting(self, group: str) -> int:
        return len(self.under_way)

    def drop_messages(self, session: str) -> None:
        self.dropped.append(session)

    def drop(self, session: str) -> None:
        self.dropped.append(session)


def test_unread_answers_are_bounded_and_dropped() -> None:
    now = [0.0]
    events = FakeEvents()
    counted = Quota(events, clock=lambda: now[0])
    for n in range(EVENTS):
        assert counted.rejection_reason("a", "asking") == ""
        counted.add_event("a", f"s{n}", f"e{n}", "asking")
        events.unread.add(f"e{n}")
    assert counted.rejection_reason("a", "asking") == "busy"
    assert counted.rejection_reason("b", "asking") == ""
    now[0] += UNREAD_SECONDS + 1
    assert counted.rejection_reason("a", "asking") == ""
    assert sorted(events.dropped) == sorted(f"s{n}" for n in range(EVENTS))


def test_quota_counts_events_without_an_id() -> None:
    counted = Quota(FakeEvents())
    with counted.reserve_place("a", "asking"), counted.reserve_place("a", "asking"):
        assert counted.rejection_reason("a", "asking") == ""
        with counted.reserve_place("a", "asking"):
            assert counted.rejection_reason("a", "asking") == "busy"
    assert counted.rejection_reason("a", "asking") == ""


def test_ipv6_household_is_one_client() -> None:
    assert client_key("2001:db8:0:1::7") == client_key("2001:db8:0:1:ffff::1")
    assert client_key("2001:db8:0:2::7") != client_key("2001:db8:0:1::7")
    assert client_key("::ffff:192.0.2.1") == client_key("192.0.2.1")
    assert json.dumps(client_key("x" * 1000)) == json.dumps("x" * 64)
