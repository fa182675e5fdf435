"""Rate limiting: one request at a time per host, with a pause in between."""

from __future__ import annotations

import time
from threading import Event
from urllib.parse import urlsplit

from ingest.fetch.errors import FetchError, StoppedError

MAX_DELAY = 120.0  # seconds; a site that asks for more is skipped


class RateLimiter:
    """The time of the last request to each host, and the pause it asks for."""

    def __init__(self, delay: float, stop: Event) -> None:
        """Create a limiter.

        Args:
            delay: Minimum pause in seconds between two requests to a host.
            stop: Ends every wait when set.
        """
        self._delay = delay
        self._stop = stop
        self._last: dict[str, float] = {}
        self._delays: dict[str, float] = {}

    def set_delay(self, url: str, delay: float) -> None:
        """Set the pause in seconds that the host of `url` asks for.

        Raises:
            FetchError: `delay` is longer than MAX_DELAY.
        """
        if delay > MAX_DELAY:
            raise FetchError(
                f"robots.txt asks for {delay:g} s between requests; the limit is {MAX_DELAY:g} s"
            )
        self._delays[_host(url)] = max(delay, self._delay)

    def due(self, url: str) -> float:
        """Return the seconds until the host may be asked again; 0 if it may be now."""
        host = _host(url)
        if host not in self._last:
            return 0.0
        delay = self._delays.get(host, self._delay)
        return max(0.0, self._last[host] + delay - time.monotonic())

    def wait(self, url: str) -> None:
        """Wait until the host of `url` may be asked."""
        self.sleep(self.due(url))

    def record_request(self, url: str) -> None:
        """Record a request to the host of `url`."""
        self._last[_host(url)] = time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds.

        Raises:
            StoppedError: The user stopped the run.
        """
        if self._stop.wait(seconds):
            raise StoppedError


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").casefold()
    except ValueError:
        return ""
