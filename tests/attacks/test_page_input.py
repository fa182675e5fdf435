"""Forged input from a browser: dropped, without a delay or a traceback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.attacks.server import QUESTION, Visit, ask, open_client, read_answer, serve
from tests.support.fakes import HARBOUR
from ui.web import input_validation
from ui.web.app import Served
from ui.web.ask_request import request_from_fields, request_from_link

pytestmark = pytest.mark.slow

FREEZING = "who wrote " + "a-" * 60_000
TURN = {"question": "Who?", "fields": {"after": "2024-10-01"}}
PLACE = [HARBOUR.id, 1, 0, 40]
MOST_SECONDS = 20.0  # the machine is shared; the attack took minutes


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("page")) as found:
        yield found


@pytest.fixture
def visit(server: Served) -> Iterator[Visit]:
    with open_client(server) as asking:
        yield Visit(server, asking)


@pytest.mark.parametrize("length", [1_500, 120_000])
def test_ask_states_the_question_length_limit(server: Served, length: int) -> None:
    with open_client(server) as asking:
        assert "at most 1,000" in read_answer(asking, ask(asking, "a" * length))


def browser_value(*turns: dict[str, Any], **given: Any) -> dict[str, Any]:
    return {"conversations": [{"id": "0" * 16, "turns": list(turns), **given}]}


def load_page(visit: Visit, value: object) -> str:
    """Load the page with a browser's storage, and return all that it shows."""
    told = visit.load(value)
    assert told.status_code == 200, told.text
    return told.text


def test_forged_conversation_does_not_freeze_the_page(visit: Visit) -> None:
    begun = time.monotonic()
    assert "a-a-a" not in load_page(visit, browser_value({**TURN, "question": FREEZING}))
    assert "a-a-a" not in load_page(visit, browser_value({**TURN, "alone": FREEZING}))
    plotted = visit.index("<lambda>")
    assert visit.asking.get("/config").is_success
    assert visit.run(plotted).status_code < 500
    assert time.monotonic() - begun < MOST_SECONDS


@pytest.mark.parametrize(
    "value",
    [
        [],
        "x" * 100_000,
        {"conversations": {"0": []}},
        {"conversations": [None, 1, [], {"id": [], "turns": 7}]},
        browser_value({"question": None}),
        browser_value({**TURN, "fields": {"after": "9999-12-31", "before": "0001-01-01"}}),
        browser_value({**TURN, "asked_on": "0001-01-01T00:00:00+14:00"}),
        browser_value({**TURN, "as_of": "9999-12-31T23:59:59-12:00"}),
        browser_value({**TURN, "sequence": 10**30, "considered": -1}),
        browser_value({**TURN, "hits": [[HARBOUR.id, 10**40, -1, 0]]}),
        browser_value({**TURN, "hits": [["\u0000", 1, 0, 10**12]], "mode": "passages"}),
        browser_value({**TURN, "understood": [["x" * 10**5, "y"]] * 5}),
        browser_value({**TURN, "struck": ["window"] * 10_000}),
        browser_value(*[TURN] * 1000),
    ],
)
def test_forged_conversations_give_a_clean_page(visit: Visit, value: object) -> None:
    assert "bf-banner" not in load_page(visit, value)
    told = visit.ask(QUESTION)
    assert "was closed on Monday" in json.dumps(told)


