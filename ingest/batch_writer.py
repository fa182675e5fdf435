"""Write batches of articles to the archive: resolve ids, skip unchanged, split, add."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ingest.change_policy import ChangePolicy
from ingest.fullest_copy import FullestCopyFilter, SiftedBatch
from ingest.preparers import Chunk, Preparers
from ingest.preparing import NotPrepared, Outcome
from ingest.provenance import Hold
from ingest.readers import KillNotice, ReadNotice, Reject
from ingest.readers.error_guard import unexpected_failure
from ingest.readers.file_names import article_place, printable_name
from ingest.report import RunReporter
from ingest.target import AddCounts, IngestTarget
from rag.archive.adding import split_at_repeats
from rag.archive.preparation import Draft
from rag.chunking import split_article, token_limit
from rag.errors import ReadError
from rag.schema import ALL_RIGHTS, Article, Span
from rag.store.articles import PreparedArticle, content_hash
from rag.store.database import is_archive_error
from rag.valid_dates import is_valid_date

if TYPE_CHECKING:
    from ingest.identity import ArticleIdResolver

_FULLER_KEPT = (
    "much shorter than another copy of the same address in this run, which was added instead: "
    "ingest this one by itself if it is the right one"
)


@dataclass(slots=True)
class PlannedBatch:
    """A batch that is to be written, and what is being prepared of it.

    Attributes:
        sound: The articles that can be stored.
        refused: Ids of the articles that were rejected.
        size: Characters of the articles' texts.
        drafts: What has to be prepared, by the archive's state when the batch was planned.
        chunks: The drafts that have been sent to worker processes.
        decision: What to add of it, by the archive's state when it was planned.
    """

    sound: list[Article]
    refused: list[str]
    size: int
    drafts: list[Draft] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    decision: _Decision | None = None

    @property
    def fresh_size(self) -> int:
        """Characters of the texts that have to be prepared."""
        return sum(len(draft.article.text) for draft in self.drafts)

    @property
    def is_ready(self) -> bool:
        """True if all that was sent is prepared, or there is nothing to prepare."""
        if self.chunks:
            return all(chunk.future.done() for chunk in self.chunks)
        return not self.drafts


@dataclass(frozen=True, slots=True)
class _Decision:
    resolved: list[Article]
    held: list[Hold]
    sifted: SiftedBatch
    fresh: list[Article]


class BatchWriter:
    """Adds batches of articles to an archive, and withdraws articles that publishers kill."""

    def __init__(
        self,
        archive: IngestTarget,
        reporter: RunReporter,
        policy: ChangePolicy,
        id_resolver: ArticleIdResolver | None = None,
        pool: Preparers | None = None,
    ) -> None:
        """Create a writer.

        Args:
            archive: The archive.
            reporter: Counts the articles and reports the rejects.
            policy: Decides which changes of existing articles are held.
            id_resolver: Finds the ids of articles that have no address.
            pool: Processes that prepare the articles of batches that were sent to them.
        """
        self._archive: Any = archive
        self._pool = pool
        self._prepared: dict[str, Outcome] = {}
        self._last: _Decision | None = None  # the last one made, unless something was written
        self._reporter = reporter
        self._policy = policy
        self._id_resolver = id_resolver
        self._copies = FullestCopyFilter(partial(archive.article, access=ALL_RIGHTS))

    def plan(self, batch: Sequence[Article]) -> PlannedBatch:
        """Check a batch, and find what has to be prepared of it, as the archive is now."""
        refused: list[str] = []
        dated = map(self._with_valid_dates, batch)
        sound = [article for article in dated if self._is_storable(article, refused)]
        size = sum(len(article.text) for article in sound)
        planned = PlannedBatch(sound, refused, size)
        if self._pool is not None:
            try:
                planned.decision = self._decide(sound)
                planned.drafts = self._draft(planned.decision.fresh)
            except Exception as error:
                if is_archive_error(error):
                    raise
        return planned

    def _draft(self, fresh: Sequence[Article]) -> list[Draft]:
        """Return the drafts of the articles that a batch would add."""
        return [
            draft for group in split_at_repeats(fresh) for draft in self._archive.draft(group)[0]
        ]

    def send(self, planned: PlannedBatch) -> None:
        """Send the drafts of a batch to the worker processes, once."""
        if self._pool is not None and not planned.chunks:
            planned.chunks = self._pool.submit(planned.drafts)

    def write(self, planned: PlannedBatch) -> list[str]:
        """Add the new and changed articles of a batch; return the ids of those rejected.

        If the batch fails, its articles are added one by one, so only the faulty one is rejected.
        """
        refused = planned.refused
        self._prepared = self._collect(planned)
        try:
            self._write(planned.sound, refused, planned.decision)
        except Exception as error:
            if is_archive_error(error):
                raise
            for article in planned.sound:
                self._write_alone(article, refused)
        finally:
            self._prepared = {}
        return refused

    def _collect(self, planned: PlannedBatch) -> dict[str, Outcome]:
        """Return what the worker processes made of a batch's drafts, by content hash."""
        found: dict[str, Outcome] = {}
        for chunk in planned.chunks:
            assert self._pool is not None
            outcomes = self._pool.collect(chunk)
            for draft, outcome in zip(chunk.drafts, outcomes, strict=True):
                found[content_hash(draft.article)] = outcome
        return found

    def _write_alone(self, article: Article, refused: list[str]) -> None:
        try:
            self._write([article], refused)
        except Exception as error:
            if is_archive_error(error):
                raise
            refused.append(article.id)
            self._reporter.reject(unexpected_failure(article_place(article), error))

    def _decide(self, batch: Sequence[Article]) -> _Decision:
        """Return which articles of a batch to add, as the archive is now."""
        if self._id_resolver:
            batch = self._id_resolver.resolve(batch)
        resolved, held = self._policy.admit(batch)
        sifted = self._copies.sift(resolved)
        known = self._archive.content_hashes({article.id for article in sifted.articles})
        fresh: list[Article] = []
        for article in sifted.articles:
            digest = content_hash(article)
            if digest not in known.get(article.id, ()) and not self._would_lose_text(article):
                fresh.append(article)
                # The same line twice in a batch is one article.
                known[article.id] = known.get(article.id, frozenset()) | {digest}
        self._last = _Decision(resolved, held, sifted, fresh)
        return self._last

    def _write(
        self, batch: Sequence[Article], refused: list[str], decision: _Decision | None = None
    ) -> None:
        # Nothing was decided since, so nothing was written either.
        if decision is None or decision is not self._last:
            decision = self._decide(batch)
        self._last = None
        sifted = decision.sifted
        unchanged = len(sifted.contained) + len(sifted.articles) - len(decision.fresh)
        rejects: list[tuple[str, Reject]] = []
        counts = [*self._add(decision.fresh, rejects)]
        self._copies.remember(decision.resolved)
        for article_id, reject in rejects:  # not earlier: a batch that fails is written again
            refused.append(article_id)
            self._reporter.reject(reject)
        for article in sifted.shorter:
            self._reporter.reject(Reject(article_place(article), _FULLER_KEPT))
        for hold in decision.held:
            self.hold(hold)
        self._reporter.count(
            new=sum(one.new for one in counts),
            changed=sum(one.changed for one in counts),
            unchanged=unchanged + sum(one.unchanged for one in counts),
            kept_out=sum(one.withdrawn for one in counts),
            passages=sum(one.passages for one in counts),
        )
        if self._id_resolver:
            self._id_resolver.commit()
        self._policy.commit()

    def _add(
        self, fresh: Sequence[Article], rejects: list[tuple[str, Reject]]
    ) -> Iterator[AddCounts]:
        """Add articles; yield the counts, and append those that can't be split to `rejects`."""
        failed = [
            (article, outcome.reject)
            for article in fresh
            if isinstance(outcome := self._prepared.get(content_hash(article)), NotPrepared)
        ]
        rejects += [(article.id, reject) for article, reject in failed]
        out = {content_hash(article) for article, _ in failed}
        left = [article for article in fresh if not out or content_hash(article) not in out]
        if self._prepared:
            for group in split_at_repeats(left):
                drafts, counts = self._archive.draft(group)
                yield counts
                yield self._archive.write(self._entries(drafts))
            return
        split = [pair for article in left if (pair := self._split(article, rejects))]
        if split:
            yield self._archive.add(split)

    def _entries(self, drafts: Sequence[Draft]) -> list[PreparedArticle]:
        """Return prepared articles: those of the worker processes, and others prepared here."""
        found: dict[str, PreparedArticle] = {}
        for draft in drafts:
            outcome = self._prepared.get(content_hash(draft.article))
            if isinstance(outcome, PreparedArticle):
                found[draft.article.id] = outcome
        left = [draft for draft in drafts if draft.article.id not in found]
        found |= {entry.article.id: entry for entry in self._archive.prepare(left)}
        return [found[draft.article.id] for draft in drafts]

    def _split(
        self, article: Article, rejects: list[tuple[str, Reject]]
    ) -> tuple[Article, list[Span]] | None:
        try:
            return article, split_article(article, token_limit(self._archive.embeddings))
        except (ReadError, ValueError) as error:
            rejects.append((article.id, Reject(article_place(article), str(error))))
            return None

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
            self._reporter.reject(unexpected_failure(article_place(article), error))
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
        place = printable_name(article_place(article))
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
        self._last = None
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
