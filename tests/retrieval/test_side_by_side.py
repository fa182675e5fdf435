"""Parts of a search that run side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from rag.retrieval import side_by_side
from rag.retrieval.side_by_side import run_all

pytestmark = pytest.mark.skipif(
    side_by_side._helpers() is None, reason="needs two cores: on one, parts run in turn"
)


def test_results_come_in_the_order_of_the_calls() -> None:
    parts: list[Callable[[], int]] = [lambda place=place: place for place in range(20)]  # type: ignore[misc]
    assert run_all(parts) == list(range(20))


def test_an_idle_thread_takes_part() -> None:
    begun = threading.Event()

    def wait_for_the_other() -> bool:
        return begun.wait(30)

    def begin() -> bool:
        begun.set()
        return True

    assert run_all([wait_for_the_other, begin]) == [True, True]


def test_the_caller_runs_what_busy_threads_have_not_begun() -> None:
    end, own = threading.Event(), threading.get_ident()
    pool = side_by_side._helpers()
    assert pool is not None
    busy = [pool.submit(end.wait, 30) for _ in range(side_by_side.MOST_HELPERS)]
    try:
        assert run_all([threading.get_ident] * 4) == [own] * 4
    finally:
        end.set()
    assert all(one.result() for one in busy)


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_failure_is_raised_after_all_have_ended(failing: int) -> None:
    running = [0]
    lock = threading.Lock()

    def part(place: int) -> None:
        with lock:
            running[0] += 1
        try:
            if place == failing:
                raise ValueError("no index")
        finally:
            with lock:
                running[0] -= 1

    with pytest.raises(ValueError, match="no index"):
        run_all([lambda place=place: part(place) for place in range(3)])  # type: ignore[misc]
    assert running == [0]
