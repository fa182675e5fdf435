"""A visitor who floods the page with searches is told so in place, and delays nobody."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.attacks.server import Visit, open_client, serve
from tests.support.fakes import HARBOUR
from ui.web.app import Served
from ui.web.quota import CALL_BURST
from ui.web.updates import EXPORT_BURST, WORK_BURST

pytestmark = pytest.mark.slow

TOLD = "Too many requests at once"
AT_ONCE = 16
ADDRESSES = iter(range(2, 250))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("flooded")) as found:
        yield found


def arrive(server: Served) -> Iterator[Visit]:
    """Open the page as a visitor with an address that no other has."""
    with open_client(server, source=f"127.0.3.{next(ADDRESSES)}") as asking:
        visitor = Visit(server, asking)
        visitor.load()
        yield visitor


@pytest.fixture
def visit(server: Served) -> Iterator[Visit]:
    yield from arrive(server)


@pytest.fixture
def other(server: Served) -> Iterator[Visit]:
    yield from arrive(server)


def index_of(server: Served, name: str) -> int:
    """Return the index of the function, of the view for browsing if several have the name."""
    fns = server.blocks.fns.items()
    named = [(index, fn) for index, fn in fns if fn.name == name]
    of_browse = [index for index, fn in named if "Browse" in repr(fn.fn)]
    return (of_browse or [index for index, _ in named])[0]


# Each with what it's given, and what it shows when it isn't too much
EVENTS: dict[str, tuple[dict[str, Any], str]] = {
    "open_view": ({"query": "?view=browse"}, HARBOUR.title),
    "search": ({}, HARBOUR.title),
    "act": ({"action": "choose", "chosen": [["publisher", HARBOUR.publisher]]}, HARBOUR.title),
    "find_names": ({"prefix": "Ada"}, "Ada Quill"),
    "open_": ({"address": "a/courier.example%2Fharbour"}, HARBOUR.title),
    "similar": ({}, ""),
}


def run(server: Served, visit: Visit, name: str) -> str:
    """Run an event of the page, and return the text of its response."""
    given, _ = EVENTS[name]
    return visit.run(index_of(server, name), event_data=given).text


@pytest.mark.parametrize("name", EVENTS)
def test_flood_is_told_in_place_and_delays_nobody(
    server: Served, visit: Visit, other: Visit, name: str
) -> None:
    _, usual = EVENTS[name]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        flood = [pool.submit(run, server, visit, name) for _ in range(WORK_BURST + 70)]
        began = time.monotonic()
        theirs = run(server, other, name)
        waited = time.monotonic() - began
        answers = [one.result() for one in flood]
    assert usual in theirs
    assert TOLD not in theirs
    assert waited < 5
    told = [one for one in answers if TOLD in one]
    assert len(told) >= 20
    assert all("role=" in one or "bf-missing" in one for one in told)
    assert all('"data"' in one for one in told)  # shown in place, not as an error
    assert usual in answers[0]


def test_exports_of_one_visitor_leave_the_queue_to_others(
    server: Served, visit: Visit, other: Visit
) -> None:
    export = index_of(server, "export")
    ended = [
        visit.call(export, event_data={"form": "csv"})["output"]["data"][0]
        for _ in range(EXPORT_BURST + 2)
    ]
    assert [bool(one) for one in ended] == [True] * EXPORT_BURST + [False] * 2
    assert other.call(export, event_data={"form": "csv"})["output"]["data"][0]


def test_calls_of_any_kind_are_limited(server: Served, visit: Visit, other: Visit) -> None:
    version = index_of(server, "version")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        codes = list(
            pool.map(
                lambda _: visit.run(version, event_data={}).status_code, range(CALL_BURST + 100)
            )
        )
    assert codes.count(429) > 0
    assert codes.count(200) >= CALL_BURST
    assert other.run(version, event_data={}).status_code == 200
