"""Archive: articles in SQLite and three search indexes, for reading and writing.

One process at a time writes, under a lock. A change is committed to SQLite in one transaction, then
applied to the indexes. Any number of processes may read: see `rag.archive.reader`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rag.archive.adding import AddResult as AddResult
from rag.archive.adding import (
    NewArticle,
    draft_articles,
    split_at_repeats,
    write_prepared,
)
from rag.archive.opening import OnDataLoss, Opening, OpenParts, open_parts
from rag.archive.preparation import Draft, prepare
from rag.archive.reader import ArchiveReader
from rag.archive.reembed import (
    WAIT,
    OnProgress,
    ReembedResult,
    cancel_reembed,
    reembed,
    reembed_shared,
)
from rag.archive.storable import as_storable
from rag.errors import (
    ArchiveDamagedError,
    ArchiveLockedError,
    BackfileError,
    EmbeddingMismatchError,
    RecordUnavailableError,
)
from rag.index.vector_server import open_shared_index
from rag.models.archive_model import ArchiveModel, LazyEmbeddings
from rag.schema import Article
from rag.settings import Settings
from rag.store.articles import ArticleStore, PreparedArticle
from rag.store.connection import map_disk_errors
from rag.store.integrity import refuse_triggers
from rag.store.staged_vectors import MODEL
from rag.store.withdrawals import Withdrawal, Withdrawals

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder

Mode = Literal["read", "write"]
INDEX_WAIT = 60.0  # seconds for a process that follows a shared record
When = Literal["now", "later"]


class Archive(ArchiveReader):
    """Articles and their search indexes in one folder; open it with `Archive.open`.

    One process may write at a time, any number may read. Use it as a context manager, or call
    `close`.

    Examples:
        >>> with Archive.open("demo", mode="write") as archive:
        ...     archive.add([Article(id="1", title="Bridge closed", text="The bridge ...")])
        ...     archive.search("Which bridge was closed?", k=3)
    """

    def __init__(self, path: Path, parts: OpenParts, settings: Settings, *, writes: bool) -> None:
        super().__init__(
            path, parts.store, parts.indexes, parts.model, parts.generation, parts.reranker
        )
        self.home, self.follower = parts.home, parts.follower
        self._resources = parts.resources
        self._settings, self._writes = settings, writes

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
        on_data_loss: OnDataLoss = "refuse",
        create: bool = True,
    ) -> Archive:
        """Open an archive for reading or writing.

        Args:
            path: The archive's folder; by default the settings'.
            mode: "read", or "write", which takes the writer's lock.
            embeddings: Any LangChain `Embeddings`; by default the settings' model. It is opened
                when it is first used.
            reranker: Any LangChain cross-encoder, which reranks the best hits of every search; by
                default the settings', if any.
            settings: The settings; by default those of the environment.
            wait: How long to wait for the writer's lock, in seconds.
            on_data_loss: "accept" opens a database that has lost changes that its indexes contain,
                or that has triggers, which would run at each write; "refuse" raises.
            create: Whether "write" creates a missing archive. "read" never does.

        Returns:
            The archive, to be closed by `close` or a `with` statement.

        Raises:
            ArchiveNotFoundError: There is no archive, and none may be created.
            ArchiveLockedError: Another process was still writing after `wait` seconds.
            ArchiveDamagedError: The database can't be read, was written by a newer version, or is
                refused by `on_data_loss`.
            ArchiveUnwritableError: The folder can't be written to, or the disk is full.
            EmbeddingMismatchError: The archive was built with another embedding model.
        """
        settings = settings or Settings.from_environment()
        folder = Path(path if path is not None else settings.archive)
        writes = mode == "write"
        opening = Opening(
            settings, writes, embeddings, reranker, on_data_loss, create and writes, wait
        )
        return cls(folder, open_parts(folder, opening), settings, writes=writes)

    def __enter__(self) -> Archive:
        """Return the archive itself; leaving the `with` block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the archive."""
        self.close()

    def close(self) -> None:
        """Close the files and release the writer's lock; closing twice does nothing."""
        self._resources.close()

    def add(self, articles: Article | Iterable[NewArticle]) -> AddResult:
        """Add articles, or new revisions of articles that have changed.

        An article is split into passages at sentence boundaries; passages that no earlier revision
        has are embedded. Unchanged articles are skipped. Each batch is one transaction; a repeated
        article starts a new batch.

        Args:
            articles: One article, or several. Instead of an article, a pair of an article and its
                passages, as spans of its text, keeps it from being split.

        Returns:
            The counts of new, changed, unchanged and withdrawn articles and of written passages.

        Raises:
            ReadError: A date of an article lies outside the years that an archive accepts, or a
                text is not valid Unicode.
            ArchiveUnwritableError: The archive is open for reading only, or the disk is full.
            ValueError: The embedding model reads so few tokens that no passage fits.
        """
        result = AddResult()
        with map_disk_errors(self.path):
            for batch in split_at_repeats(articles):
                result += self._add(batch)
        return result

    def _add(self, batch: Sequence[NewArticle]) -> AddResult:
        """Add articles; once more if another machine switches the model of a shared record."""
        while True:
            generation = self._store.generation()
            drafts, skipped = self.draft(batch)
            try:
                return skipped + self.write(self.prepare(drafts))
            except EmbeddingMismatchError:
                if generation == self._store.generation():
                    raise

    def draft(self, articles: Iterable[NewArticle]) -> tuple[list[Draft], AddResult]:
        """Return what has to be prepared to add articles: those that are new or have changed.

        Args:
            articles: Articles, each id once, with or without passages as in `add`.

        Returns:
            The drafts, and the counts of unchanged and withdrawn articles.

        Raises:
            ReadError: As in `add`.
        """
        if self.follower is not None:
            articles = map(as_storable, articles)
            self._sync_model()  # another machine may have switched it
        return draft_articles(self._store, articles)

    def prepare(self, drafts: Sequence[Draft]) -> list[PreparedArticle]:
        """Split and embed drafts, and find their names, with the archive's model.

        Neither the lock nor the database is used: `rag.archive.preparation.prepare` does the same
        in another process.

        Args:
            drafts: The articles to prepare.

        Returns:
            The prepared articles, in order.

        Raises:
            ReadError, ValueError, ModelError: See `rag.archive.preparation.prepare`.
        """
        if not drafts:
            return []
        return prepare(drafts, embeddings=self.embeddings, embed=self.embed, model=self._model.name)

    def model_settings(self) -> Settings | None:
        """Return settings with which another process can open the archive's embedding model.

        Returns:
            The settings; None if the model was passed as an object to `open`.
        """
        return self._model.settings

    def write(self, prepared: Iterable[PreparedArticle], *, index: When = "now") -> AddResult:
        """Write prepared articles in one transaction, then bring the indexes up to date.

        What has happened since they were prepared counts: articles that the archive has by now are
        unchanged, and withdrawn ones are left out. A repeated article starts a new transaction.

        Args:
            prepared: The articles.
            index: "later" leaves the indexes to the next write or to `sync_indexes`. Searches
                compare the vectors of what they lack, and don't find its words yet.

        Returns:
            The counts of new, changed, unchanged and withdrawn articles and of written passages.

        Raises:
            ReadError: As in `add`.
            EmbeddingMismatchError: They were prepared with another model, or by another version.
            ArchiveUnwritableError: The archive is open for reading only, or the disk is full.
        """
        result = AddResult()
        with map_disk_errors(self.path):
            for batch in split_at_repeats(prepared):
                result += write_prepared(self._store, batch, self._model.name, self.embed)
            if index == "now" and result.new + result.changed:
                self.sync_indexes()
        return result

    def sync_indexes(self) -> None:
        """Bring the indexes up to date with the database.

        Raises:
            ArchiveDamagedError: An index failed.
            ArchiveUnwritableError: The disk is full.
        """
        try:
            with map_disk_errors(self.path):
                self._catch_up()
        except (BackfileError, OSError, MemoryError):
            raise
        except Exception as error:  # Tantivy and Chroma raise various types
            line = str(error).partition("\n")[0][:200]
            raise ArchiveDamagedError(
                f"the indexes of {self.path} can't be written to ({type(error).__name__}: {line}): "
                "run `backfile doctor --repair`"
            ) from error

    def _catch_up(self) -> None:
        """Bring the indexes up to date; of a shared record, the folder's copy first.

        The change is in the record by then: if it can't be reached any more, the copy follows
        later, as it does while another process writes to the folder.
        """
        if self.follower is None:
            self._indexes.catch_up()
            return
        with suppress(RecordUnavailableError):
            self.follower.follow()
            self._indexes.share()

    def complete_names(self) -> None:
        """Find the names of an archive of an earlier version; see `ArchiveReader`."""
        if self._writes:
            self._store.names.catch_up()
        else:
            super().complete_names()

    def refresh(self) -> None:
        """Read the changes that other processes have made; every search does this itself."""
        if self._writes and self.follower is not None:
            with suppress(RecordUnavailableError):
                self.follower.follow()
        super().refresh()

    def delete(self, ids: str | Iterable[str]) -> int:
        """Delete articles. They may be added again; `withdraw` prevents that.

        Their revisions stay in the history, and in snapshots of earlier days.

        Args:
            ids: One id, or several; unknown ones are ignored.

        Returns:
            The number of articles that were deleted.

        Raises:
            ArchiveUnwritableError: The archive is open for reading only, or the disk is full.
        """
        with map_disk_errors(self.path):
            removed = self._store.remove(_unique(ids))
            if removed:
                self._catch_up()
        return removed

    def withdraw(self, ids: str | Iterable[str], *, reason: str = "") -> int:
        """Withdraw articles from all answers, and reject them if they are added again.

        They disappear from snapshots of earlier days, too. `reinstate` undoes it.

        Args:
            ids: One id, or several; an article need not be in the archive.
            reason: The reason, stored with the withdrawal.

        Returns:
            The number of articles that were not withdrawn before.

        Raises:
            ArchiveUnwritableError: The archive is open for reading only, or the disk is full.
        """
        with map_disk_errors(self.path):
            withdrawn = Withdrawals(self._store).withdraw(_unique(ids), reason)
            self._catch_up()
        return withdrawn

    def reinstate(self, ids: str | Iterable[str]) -> int:
        """Undo withdrawals. Erased articles have to be added again.

        Args:
            ids: One id, or several; those that were not withdrawn are ignored.

        Returns:
            The number of articles that are in the archive again, as they were.

        Raises:
            ArchiveUnwritableError: The archive is open for reading only, or the disk is full.
        """
        with map_disk_errors(self.path):
            standing = Withdrawals(self._store).reinstate(_unique(ids))
            self._catch_up()
        return standing

    def erase(self, ids: str | Iterable[str], *, reason: str = "") -> bool:
        """Withdraw articles, and erase their texts and vectors from every file of the archive.

        Backups are not changed.

        Args:
            ids: One id, or several; an article need not be in the archive.
            reason: The reason, stored with the withdrawal.

        Returns:
            True if nothing is left; False if another process kept the database's log open, in which
            case the next writer finishes.

        Raises:
            ArchiveUnwritableError: The archive is open for reading only, or the disk is full.
        """
        from rag.archive.erasure import erase_articles

        with map_disk_errors(self.path):
            follow = self.follower.rewrite if self.follower else None
            return erase_articles(
                self.home, self._store, self._indexes, _unique(ids), reason, follow
            )

    def cancel_reembed(self) -> int:
        """Cancel an unfinished switch of models and delete its vectors.

        Returns:
            The number of passages that had a vector of the new model.
        """
        with self._writable_store() as store:
            return cancel_reembed(self.path, store)

    @contextmanager
    def _writable_store(self) -> Iterator[ArticleStore]:
        """Yield a store to write to, also when the archive is open for reading."""
        if self._writes:
            yield self._store
            return
        if self._settings.record:
            from rag.store.postgres.database import PostgresDatabase

            store = ArticleStore.over(PostgresDatabase(self._settings.record, self.path))
        else:
            store = ArticleStore(self.path, writable=True)
        try:
            yield store
        finally:
            store.close()

    def withdrawals(self, article_ids: Iterable[str]) -> dict[str, Withdrawal]:
        """Return the withdrawals of withdrawn articles, by id.

        Args:
            article_ids: The ids to look up; articles that are not withdrawn are left out.

        Returns:
            The withdrawal of each article, by its id.
        """
        return Withdrawals(self._store).among(article_ids)

    def rebuild_indexes(self) -> None:
        """Rebuild all indexes from the database. Readers use the old ones meanwhile.

        Nothing is embedded, because the vectors are stored. The names of people, places and
        organisations are found again.
        """
        with map_disk_errors(self.path), self._indexes.hold_write_lock(INDEX_WAIT) as may:
            if not may:
                raise ArchiveLockedError(
                    f"another process is writing to {self.path}: try again when it has finished"
                )
            self._indexes.rebuild()
            self._store.names.rebuild()

    def reembed(
        self, model: Any, *, on_progress: OnProgress | None = None, wait: float = WAIT
    ) -> ReembedResult:
        """Embed every passage with another model, then switch to it.

        Until the switch, searches use the old model. If the archive is open for reading, other
        processes may write meanwhile, except during the switch. After an interruption, the next
        call continues.

        Args:
            model: A name as in the settings, or any LangChain `Embeddings`.
            on_progress: Called after each batch with the number of passages done and in all.
            wait: How long to wait for the writer's lock at the switch, in seconds.

        Returns:
            The result: see `ReembedResult`.

        Raises:
            ModelError: The model can't be opened.
            ArchiveLockedError: Another process was still writing after `wait` seconds.
            ArchiveUnwritableError: The disk is full, or the archive may not be written to.
        """
        settings = self._settings
        if isinstance(model, str):
            model = LazyEmbeddings(replace(settings, embedding_model=model)).open()
        fresh = ArchiveModel(model, settings)
        with self._writable_store() as store:
            refuse_triggers(self.path, store.database)
            with map_disk_errors(self.path):
                done = self._reembed(store, fresh, on_progress, wait)
        generation = self._store.generation()
        if self._store.database.meta(MODEL) == fresh.name:  # no other process has switched since
            self._model, self._generation = fresh, generation
        return done

    def _reembed(
        self, store: ArticleStore, model: ArchiveModel, on_progress: OnProgress | None, wait: float
    ) -> ReembedResult:
        if self.follower is not None:
            done = reembed_shared(store, model, on_progress=on_progress)
            self._catch_up()
            return done
        return reembed(
            self.path,
            store,
            model,
            indexes=self._indexes if self._writes else None,
            shared=None if self._writes else open_shared_index(self._settings, store),
            on_progress=on_progress,
            wait=wait,
        )


def _unique(ids: str | Iterable[str]) -> list[str]:
    return [ids] if isinstance(ids, str) else list(dict.fromkeys(ids))
