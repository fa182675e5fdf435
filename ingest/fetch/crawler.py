"""Crawl feeds, sitemaps and pages, and yield the articles behind them."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urldefrag, urlsplit

from ingest.fetch.client import Client, FetchResponse
from ingest.fetch.errors import FetchError, StoppedError
from ingest.fetch.page_checks import page_problem, redirect_problem, status_problem
from ingest.provenance import Hold, fill_gaps, may_speak_for, origin_problem, with_origin
from ingest.readers import Failure, KillNotice, Link, ReaderOptions, Reject
from ingest.readers.detect import detect_format
from ingest.readers.dispatch import read_content
from ingest.readers.encoding import as_utf8
from ingest.readers.error_guard import unexpected_failure
from ingest.readers.html.reader import read_html
from ingest.trusted_sources import NO_TRUST, TrustedSources
from rag.schema import Article
from rag.store.crawl_state import FetchRecord

MAX_DEPTH = 4  # sitemap index, sitemap, page, and one to spare
TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})  # transient HTTP statuses
_LINKED = frozenset({"feed", "sitemap", "packed"})  # formats besides HTML that a link may lead to
_PEEK = 2**16


class FetchHistory(Protocol):
    """Protocol of the fetch history: `rag.store.crawl_state.FetchHistory`, or a fake."""

    def last(self, url: str) -> FetchRecord | None:
        """Return the last recorded fetch of `url`, or None."""

    def save(self, visits: Iterable[FetchRecord]) -> None:
        """Record fetches."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A URL that hasn't changed since its article was added."""

    place: str


CrawlResult = Article | Reject | Unchanged


class _LinkPage:
    """A feed or sitemap; recorded as fetched once all of its links are done."""

    def __init__(self, visit: FetchRecord, task: _Task, address: str) -> None:
        self.visit = visit
        self.task = task
        self.address = address  # after redirects
        self.left = 1  # the page itself, until it is read
        self.failed = False


@dataclass(frozen=True, slots=True)
class _Task:
    link: Link
    link_page: _LinkPage | None = None
    depth: int = 0


