"""Ctrl-C and SIGTERM during an ingest: the first finishes the current batch, the second stops."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Event, Thread, current_thread, main_thread
from types import FrameType

STOPPING = b"Stopping after this batch; press Ctrl-C again to stop now.\n"


@contextmanager
def stop_on_signals() -> Iterator[Event]:
    """Yield an event that the first Ctrl-C or SIGTERM sets; the second raises KeyboardInterrupt.

    A handler runs between two instructions of the main thread, which may hold the event's lock just
    then, so another thread sets the event. Outside the main thread, which alone receives signals,
    the event is never set.
    """
    stop = Event()
    if current_thread() is not main_thread():
        yield stop
        return
    signals: SimpleQueue[bool] = SimpleQueue()  # its `put` may interrupt itself

    def set_event() -> None:
        if signals.get():
            stop.set()

    setter = Thread(target=set_event, name="stop-on-signals", daemon=True)
    setter.start()
    handle = _make_handler(signals)
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signals.put(False)
        setter.join()


def _make_handler(signals: SimpleQueue[bool]) -> signal._HANDLER:
    """Return a handler that puts the first signal into the queue and takes no lock."""
    here, received = os.getpid(), False

    def handle(number: int, _: FrameType | None) -> None:
        nonlocal received
        if os.getpid() != here:  # a forked worker: it ends when this process tells it to
            if number == signal.SIGTERM:
                os._exit(128 + number)
            return
        if received:
            raise KeyboardInterrupt
        received = True
        signals.put(True)
        if number == signal.SIGINT and sys.stderr.isatty():
            os.write(sys.stderr.fileno(), STOPPING)

    return handle
