"""Regular expressions take linear time on any input.

The one timed test: it compares a thread's processor times of one pattern, never with a clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.regular_expressions import Pump, patterns, pumps, seconds

SIZES = (1024, 2048, 4096, 8192)
GROWTH = 3.0  # of the processor time from 4 kB to 8 kB: 2 is linear, 4 quadratic
IN_STEP = 2.5  # below it the first measurement counts; most patterns end here
FLOOR = 0.004  # seconds at 8 kB: below it, time measures the machine
HOPELESS = 0.05  # seconds at 512 characters: 200 times what a slow but linear pattern takes
BEST_OF = 5
STRINGS = 100  # of each pattern


def growth(call: Callable[[Any], object], pump: Pump) -> float:
    """Return how many times longer `call` takes on 8 kB than on 4; 0 if it takes almost no time."""
    for length in (32, 64, 128, 256, 512):  # exponential patterns never get to 8 kB
        small = pump.string(length)
        if all(seconds(lambda text=small: call(text), 1) > HOPELESS for _ in range(2)):
            return float("inf")
    texts = [pump.string(size) for size in SIZES]
    if seconds(lambda: call(texts[1]), 1) > 4 * HOPELESS:
        return float("inf")
    first = seconds(lambda: call(texts[3]), 1)
    if first < FLOOR:
        return 0.0
    if first < IN_STEP * seconds(lambda: call(texts[2]), 1):
        return 0.0
    grown = GROWTH
    for _ in range(3):  # other processes only add time, so the least growth is right
        times = BEST_OF if first < 10 * HOPELESS else 1
        half, whole = (seconds(lambda text=text: call(text), times) for text in texts[2:])
        if whole < FLOOR:
            return 0.0
        grown = whole / half
        if grown < GROWTH:
            break
    return grown


def slow_on(pattern: re.Pattern[Any], limit: int = STRINGS) -> tuple[float, Pump] | None:
    for pump in pumps(pattern, limit):
        for call in (pattern.search, pattern.fullmatch):
            grown = growth(call, pump)
            if grown >= GROWTH:
                return grown, pump
    return None


@pytest.mark.full
def test_patterns_are_linear() -> None:
    slow = {}
    for pattern, where in patterns().items():
        found = slow_on(pattern)
        if found is not None:
            slow[where] = found
    assert not slow
