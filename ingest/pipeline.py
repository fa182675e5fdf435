"""From files to the archive: read, clean, skip what is unchanged, split, put."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from ingest.batching import batches
from ingest.change_policy import ChangePolicy
from ingest.fullest_copy import FullestCopyFilter
from ingest.provenance import ArrivedArticle, Hold
from ingest.readers import (
    Failure,
    KillNotice,
    Link,
    NotedArticle,
    ReaderOptions,
    ReadNotice,
    Reject,
    list_files,
    read,
)
from ingest.readers.error_guard import guard, unexpected_failure
from ingest.readers.file_names import printable_name
from ingest.report import IngestReport, Progress
from ingest.target import IngestTarget
from rag.chunking import TokenLimit, split_article
from rag.errors import ReadError
from rag.schema import ALL_RIGHTS, Article, Span
from rag.store.articles import content_hash
from rag.store.database import is_of_the_archive
from rag.valid_dates import is_valid_date

if TYPE_CHECKING:
    from ingest.fetch.crawler import Crawler
    from ingest.identity import ArticleIdResolver

LOG = logging.getLogger("backfile.ingest")
# Else Python prints the warnings of a logger without a handler on the user's screen.
logging.getLogger("backfile").addHandler(logging.NullHandler())

_FULLER_KEPT = (
    "this copy is much shorter than one of the same address in this run, which is kept: "
    "ingest it by itself if it is the right one"
)
# Characters of a reject that are kept: names and ids in it are as long as their authors like.
PLACE_UP_TO, REASON_UP_TO = 16_384, 1_000
PAGE_BYTES = 50_000  # what a page that is fetched counts for in the progress


def ingest(
    archive: IngestTarget,
    sources: Iterable[str | Path],
    *,
    on_progress: Callable[[Progress], None] | None = None,
    on_reject: Callable[[dict[str, str]], None] | None = None,
    on_notice: Callable[[dict[str, str]], None] | None = None,
    on_read: Callable[[str], None] | None = None,
    reading: ReaderOptions | None = None,
    following: Crawler | None = None,
    identities: ArticleIdResolver | None = None,
    custody: ChangePolicy | None = None,
    stop: Event | None = None,
) -> IngestReport:
    """Put every article of `sources` into `archive`, and say what was done.

    An article that has not changed is skipped before it is split or embedded; a changed one
    becomes a new revision. What cannot be read is told to `on_reject` as
    `{"place": ..., "reason": ...}` and the rest goes in; a date or a time zone that cannot be read
    costs no article, and is told to `on_notice` as `{"place": ..., "notice": ...}`. Each batch is
    put for good: stopped and started again, an ingest finds what it has done unchanged. `reading`
    says how files are read.

    Sources are files, folders, and, with a `following` that fetches them, addresses. `on_read`
    is told each of them that was read to its end. `identities` tells which article of the archive
    one is that has no address, `custody` which changes are not their origin's to make: those are
    rejects. When `stop` is set, what has been read is put,
    and nothing more is read.
    """
    sources = list(sources)
    sizes = [_size(Path(source)) for source in sources if not is_address(source)]
    run = _Run(
        archive,
        sum(sizes),
        on_progress,
        on_reject,
        on_notice,
        following,
        identities,
        custody or ChangePolicy(archive),
        stop or Event(),
    )
    for batch in batches(run.articles(sources, reading or ReaderOptions(), on_read)):
        run.put(batch)
    return run.finished()


def is_address(source: str | Path) -> bool:
    """Whether a source is to be fetched."""
    return isinstance(source, str) and re.match(r"(?i)https?://", source) is not None


class _Run:
    """One ingest under way: its counts, and whom to tell."""

    def __init__(
        self,
        archive: IngestTarget,
        total: int,
        on_progress: Callable[[Progress], None] | None,
        on_reject: Callable[[dict[str, str]], None] | None,
        on_notice: Callable[[dict[str, str]], None] | None,
        following: Crawler | None,
        identities: ArticleIdResolver | None,
        custody: ChangePolicy,
        stop: Event,
    ) -> None:
        self.archive = archive
        self.report = IngestReport()
        self.done, self.total = 0, total
        self._begun = time.monotonic()
        self._on_progress = on_progress
        self._on_reject = on_reject
        self._on_notice = on_notice
        self._following = following
        self._identities = identities
        self._custody = custody
        self._stop = stop
        self._copies = FullestCopyFilter(partial(archive.article, access=ALL_RIGHTS))

    def articles(
        self,
        sources: Iterable[str | Path],
        reading: ReaderOptions,
        on_read: Callable[[str], None] | None = None,
    ) -> Iterator[Article]:
        """Yield the articles that are in `sources`; rejects are counted and told on the way."""
        for source in sources:
            if is_address(source):
                self._follow(Link(str(source), str(source)))
                continue
            place = printable_name(source)
            read_of_it = partial(read, source, on_bytes=self._on_bytes, reading=reading)
            for found in guard(place, read_of_it):
                if self._stop.is_set():
                    return
                if isinstance(found, Reject):
                    self._refuse(found)
                elif isinstance(found, Link):
                    self._follow(found)
                else:
                    yield self._noticed(found)
            if on_read:
                on_read(place)
        yield from self._fetched()

    def _follow(self, link: Link) -> None:
        if printable_name(link.url) != link.url:
            self._reject(Reject(link.place, f"no web address: {link.url!r}"))
        elif self._following:
            self._following.add(link)
        else:
            self._reject(Reject(link.place, f"{link.url} is not fetched: nothing was said of it"))

    def _fetched(self) -> Iterator[Article]:
        for found in self._following.found() if self._following else ():
            if isinstance(found, Article):
                yield self._noticed(found)
            elif isinstance(found, Reject):
                self._refuse(found)
                self._tell()
            else:
                self.report = replace(self.report, unchanged=self.report.unchanged + 1)
                self._tell()

    def put(self, batch: Sequence[Article]) -> None:
        """Put the articles of `batch` that are new or changed.

        Where that fails, each is put by itself, so that only the one that can't be is rejected.
        """
        refused: list[str] = []
        dated = map(self._with_valid_dates, batch)
        sound = [article for article in dated if self._is_text(article, refused)]
        try:
            self._put(sound, refused)
        except Exception as error:
            if is_of_the_archive(error):
                raise
            for article in sound:
                self._put_alone(article, refused)
        if self._following:
            self._following.commit(refused)
        self._tell()

    def _put_alone(self, article: Article, refused: list[str]) -> None:
        try:
            self._put([article], refused)
        except Exception as error:
            if is_of_the_archive(error):
                raise
            refused.append(article.id)
            self._reject(unexpected_failure(article.url or article.id, error))

    def _put(self, batch: Sequence[Article], refused: list[str]) -> None:
        if self._identities:
            batch = self._identities.resolve(batch)
        resolved, held = self._custody.admit(batch)
        sifted = self._copies.sift(resolved)
        batch = sifted.articles
        known = self.archive.content_hashes({article.id for article in batch})
        fresh: list[tuple[Article, list[Span]]] = []
        rejects: list[tuple[str, Reject]] = []
        unchanged = len(sifted.contained)
        limit: TokenLimit = self.archive.embeddings
        for article in batch:
            try:
                mark = content_hash(article)
                if mark in known.get(article.id, ()) or self._has_text_already(article):
                    unchanged += 1
                    continue
                fresh.append((article, split_article(article, limit)))
                # The same line twice in a batch is one article.
                known[article.id] = known.get(article.id, frozenset()) | {mark}
            except (ReadError, ValueError) as error:
                rejects.append((article.id, Reject(article.url or article.id, str(error))))
        counts = self.archive.add(fresh) if fresh else None
        self._copies.remember(resolved)
        for article_id, reject in rejects:  # not before: a batch that fails is put again
            refused.append(article_id)
            self._reject(reject)
        for article in sifted.shorter:
            self._reject(Reject(article.url, _FULLER_KEPT))
        for hold in held:
            self._hold(hold)
        self.report = replace(
            self.report,
            new=self.report.new + (counts.new if counts else 0),
            changed=self.report.changed + (counts.changed if counts else 0),
            unchanged=self.report.unchanged + unchanged + (counts.unchanged if counts else 0),
            kept_out=self.report.kept_out + (counts.withdrawn if counts else 0),
            passages=self.report.passages + (counts.passages if counts else 0),
        )
        if self._identities:
            self._identities.commit()
        self._custody.commit()

    def _has_text_already(self, article: Article) -> bool:
        """Whether an article came without its text, and is here with it: a wall replaces no story.

        An archive of before holds the title in the place of the text: that is none.
        """
        if article.text:
            return False
        here = self.archive.article(article.id, access=ALL_RIGHTS)
        return here is not None and bool(here.text) and here.text != here.title

    def _is_text(self, article: Article, refused: list[str]) -> bool:
        """Whether an article can be stored; rejected where it holds what isn't Unicode text."""
        try:
            content_hash(article)
        except Exception as error:
            refused.append(article.id)
            self._reject(unexpected_failure(article.url or article.id, error))
            return False
        return True

    def _with_valid_dates(self, article: Article) -> Article:
        """Return the article without a date that no archive holds: it costs the date alone."""
        wrong = {
            name: moment
            for name in ("published", "updated")
            if (moment := getattr(article, name)) and not is_valid_date(moment)
        }
        if not wrong:
            return article
        place = printable_name(article.url or article.id)
        self._notice(
            ReadNotice(place, f"no date was kept: {name} {moment.isoformat()} is not a likely date")
            for name, moment in wrong.items()
        )
        return article.replace(
            published=None if "published" in wrong else article.published,
            updated=None if "updated" in wrong else article.updated,
        )

    def finished(self) -> IngestReport:
        self._custody.commit()
        if self._following:
            self._following.commit()
        if not self._stop.is_set():
            self.done = self.total
        self._tell()
        return self.report

    def _refuse(self, found: Reject) -> None:
        if isinstance(found, KillNotice):
            self._kill(found)
        elif isinstance(found, Hold):
            self._hold(found)
        else:
            self._reject(found)

    def _kill(self, kill: KillNotice) -> None:
        """Take an article down that its own publisher kills, for good, here or yet to come."""
        try:
            self._take_down(kill)
        except Exception as error:
            if is_of_the_archive(error):
                raise
            self._reject(unexpected_failure(kill.place, error))

    def _take_down(self, kill: KillNotice) -> None:
        killed = kill.article_id
        if self._identities:
            killed = self._identities.resolve_kill(killed, kill.publisher)
        here = self.archive.article(killed, access=ALL_RIGHTS)
        if why := self._custody.objection_to_kill(kill, killed, here):
            self._hold(Hold(kill.place, why, killed, kill.fetched_from, words=kill.reason))
            return
        removed = self.archive.withdraw([killed], reason=kill.reason)
        self.report = replace(
            self.report,
            removed=self.report.removed + removed,
            unchanged=self.report.unchanged + 1 - removed,
        )

    def _noticed(self, article: Article) -> Article:
        """Tell what could not be read of an article, and return it as it goes on."""
        if not isinstance(article, NotedArticle):
            return article
        self._notice(article.notices)
        return article if isinstance(article, ArrivedArticle) else article.plain()

    def _notice(self, notices: Iterable[ReadNotice]) -> None:
        for notice in notices:
            self.report = replace(self.report, notices=self.report.notices + 1)
            if self._on_notice:
                self._on_notice({"place": printable_name(notice.place), "notice": notice.reason})

    def _hold(self, hold: Hold) -> None:
        """Hold a change that is not its origin's to make; one that is done already is none."""
        try:
            said = self._custody.hold(hold)
        except ReadError as error:
            said = str(error)
        if said:
            self._reject(Reject(hold.place, said))
        else:
            self.report = replace(self.report, unchanged=self.report.unchanged + 1)

    def _reject(self, reject: Reject) -> None:
        self.report = replace(self.report, rejected=self.report.rejected + 1)
        place = printable_name(reject.place[:PLACE_UP_TO])
        reason = printable_name(" ".join(reject.reason[:REASON_UP_TO].split()))
        if isinstance(reject, Failure):
            figures = {
                "place": place,
                "reason": reason,
                "traceback": printable_name(reject.traceback),
            }
            LOG.error("reader failed", extra={"figures": figures})
        if self._on_reject:
            self._on_reject({"place": place, "reason": reason})

    def _on_bytes(self, count: int) -> None:
        self.done += count

    def _tell(self) -> None:
        self.report = replace(self.report, seconds=time.monotonic() - self._begun)
        if self._on_progress:
            pages = (self._following.done, self._following.total) if self._following else (0, 0)
            done, total = (part * PAGE_BYTES for part in pages)
            done += min(self.done, self.total)
            self._on_progress(Progress(done, self.total + total, self.report))


def _size(path: Path) -> int:
    try:
        return sum(file.stat().st_size for file in list_files(path))
    except OSError:
        return 0