def test_genuine_conversation_beside_forged_one_is_restored(visit: Visit) -> None:
    value = browser_value(TURN)
    value["conversations"].insert(0, {"id": "x", "turns": [{"question": FREEZING}]})
    assert "Who?" in load_page(visit, value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"data": ' + b"[" * 400_000,
        b'{"data": [], "fn_index": 1' + b"0" * 300_000 + b"}",
        b'{"data": [], "fn_index": 99999, "session_hash": "x"}',
        b'{"data": [], "fn_index": 0, "session_hash": "../../x"}',
        b'{"data": [], "fn_index": 0}',
        b'{"data": [NaN, "\\ud800"], "fn_index": 0, "session_hash": "x"}',
        b'{"data": {}, "fn_index": 0, "session_hash": "x"}',
    ],
)
def test_malformed_call_gets_a_one_line_error(visit: Visit, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    for route in ("queue/join", "run/predict", "call/ask", "cancel"):
        told = visit.asking.post(f"/gradio_api/{route}", content=body, headers=headers)
        assert told.status_code < 500, (route, told.text)
        assert told.status_code >= 400 or route == "call/ask", told.text
        assert "Traceback" not in told.text


@pytest.mark.parametrize(
    "value", [None, 7, [], {}, ["x"] * 10_000, {"index": "x"}, {"index": [-1, 10**30]}, "x" * 10**5]
)
def test_forged_event_does_nothing(visit: Visit, value: object) -> None:
    visit.load()
    visit.ask(QUESTION)
    for name in ("thumb", "open_", "version", "change_list"):
        told = visit.run(visit.index(name), event_data=value)
        assert told.status_code == 200, (name, told.text)
    for name in ("ask_suggested", "ask_again", "widen", "pick", "copy", "link", "save"):
        index = visit.index(name)
        assert visit.call(index, event_data=value)["success"], name
    assert "was closed on Monday" in visit.load(None).text


def test_forged_click_on_card_or_bar_does_nothing(visit: Visit) -> None:
    visit.load()
    visit.ask(QUESTION)
    for event in (
        {"turn": 1, "card": 10**9, "revision": 2**80},
        {"turn": "1", "card": {}, "revision": []},
        {"turn": True, "card": 1.5},
    ):
        told = visit.run(visit.index("open_"), event_data=event)
        assert told.status_code == 200
        assert "bf-article" not in told.text
    for days in ("9999-99-99/0000-00-00", "2024-10-22/2024-10-21", "2024-10-21", ["x"]):
        assert visit.call(visit.index("pick"), event_data={"days": days})["success"]


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("version", {"turn": 1, "version": 10**9}),
        ("version", {"turn": 40, "version": 0}),
        ("change_list", {"action": "delete", "id": "../" * 99}),
        ("change_list", {"action": "rename", "id": "0" * 16, "name": "x" * 10**5}),
        ("change_list", {"action": "undo", "id": {}}),
        ("change_list", {"action": "withdraw", "id": HARBOUR.id}),
    ],
)
def test_forged_action_keeps_the_conversation(
    visit: Visit, name: str, event: dict[str, Any]
) -> None:
    visit.load()
    visit.ask(QUESTION)
    assert visit.run(visit.index(name), event_data=event).status_code == 200
    assert "was closed on Monday" in visit.load().text


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("save", {"turn": 1, "form": "exe"}),
        ("save", {"turn": -1, "form": "ris"}),
        ("copy", {"turn": 2**40}),
        ("link", {"turn": 7}),
    ],
)
def test_forged_export_gives_nothing(visit: Visit, name: str, event: dict[str, Any]) -> None:
    visit.load()
    visit.ask(QUESTION)
    told = visit.call(visit.index(name), event_data=event)
    assert told["success"]
    assert told["output"]["data"] == [None]


@pytest.mark.parametrize("wrong", [["x"], {"a": 1}, 7, "x" * 300_000])
def test_forged_question_gets_a_plain_error(visit: Visit, wrong: object) -> None:
    visit.load()
    begin = visit.index("ask", "submit")
    values = [None, wrong, "answer", "relevance", "", "", "", [], [], [], [], []]
    told = visit.join(begin, values)
    assert told.status_code == 400
    assert told.json()["detail"] == "The page sent an invalid value. Reload it."


def test_unknown_choices_are_ignored(visit: Visit) -> None:
    visit.load()
    begin = visit.index("ask", "submit")
    strange = [["nobody's"], ["x" * 400], [], ["??"], ["nobody's"]]
    told = visit.call(begin, [None, "Who?", "shout", True, "0001", "9999-12-31", "x", *strange])
    assert told["success"]


@pytest.mark.parametrize(
    ("question", "k"), [(None, 3), ([], 3), ({}, 3), ("x", "many"), ("x", [1]), ("x", 1e300)]
)
def test_endpoint_rejects_wrong_arguments(visit: Visit, question: object, k: object) -> None:
    told = read_answer(visit.asking, ask(visit.asking, question, k))
    assert "event: error" in told
    assert "Traceback" not in told


def test_endpoint_limits_k(visit: Visit) -> None:
    told = read_answer(visit.asking, ask(visit.asking, QUESTION, 10**6))
    assert "was closed on Monday" in told


def test_link_and_fields_are_bounded() -> None:
    asked = request_from_link(
        [("q", "x" * 10**6), ("after", "y" * 10**6), ("publishers", "z" * 10**6)]
    )
    assert asked is not None
    assert len(asked.question) <= 4000
    assert asked.filters.publishers == ()
    days = {"before": "9999-12-31", "after": "0001-01-01", "asked_on": 7}
    fields: dict[str, object] = {**days, "authors": [f"x{n}" for n in range(10**4)]}
    asked, wrong = request_from_fields("Who?", "answer", "relevance", fields)
    assert wrong == ["7", "0001-01-01", "9999-12-31"]
    assert len(asked.filters.authors) == 200


def test_kept_turn_round_trips() -> None:
    turn = input_validation.StoredTurn(
        question="Who?", hits=[("a", 1, 0, 3)], fields={"authors": ["A"]}
    )
    back = input_validation.read_json(input_validation.StoredTurn, turn.model_dump_json().encode())
    assert back == turn


def test_server_still_answers_after_forged_input(server: Served) -> None:
    with open_client(server) as asking:
        assert "was closed on Monday" in read_answer(asking, ask(asking))
        assert isinstance(asking, httpx.Client)
