"""From addresses to articles: feeds and sitemaps are followed to the pages they name."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urldefrag, urlsplit

from ingest.fetch.client import Client, Fetched
from ingest.fetch.errors import FetchError, StoppedError
from ingest.fetch.page_checks import page_problem, redirect_problem, status_problem
from ingest.provenance import (
    Hold,
    may_speak_for,
    origin_problem,
    with_host_as_publisher,
    with_origin,
)
from ingest.readers import Failure, KillNotice, Link, ReaderOptions, Reject
from ingest.readers.detect import detect_format
from ingest.readers.dispatch import read_content
from ingest.readers.encoding import as_utf8
from ingest.readers.error_guard import unexpected_failure
from ingest.readers.html.reader import read_html
from ingest.trusted_sources import NO_TRUST, TrustedSources
from rag.schema import Article
from rag.store.crawl_state import FetchRecord

DEPTH = 4  # an index of sitemaps, a sitemap, a page: and one to spare
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses that may be others soon
_LINKED = frozenset({"feed", "sitemap", "packed"})  # what else than pages may be behind a link
_PEEK = 2**16


class FetchHistory(Protocol):
    """What is remembered of addresses: `rag.store.crawl_state.Visits`, or a fake."""

    def last(self, url: str) -> FetchRecord | None: ...
    def save(self, visits: Iterable[FetchRecord]) -> None: ...


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An address that is as it was when its article was put in."""

    place: str


Found = Article | Reject | Unchanged


class _LinkPage:
    """A page of links, remembered when all that it names is in: until then it is asked again."""

    def __init__(self, visit: FetchRecord, task: _Task, address: str) -> None:
        self.visit = visit
        self.task = task
        self.address = address  # where it was found in the end
        self.left = 1  # itself, while it is read
        self.failed = False


@dataclass(frozen=True, slots=True)
class _Task:
    link: Link
    hub: _LinkPage | None = None
    depth: int = 0


