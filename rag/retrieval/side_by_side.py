"""Run searches side by side: the indexes release Python's lock while they search."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import TypeVar

T = TypeVar("T")

MOST_HELPERS = 3  # threads for all searches of a process; a search has four parts


def run_all(parts: Sequence[Callable[[], T]]) -> list[T]:
    """Return the results of some calls, which threads that are idle take part in.

    The calling thread runs the first one, and then those that no other thread has begun, so that a
    busy process only does them one after the other.

    Args:
        parts: The calls; they may run in any order, and on any thread.

    Returns:
        Their results, in the order of the calls.

    Raises:
        Exception: What the first call that failed has raised, after all have ended.
    """
    pool = _helpers()
    if pool is None or len(parts) < 2:
        return [part() for part in parts]
    others: list[Future[T]] = [pool.submit(part) for part in parts[1:]]
    try:
        found = {0: parts[0]()}
        for place in range(len(parts) - 1, 0, -1):
            if others[place - 1].cancel():
                found[place] = parts[place]()
    finally:
        wait([other for other in others if not other.cancel()])
    return [
        found[place] if place in found else others[place - 1].result()
        for place in range(len(parts))
    ]


@cache
def _helpers() -> ThreadPoolExecutor | None:
    """Return the threads that help; None on a machine with one core."""
    count = min(MOST_HELPERS, (os.cpu_count() or 1) - 1)
    return ThreadPoolExecutor(count, thread_name_prefix="search") if count > 0 else None
