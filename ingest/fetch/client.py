"""HTTP client for one page at a time: robots.txt, rate limits, retries, size limits."""

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
    ACCEPTED_ENCODINGS,
    CheckedBackend,
    CheckedTransport,
    Deadline,
    body_too_large,
    read_body,
)

USER_AGENT = "Backfile"
MAX_REDIRECTS = 10
MAX_ATTEMPTS = 3
MAX_WAIT = 120.0  # seconds; a longer Retry-After is left to the next run
_RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,application/feed+json,*/*;q=0.5"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one request.

    Attributes:
        bytes: Maximum size of a page.
        seconds: Maximum duration of a request.
        delay: Pause in seconds between two requests to a host.
        back_off: Pause in seconds before the first retry; doubled for each further one.
    """

    bytes: int = 16 * 2**20
    seconds: float = 30.0
    delay: float = 1.0
    back_off: float = 1.0


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """HTTP response; `url` is the final one after redirects."""

    url: str
    status: int
    content: bytes = b""
    headers: httpx2.Headers = field(default_factory=httpx2.Headers)

    @property
    def etag(self) -> str:
        """The ETag header, "" if missing."""
        return str(self.headers.get("etag", ""))

    @property
    def last_modified(self) -> str:
        """The Last-Modified header, "" if missing."""
        return str(self.headers.get("last-modified", ""))

    @property
    def content_type(self) -> str:
        """The Content-Type header, "" if missing."""
        return str(self.headers.get("content-type", ""))


class _TryAgainError(FetchError):
    """A transient failure; `after` is the Retry-After delay in seconds."""

    def __init__(
        self, reason: str, after: float = 0.0, response: FetchResponse | None = None
    ) -> None:
        super().__init__(reason, lasting=False)
        self.after = after
        self.response = response


class Client:
    """HTTP client for a whole run; remembers robots.txt rules and rate limits per host."""

    def __init__(
        self,
        limits: Limits = Limits(),
        *,
        agent: str = USER_AGENT,
        credentials: Credentials | None = None,
        allowed: tuple[str, ...] = (),
        stop: Event | None = None,
        resolve: Resolve = resolve,
        network: httpcore2.NetworkBackend | None = None,
    ) -> None:
        """Create a client.

        Args:
            limits: Size, time and rate limits.
            agent: The User-Agent header.
            credentials: Cookies and headers to send.
            allowed: Hosts that may have private addresses.
            stop: Ends every wait when set.
            resolve: The DNS resolver; tests replace it.
            network: The network backend; tests replace it.
        """
        self.limits = limits
        self._credentials = credentials or Credentials()
        self._deadline = Deadline(stop or Event())
        self.rate_limiter = RateLimiter(limits.delay, stop or Event())
        self._robots = Robots(self._ask_robots, agent.partition("/")[0].strip())
        names = frozenset(name.casefold().strip("[]") for name in allowed)
        backend = CheckedBackend(self._deadline, allowed=names, resolve=resolve, network=network)
        self._http = httpx2.Client(
            transport=CheckedTransport(backend),
            trust_env=False,
            cookies=self._credentials.cookies,
            headers={"User-Agent": agent, "Accept": _ACCEPT, "Accept-Encoding": ACCEPTED_ENCODINGS},
        )

    def __enter__(self) -> Client:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def get(self, url: str, *, etag: str = "", last_modified: str = "") -> FetchResponse:
        """Fetch `url`, following redirects; status 304 means not modified.

        Args:
            url: An http or https URL.
            etag: The ETag of the last response, if any.
            last_modified: The Last-Modified header of the last response, if any.

        Raises:
            FetchError: The page can't be fetched, or may not be.
            StoppedError: The user stopped the run.
        """
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        return self._follow_redirects(
            url, {k: v for k, v in conditions.items() if v}, self._check_robots
        )

    def _check_robots(self, url: str) -> None:
        self._robots.check(url)
        self.rate_limiter.set_delay(url, self._robots.delay(url))

    def _ask_robots(self, url: str) -> RobotsAnswer:
        try:
            found = self._follow_redirects(url, {}, lambda _: None)
        except _TooManyRedirectsError:  # RFC 9309, 2.3.1.2: treated as missing
            return RobotsAnswer(404)
        return RobotsAnswer(found.status, found.content)

    def _follow_redirects(
        self, url: str, conditions: dict[str, str], check: Callable[[str], None]
    ) -> FetchResponse:
        for _ in range(MAX_REDIRECTS + 1):
            try:
                origin_of(url)
            except ValueError as error:
                raise FetchError(str(error)) from error
            check(url)
            found = self._send_with_retries(url, conditions)
            target = found.headers.get("location", "")
            if found.status not in _REDIRECTS or not target:
                return found
            try:
                url = urldefrag(urljoin(url, target)).url
            except ValueError as error:
                raise FetchError(f"redirects to an invalid URL: {target[:200]}") from error
        raise _TooManyRedirectsError(f"more than {MAX_REDIRECTS} redirects")

    def _send_with_retries(self, url: str, conditions: dict[str, str]) -> FetchResponse:
        """Send the request; retry transient failures with exponential backoff."""
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(MAX_ATTEMPTS),
            wait=self._pause,
            sleep=self.rate_limiter.sleep,
            retry=tenacity.retry_if_exception(_is_retriable),
            reraise=True,
        )
        try:
            return retrying(self._send, url, conditions)
        except _TryAgainError as error:
            if error.response is not None and error.after <= MAX_WAIT:
                return error.response
            raise

    def _send(self, url: str, conditions: dict[str, str]) -> FetchResponse:
        self.rate_limiter.wait(url)
        self._deadline.start(self.limits.seconds)
        headers = {**conditions, **self._credentials.headers_for(url)}
        try:
            with self._http.stream("GET", url, headers=headers, timeout=None) as response:
                found = self._read_response(url, response)
        except (httpx2.TransportError, httpcore2.TimeoutException) as error:
            detail = " ".join(str(error).split())[:200] or type(error).__name__
            raise _TryAgainError(f"could not be fetched: {detail}") from error
        except (httpx2.InvalidURL, UnicodeError, ValueError) as error:
            raise FetchError(f"invalid URL: {str(error)[:100]}") from error
        finally:
            self.rate_limiter.record_request(url)
        if found.status in _RETRY_STATUSES:
            after = _retry_after(found.headers.get("retry-after", ""))
            reason = f"HTTP status {found.status}"
            if after > MAX_WAIT:
                reason += f"; retry after {after:,.0f} s"
            raise _TryAgainError(reason, after, found)
        return found

    def _read_response(self, url: str, response: httpx2.Response) -> FetchResponse:
        if response.status_code != 200:
            return FetchResponse(url, response.status_code, b"", response.headers)
        length = response.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self.limits.bytes:
            raise body_too_large(self.limits.bytes)
        encoding = response.headers.get("content-encoding", "")
        content = read_body(response.iter_raw(), encoding, self.limits.bytes)
        return FetchResponse(url, 200, content, response.headers)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """Return the seconds to wait before the next attempt."""
        error = state.outcome.exception() if state.outcome else None
        after = error.after if isinstance(error, _TryAgainError) else 0.0
        return max(after, self.limits.back_off * 2.0 ** (state.attempt_number - 1))


class _TooManyRedirectsError(FetchError):
    """A redirect loop, or too long a chain."""


def _is_retriable(error: BaseException) -> bool:
    return isinstance(error, _TryAgainError) and error.after <= MAX_WAIT


def _retry_after(value: str) -> float:
    """Return the seconds of a Retry-After header, a number or a date; 0 if it is neither."""
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
