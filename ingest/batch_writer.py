"""Write batches of articles to the archive: resolve ids, skip unchanged, split, add."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ingest.change_policy import ChangePolicy
from ingest.fullest_copy import FullestCopyFilter
from ingest.provenance import Hold
from ingest.readers import KillNotice, ReadNotice, Reject
from ingest.readers.error_guard import unexpected_failure
from ingest.readers.file_names import printable_name
from ingest.report import RunReporter
from ingest.target import IngestTarget
from rag.chunking import split_article, token_limit
from rag.errors import ReadError
from rag.schema import ALL_RIGHTS, Article, Span
from rag.store.articles import content_hash
from rag.store.database import is_archive_error
from rag.valid_dates import is_valid_date

if TYPE_CHECKING:
    from ingest.identity import ArticleIdResolver

_FULLER_KEPT = (
    "much shorter than another copy of the same address in this run, which was added instead: "
    "ingest this one by itself if it is the right one"
)


class BatchWriter:
    """Adds batches of articles to an archive, and withdraws articles that publishers kill."""

    def __init__(
        self,
        archive: IngestTarget,
        reporter: RunReporter,
        policy: ChangePolicy,
        id_resolver: ArticleIdResolver | None = None,
    ) -> None:
        """Create a writer.

        Args:
            archive: The archive.
            reporter: Counts the articles and reports the rejects.
            policy: Decides which changes of existing articles are held.
            id_resolver: Finds the ids of articles that have no address.
        """
        self._archive = archive
        self._reporter = reporter
        self._policy = policy
        self._id_resolver = id_resolver
        self._copies = FullestCopyFilter(partial(archive.article, access=ALL_RIGHTS))

    def write(self, batch: Sequence[Article]) -> list[str]:
        """Add the new and changed articles of a batch; return the ids of those rejected.

        If the batch fails, its articles are added one by one, so only the faulty one is rejected.
        """
        refused: list[str] = []
        dated = map(self._with_valid_dates, batch)
        sound = [article for article in dated if self._is_storable(article, refused)]
        try:
            self._write(sound, refused)
        except Exception as error:
            if is_archive_error(error):
                raise
            for article in sound:
                self._write_alone(article, refused)
        return refused

    def _write_alone(self, article: Article, refused: list[str]) -> None:
        try:
            self._write([article], refused)
        except Exception as error:
            if is_archive_error(error):
                raise
            refused.append(article.id)
            self._reporter.reject(unexpected_failure(article.url or article.id, error))

    def _write(self, batch: Sequence[Article], refused: list[str]) -> None:
        if self._id_resolver:
            batch = self._id_resolver.resolve(batch)
        resolved, held = self._policy.admit(batch)
        sifted = self._copies.sift(resolved)
        batch = sifted.articles
        known = self._archive.content_hashes({article.id for article in batch})
        fresh: list[tuple[Article, list[Span]]] = []
        rejects: list[tuple[str, Reject]] = []
        unchanged = len(sifted.contained)
        limit = token_limit(self._archive.embeddings)
        for article in batch:
            try:
                digest = content_hash(article)
                if digest in known.get(article.id, ()) or self._would_lose_text(article):
                    unchanged += 1
                    continue
                fresh.append((article, split_article(article, limit)))
                # The same line twice in a batch is one article.
                known[article.id] = known.get(article.id, frozenset()) | {digest}
            except (ReadError, ValueError) as error:
                rejects.append((article.id, Reject(article.url or article.id, str(error))))
        counts = self._archive.add(fresh) if fresh else None
        self._copies.remember(resolved)
        for article_id, reject in rejects:  # not earlier: a batch that fails is written again
            refused.append(article_id)
            self._reporter.reject(reject)
        for article in sifted.shorter:
            self._reporter.reject(Reject(article.url, _FULLER_KEPT))
        for hold in held:
            self.hold(hold)
        self._reporter.count(
            new=counts.new if counts else 0,
            changed=counts.changed if counts else 0,
            unchanged=unchanged + (counts.unchanged if counts else 0),
            kept_out=counts.withdrawn if counts else 0,
            passages=counts.passages if counts else 0,
        )
        if self._id_resolver:
            self._id_resolver.commit()
        self._policy.commit()

    def _would_lose_text(self, article: Article) -> bool:
        """Return whether an article without text would replace one that has its text.

        Archives of older versions store the title as the text of an article without one.
        """
        if article.text:
            return False
        here = self._archive.article(article.id, access=ALL_RIGHTS)
        return here is not None and bool(here.text) and here.text != here.title

    def _is_storable(self, article: Article, refused: list[str]) -> bool:
        """Return whether an article is valid Unicode text; reject it if not."""
        try:
            content_hash(article)
        except Exception as error:
            refused.append(article.id)
            self._reporter.reject(unexpected_failure(article.url or article.id, error))
            return False
        return True

    def _with_valid_dates(self, article: Article) -> Article:
        """Return the article without dates that the archive doesn't accept, and report them."""
        wrong = {
            name: moment
            for name in ("published", "updated")
            if (moment := getattr(article, name)) and not is_valid_date(moment)
        }
        if not wrong:
            return article
        place = printable_name(article.url or article.id)
        self._reporter.notice(
            ReadNotice(place, f"date ignored: {name} {moment.isoformat()} is not a likely date")
            for name, moment in wrong.items()
        )
        return article.replace(
            published=None if "published" in wrong else article.published,
            updated=None if "updated" in wrong else article.updated,
        )

    def handle_non_article(self, found: Reject) -> None:
        """Handle input that isn't an article: a kill notice, a held change, or a reject."""
        if isinstance(found, KillNotice):
            self._handle_kill(found)
        elif isinstance(found, Hold):
            self.hold(found)
        else:
            self._reporter.reject(found)

    def _handle_kill(self, kill: KillNotice) -> None:
        """Withdraw an article that its own publisher kills, whether present or yet to come."""
        try:
            self._withdraw_killed(kill)
        except Exception as error:
            if is_archive_error(error):
                raise
            self._reporter.reject(unexpected_failure(kill.place, error))

    def _withdraw_killed(self, kill: KillNotice) -> None:
        article_id = kill.article_id
        if self._id_resolver:
            article_id = self._id_resolver.resolve_kill(article_id, kill.publisher)
        here = self._archive.article(article_id, access=ALL_RIGHTS)
        if why := self._policy.objection_to_kill(kill, article_id, here):
            self.hold(Hold(kill.place, why, article_id, kill.fetched_from, words=kill.reason))
            return
        removed = self._archive.withdraw([article_id], reason=kill.reason)
        self._reporter.count(removed=removed, unchanged=1 - removed)

    def hold(self, hold: Hold) -> None:
        """Hold a change for the operator, unless it has been made already."""
        try:
            reason = self._policy.hold(hold)
        except ReadError as error:
            reason = str(error)
        if reason:
            self._reporter.reject(Reject(hold.place, reason))
        else:
            self._reporter.count(unchanged=1)

    def finish(self) -> None:
        """Save what the change policy has learned."""
        self._policy.commit()
