"""Ctrl-C and SIGTERM during an ingest: the first finishes the current batch, the second stops."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, current_thread, main_thread
from types import FrameType


@contextmanager
def stop_on_signals() -> Iterator[Event]:
    """Yield an event that the first Ctrl-C or SIGTERM sets; the second raises KeyboardInterrupt.

    Outside the main thread, which alone receives signals, the event is never set.
    """
    stop, here = Event(), os.getpid()

    def handle(number: int, _: FrameType | None) -> None:
        if os.getpid() != here:  # a forked worker: it ends when this process tells it to
            if number == signal.SIGTERM:
                os._exit(128 + number)
            return
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        if number == signal.SIGINT and sys.stderr.isatty():
            print("Stopping after this batch; press Ctrl-C again to stop now.", file=sys.stderr)

    if current_thread() is not main_thread():
        yield stop
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