class Crawler:
    """Fetches addresses and what they name, one request a host at a time, the first due first."""

    def __init__(
        self,
        client: Client,
        visits: FetchHistory,
        reading: ReaderOptions | None = None,
        trust: TrustedSources = NO_TRUST,
    ) -> None:
        """What is fetched speaks for its own site alone, and for what `trust` lists beside it."""
        self._client = client
        self._visits = visits
        reading = reading or ReaderOptions(links="follow")
        self._reading = replace(reading, field_map=reading.field_map.for_fetched())
        self._trust = trust
        self._queues: dict[str, tuple[deque[_Task], deque[_Task]]] = {}
        self._seen: set[str] = set()
        self._settling: list[FetchRecord] = []
        self.finished: list[str] = []
        self.total = 0

    @property
    def done(self) -> int:
        """How many addresses are done with, whatever came of them."""
        return len(self.finished)

    def add(self, link: Link) -> None:
        """Have an address fetched; one that was added before is not fetched twice."""
        self._add(_Task(link, depth=0 if link.place == link.url else 1))

    def found(self) -> Iterator[Found]:
        """Yield what is behind the addresses; ends early where the user wants it to.

        What is remembered of an address waits for `settle`: first its article must be put.
        """
        try:
            while task := self._next():
                yield from self._fetched(task)
        except StoppedError:
            return

    def commit(self, refused: Collection[str] = ()) -> None:
        """Remember the addresses whose articles have been put: all that were yielded.

        But for those of the articles that were `refused` after all, which are asked for again.
        """
        self._visits.save(
            v for v in self._settling if not v.article_id or v.article_id not in refused
        )
        self._settling = []

    def requested(self, url: str) -> bool:
        """Whether this address was to be fetched."""
        return url in self._seen

    # which is next

    def _add(self, task: _Task) -> bool:
        url = urldefrag(task.link.url).url
        if url in self._seen:
            return False
        self._seen.add(url)
        self.total += 1
        fresh, known = self._queues.setdefault(_host(url), (deque(), deque()))
        # What was never had comes first: stopped and begun again, it goes on where it was.
        (known if self._visits.last(self._key(url)) else fresh).append(task)
        return True

    def _next(self) -> _Task | None:
        waiting = [fresh or known for fresh, known in self._queues.values() if fresh or known]
        if not waiting:
            return None
        return min(waiting, key=lambda queue: self._client.pace.due(queue[0].link.url)).popleft()

    def _key(self, url: str) -> str:
        """What an address is remembered by: a feed's own text is another thing than its pages."""
        return f"{url}#summaries" if self._reading.links == "keep" else url

    # one address

    def _fetched(self, task: _Task) -> Iterator[Found]:
        url = urldefrag(task.link.url).url
        last = self._visits.last(self._key(url))
        try:
            if _is_as_it_was(task.link, last):
                fetched = Fetched(url, 304)
            elif last:
                fetched = self._client.get(url, etag=last.etag, last_modified=last.last_modified)
            else:
                fetched = self._client.get(url)
        except FetchError as error:
            yield self._refused(task, str(error), failed=not error.lasting)
            return
        if fetched.status == 304:
            self._finished(task)
            yield Unchanged(url)
        elif reason := status_problem(fetched) or redirect_problem(url, fetched):
            yield self._refused(task, reason, failed=fetched.status in PASSING)
        else:
            yield from self._taken(task, url, fetched)

    def _taken(self, task: _Task, url: str, fetched: Fetched) -> Iterator[Found]:
        now = datetime.now(UTC)
        visit = FetchRecord(
            self._key(url), fetched.etag, fetched.last_modified, fetched.status, now
        )
        try:
            kind = detect_format(fetched.content[:_PEEK])
        except Exception as error:
            self._finished(task)
            yield unexpected_failure(task.link.url, error)
            return
        if kind == "html":
            yield self._page(task, fetched, visit)
        elif task.depth and kind not in _LINKED:
            said = fetched.content_type.partition(";")[0].strip() or kind
            yield self._refused(task, f"is no page of HTML but {said[:80]}")
        elif task.depth >= DEPTH:
            yield self._refused(task, f"is a list of links {DEPTH} links away from what was named")
        else:
            yield from self._links(task, url, fetched, visit)

    def _page(self, task: _Task, fetched: Fetched, visit: FetchRecord) -> Found:
        found, reason = _read_page(fetched, task.link.url)
        if isinstance(found, Failure):
            self._finished(task)
            return found
        if isinstance(found, Reject) or reason:
            return self._refused(task, reason or getattr(found, "reason", ""))
        if reason := origin_problem(found, fetched.url, self._trust, place=task.link.url):
            self._finished(task)
            return self._hold(found, reason, task.link.url, fetched)
        self._settling.append(replace(visit, article_id=found.id))
        self._finished(task)
        return self._with_known(found, task, fetched)

    def _with_known(self, article: Article, task: _Task, fetched: Fetched) -> Article:
        """Return a page's article with what it lacks from what named it, and where it is from.

        What another site says of a page only fills in what nobody else has said: see `Custody`.
        """
        known, hub = task.link.known, task.hub.address if task.hub else ""
        hearsay = None
        if known and hub and not may_speak_for(hub, fetched.url, self._trust):
            hearsay = known.replace(publisher="")
        elif known:
            article = with_host_as_publisher(article, known)
        return with_origin(article, origin=fetched.url, place=task.link.url, hearsay=hearsay)

    def _links(
        self, task: _Task, url: str, fetched: Fetched, visit: FetchRecord
    ) -> Iterator[Found]:
        """Yield the articles that a feed or a file holds, and have its links fetched."""
        hub = _LinkPage(visit, task, fetched.url)
        reading = replace(self._reading, url=fetched.url)
        for found in read_content(fetched.content, url, reading):
            if isinstance(found, Article):
                found = self._judged(found, url, fetched)
            elif isinstance(found, KillNotice):
                found = replace(found, fetched_from=fetched.url)
            if not isinstance(found, Link):
                # An embargo ends, a feed is mended: what was refused must be seen again.
                # A kill that's not obeyed waits for the operator, who may trust its source.
                obeyed = (
                    isinstance(found, KillNotice) and self._trust.killer(fetched.url) is not None
                )
                hub.failed |= isinstance(found, Reject) and not obeyed
                yield found
            elif self._add(_Task(found, hub, task.depth + 1)):
                hub.left += 1
        self._left(hub)

    def _judged(self, article: Article, url: str, fetched: Fetched) -> Article | Hold:
        if reason := origin_problem(article, fetched.url, self._trust, place=url):
            return self._hold(article, reason, url, fetched)
        return with_origin(article, origin=fetched.url, place=f"{url}!{article.url or article.id}")

    def _hold(self, article: Article, reason: str, url: str, fetched: Fetched) -> Hold:
        place = f"{url}!{article.url or article.id}"
        return Hold(place, reason, article.id, origin=fetched.url, article=article)

    def _refused(self, task: _Task, reason: str, *, failed: bool = False) -> Reject:
        self._finished(task, failed=failed)
        return Reject(task.link.url, reason)

    def _finished(self, task: _Task, *, failed: bool = False) -> None:
        self.finished.append(task.link.url)
        if task.hub:
            task.hub.failed |= failed
            self._left(task.hub)

    def _left(self, hub: _LinkPage) -> None:
        """One less of what a hub waits for: when nothing is left, it need not be read again."""
        hub.left -= 1
        if hub.left == 0:
            if not hub.failed:
                self._settling.append(hub.visit)
            self._finished(hub.task, failed=hub.failed)


def _read_page(fetched: Fetched, place: str) -> tuple[Article | Reject, str]:
    """Return the article of a page that came, and why it may be none though one was read."""
    try:
        content = as_utf8(fetched.content, fetched.content_type)
        found = read_html(content, place=place, url=fetched.url)
        text, title = (found.text, found.title) if isinstance(found, Article) else ("", "")
        return found, page_problem(content, text, title)
    except Exception as error:
        return unexpected_failure(place, error), ""


def _is_as_it_was(link: Link, last: FetchRecord | None) -> bool:
    """Whether what names a page says that it has not changed since it was put in."""
    return bool(last and last.article_id and link.modified and link.modified <= last.at)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.casefold()
    except ValueError:
        return ""
