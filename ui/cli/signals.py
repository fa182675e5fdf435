"""Ctrl-C and SIGTERM: the first asks to stop when what is begun is done, the second stops."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, current_thread, main_thread
from types import FrameType


@contextmanager
def stopping() -> Iterator[Event]:
    """Give what is set by the first Ctrl-C or SIGTERM; a second Ctrl-C is a KeyboardInterrupt."""
    stop, here = Event(), os.getpid()

    def ask(number: int, _: FrameType | None) -> None:
        if os.getpid() != here:  # a process that reads for this one: it ends when it is told to
            if number == signal.SIGTERM:
                os._exit(128 + number)
            return
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        if number == signal.SIGINT and sys.stderr.isatty():
            print("stopping when this batch is in; Ctrl-C again stops at once", file=sys.stderr)

    if current_thread() is not main_thread():  # signals are the main thread's alone
        yield stop
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
