"""The archive: the record and its two indexes, opened, written to and kept in step.

One process writes at a time, under a lock; the record comes first, in one transaction, then the
indexes.  Any number read: see `rag.archive.reader`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock

from rag.archive.erasure import erase_articles, finish_erasure
from rag.archive.reader import ArchiveReader
from rag.archive.reembed import WAIT, OnProgress, ReembedResult, cancel_reembed, reembed
from rag.errors import ArchiveDamagedError, BackfileError, ReadError
from rag.index.consistency import find_lost_writes
from rag.index.index_pair import IndexPair
from rag.models.archive_model import ArchiveModel, LazyEmbeddings, open_reranker_lazily
from rag.schema import Article, Span
from rag.settings import Settings
from rag.store.articles import ArticleStore, content_hash, prepare_articles
from rag.store.connection import map_disk_errors
from rag.store.file_permissions import make_private
from rag.store.integrity import refuse_triggers
from rag.store.lock import writer_lock
from rag.store.passages import Vectors
from rag.store.staged_vectors import MODEL
from rag.store.withdrawals import Withdrawal, Withdrawals
from rag.valid_dates import EARLIEST_YEAR, LATEST_YEAR, is_valid_date

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder

Mode = Literal["read", "write"]
Losses = Literal["refuse", "accept"]
Missing = Literal["refuse", "create"]


@dataclass(frozen=True, slots=True)
class AddResult:
    """What became of a batch of articles, and how many passages were written.

    Those that were withdrawn stay out.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    passages: int = 0
    withdrawn: int = 0

    def __add__(self, other: AddResult) -> AddResult:
        return AddResult(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.passages + other.passages,
            self.withdrawn + other.withdrawn,
        )


