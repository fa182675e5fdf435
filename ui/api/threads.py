"""Threads that stay: each has a connection to the database and buffers of the model's library."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue


class Threads:
    """A number of daemon threads that call functions, which must not raise.

    A new thread for each request would open a connection with an empty cache. They are daemons, so
    that a chat model that hangs can't keep the server from ending.
    """

    def __init__(self, number: int) -> None:
        """Start the threads when they are first needed.

        Args:
            number: The most functions to call at once; more wait.
        """
        self._number = number
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0

    def start(self, function: Callable[[], None]) -> None:
        """Have a thread call a function; return at once."""
        with self._lock:
            if self._started < self._number:
                self._started += 1
                threading.Thread(target=self._run, daemon=True, name="api").start()
        self._work.put(function)

    def _run(self) -> None:
        while True:
            self._work.get()()
