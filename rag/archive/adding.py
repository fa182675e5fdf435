"""Adding articles: find those that have to be prepared, and write those that are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rag.archive.preparation import Draft, Embed, fill_reused
from rag.errors import EmbeddingMismatchError, ReadError
from rag.schema import Article, Span
from rag.store.articles import PREPARED_VERSION, ArticleStore, PreparedArticle, content_hash
from rag.store.withdrawals import Withdrawals
from rag.valid_dates import EARLIEST_YEAR, LATEST_YEAR, is_valid_date

NewArticle = Article | tuple[Article, Sequence[Span]]  # an article, or one split into passages


@dataclass(frozen=True, slots=True)
class AddResult:
    """Counts of a call of `Archive.add`.

    Attributes:
        new: Articles that were not in the archive.
        changed: Articles that differ from all of their revisions; each is a new revision.
        unchanged: Articles that equal one of their revisions.
        passages: Passages that were written for the new and changed articles.
        withdrawn: Articles that are withdrawn and were not added.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    passages: int = 0
    withdrawn: int = 0

    def __add__(self, other: AddResult) -> AddResult:
        """Return the counts of both calls together."""
        return AddResult(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.passages + other.passages,
            self.withdrawn + other.withdrawn,
        )


def draft_articles(
    store: ArticleStore, articles: Iterable[NewArticle]
) -> tuple[list[Draft], AddResult]:
    """Return what has to be prepared to add articles: see `Archive.draft`."""
    split = [(one, None) if isinstance(one, Article) else one for one in articles]
    for article, _ in split:
        _check_dates(article)
    ids = [article.id for article, _ in split]
    withdrawn, fingerprints = Withdrawals(store).among(ids), store.fingerprints(ids)
    fresh = [
        (article, spans)
        for article, spans in split
        if article.id not in withdrawn
        and content_hash(article) not in fingerprints.get(article.id, ())
    ]
    digests = store.known_digests(article.id for article, _ in fresh)
    drafts = [
        Draft(
            article,
            None if spans is None else tuple(spans),
            digests.get(article.id, frozenset()),
        )
        for article, spans in fresh
    ]
    unchanged = len(split) - len(fresh) - len(withdrawn)
    return drafts, AddResult(unchanged=unchanged, withdrawn=len(withdrawn))


def write_prepared(
    store: ArticleStore, entries: Sequence[PreparedArticle], model: str, embed: Embed
) -> AddResult:
    """Write prepared articles, each id once, in one transaction: see `Archive.write`.

    Args:
        store: The store.
        entries: The articles.
        model: Name of the archive's embedding model.
        embed: Embeds passages with it.
    """
    if not entries:
        return AddResult()
    for entry in entries:
        _check_dates(entry.article)
        _check_prepared(entry, model)
    entries = [
        fill_reused(entry, store.known_vectors(entry.article.id), embed) if entry.reused else entry
        for entry in entries
    ]
    done = store.put(entries)
    return AddResult(
        new=len(done.written) - done.changed,
        changed=done.changed,
        unchanged=len(entries) - len(done.written) - done.withdrawn,
        passages=sum(len(entry.spans) for entry in done.written),
        withdrawn=done.withdrawn,
    )


def _check_prepared(entry: PreparedArticle, model: str) -> None:
    """Refuse what another model has embedded or another version has prepared."""
    if entry.version != PREPARED_VERSION:
        raise EmbeddingMismatchError(
            f"{entry.article.id!r} was prepared by another version of Backfile: "
            "install the same version wherever articles are prepared"
        )
    if entry.model not in ("", model):
        raise EmbeddingMismatchError(
            f"{entry.article.id!r} was embedded with {entry.model}, and the archive is "
            f"searched with {model}: prepare it again"
        )


def split_at_repeats(
    items: Article | Iterable[NewArticle] | Iterable[PreparedArticle],
) -> Iterator[list[Any]]:
    """Yield items in batches without repeated ids: a repeated article is a revision of its own."""
    batch: dict[str, Any] = {}
    for item in [items] if isinstance(items, Article) else items:
        article = item if isinstance(item, Article) else _article_of(item)
        if article.id in batch:
            yield list(batch.values())
            batch = {}
        batch[article.id] = item
    if batch:
        yield list(batch.values())


def _article_of(item: tuple[Article, Sequence[Span]] | PreparedArticle) -> Article:
    return item.article if isinstance(item, PreparedArticle) else item[0]


def _check_dates(article: Article) -> None:
    for name in ("published", "updated"):
        moment = getattr(article, name)
        if moment and not is_valid_date(moment):
            raise ReadError(
                f"{article.id!r}: {name} {moment.isoformat()} lies outside the years "
                f"{EARLIEST_YEAR} to {LATEST_YEAR}: give another date, or none"
            )
