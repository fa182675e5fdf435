"""Work that searches must not wait for, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

CLOSING_WAIT = 3.0  # seconds for what is running; what is interrupted is done again


class BackgroundTask:
    """Runs a function when it is asked to: one at a time, with a pause between two runs."""

    def __init__(self, run: Callable[[], object], pause: float) -> None:
        """Prepare the task; nothing runs yet.

        Args:
            run: What to do; its errors are dropped, so it keeps those that matter itself.
            pause: Seconds between the beginnings of two runs.
        """
        self._run, self._pause = run, pause
        self._lock = threading.Lock()
        self._began = float("-inf")
        self._thread: threading.Thread | None = None
        self._closed = False

    def start(self) -> None:
        """Run the function soon, unless it is running or ran a moment ago."""
        with self._lock:
            now, running = time.monotonic(), self._thread is not None and self._thread.is_alive()
            if self._closed or running or now - self._began < self._pause:
                return
            self._began = now
            self._thread = threading.Thread(target=self._work, name="vector-server", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Run it no more, and wait a little for a run."""
        with self._lock:
            self._closed, thread = True, self._thread
        if thread is not None:
            thread.join(CLOSING_WAIT)

    def _work(self) -> None:
        with suppress(Exception):
            self._run()