class Crawler:
    """Fetches URLs and the links behind them, one request per host at a time."""

    def __init__(
        self,
        client: Client,
        visits: FetchHistory,
        reading: ReaderOptions | None = None,
        trust: TrustedSources = NO_TRUST,
    ) -> None:
        """Create a crawler.

        Args:
            client: Fetches the pages.
            visits: The fetch history, for conditional requests.
            reading: How content is read; feeds are followed by default.
            trust: Hosts that may supply articles of other sites.
        """
        self._client = client
        self._visits = visits
        reading = reading or ReaderOptions(links="follow")
        self._reading = replace(reading, field_map=reading.field_map.for_fetched())
        self._trust = trust
        self._queues: dict[str, tuple[deque[_Task], deque[_Task]]] = {}
        self._seen: set[str] = set()
        self._uncommitted: list[FetchRecord] = []
        self.finished: list[str] = []
        self.total = 0

    @property
    def done(self) -> int:
        """The number of URLs that are done, with any outcome."""
        return len(self.finished)

    def add(self, link: Link) -> None:
        """Queue a URL, unless it was queued before."""
        self._add(_Task(link, depth=0 if link.place == link.url else 1))

    def results(self) -> Iterator[CrawlResult]:
        """Yield the articles and rejects behind the queued URLs, until done or stopped.

        Call `commit` after adding the articles: only then are their URLs recorded as fetched.
        """
        try:
            while task := self._next():
                yield from self._fetch(task)
        except StoppedError:
            return

    def commit(self, refused: Collection[str] = ()) -> None:
        """Record the URLs of everything yielded so far as fetched.

        Args:
            refused: Ids of articles that were rejected after all; their URLs will be fetched again.
        """
        self._visits.save(
            v for v in self._uncommitted if not v.article_id or v.article_id not in refused
        )
        self._uncommitted = []

    def was_requested(self, url: str) -> bool:
        """Return whether this URL was queued."""
        return url in self._seen

    # the queue

    def _add(self, task: _Task) -> bool:
        url = urldefrag(task.link.url).url
        if url in self._seen:
            return False
        self._seen.add(url)
        self.total += 1
        fresh, known = self._queues.setdefault(_host(url), (deque(), deque()))
        # URLs never fetched come first, so a run that was stopped resumes where it was.
        (known if self._visits.last(self._key(url)) else fresh).append(task)
        return True

    def _next(self) -> _Task | None:
        waiting = [fresh or known for fresh, known in self._queues.values() if fresh or known]
        if not waiting:
            return None
        return min(
            waiting, key=lambda queue: self._client.rate_limiter.due(queue[0].link.url)
        ).popleft()

    def _key(self, url: str) -> str:
        """Return the history key of a URL, which differs for a feed read for its own text."""
        return f"{url}#summaries" if self._reading.links == "keep" else url

    # one URL

    def _fetch(self, task: _Task) -> Iterator[CrawlResult]:
        url = urldefrag(task.link.url).url
        last = self._visits.last(self._key(url))
        try:
            if _is_unmodified(task.link, last):
                fetched = FetchResponse(url, 304)
            elif last:
                fetched = self._client.get(url, etag=last.etag, last_modified=last.last_modified)
            else:
                fetched = self._client.get(url)
        except FetchError as error:
            yield self._reject(task, str(error), failed=not error.lasting)
            return
        if fetched.status == 304:
            self._finish(task)
            yield Unchanged(url)
        elif reason := status_problem(fetched) or redirect_problem(url, fetched):
            yield self._reject(task, reason, failed=fetched.status in TRANSIENT_STATUSES)
        else:
            yield from self._read_response(task, url, fetched)

    def _read_response(
        self, task: _Task, url: str, fetched: FetchResponse
    ) -> Iterator[CrawlResult]:
        now = datetime.now(UTC)
        visit = FetchRecord(
            self._key(url), fetched.etag, fetched.last_modified, fetched.status, now
        )
        try:
            kind = detect_format(fetched.content[:_PEEK])
        except Exception as error:
            self._finish(task)
            yield unexpected_failure(task.link.url, error)
            return
        if kind == "html":
            yield self._read_html_page(task, fetched, visit)
        elif task.depth and kind not in _LINKED:
            content_type = fetched.content_type.partition(";")[0].strip() or kind
            yield self._reject(task, f"not an HTML page (content type {content_type[:80]})")
        elif task.depth >= MAX_DEPTH:
            yield self._reject(task, f"a list of links, more than {MAX_DEPTH - 1} links deep")
        else:
            yield from self._read_links(task, url, fetched, visit)

    def _read_html_page(
        self, task: _Task, fetched: FetchResponse, visit: FetchRecord
    ) -> CrawlResult:
        found, reason = _read_page(fetched, task.link.url)
        if isinstance(found, Failure):
            self._finish(task)
            return found
        if isinstance(found, Reject) or reason:
            return self._reject(task, reason or getattr(found, "reason", ""))
        if reason := origin_problem(found, fetched.url, self._trust, place=task.link.url):
            self._finish(task)
            return self._hold(found, reason, task.link.url, fetched)
        self._uncommitted.append(replace(visit, article_id=found.id))
        self._finish(task)
        return self._with_link_metadata(found, task, fetched)

    def _with_link_metadata(self, article: Article, task: _Task, fetched: FetchResponse) -> Article:
        """Fill in what the page lacks from its link, and attach the origin.

        Metadata of another site's feed is hearsay: it only fills gaps, see `ChangePolicy`.
        """
        known, link_page = task.link.known, task.link_page.address if task.link_page else ""
        hearsay = None
        if known and link_page and not may_speak_for(link_page, fetched.url, self._trust):
            hearsay = known.replace(publisher="")
        elif known:
            article = fill_gaps(article, known)
        return with_origin(article, origin=fetched.url, place=task.link.url, hearsay=hearsay)

    def _read_links(
        self, task: _Task, url: str, fetched: FetchResponse, visit: FetchRecord
    ) -> Iterator[CrawlResult]:
        """Yield the articles of a feed or file, and queue its links."""
        link_page = _LinkPage(visit, task, fetched.url)
        reading = replace(self._reading, url=fetched.url)
        for found in read_content(fetched.content, url, reading):
            if isinstance(found, Article):
                found = self._check_origin(found, url, fetched)
            elif isinstance(found, KillNotice):
                found = replace(found, fetched_from=fetched.url)
            if not isinstance(found, Link):
                # Read the page again next time: rejects may be fixed, embargoes end, and the
                # operator may trust the source of a kill notice that was held.
                obeyed = (
                    isinstance(found, KillNotice)
                    and self._trust.source_that_may_kill(fetched.url) is not None
                )
                link_page.failed |= isinstance(found, Reject) and not obeyed
                yield found
            elif self._add(_Task(found, link_page, task.depth + 1)):
                link_page.left += 1
        self._link_done(link_page)

    def _check_origin(self, article: Article, url: str, fetched: FetchResponse) -> Article | Hold:
        if reason := origin_problem(article, fetched.url, self._trust, place=url):
            return self._hold(article, reason, url, fetched)
        return with_origin(article, origin=fetched.url, place=f"{url}!{article.url or article.id}")

    def _hold(self, article: Article, reason: str, url: str, fetched: FetchResponse) -> Hold:
        place = f"{url}!{article.url or article.id}"
        return Hold(place, reason, article.id, origin=fetched.url, article=article)

    def _reject(self, task: _Task, reason: str, *, failed: bool = False) -> Reject:
        self._finish(task, failed=failed)
        return Reject(task.link.url, reason)

    def _finish(self, task: _Task, *, failed: bool = False) -> None:
        self.finished.append(task.link.url)
        if task.link_page:
            task.link_page.failed |= failed
            self._link_done(task.link_page)

    def _link_done(self, link_page: _LinkPage) -> None:
        """Mark one link of a link page as done; once all are done, record the page as fetched."""
        link_page.left -= 1
        if link_page.left == 0:
            if not link_page.failed:
                self._uncommitted.append(link_page.visit)
            self._finish(link_page.task, failed=link_page.failed)


def _read_page(fetched: FetchResponse, place: str) -> tuple[Article | Reject, str]:
    """Return the article of a page, and why it isn't one ("" if it is)."""
    try:
        content = as_utf8(fetched.content, fetched.content_type)
        found = read_html(content, place=place, url=fetched.url)
        text, title = (found.text, found.title) if isinstance(found, Article) else ("", "")
        return found, page_problem(content, text, title)
    except Exception as error:
        return unexpected_failure(place, error), ""


def _is_unmodified(link: Link, last: FetchRecord | None) -> bool:
    """Return whether the link says that the page hasn't changed since it was added."""
    return bool(last and last.article_id and link.modified and link.modified <= last.at)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.casefold()
    except ValueError:
        return ""
