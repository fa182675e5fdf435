"""The archive: the record and its two indexes, kept in step, for any number of readers.

One process writes at a time, under a lock; the record comes first, in one transaction, then the
indexes.  What the record no longer holds is never returned, whatever an index says.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from filelock import FileLock

from rag.asof import ArchiveAsOf
from rag.errors import ArchiveDamagedError
from rag.models.lazy import ArchiveModel, LazyEmbeddings, reranker_of
from rag.retrieval import retrieve
from rag.schema import Article, ArticleHead, Filters, Found, Hit, Passage, Span
from rag.settings import Settings
from rag.storage.entries import with_vectors
from rag.storage.erasure import erase, finish
from rag.storage.filtering import kinds_of
from rag.storage.found import found_in, read_hits
from rag.storage.indexes import Indexes, Scored
from rag.storage.lock import writers_lock
from rag.storage.losses import loss_of
from rag.storage.newvectors import MODEL
from rag.storage.passages import Vectors
from rag.storage.record import Record, fingerprint
from rag.storage.reembedding import WAIT, OnProgress, Reembedded, abandon, reembed
from rag.storage.revisions import Revision, ids_beginning, ids_named, revisions_of
from rag.storage.room import room_in
from rag.storage.status import Status, status_of
from rag.storage.withdrawals import Withdrawal, Withdrawals

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder

Mode = Literal["read", "write"]
Losses = Literal["refuse", "accept"]
Missing = Literal["refuse", "create"]
PAST_DAYS = 4  # that are kept to be asked for again: each holds what has ended since
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PutReport:
    """What became of a batch of articles, and how many passages were written.

    Those that were withdrawn stay out.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    passages: int = 0
    withdrawn: int = 0

    def __add__(self, other: PutReport) -> PutReport:
        return PutReport(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.passages + other.passages,
            self.withdrawn + other.withdrawn,
        )


@dataclass(frozen=True, slots=True)
class Counts:
    articles: int
    passages: int


