"""One page at a time from the web: as robots.txt allows, at a pace, within bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Event
from urllib.parse import urldefrag, urljoin

import httpcore2
import httpx2
import tenacity

from ingest.fetch.auth import Credentials, origin_of
from ingest.fetch.errors import FetchError
from ingest.fetch.rate_limit import RateLimiter
from ingest.fetch.robots import Robots, RobotsAnswer
from ingest.fetch.ssrf import Resolve, resolve
from ingest.fetch.transport import (
    ENCODINGS,
    CheckedBackend,
    CheckedTransport,
    Deadline,
    read_body,
    too_long,
)

AGENT = "Backfile"
REDIRECTS = 10
ATTEMPTS = 3
LONGEST_WAIT = 120.0  # seconds; a server that wants to be left alone for longer is, until next time
_AGAIN = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,application/feed+json,*/*;q=0.5"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken of a page and how long is waited for it, in bytes and seconds.

    `delay` is the pause between two requests to a host, `back_off` the first pause before a
    request that failed is tried again; each further one is twice as long.
    """

    bytes: int = 16 * 2**20
    seconds: float = 30.0
    delay: float = 1.0
    back_off: float = 1.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address gave: `url` is where it was found in the end."""

    url: str
    status: int
    content: bytes = b""
    headers: httpx2.Headers = field(default_factory=httpx2.Headers)

    @property
    def etag(self) -> str:
        return str(self.headers.get("etag", ""))

    @property
    def last_modified(self) -> str:
        return str(self.headers.get("last-modified", ""))

    @property
    def content_type(self) -> str:
        return str(self.headers.get("content-type", ""))


class _TryAgainError(FetchError):
    """A failure that may pass; `after` is how long the server asks to be left alone."""

    def __init__(self, reason: str, after: float = 0.0, response: Fetched | None = None) -> None:
        super().__init__(reason, lasting=False)
        self.after = after
        self.response = response


class Client:
    """Fetches pages; one for a whole ingest, so that hosts' rules and paces are remembered."""

    def __init__(
        self,
        limits: Limits = Limits(),
        *,
        agent: str = AGENT,
        credentials: Credentials | None = None,
        allowed: tuple[str, ...] = (),
        stop: Event | None = None,
        resolve: Resolve = resolve,
        network: httpcore2.NetworkBackend | None = None,
    ) -> None:
        """Names in `allowed` may lead to private addresses; `resolve` and `network` are the
        system's but in tests.
        """
        self.limits = limits
        self._credentials = credentials or Credentials()
        self._deadline = Deadline(stop or Event())
        self.pace = RateLimiter(limits.delay, stop or Event())
        self._robots = Robots(self._ask_robots, agent.partition("/")[0].strip())
        names = frozenset(name.casefold().strip("[]") for name in allowed)
        backend = CheckedBackend(self._deadline, allowed=names, resolve=resolve, network=network)
        self._http = httpx2.Client(
            transport=CheckedTransport(backend),
            trust_env=False,
            cookies=self._credentials.cookies,
            headers={"User-Agent": agent, "Accept": _ACCEPT, "Accept-Encoding": ENCODINGS},
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def get(self, url: str, *, etag: str = "", last_modified: str = "") -> Fetched:
        """Return what `url` gives, after redirects; with status 304 if it is still the same.

        Raises FetchError where it cannot be had, or may not be, and StoppedError.
        """
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        return self._followed(url, {k: v for k, v in conditions.items() if v}, self._allowed)

    def _allowed(self, url: str) -> None:
        self._robots.check(url)
        self.pace.slow_down(url, self._robots.delay(url))

    def _ask_robots(self, url: str) -> RobotsAnswer:
        try:
            found = self._followed(url, {}, lambda _: None)
        except _TooManyRedirectsError:  # RFC 9309, 2.3.1.2: as if there were none
            return RobotsAnswer(404)
        return RobotsAnswer(found.status, found.content)

    def _followed(
        self, url: str, conditions: dict[str, str], check: Callable[[str], None]
    ) -> Fetched:
        for _ in range(REDIRECTS + 1):
            try:
                origin_of(url)
            except ValueError as error:
                raise FetchError(str(error)) from error
            check(url)
            found = self._insistently(url, conditions)
            target = found.headers.get("location", "")
            if found.status not in _REDIRECTS or not target:
                return found
            try:
                url = urldefrag(urljoin(url, target)).url
            except ValueError as error:
                raise FetchError(f"is redirected to what is no address: {target[:200]}") from error
        raise _TooManyRedirectsError(f"is redirected more than {REDIRECTS} times")

    def _insistently(self, url: str, conditions: dict[str, str]) -> Fetched:
        """Ask, and ask again with growing pauses where that may help."""
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=self._pause,
            sleep=self.pace.sleep,
            retry=tenacity.retry_if_exception(_is_worth_a_wait),
            reraise=True,
        )
        try:
            return retrying(self._once, url, conditions)
        except _TryAgainError as error:
            if error.response is not None and error.after <= LONGEST_WAIT:
                return error.response
            raise

    def _once(self, url: str, conditions: dict[str, str]) -> Fetched:
        self.pace.wait(url)
        self._deadline.begin(self.limits.seconds)
        headers = {**conditions, **self._credentials.headers_for(url)}
        try:
            with self._http.stream("GET", url, headers=headers, timeout=None) as response:
                found = self._taken(url, response)
        except (httpx2.TransportError, httpcore2.TimeoutException) as error:
            said = " ".join(str(error).split())[:200] or type(error).__name__
            raise _TryAgainError(f"cannot be fetched: {said}") from error
        except (httpx2.InvalidURL, UnicodeError, ValueError) as error:
            raise FetchError(f"is no web address: {str(error)[:100]}") from error
        finally:
            self.pace.asked(url)
        if found.status in _AGAIN:
            after = _retry_after(found.headers.get("retry-after", ""))
            reason = f"answers {found.status}"
            if after > LONGEST_WAIT:
                reason += f", and to come back in {after:,.0f} s"
            raise _TryAgainError(reason, after, found)
        return found

    def _taken(self, url: str, response: httpx2.Response) -> Fetched:
        if response.status_code != 200:
            return Fetched(url, response.status_code, b"", response.headers)
        length = response.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self.limits.bytes:
            raise too_long(self.limits.bytes)
        encoding = response.headers.get("content-encoding", "")
        content = read_body(response.iter_raw(), encoding, self.limits.bytes)
        return Fetched(url, 200, content, response.headers)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """Return how long to wait before the next attempt: twice the last, or as asked."""
        error = state.outcome.exception() if state.outcome else None
        after = error.after if isinstance(error, _TryAgainError) else 0.0
        return max(after, self.limits.back_off * 2.0 ** (state.attempt_number - 1))


class _TooManyRedirectsError(FetchError):
    """Redirects lead on and on."""


def _is_worth_a_wait(error: BaseException) -> bool:
    return isinstance(error, _TryAgainError) and error.after <= LONGEST_WAIT


def _retry_after(value: str) -> float:
    """Return the seconds that a Retry-After asks for, a number or a date; 0 where it is neither."""
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
