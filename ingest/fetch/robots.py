"""What a site's robots.txt permits, and how long it asks to wait: RFC 9309."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlunsplit

from protego import Protego

from ingest.fetch.auth import Origin, origin_of
from ingest.fetch.errors import FetchError, ForbiddenError

ROBOTS_BYTES = 500 * 1024  # RFC 9309, 2.5: at least as much is to be read
KEPT_FOR = 24 * 3600.0  # seconds: RFC 9309, 2.4
UNREACHABLE_FOR = 60.0  # seconds after which an unreachable one is asked for again
DENY_ALL = "User-agent: *\nDisallow: /\n"


@dataclass(frozen=True, slots=True)
class RobotsAnswer:
    """What came of asking for a robots.txt: a status and its bytes."""

    status: int
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class _Rules:
    parsed: Protego
    reached: bool
    until: float


class Robots:
    """The rules of every site that was asked, kept for a day."""

    def __init__(self, ask: Callable[[str], RobotsAnswer], agent: str) -> None:
        """`ask` fetches one address, raising FetchError; `agent` is the name rules are for."""
        self._ask = ask
        self._agent = agent
        self._rules: dict[Origin, _Rules] = {}

    def check(self, url: str) -> None:
        """Raise FetchError where the site's robots.txt keeps us from `url`."""
        rules = self._of(url)
        if not rules.reached:
            raise FetchError(
                "its robots.txt cannot be reached, so nothing may be fetched", lasting=False
            )
        if not rules.parsed.can_fetch(url, self._agent):
            raise FetchError("robots.txt does not allow it")

    def delay(self, url: str) -> float:
        """Return the seconds that the site wants between two requests; 0 if it does not say."""
        parsed = self._of(url).parsed
        delay = float(parsed.crawl_delay(self._agent) or 0)
        rate = parsed.request_rate(self._agent)
        return max(delay, rate.seconds / rate.requests if rate and rate.requests else 0.0)

    def _of(self, url: str) -> _Rules:
        origin = origin_of(url)
        rules = self._rules.get(origin)
        if rules is None or time.monotonic() > rules.until:
            rules = self._rules[origin] = self._asked(origin)
        return rules

    def _asked(self, origin: Origin) -> _Rules:
        scheme, host, port = origin
        netloc = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            answer = self._ask(urlunsplit((scheme, netloc, "/robots.txt", "", "")))
        except ForbiddenError:  # the page is at the same address
            raise
        except FetchError:
            answer = RobotsAnswer(599)
        now = time.monotonic()
        if answer.status >= 500:  # 2.3.1.4: unreachable is a complete disallow
            return _Rules(Protego.parse(DENY_ALL), False, now + UNREACHABLE_FOR)
        # 2.3.1.3: unavailable, 4xx or redirects without an end, permits everything.
        content = answer.content[:ROBOTS_BYTES] if answer.status < 300 else b""
        text = content.decode("utf-8-sig", "replace")
        return _Rules(Protego.parse(text), True, now + KEPT_FOR)