class Archive:
    """Articles and their indexes in one folder; open it with `Archive.open`."""

    def __init__(
        self,
        path: Path,
        record: Record,
        model: ArchiveModel,
        lock: FileLock | None,
        settings: Settings,
        generation: int = 0,
    ) -> None:
        self.path = path
        self._record = record
        self._model, self._generation = model, generation
        self._lock = lock
        self._settings = settings
        self.reranker: BaseCrossEncoder | None = reranker_of(settings)
        self._indexes = Indexes(path, record, lock)
        self._names: tuple[int, tuple[str, ...]] = (-1, ())  # the publishers, as of a sequence
        self._past: dict[tuple[datetime, int], ArchiveAsOf] = {}
        self._opened = ExitStack()  # what is to be closed

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        mode: Mode = "read",
        embeddings: Any = None,
        settings: Settings | None = None,
        wait: float = 0.0,
        losses: Losses = "refuse",
        missing: Missing = "create",
    ) -> Archive:
        """Open the archive at `path`, by default the one of the settings.

        To `write` creates it where there is none, unless `missing` ones are refused, and takes the
        writers' lock, waiting for it `wait` seconds.  `embeddings` is any LangChain `Embeddings`,
        by default the settings'.  Raises ArchiveNotFoundError, ArchiveLockedError,
        ArchiveDamagedError, and EmbeddingMismatchError where the archive was built with another
        model.  A record that has lost changes, as its indexes tell, is damaged too, unless
        `losses` are accepted.
        """
        settings = settings or Settings.from_environment()
        folder = Path(path if path is not None else settings.archive)
        create = mode == "write" and missing == "create"
        if mode == "write" and not create:
            Record(folder).close()  # before there is a lock, and a folder for it
        with (
            room_in(folder) if mode == "write" else nullcontext(),
            ExitStack() as opened,  # closed again where anything fails
        ):
            lock = writers_lock(folder, wait) if mode == "write" else None
            if lock is not None:
                opened.callback(lock.release)
            record = Record(folder, create=create, writable=mode == "write")
            opened.callback(record.close)
            if losses == "refuse" and (loss := loss_of(folder, record.database)):
                raise ArchiveDamagedError(
                    f"of the archive at {folder}, {loss.what}: {loss.way_out}"
                )
            generation = record.generation()  # first: see `_keep_up`
            model = ArchiveModel(embeddings, settings, record.database.meta(MODEL))
            archive = cls(folder, record, model, lock, settings, generation)
            opened.callback(archive._indexes.close)
            if mode == "write":
                archive._indexes.follow()
                archive._indexes.sweep()
                finish(folder, record, archive._indexes)
            archive._opened = opened.pop_all()
        return archive

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; a writer lets go of the lock."""
        self._opened.close()

    @property
    def record(self) -> Record:
        return self._record

    @property
    def indexes(self) -> Indexes:
        return self._indexes

    @property
    def embeddings(self) -> Any:
        """The embedding model, opened when first asked for."""
        return self._model.opened()

    # writing

    def put(self, batch: Iterable[tuple[Article, Sequence[Span]]]) -> PutReport:
        """Write articles with their passages, in one transaction; those unchanged are left alone.

        A changed article becomes a new revision; only passages that it did not have are embedded.
        """
        articles: dict[str, tuple[Article, tuple[Span, ...]]] = {}
        earlier = PutReport()
        with room_in(self.path):
            for article, spans in batch:
                if article.id in articles:  # the same article again: each is a revision
                    earlier += self._put(articles)
                    articles = {}
                articles[article.id] = (article, tuple(spans))
            return earlier + self._put(articles)

    def _put(self, articles: dict[str, tuple[Article, tuple[Span, ...]]]) -> PutReport:
        withdrawn = self.withdrawals(articles)
        articles = {key: held for key, held in articles.items() if key not in withdrawn}
        known = self._record.fingerprints(articles)
        entries = [
            (article, fingerprint(article), spans)
            for article, spans in articles.values()
            if fingerprint(article) not in known.get(article.id, ())
        ]
        if entries:
            self._record.put(with_vectors(self._record, entries, self._embed_passages))
            self._indexes.follow()
        changed = sum(article.id in known for article, _, _ in entries)
        return PutReport(
            new=len(entries) - changed,
            changed=changed,
            unchanged=len(articles) - len(entries),
            passages=sum(len(spans) for _, _, spans in entries),
            withdrawn=len(withdrawn),
        )

    def remove(self, article_ids: Iterable[str]) -> int:
        """End articles that are gone where they came from; return how many there were.

        Fed again they are here again: see `withdraw`.
        """
        with room_in(self.path):
            removed = self._record.remove(list(article_ids))
            if removed:
                self._indexes.follow()
        return removed

    def withdraw(self, article_ids: Iterable[str], *, reason: str = "") -> int:
        """Take articles down: gone from every answer at once, and they stay out when fed again.

        Returns how many were not withdrawn before.
        """
        with room_in(self.path):
            withdrawn = Withdrawals(self._record).withdraw(list(article_ids), reason)
            self._indexes.follow()
        return withdrawn

    def readmit(self, article_ids: Iterable[str]) -> int:
        """Let withdrawn articles in again; return how many stand again as they stood."""
        with room_in(self.path):
            standing = Withdrawals(self._record).readmit(list(article_ids))
            self._indexes.follow()
        return standing

    def erase(self, article_ids: Iterable[str], *, reason: str = "") -> bool:
        """Withdraw articles, and leave nothing of their words and vectors in any file.

        Returns False where another process kept the record's log open: the next writer goes on.
        """
        with room_in(self.path):
            return erase(self.path, self._record, self._indexes, list(article_ids), reason)

    def abandon_reembedding(self) -> int:
        """Delete what was made of another model's vectors; return of how many passages."""
        record = self._record if self._lock is not None else Record(self.path, writable=True)
        try:
            return abandon(self.path, record)
        finally:
            if record is not self._record:
                record.close()

    def withdrawals(self, article_ids: Iterable[str]) -> dict[str, Withdrawal]:
        """Return the withdrawals of those of the articles that were taken down, by id."""
        return Withdrawals(self._record).among(article_ids)

    def rebuild(self) -> None:
        """Make both indexes anew from the record; nothing is embedded, and readers go on."""
        with room_in(self.path):
            self._indexes.renew()

    def _embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = self.embed(texts)
        database = self._record.database
        if not database.meta(MODEL):
            database.set_meta(MODEL, self._model.name)
        return vectors

    def reembed(
        self, model: Any, *, on_progress: OnProgress | None = None, wait: float = WAIT
    ) -> Reembedded:
        """Embed every passage with another model, which answers once all are done.

        `model` is a name as in the settings, or any LangChain `Embeddings`.  Open for reading, the
        archive may be written to meanwhile, but for the change itself: see `reembed`.
        """
        settings = self._settings
        if isinstance(model, str):
            model = LazyEmbeddings(replace(settings, embedding_model=model)).open()
        fresh = ArchiveModel(model, settings)
        writing = self._lock is not None
        record = self._record if writing else Record(self.path, writable=True)
        try:
            with room_in(self.path):
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
        self._model, self._generation = fresh, self._record.generation()
        return done

    # what it holds

    def fingerprints(self, article_ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return the fingerprints of every revision of those articles that are here, by id."""
        return self._record.fingerprints(article_ids)

    def article(self, article_id: str, revision: int | None = None) -> Article | None:
        """Return an article as it stands, or one of its revisions; None where it is not here."""
        return self._record.article(article_id, revision)

    def articles(self, filters: Filters = Filters()) -> Iterator[Article]:
        """Yield the articles that pass the filters."""
        return self._record.articles(filters)

    def count(self, filters: Filters = Filters()) -> Counts:
        """Return how many articles pass the filters, and how many passages they have."""
        return Counts(*self._record.count(filters))

    def revisions(self, article_id: str) -> tuple[Revision, ...]:
        """Return every version of an article, the first first; none where it is not here."""
        return revisions_of(self._record.database, article_id)

    def ids_named(self, name: str) -> list[str]:
        """Return the id that is `name`, else those of the articles at that address."""
        return ids_named(self._record.database, name)

    def ids_beginning(self, beginning: str) -> list[str]:
        """Return the ids that begin so, or as many as one may want to choose from."""
        return ids_beginning(self._record.database, beginning)

    def publishers(self) -> tuple[str, ...]:
        """Return the publishers' names, the one with most articles first."""
        sequence = self.sequence
        if self._names[0] != sequence:  # 4 ms over 11,746 articles, at every search
            names = tuple(name for name, *_ in self._record.publishers() if name)
            self._names = (sequence, names)
        return self._names[1]

    def authors(self) -> tuple[str, ...]:
        """Return the authors' names, sorted."""
        return tuple(self._record.authors())

    def sections(self) -> tuple[str, ...]:
        """Return the sections' names, the one with most articles first."""
        return tuple(kinds_of(self._record.database, "section"))

    def languages(self) -> tuple[str, ...]:
        """Return the languages of the articles, as they are tagged, the commonest first."""
        return tuple(kinds_of(self._record.database, "language"))

    @property
    def sequence(self) -> int:
        """The number of the last change: what is found from it on may differ."""
        return self._record.database.sequence()

    def copies(
        self, article_ids: Iterable[str], *, filters: Filters = Filters()
    ) -> dict[str, tuple[ArticleHead, ...]]:
        """Return the other tellings of each article's story that pass the filters, leader first.

        Articles that tell a story alone are left out.
        """
        return self._record.stories.copies(article_ids, filters=filters)

    def neighbours(self, passage: Passage, before: int = 1, after: int = 1) -> list[Passage]:
        """Return the passages around one, itself among them, in the order of the text."""
        article = self._record.article(passage.article_id, passage.revision)
        spans = self._record.spans(passage.article_id, passage.revision)
        here = next((i for i, s in enumerate(spans) if s.start == passage.start), None)
        if article is None or here is None:
            return [passage]
        return [
            Passage(article.id, article.revision, s.start, s.end, article.text[s.start : s.end])
            for s in spans[max(0, here - before) : here + after + 1]
        ]

    def status(self) -> Status:
        """Return what the archive holds, by publisher, and its size on disk."""
        return status_of(self.path, self._record)

    # searching

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the texts' vectors (n, dimension), of length one, as passages are embedded."""
        return self._model.vectors(texts)

    def dense(self, query: str, k: int, *, filters: Filters = Filters()) -> list[Hit]:
        """Return the `k` passages nearest to the query by cosine, best first."""
        return list(self.hits(self.by_meaning(query, k, filters=filters)).values())

    def by_meaning(self, query: str, k: int, *, filters: Filters = Filters()) -> list[Found]:
        """Return what `dense` does, before its words are read."""

        def nearest(vector: Vectors) -> list[Found]:
            self.refresh()
            return self._found(self._indexes.nearest(vector, k, filters=filters), k)

        return self.with_vector_of(query, nearest)

    def nearness(self, query: str, found: Sequence[Found]) -> list[float]:
        """Return how near what was found is to the query; -1.0 for what has no vector any more."""
        numbers = [one.number for one in found]
        near = self.with_vector_of(
            query, lambda vector: self._record.passages.near(numbers, vector)
        )
        return [near.get(number, -1.0) for number in numbers]

    def with_vector_of(self, query: str, search: Callable[[Vectors], T]) -> T:
        """Return what is found by the query's vector, of the model that the archive has now.

        Where another process has embedded the archive anew meanwhile, it is searched once more.
        """
        while True:
            generation = self._keep_up()
            try:
                found = search(self._model.query_vector(query))
            except Exception:  # vectors of two lengths, as numpy or Chroma puts it
                if generation == self._record.generation():
                    raise
                continue
            if generation == self._record.generation():
                return found

    def _keep_up(self) -> int:
        """Take the archive's model of now, and return how often it has been changed."""
        generation = self._record.generation()
        if generation != self._generation:
            self._model.change_to(self._record.database.meta(MODEL))
            self._generation = generation
        return generation

    def lexical(
        self,
        query: str,
        k: int,
        *,
        filters: Filters = Filters(),
        phrases: Sequence[str] = (),
    ) -> list[Hit]:
        """Return the `k` passages that score best by BM25 over the query's words, best first."""
        found = self.by_words(query, k, filters=filters, phrases=phrases)
        return list(self.hits(found).values())

    def by_words(
        self,
        query: str,
        k: int,
        *,
        filters: Filters = Filters(),
        phrases: Sequence[str] = (),
    ) -> list[Found]:
        """Return what `lexical` does, before its words are read."""
        self.refresh()
        return self._found(self._indexes.by_words(query, k, filters=filters, phrases=phrases), k)

    def hits(self, found: Iterable[Found]) -> dict[int, Hit]:
        """Return the hits of those of what was found that are still here, by number, in order."""
        return read_hits(self._record, found)

    def search(
        self,
        question: str,
        k: int = 8,
        *,
        filters: Filters = Filters(),
        asked_on: datetime | None = None,
        as_of: datetime | None = None,
    ) -> list[Hit]:
        """Return the `k` passages that answer a question best, best first: see `retrieve`.

        `as_of` a day, in the archive as it stood at its end.
        """
        if as_of is not None:
            return self.as_of(as_of).search(question, k, filters=filters, asked_on=asked_on)
        found = retrieve(
            self, question, k, filters=filters, asked_on=asked_on, reranker=self.reranker
        )
        return list(found.hits)

    def as_of(self, day: datetime) -> ArchiveAsOf:
        """Return the archive as it stood at the end of a day, to be searched.

        Asked for again, it is the same one: what has ended since is read once.
        """
        then = ArchiveAsOf(self, day)
        key = (then.day, then.sequence)
        self._past[key] = then = self._past.pop(key, then)
        for oldest in list(self._past)[:-PAST_DAYS]:
            self._past.pop(oldest, None)
        return then

    def refresh(self) -> None:
        """See what another process has written since; every search does so itself."""
        self._indexes.refresh()

    def _found(self, found: Scored, k: int) -> list[Found]:
        return found_in(self._record, found)[:k]
