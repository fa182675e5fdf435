"""How often a host is asked: one request at a time, with a pause between two."""

from __future__ import annotations

import time
from threading import Event
from urllib.parse import urlsplit

from ingest.fetch.errors import FetchError, StoppedError

LONGEST_PAUSE = 120.0  # seconds; a site that wants more is one that does not want to be read


class RateLimiter:
    """When each host may be asked again."""

    def __init__(self, delay: float, stop: Event) -> None:
        """`delay` is the least pause in seconds; `stop` ends every wait."""
        self._delay = delay
        self._stop = stop
        self._last: dict[str, float] = {}
        self._delays: dict[str, float] = {}

    def slow_down(self, url: str, delay: float) -> None:
        """Remember that the host of `url` asks for a pause of `delay` seconds.

        Raises FetchError where it is longer than anybody would wait.
        """
        if delay > LONGEST_PAUSE:
            raise FetchError(
                f"robots.txt asks for {delay:g} s between two requests, and "
                f"{LONGEST_PAUSE:g} s is as long as is waited"
            )
        self._delays[_host(url)] = max(delay, self._delay)

    def due(self, url: str) -> float:
        """Return in how many seconds the host may be asked, 0 for at once."""
        host = _host(url)
        if host not in self._last:
            return 0.0
        delay = self._delays.get(host, self._delay)
        return max(0.0, self._last[host] + delay - time.monotonic())

    def wait(self, url: str) -> None:
        """Wait until the host of `url` may be asked."""
        self.sleep(self.due(url))

    def asked(self, url: str) -> None:
        """Remember that the host has just been asked."""
        self._last[_host(url)] = time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, unless the user wants it to stop: then StoppedError."""
        if self._stop.wait(seconds):
            raise StoppedError


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").casefold()
    except ValueError:
        return ""
