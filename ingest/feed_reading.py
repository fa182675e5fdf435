"""Read the feeds that an archive is fed from, and record what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from threading import Event, Timer
from typing import Any, cast
from urllib.parse import urlsplit

from ingest.fetch.client import Client, Limits
from ingest.fetch.errors import FetchError, ForbiddenError
from ingest.fetch.ssrf import resolve_public
from ingest.pipeline import is_address
from ingest.readers import ReaderOptions
from ingest.report import IngestReport
from ingest.runner import RecordedArchive, run_ingest
from rag.errors import BackfileError, InvalidValueError
from rag.settings import Settings
from rag.store.feeds import COUNTS, Feed, FeedStore, clean_url
from rag.store.saved_database import SavedDatabase
from rag.store.side_database import Place

LOG = logging.getLogger("backfile.feeds")
# The write lock is held while a feed is read. A sitemap of 50,000 pages takes 14 hours at a page a
# second: it is read in parts, between which others may write.
LONGEST_READ = 900.0  # seconds
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class FeedRead:
    """A read of a feed: its counts, and why it failed ("" if it didn't)."""

    report: IngestReport
    error: str = ""


def feeds_of(place: Place) -> FeedStore:
    """Return the feeds of an archive, by its `home` or the folder of its files."""
    return FeedStore(SavedDatabase(place))


def open_client(settings: Settings, stop: Event) -> Client:
    """Return an HTTP client with the limits of the settings; close it by a `with` statement."""
    limits = Limits(settings.fetch_bytes, settings.fetch_seconds, settings.fetch_delay)
    return Client(limits, agent=settings.fetch_agent, allowed=allowed_hosts(settings), stop=stop)


def allowed_hosts(settings: Settings) -> tuple[str, ...]:
    """Return the hosts that may have private addresses."""
    return tuple(host for name in settings.fetch_allow.split(",") if (host := name.strip()))


def check_url(url: str, allowed: Collection[str] = ()) -> str:
    """Return the address of a feed if it may be fetched.

    Args:
        url: The address.
        allowed: Hosts that may have private addresses.

    Raises:
        InvalidValueError: It isn't an http or https address, or contains a password.
        ForbiddenError: Its host has a private address and isn't allowed.
    """
    url = clean_url(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme.lower(), 0)
    except ValueError:
        host, port = None, 0
    if not is_address(url) or not host:
        raise InvalidValueError(f"{url[:200]!r} is not a web address: it needs http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise InvalidValueError(
            "The address contains a user name or password, which the page would show. Leave it out."
        )
    try:
        resolve_public(host, port, allowed=allowed)
    except ForbiddenError as error:
        raise ForbiddenError(
            f"host {host} has a private address: BACKFILE_FETCH_ALLOW={host} permits it"
        ) from error
    except FetchError:
        return url  # a name that can't be resolved now may be later; each read checks again
    return url


def read_feed(
    archive: RecordedArchive,
    feeds: FeedStore,
    feed_id: str,
    *,
    client: Client,
    stop: Event,
    by: str,
    only_due: bool = False,
    **callbacks: Callable[..., None],
) -> FeedRead | None:
    """Read one feed into an archive, and record what came of it.

    The write lock, which the archive holds, keeps two processes from reading the same feed at once.
    Requests are conditional, and a feed that fails is read less and less often.

    Args:
        archive: The archive, opened for writing.
        feeds: Its feeds.
        feed_id: The feed.
        client: Fetches it; made with the same `stop`.
        stop: Ends the read after the current batch, once it is set. It is set after `LONGEST_READ`.
        by: Who or what started the read, for the log.
        only_due: Whether to read it only if it is still due.
        callbacks: `on_progress`, `on_reject` and `on_notice` of `ingest.runner.run_ingest`.

    Returns:
        What came of it; None if the feed is gone, or isn't due any more.

    Raises:
        Exception: The ingest failed; the feed's error says so, too.
    """
    feed = feeds.begin(feed_id, only_due=only_due)
    if feed is None:
        return None
    own = _OwnReject(feed.url, callbacks.pop("on_reject", None))
    timer = Timer(LONGEST_READ, stop.set)
    timer.daemon = True
    timer.start()
    try:
        report = run_ingest(
            archive,
            [feed.url],
            client=client,
            reading=ReaderOptions(links="follow"),
            stop=stop,
            on_reject=own,
            by=by,
            **cast("Any", callbacks),
        )
    except BaseException as error:
        _finish(feeds, feed, IngestReport(), by, error=_words(error), is_partial=stop.is_set())
        raise
    finally:
        timer.cancel()
    is_partial = stop.is_set()
    found = FeedRead(report, "" if is_partial or report.articles else own.reason)
    _finish(feeds, feed, report, by, error=found.error, is_partial=is_partial)
    return found


def _finish(
    feeds: FeedStore, feed: Feed, report: IngestReport, by: str, *, error: str, is_partial: bool
) -> None:
    counts = {name: getattr(report, name) for name in COUNTS}
    feeds.finish(feed, counts, error=error, is_partial=is_partial)
    figures = {"feed": feed.url, "by": by, **counts, **({"error": error} if error else {})}
    LOG.log(logging.ERROR if error else logging.INFO, "feed read", extra={"figures": figures})


def log_change(what: str, feed: Feed, by: str) -> None:
    """Log that somebody added, removed, paused, resumed or scheduled a feed."""
    figures = {"feed": feed.url, "by": by, "every": feed.every}
    LOG.info(f"feed {what}", extra={"figures": figures})


def _words(error: BaseException) -> str:
    known = isinstance(error, BackfileError) and str(error)
    return known or f"{type(error).__name__}: {error}".rstrip(": ")


class _OwnReject:
    """Passes rejects on, and keeps the reason why the feed itself was rejected."""

    def __init__(self, url: str, then: Callable[..., None] | None) -> None:
        self._url, self._then = url, then
        self.reason = ""

    def __call__(self, reject: dict[str, str]) -> None:
        if reject["place"] == self._url:
            self.reason = reject["reason"]
        if self._then:
            self._then(reject)
