"""FairQueue and rate limits: turns, waits, and polite refusals."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import pytest
from starlette.testclient import TestClient

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.errors import SettingsError
from rag.settings import Settings
from tests.api.conftest import ReaderMiddleware
from ui.accounts.audit import OFF, Sender
from ui.api.app import create_api
from ui.api.fair_queue import FairQueue, Slot
from ui.api.limits import RateLimits
from ui.api.problems import ProblemError
from ui.api.services import Services
from ui.api.work import RequestWork, WorkScheduler
from ui.readers import LOCAL_VISITOR, Reader


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 10))


async def _queue_up(queue: FairQueue, readers: str, order: list[str]) -> list[asyncio.Task[None]]:
    """Have readers wait in this order; each notes when it got a slot, and gives it back."""

    async def wait(reader: str) -> None:
        slot = await queue.acquire(reader)
        order.append(reader)
        slot.release()

    tasks = []
    for reader in readers:
        tasks.append(asyncio.create_task(wait(reader)))
        await asyncio.sleep(0)
    return tasks


def test_readers_take_turns_whatever_one_has_queued() -> None:
    async def work() -> None:
        queue, order = FairQueue(1, 1000.0), list[str]()
        first = await queue.acquire("a")
        tasks = await _queue_up(queue, "aaaaabbc", order)
        assert queue.waiting == 8
        first.release()
        await asyncio.gather(*tasks)
        assert "".join(order) == "abcabaaa"
        assert (queue.waiting, queue.running) == (0, 0)

    _run(work())


def test_flooder_is_refused_before_others_are() -> None:
    async def work() -> None:
        clock = iter(range(1000))
        queue = FairQueue(1, 2.5, clock=lambda: float(next(clock)))
        for _ in range(60):  # slots are held for a second
            (await queue.acquire("a")).release()
        held = await queue.acquire("a")
        tasks = await _queue_up(queue, "aa", [])
        with pytest.raises(ProblemError) as refused:
            await queue.acquire("a")
        assert refused.value.status == 429
        assert int(refused.value.headers["Retry-After"]) == 3
        tasks += await _queue_up(queue, "b", [])  # who waits for one of theirs only
        held.release()
        await asyncio.gather(*tasks)

    _run(work())


class _Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def hold(self, queue: FairQueue, seconds: float, times: int = 1) -> None:
        """Have one reader hold a slot, a number of times."""
        for _ in range(times):
            slot = await queue.acquire("a")
            self.now += seconds
            slot.release()


async def _count_admitted(queue: FairQueue) -> int:
    """Return how many readers may wait while all slots are taken."""
    held = [await queue.acquire("a") for _ in range(queue.slots)]
    tasks = [asyncio.create_task(queue.acquire(f"reader {n}")) for n in range(50)]
    await asyncio.sleep(0)
    admitted = queue.waiting
    for slot in held:
        slot.release()
    for task in tasks:
        with suppress(ProblemError):
            (await task).release()
    return admitted


@pytest.mark.parametrize(
    ("seconds", "admitted"),
    [(0.01, 23), (0.05, 4), (0.065, 3), (0.4, 3), (5.0, 3)],
)
def test_queue_is_short_but_holds_a_few_on_slow_machines(seconds: float, admitted: int) -> None:
    async def work() -> None:
        clock = _Clock()
        queue = FairQueue(2, 0.12, clock=clock)
        await clock.hold(queue, seconds, times=200)
        assert await _count_admitted(queue) == admitted

    _run(work())


def test_one_long_hold_hardly_changes_the_expected_wait() -> None:
    async def work() -> None:
        clock = _Clock()
        queue = FairQueue(2, 0.12, clock=clock)
        await clock.hold(queue, 0.03, times=200)
        assert await _count_admitted(queue) == 7
        await clock.hold(queue, 0.03, times=200)
        await clock.hold(queue, 20.0)
        assert await _count_admitted(queue) >= 5
        await clock.hold(queue, 0.03, times=20)
        assert await _count_admitted(queue) >= 6

    _run(work())


def test_first_long_hold_counts_in_full_below_the_longest_wait() -> None:
    async def work() -> None:
        clock = _Clock()
        queue = FairQueue(2, 30.0, clock=clock)
        await clock.hold(queue, 20.0, times=10)  # as answers of a chat model
        assert await _count_admitted(queue) < 10

    _run(work())


def test_reader_who_gives_up_leaves_the_queue() -> None:
    async def work() -> None:
        queue, order = FairQueue(1, 1000.0), list[str]()
        held = await queue.acquire("a")
        impatient, patient = await _queue_up(queue, "ab", order)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        assert queue.waiting == 1
        held.release()
        await patient
        assert order == ["b"]
        assert queue.running == 0

    _run(work())


def test_reader_who_gives_up_when_admitted_returns_the_slot() -> None:
    async def work() -> None:
        queue = FairQueue(1, 1000.0)
        held = await queue.acquire("a")
        (waiting,) = await _queue_up(queue, "b", [])
        held.release()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.sleep(0.01)
        assert queue.running == 0

    _run(work())


def test_slot_is_released_once() -> None:
    async def work() -> None:
        queue = FairQueue(1, 1000.0)
        slot: Slot = await queue.acquire("a")
        slot.release()
        slot.release()
        assert queue.running == 0

    _run(work())


def test_rates_are_by_reader_and_kind() -> None:
    limits = RateLimits(Settings(search_rate="2/minute", ask_rate="1/hour", write_rate=""))
    for _ in range(2):
        limits.take("search", "a")
    with pytest.raises(ProblemError) as refused:
        limits.take("search", "a")
    assert refused.value.status == 429
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 60
    limits.take("search", "b")
    limits.take("ask", "a")
    for _ in range(100):
        limits.take("write", "a")


@pytest.mark.parametrize("rate", ["fast", "25", "25/fortnight"])
def test_invalid_rate_is_a_setting_error(rate: str) -> None:
    with pytest.raises(SettingsError, match="BACKFILE_ASK_RATE"):
        RateLimits(Settings(ask_rate=rate))


@pytest.mark.slow
def test_too_many_requests_are_told_when_to_come_back(archive: Archive) -> None:
    settings = Settings(archive=archive.path, search_rate="3/minute")
    api = create_api(Services(archive, Chatbot(archive), settings))

    def search(reader: Reader) -> Any:
        with TestClient(ReaderMiddleware(api, reader)) as client:
            return client.post("/v1/search", json={"query": "bridge"})

    kim = Reader("kim", LOCAL_VISITOR.scopes, LOCAL_VISITOR.rights)
    assert [search(LOCAL_VISITOR).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = search(LOCAL_VISITOR)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["retry_after"] == int(refused.headers["retry-after"])
    assert search(kim).status_code == 200


class _Gone:
    """A request whose sender has gone."""

    async def is_disconnected(self) -> bool:
        return True


@pytest.mark.slow
@pytest.mark.parametrize("is_full", [False, True])
def test_slot_of_a_client_who_left_is_free_again(archive: Archive, is_full: bool) -> None:
    api = create_api(Services(archive, Chatbot(archive), Settings(archive=archive.path)))
    scheduler = api.state.work
    queue = scheduler.queues["search"]

    async def work() -> None:
        held = [await queue.acquire("b") for _ in range(queue.slots if is_full else 0)]
        request: Any = _Gone()
        done = []
        with pytest.raises(ProblemError, match="closed the connection"):
            await _work(scheduler, request).run(lambda: done.append(1), None)
        for slot in held:
            slot.release()
        await asyncio.sleep(0.1)
        assert done == []
        assert (queue.running, queue.waiting) == (0, 0)

    _run(work())


@pytest.mark.slow
def test_requests_share_a_few_threads(archive: Archive) -> None:
    api = create_api(Services(archive, Chatbot(archive), Settings(archive=archive.path)))
    used = set()

    async def work() -> None:
        for _ in range(20):
            found = _work(api.state.work, _request())
            used.add(await found.run(threading.get_ident, None))

    _run(work())
    assert len(used) <= 2


def _work(scheduler: WorkScheduler, request: Any) -> RequestWork:
    return RequestWork(scheduler, "search", "a", request, Sender(OFF, LOCAL_VISITOR, "", "api"))


def _request() -> Any:
    class Waiting:
        async def is_disconnected(self) -> bool:
            return False

    return Waiting()
