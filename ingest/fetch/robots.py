"""robots.txt rules and crawl delays (RFC 9309)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlunsplit

from protego import Protego

from ingest.fetch.auth import Origin, origin_of
from ingest.fetch.errors import FetchError, ForbiddenError

ROBOTS_BYTES = 500 * 1024  # RFC 9309, 2.5: the minimum to parse
CACHE_SECONDS = 24 * 3600.0  # seconds: RFC 9309, 2.4
RETRY_SECONDS = 60.0  # seconds before an unreachable robots.txt is requested again
DENY_ALL = "User-agent: *\nDisallow: /\n"


@dataclass(frozen=True, slots=True)
class RobotsAnswer:
    """HTTP status and content of a robots.txt response."""

    status: int
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class _Rules:
    parsed: Protego
    reached: bool
    until: float


class Robots:
    """robots.txt rules per site, cached for a day."""

    def __init__(self, ask: Callable[[str], RobotsAnswer], agent: str) -> None:
        """Create the cache.

        Args:
            ask: Fetches one URL; may raise FetchError.
            agent: The user agent whose rules apply.
        """
        self._ask = ask
        self._agent = agent
        self._rules: dict[Origin, _Rules] = {}

    def check(self, url: str) -> None:
        """Raise FetchError if robots.txt disallows `url` or can't be reached."""
        rules = self._rules_for(url)
        if not rules.reached:
            raise FetchError(
                "robots.txt could not be fetched, so the page may not be either", lasting=False
            )
        if not rules.parsed.can_fetch(url, self._agent):
            raise FetchError("disallowed by robots.txt")

    def delay(self, url: str) -> float:
        """Return the crawl delay of the site of `url` in seconds; 0 if it sets none."""
        parsed = self._rules_for(url).parsed
        delay = float(parsed.crawl_delay(self._agent) or 0)
        rate = parsed.request_rate(self._agent)
        return max(delay, rate.seconds / rate.requests if rate and rate.requests else 0.0)

    def _rules_for(self, url: str) -> _Rules:
        origin = origin_of(url)
        rules = self._rules.get(origin)
        if rules is None or time.monotonic() > rules.until:
            rules = self._rules[origin] = self._fetch_rules(origin)
        return rules

    def _fetch_rules(self, origin: Origin) -> _Rules:
        scheme, host, port = origin
        netloc = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            answer = self._ask(urlunsplit((scheme, netloc, "/robots.txt", "", "")))
        except ForbiddenError:  # the page has the same address and fails alike
            raise
        except FetchError:
            answer = RobotsAnswer(599)
        now = time.monotonic()
        if answer.status >= 500:  # 2.3.1.4: unreachable is a complete disallow
            return _Rules(Protego.parse(DENY_ALL), False, now + RETRY_SECONDS)
        # 2.3.1.3: "unavailable" (4xx, redirect loops) permits everything.
        content = answer.content[:ROBOTS_BYTES] if answer.status < 300 else b""
        text = content.decode("utf-8-sig", "replace")
        return _Rules(Protego.parse(text), True, now + CACHE_SECONDS)
