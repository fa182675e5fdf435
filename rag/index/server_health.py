"""Health of a server: after a failure it is left alone until it answers again.

No search waits for a server that is known to be gone. It is tried in the background, from time to
time while searches would need it, and used again once it answers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rag.errors import VectorServerError
from rag.index.background import BackgroundTask

RETRY_SECONDS = 2.0  # after a failure: a server that starts again is used within these
FRESH_SECONDS = 15.0  # an outcome that is younger needs no new try


class ServerHealth:
    """Outcome of the last requests to a server; threads may share it.

    Attributes:
        error: Why it can't be used; "" if it can.
    """

    def __init__(self, probe: Callable[[], None]) -> None:
        """Begin with a server that nobody has asked yet.

        Args:
            probe: Raises VectorServerError unless the server answers.
        """
        self._probe = probe
        self._trying = BackgroundTask(self.check, RETRY_SECONDS)
        self._lock = threading.Lock()
        self._down = False
        self._known_at = float("-inf")
        self.error = ""

    @property
    def is_down(self) -> bool:
        """True after a failure, until a request succeeds."""
        return self._down

    @property
    def is_known(self) -> bool:
        """True once the server has answered or failed to."""
        return self._known_at > float("-inf")

    def may_ask(self) -> bool:
        """Return True if requests may be sent; if not, see to it that the server is tried."""
        if self._down:
            self._trying.start()
        return not self._down

    def watch(self) -> bool:
        """Return True if the server answered lately; if that is long ago, it is tried again."""
        if self._down or time.monotonic() - self._known_at > FRESH_SECONDS:
            self._trying.start()
        return not self._down

    def check(self) -> bool:
        """Try the server now, and return True if it answers."""
        try:
            self._probe()
        except VectorServerError as error:
            self.failed(error)
        else:
            self.succeeded()
        return not self._down

    def succeeded(self) -> None:
        """Note that the server answered."""
        self._known_at = time.monotonic()
        if self._down:
            with self._lock:
                self._down, self.error = False, ""

    def failed(self, error: Exception) -> None:
        """Note that the server can't be used."""
        with self._lock:
            self._down, self.error = True, str(error).partition("\n")[0]
            self._known_at = time.monotonic()

    def close(self) -> None:
        """Try it no more."""
        self._trying.close()
