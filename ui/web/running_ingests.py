"""Ingests that run for sessions of the page, so that a session can stop its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock


class RunningIngests:
    """Events that stop the ingests in progress, by the session of the page.

    The handler that shows the progress of an ingest looks at its event and ends by itself. Gradio's
    `cancels` would race with it: what it had shown last could come after the message of the stop.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._events: dict[str, list[Event]] = {}

    @contextmanager
    def begin(self, session_hash: str | None) -> Iterator[Event]:
        """Register an ingest until the context ends; yield the event that stops it.

        Args:
            session_hash: The session; one without a name can't stop.
        """
        stop, key = Event(), session_hash or ""
        with self._lock:
            self._events.setdefault(key, []).append(stop)
        try:
            yield stop
        finally:
            with self._lock:
                self._events[key].remove(stop)
                if not self._events[key]:
                    del self._events[key]

    def stop(self, session_hash: str | None) -> None:
        """Stop the ingests of a session."""
        if session_hash:
            with self._lock:
                for event in self._events.get(session_hash, ()):
                    event.set()