class Archive(ArchiveReader):
    """Articles and their indexes in one folder; open it with `Archive.open`."""

    def __init__(
        self,
        path: Path,
        record: ArticleStore,
        model: ArchiveModel,
        lock: FileLock | None,
        settings: Settings,
        generation: int = 0,
        reranker: BaseCrossEncoder | None = None,
    ) -> None:
        indexes = IndexPair(path, record, lock)
        super().__init__(path, record, indexes, model, generation, reranker)
        self._lock = lock
        self._settings = settings
        self._opened = ExitStack()  # what is to be closed

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        mode: Mode = "read",
        embeddings: Any = None,
        reranker: BaseCrossEncoder | None = None,
        settings: Settings | None = None,
        wait: float = 0.0,
        losses: Losses = "refuse",
        missing: Missing = "create",
    ) -> Archive:
        """Open the archive at `path`, by default the one of the settings.

        To `write` creates it where there is none, unless `missing` ones are refused, and takes the
        writers' lock, waiting for it `wait` seconds.  `embeddings` is any LangChain `Embeddings`,
        by default the settings', and `reranker` any LangChain cross-encoder, likewise: every search
        of the archive is ordered by it.  Raises ArchiveNotFoundError, ArchiveLockedError,
        ArchiveDamagedError, and EmbeddingMismatchError where the archive was built with another
        model.  A record that has lost changes, as its indexes tell, is damaged too, and one with
        triggers, which would run at each write, unless `losses` are accepted.
        """
        settings = settings or Settings.from_environment()
        folder = Path(path if path is not None else settings.archive)
        create = mode == "write" and missing == "create"
        if mode == "write" and not create:
            ArticleStore(folder).close()  # before there is a lock, and a folder for it
        with (
            map_disk_errors(folder) if mode == "write" else nullcontext(),
            ExitStack() as opened,  # closed again where anything fails
        ):
            lock = writer_lock(folder, wait) if mode == "write" else None
            if lock is not None:
                opened.callback(lock.release)
                make_private(folder)  # of an earlier version, too
                opened.callback(make_private, folder)  # what the libraries wrote last
            record = ArticleStore(folder, create=create, writable=mode == "write")
            opened.callback(record.close)
            if losses == "refuse" and (loss := find_lost_writes(folder, record.database)):
                raise ArchiveDamagedError(
                    f"of the archive at {folder}, {loss.description}: {loss.remedy}"
                )
            if losses == "refuse" and mode == "write":
                refuse_triggers(folder, record.database)
            generation = record.generation()  # first: see `_keep_up`
            model = ArchiveModel(embeddings, settings, record.database.meta(MODEL))
            reranker = reranker or open_reranker_lazily(settings)
            archive = cls(folder, record, model, lock, settings, generation, reranker)
            opened.callback(archive._indexes.close)
            if mode == "write":
                archive._indexes.catch_up()
                archive._indexes.remove_leftovers()
                finish_erasure(folder, record, archive._indexes)
                make_private(folder)
            archive._opened = opened.pop_all()
        return archive

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; a writer lets go of the lock."""
        self._opened.close()

    def add(self, batch: Iterable[tuple[Article, Sequence[Span]]]) -> AddResult:
        """Write articles with their passages, in one transaction; those unchanged are left alone.

        A changed article becomes a new revision; only passages that it did not have are embedded.

        Raises:
            ReadError: A date of an article lies outside the years that an archive holds.
        """
        articles: dict[str, tuple[Article, tuple[Span, ...]]] = {}
        earlier = AddResult()
        with map_disk_errors(self.path):
            for article, spans in batch:
                _check_dates(article)
                if article.id in articles:  # the same article again: each is a revision
                    earlier += self._add(articles)
                    articles = {}
                articles[article.id] = (article, tuple(spans))
            return earlier + self._add(articles)

    def _add(self, articles: dict[str, tuple[Article, tuple[Span, ...]]]) -> AddResult:
        withdrawn = self.withdrawals(articles)
        articles = {key: held for key, held in articles.items() if key not in withdrawn}
        known = self._record.fingerprints(articles)
        entries = [
            (article, content_hash(article), spans)
            for article, spans in articles.values()
            if content_hash(article) not in known.get(article.id, ())
        ]
        if entries:
            self._record.put(prepare_articles(self._record, entries, self._embed_passages))
            self._sync_indexes()
        changed = sum(article.id in known for article, _, _ in entries)
        return AddResult(
            new=len(entries) - changed,
            changed=changed,
            unchanged=len(articles) - len(entries),
            passages=sum(len(spans) for _, _, spans in entries),
            withdrawn=len(withdrawn),
        )

    def _sync_indexes(self) -> None:
        """Bring the indexes up to the record; what fails here is no article's fault.

        Raises ArchiveDamagedError, or ArchiveUnwritableError where there is no room.
        """
        try:
            with map_disk_errors(self.path):
                self._indexes.catch_up()
        except (BackfileError, OSError, MemoryError):
            raise
        except Exception as error:  # of Tantivy's or Chroma's
            line = str(error).partition("\n")[0][:200]
            raise ArchiveDamagedError(
                f"the indexes of {self.path} can't be written to ({type(error).__name__}: {line}): "
                "run `backfile doctor --repair`"
            ) from error

    def delete(self, article_ids: Iterable[str]) -> int:
        """End articles that are gone where they came from; return how many there were.

        Fed again they are here again: see `withdraw`.
        """
        with map_disk_errors(self.path):
            removed = self._record.remove(list(dict.fromkeys(article_ids)))
            if removed:
                self._indexes.catch_up()
        return removed

    def withdraw(self, article_ids: Iterable[str], *, reason: str = "") -> int:
        """Take articles down: gone from every answer at once, and they stay out when fed again.

        Returns how many were not withdrawn before.
        """
        with map_disk_errors(self.path):
            withdrawn = Withdrawals(self._record).withdraw(list(dict.fromkeys(article_ids)), reason)
            self._indexes.catch_up()
        return withdrawn

    def reinstate(self, article_ids: Iterable[str]) -> int:
        """Let withdrawn articles in again; return how many stand again as they stood."""
        with map_disk_errors(self.path):
            standing = Withdrawals(self._record).reinstate(list(dict.fromkeys(article_ids)))
            self._indexes.catch_up()
        return standing

    def erase(self, article_ids: Iterable[str], *, reason: str = "") -> bool:
        """Withdraw articles, and leave nothing of their words and vectors in any file.

        Returns False where another process kept the record's log open: the next writer goes on.
        """
        with map_disk_errors(self.path):
            return erase_articles(
                self.path, self._record, self._indexes, list(dict.fromkeys(article_ids)), reason
            )

    def cancel_reembed(self) -> int:
        """Delete what was made of another model's vectors; return of how many passages."""
        record = self._record if self._lock is not None else ArticleStore(self.path, writable=True)
        try:
            return cancel_reembed(self.path, record)
        finally:
            if record is not self._record:
                record.close()

    def withdrawals(self, article_ids: Iterable[str]) -> dict[str, Withdrawal]:
        """Return the withdrawals of those of the articles that were taken down, by id."""
        return Withdrawals(self._record).among(article_ids)

    def rebuild_indexes(self) -> None:
        """Make both indexes anew from the record; nothing is embedded, and readers go on."""
        with map_disk_errors(self.path):
            self._indexes.rebuild()

    def _embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = self.embed(texts)
        database = self._record.database
        if not database.meta(MODEL):
            database.set_meta(MODEL, self._model.name)
        return vectors

    def reembed(
        self, model: Any, *, on_progress: OnProgress | None = None, wait: float = WAIT
    ) -> ReembedResult:
        """Embed every passage with another model, which answers once all are done.

        `model` is a name as in the settings, or any LangChain `Embeddings`.  Open for reading, the
        archive may be written to meanwhile, but for the change itself: see `reembed`.
        """
        settings = self._settings
        if isinstance(model, str):
            model = LazyEmbeddings(replace(settings, embedding_model=model)).open()
        fresh = ArchiveModel(model, settings)
        writing = self._lock is not None
        record = self._record if writing else ArticleStore(self.path, writable=True)
        try:
            refuse_triggers(self.path, record.database)
            with map_disk_errors(self.path):
                done = reembed(
                    self.path,
                    record,
                    fresh,
                    indexes=self._indexes if writing else None,
                    on_progress=on_progress,
                    wait=wait,
                )
        finally:
            if not writing:
                record.close()
        generation = self._record.generation()
        if self._record.database.meta(MODEL) == fresh.name:  # nobody has changed it again since
            self._model, self._generation = fresh, generation
        return done


def _check_dates(article: Article) -> None:
    for name in ("published", "updated"):
        moment = getattr(article, name)
        if moment and not is_valid_date(moment):
            raise ReadError(
                f"{article.id!r}: {name} {moment.isoformat()} lies outside the years "
                f"{EARLIEST_YEAR} to {LATEST_YEAR}: give another date, or none"
            )
