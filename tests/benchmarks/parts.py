"""Where the time goes: processor seconds that some functions take, with all that they call."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

Place = tuple[Any, str]  # a module or class, and a function in it


@contextmanager
def timed(parts: Mapping[str, Sequence[Place]]) -> Iterator[dict[str, float]]:
    """Yield the processor seconds of parts, which grow while the block runs.

    A profiler would make code of many small functions several times slower than it is.

    Args:
        parts: The functions of each part, which may lie within others.
    """
    seconds = dict.fromkeys(parts, 0.0)

    def timing(part: str, function: Any) -> Any:
        @functools.wraps(function)
        def run(*arguments: Any, **named: Any) -> Any:
            begun = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                seconds[part] += time.thread_time() - begun

        return run

    with pytest.MonkeyPatch.context() as patch:
        for part, places in parts.items():
            for home, name in places:
                patch.setattr(home, name, timing(part, getattr(home, name)))
        yield seconds
