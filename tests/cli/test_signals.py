"""Signals during an ingest: the first sets an event, whatever the main thread does just then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from ui.cli.signals import stop_on_signals

# Waits in short steps, so that signals arrive while the main thread holds the event's lock.
WAITING = """
import os, signal, threading
from ui.cli.signals import stop_on_signals
for _ in range(1500):
    with stop_on_signals() as stop:
        kill = threading.Timer(0.0002, os.kill, (os.getpid(), signal.SIGTERM))
        kill.start()
        while not stop.wait(0):
            pass
        kill.join()
print("stopped each time")
"""


def test_a_signal_during_a_wait_is_never_a_deadlock() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WAITING], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("stopped each time\n", "")


def test_the_second_signal_interrupts() -> None:
    with stop_on_signals() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(10)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_handlers_and_threads_are_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM), threading.active_count()
    with stop_on_signals():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert (signal.getsignal(signal.SIGTERM), threading.active_count()) == before
