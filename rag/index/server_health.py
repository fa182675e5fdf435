"""Health of a server: after a failure it is left alone for a while.

Searches must not wait for a server that is gone, one after the other. So after a failure all of
them do without it for some seconds; then one tries again, and the others follow if it succeeds.
"""

from __future__ import annotations

import threading
import time

RETRY_SECONDS = 3.0  # after a failure: a server that starts again is used within these


class ServerHealth:
    """Outcome of the last requests to a server; threads may share it."""

    def __init__(self) -> None:
        """Begin with a server that nobody has asked yet."""
        self._lock = threading.Lock()
        self._failed_at: float | None = None
        self._recovered = False
        self.error = ""

    @property
    def is_down(self) -> bool:
        """True after a failure, until a request succeeds."""
        return self._failed_at is not None

    def may_ask(self) -> bool:
        """Return True if a request should be sent; after a failure only one is, from time to time.

        The caller reports the outcome by `succeeded` or `failed`.
        """
        with self._lock:
            if self._failed_at is None:
                return True
            if time.monotonic() - self._failed_at < RETRY_SECONDS:
                return False
            self._failed_at = time.monotonic()  # others wait for this one's outcome
            return True

    def succeeded(self) -> None:
        """Note that the server answered."""
        if self._failed_at is not None:
            with self._lock:
                self._failed_at, self._recovered, self.error = None, True, ""

    def failed(self, error: Exception) -> None:
        """Note that the server can't be used."""
        with self._lock:
            self._failed_at, self.error = time.monotonic(), str(error).partition("\n")[0]

    def take_recovery(self) -> bool:
        """Return True once after the server has come back."""
        if not self._recovered:
            return False
        with self._lock:
            recovered, self._recovered = self._recovered, False
        return recovered
