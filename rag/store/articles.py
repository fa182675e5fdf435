"""Article store: articles, revisions, passages and vectors in SQLite, the source of truth.

Every change is one transaction with the next sequence number; the indexes sync by that number. A
revision is current while its `until` is NULL, and its passages are live exactly as long. Nothing
is overwritten: a change ends one revision and begins another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

from rag.errors import BackfileError, EmbeddingMismatchError, ReadError
from rag.nlp.dates import format_date
from rag.nlp.name_kinds import Kind
from rag.schema import ALL_RIGHTS, EVERYTHING, Access, Article, ArticleMetadata, Filters, Span
from rag.store import correction_articles
from rag.store.database import CHUNK, Database, placeholders
from rag.store.duplicate_clusters import METHOD, DuplicateClusters, Sketch
from rag.store.filters import CURRENT, authors, where_clause
from rag.store.names import RULES, NameStore, names_of
from rag.store.passages import PassageStore, Vectors
from rag.store.rows import (
    FIRST_SECOND,
    LAST_SECOND,
    METADATA,
    METADATA_COLUMNS,
    from_timestamp,
    metadata_to_row,
    row_to_article,
    row_to_metadata,
    to_timestamp,
)
from rag.store.sqlite_database import SqliteDatabase
from rag.store.staged_vectors import GENERATION, MODEL

# Version of what a prepared article contains: the writer refuses another program's.
PREPARED_VERSION = f"1, names {RULES}, copies {METHOD}"


@dataclass(frozen=True, slots=True)
class PreparedArticle:
    """An article ready to be written, with everything that is computed from it alone.

    A plain value that any process can make and send: see `rag.archive.preparation`.

    Attributes:
        article: The article.
        fingerprint: Its content hash.
        spans: Its passages, in order.
        digests: The digest of each passage's embedded text.
        vectors: Unit vectors, shape (passages, dimension), float32; zeros for those of `reused`.
        names: The names in it; None to find them when it is written.
        sketch: Its sketch for finding near-duplicates; None to make it when it is written.
        reused: Positions of the passages whose vectors are taken from the article's earlier
            revisions when it is written.
        model: Name of the model that embedded it; "" if nothing was embedded.
    """

    article: Article
    fingerprint: str
    spans: tuple[Span, ...]
    digests: tuple[bytes, ...]
    vectors: Vectors
    names: tuple[tuple[Kind, str], ...] | None = None
    sketch: Sketch | None = None
    reused: tuple[int, ...] = ()
    model: str = ""
    version: str = PREPARED_VERSION


@dataclass(frozen=True, slots=True)
class PutResult:
    """Result of `ArticleStore.put`.

    Attributes:
        sequence: The sequence number of the change; 0 if there was nothing to write.
        written: The articles written.
        changed: How many of them replaced an earlier revision.
        withdrawn: Articles that were left out because they are withdrawn.
    """

    sequence: int = 0
    written: tuple[PreparedArticle, ...] = ()
    changed: int = 0
    withdrawn: int = 0


# SQL: seconds since 1970 at which an article was published, NULL if that is not a valid date.
_DATED = (
    f"CASE WHEN r.published_at BETWEEN {FIRST_SECOND} AND {LAST_SECOND} THEN r.published_at END"
)
_FIRST = "(SELECT min(p.number) FROM passages p WHERE p.revision_id = r.id)"
_COLUMNS = (*METADATA_COLUMNS, "fingerprint", "published_at", "since")
_LATER = ("slugline", "urgency", "correction", "access")

# Caps a paragraph in the place of the title; real titles have 80 characters at most.
# Figures: docs/benchmarks.md.
TITLE_CHARACTERS = 150


def embedding_text(metadata: ArticleMetadata, passage_text: str) -> str:
    """Return the text to embed for a passage: the article's title and day, then the passage."""
    day = format_date(metadata.published) if metadata.published else ""
    return "\n".join(
        part for part in (metadata.title[:TITLE_CHARACTERS], day, passage_text) if part
    )


def text_digest(embedded: str) -> bytes:
    """Return the hash of an embedded text: passages with the same hash share a vector."""
    return hashlib.blake2b(embedded.encode(), digest_size=16).digest()


def content_hash(article: Article) -> str:
    """Return the hash of an article's content and metadata, without its revision number.

    Args:
        article: An article; it is unchanged if its hash is that of the stored revision.

    Returns:
        A SHA-256 hash, in hexadecimal.

    Raises:
        ReadError: The article contains text that is not valid Unicode (a lone surrogate).
    """
    parts = [
        *(article.id, article.title, article.text, article.publisher, article.url),
        *(article.section, article.language, article.kind, *article.authors),
        *(str(article.published), str(article.updated)),
        # added by name and only if set: the hashes of older articles stay the same
        *(f"{name}={value}" for name in _LATER if (value := getattr(article, name))),
    ]
    try:
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise ReadError(f"{article.id!r}: not valid Unicode text: {error.reason}") from error


class ArticleStore:
    """Articles with their revisions; their passages, near-duplicates and names are attributes."""

    def __init__(self, folder: Path, *, create: bool = False, writable: bool = False) -> None:
        """Open the database in `folder`.

        Args:
            folder: The archive's folder.
            create: Create the database if there isn't one.
            writable: Open it for writing; the caller holds the write lock.

        Raises:
            ArchiveNotFoundError: There is no database, and `create` is false.
            ArchiveDamagedError: The file is not a Backfile database, or of a newer version.
        """
        self._use(SqliteDatabase(folder, create=create, writable=writable))

    @classmethod
    def over(cls, database: Database) -> Self:
        """Return the store over a database that is open already; closing it closes the database."""
        store = cls.__new__(cls)
        store._use(database)
        return store

    def _use(self, database: Database) -> None:
        self.database = database
        self.passages = PassageStore(self.database)
        self.duplicates = DuplicateClusters(self.database)
        self.names = NameStore(self.database)

    def close(self) -> None:
        """Close every thread's connection."""
        self.database.close()

    # reading

    def generation(self) -> int:
        """Return the number of switches to another embedding model so far."""
        return int(self.database.meta(GENERATION) or 0)

    def last_change(self, action: str) -> datetime | None:
        """Return the time of the last change of this kind; None if there hasn't been one.

        Args:
            action: A value of the column `changes.action`: "put", "remove", "withdraw", ...
        """
        row = self.database.connection.execute(
            "SELECT at FROM changes WHERE action = ? ORDER BY sequence DESC LIMIT 1", (action,)
        ).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def fingerprints(self, article_ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return the content hashes of all revisions of the current articles among these, by id.

        Earlier revisions are included, so ingesting an old file again does not revert an article.
        """
        rows = self.database.execute_for_each(
            "SELECT c.article_id, r.fingerprint FROM revisions c "
            "JOIN revisions r ON r.article_id = c.article_id "
            "WHERE c.until IS NULL AND c.article_id IN ({})",
            article_ids,
        )
        found: dict[str, set[str]] = {}
        for article_id, mark in rows:
            found.setdefault(article_id, set()).add(mark)
        return {article_id: frozenset(marks) for article_id, marks in found.items()}

    def known_vectors(self, article_id: str) -> dict[bytes, bytes]:
        """Return the vectors of an article's passages, in every revision, by text digest."""
        rows = self.database.connection.execute(
            "SELECT p.digest, v.vector FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "JOIN vectors v ON v.number = p.number WHERE r.article_id = ?",
            (article_id,),
        )
        return dict(rows.fetchall())

    def known_digests(self, article_ids: Iterable[str]) -> dict[str, frozenset[bytes]]:
        """Return the digests of the passages of these articles, in every revision, by id."""
        rows = self.database.execute_for_each(
            "SELECT r.article_id, p.digest FROM revisions r JOIN passages p "
            "ON p.revision_id = r.id WHERE r.article_id IN ({})",
            article_ids,
        )
        found: dict[str, set[bytes]] = {}
        for article_id, digest in rows:
            found.setdefault(article_id, set()).add(digest)
        return {article_id: frozenset(digests) for article_id, digests in found.items()}

    def article(
        self, article_id: str, revision: int | None = None, *, withdrawn: bool = False
    ) -> Article | None:
        """Return the current revision of an article, or the one asked for.

        Args:
            article_id: The article's id.
            revision: The revision's number; None for the current one.
            withdrawn: Return the article even if it has been withdrawn.

        Returns:
            The article; None if the store doesn't have it.
        """
        which = "r.until IS NULL" if revision is None else "r.revision = ?"
        if not withdrawn:
            which += " AND r.article_id NOT IN (SELECT article_id FROM withdrawals)"
        row = self.database.connection.execute(
            f"SELECT {METADATA}, t.text FROM revisions r JOIN texts t ON t.revision_id = r.id "  # nosec B608 # conditions of this code, values bound
            f"WHERE r.article_id = ? AND {which}",
            (article_id,) if revision is None else (article_id, revision),
        ).fetchone()
        return row_to_article(row) if row else None

    def article_at(self, article_id: str, standing: str) -> Article | None:
        """Return the revision of an article that matches the SQL condition `standing`, or None."""
        row = self.database.connection.execute(
            f"SELECT {METADATA}, t.text FROM revisions r JOIN texts t ON t.revision_id = r.id "  # nosec B608 # conditions of this code, values bound
            f"WHERE r.article_id = ? AND {standing}",
            (article_id,),
        ).fetchone()
        return row_to_article(row) if row else None

    def metadata_of(
        self, article_ids: Iterable[str], standing: str = CURRENT
    ) -> dict[str, ArticleMetadata]:
        """Return the metadata of the articles that match the SQL condition `standing`, by id."""
        rows = self.database.execute_for_each(
            f"SELECT {METADATA} FROM revisions r WHERE {standing} AND r.article_id IN ({{}})",  # nosec B608 # conditions of this code, values bound
            article_ids,
        )
        return {row[0]: row_to_metadata(row) for row in rows}

    def articles(self, filters: Filters = EVERYTHING) -> Iterator[Article]:
        """Yield the current articles that pass the filters, in the order they were written."""
        where, values = where_clause(self.database, filters)
        after = 0
        while True:  # in pages: no cursor stays open while the caller works
            rows = self.database.connection.execute(
                f"SELECT r.id, {METADATA}, t.text FROM revisions r "  # nosec B608 # conditions of this code, values bound
                f"JOIN texts t ON t.revision_id = r.id WHERE {where} AND r.id > ? "
                f"ORDER BY r.id LIMIT {CHUNK}",
                (*values, after),
            ).fetchall()
            if not rows:
                return
            yield from (row_to_article(row[1:]) for row in rows)
            after = rows[-1][0]

    def spans(self, article_id: str, revision: int) -> list[Span]:
        """Return the spans of the passages of one revision, in order."""
        rows = self.database.connection.execute(
            'SELECT p.start, p."end" FROM revisions r JOIN passages p ON p.revision_id = r.id '
            "WHERE r.article_id = ? AND r.revision = ? ORDER BY p.start",
            (article_id, revision),
        )
        return [Span(start, end) for start, end in rows]

    def count(self, filters: Filters = EVERYTHING) -> tuple[int, int]:
        """Count the current articles that pass the filters.

        Returns:
            The number of articles, and the number of their passages.
        """
        where, values = where_clause(self.database, filters)
        row = self.database.connection.execute(
            "SELECT count(*), coalesce(sum("  # nosec B608 # conditions of this code, values bound
            "(SELECT count(*) FROM passages WHERE revision_id = r.id)), 0) "
            f"FROM revisions r WHERE {where}",
            values,
        ).fetchone()
        return int(row[0]), int(row[1])

    def publishers(
        self, standing: str = CURRENT, access: Access = ALL_RIGHTS
    ) -> list[tuple[str, int, datetime | None, datetime | None]]:
        """Return each publisher's name, number of articles, and first and last publication date.

        Args:
            standing: SQL condition for the revisions to count.
            access: Access rights of the reader.

        Returns:
            One tuple for each publisher, largest first.
        """
        where, values = where_clause(self.database, Filters(access=access), standing)
        rows = self.database.connection.execute(
            f"SELECT publisher, count(*), min({_DATED}), max({_DATED}) FROM revisions r "  # nosec B608 # conditions of this code, values bound
            f"WHERE {where} GROUP BY publisher ORDER BY count(*) DESC, publisher",
            values,
        )
        return [
            (name, n, from_timestamp(first), from_timestamp(last)) for name, n, first, last in rows
        ]

    def first_passages(
        self,
        most: int,
        filters: Filters = EVERYTHING,
        standing: str = CURRENT,
        *,
        oldest: bool = False,
    ) -> list[int]:
        """Return the number of the first passage of the newest articles that have a date.

        Args:
            most: The most articles.
            filters: Filters for the articles.
            standing: SQL condition for the revisions to consider.
            oldest: Return those of the oldest articles instead, oldest first.
        """
        where, values = where_clause(self.database, filters, standing)
        direction = "ASC" if oldest else "DESC"
        rows = self.database.connection.execute(
            f"SELECT {_FIRST} FROM revisions r WHERE {where} AND {_FIRST} IS NOT NULL "  # nosec B608 # conditions of this code, values bound
            f"AND r.published_at BETWEEN {FIRST_SECOND} AND {LAST_SECOND} "
            f"ORDER BY r.published_at {direction}, r.article_id LIMIT ?",
            (*values, most),
        )
        return [int(number) for (number,) in rows]

    def domains(
        self, standing: str = CURRENT, access: Access = ALL_RIGHTS
    ) -> list[tuple[str, str]]:
        """Return the pairs of a publisher and the host of its articles' addresses.

        Args:
            standing: SQL condition for the revisions to consider.
            access: Access rights of the reader.
        """
        where, values = where_clause(self.database, Filters(access=access), standing)
        rows = self.database.connection.execute(
            "SELECT publisher, lower(substr(rest, 1, instr(rest || '/', '/') - 1)) AS host, "  # nosec B608 # conditions of this code, values bound
            "count(*) FROM (SELECT publisher, substr(url, instr(url, '://') + 3) AS rest "
            f"FROM revisions r WHERE {where} AND publisher != '' AND url LIKE 'http%://%') u "
            "GROUP BY publisher, host ORDER BY count(*) DESC, publisher",
            values,
        )
        return [(str(publisher), str(host)) for publisher, host, _ in rows]

    def authors(self, standing: str = CURRENT, access: Access = ALL_RIGHTS) -> list[str]:
        """Return the names of all authors of the articles that match `standing`, sorted."""
        return authors(self.database, standing, access)

    # writing

    def put(self, entries: Sequence[PreparedArticle]) -> PutResult:
        """Write new revisions in one transaction, and end those they replace.

        What other writers did since the articles were prepared is looked up again inside the
        transaction: articles that the store has by now, or that are withdrawn, are left out.

        Args:
            entries: The articles to write, each id once, with the vectors of all passages.

        Returns:
            What was written.

        Raises:
            EmbeddingMismatchError: The archive has switched to another model since.
        """
        self.duplicates.catch_up()
        self.names.catch_up()
        try:
            with self.database.change("put", len(entries)) as sequence:
                self._check_model(entries)
                known, withdrawn, fresh = self._still_fresh(entries)
                if not fresh:
                    raise _NothingToWriteError
                if len(fresh) != len(entries):
                    self.database.count_change(sequence, len(fresh))
                self._end([entry.article.id for entry in fresh], sequence)
                self.begin(fresh, sequence)
        except _NothingToWriteError:
            return PutResult(withdrawn=withdrawn)
        changed = sum(entry.article.id in known for entry in fresh)
        return PutResult(sequence, tuple(fresh), changed, withdrawn)

    def _check_model(self, entries: Sequence[PreparedArticle]) -> None:
        """Refuse vectors of another model than the archive's; the first ones say which it is."""
        current = self.database.meta(MODEL)
        for model in {entry.model for entry in entries if entry.model}:
            if current and model != current:
                raise EmbeddingMismatchError(
                    f"these articles were embedded with {model}, and the archive has been "
                    f"re-embedded with {current} since: run the same command again"
                )
            if not current:
                current = model
                self.database.set_meta(MODEL, model)

    def _still_fresh(
        self, entries: Sequence[PreparedArticle]
    ) -> tuple[dict[str, frozenset[str]], int, list[PreparedArticle]]:
        """Return the known fingerprints, the number of withdrawn articles, and those to write."""
        ids = [entry.article.id for entry in entries]
        known = self.fingerprints(ids)
        rows = self.database.execute_for_each(
            "SELECT article_id FROM withdrawals WHERE article_id IN ({})", ids
        )
        withdrawn = {article_id for (article_id,) in rows}
        fresh = [
            entry
            for entry in entries
            if entry.article.id not in withdrawn
            and entry.fingerprint not in known.get(entry.article.id, ())
        ]
        return known, len(withdrawn), fresh

    def remove(self, article_ids: Sequence[str]) -> int:
        """End the current revisions of these articles; return the number of revisions ended."""
        if not self.fingerprints(article_ids):
            return 0
        try:
            with self.database.change("remove", 0) as sequence:
                here = list(self.fingerprints(article_ids))
                if not here:
                    raise _NothingToWriteError
                self.database.count_change(sequence, len(here))
                self.end(here, sequence)
        except _NothingToWriteError:
            return 0
        return len(here)

    def end(self, article_ids: Sequence[str], sequence: int) -> None:
        """End the current revision of these articles. Must run inside a change."""
        self._end(article_ids, sequence)
        self.duplicates.remove(article_ids)

    def begin(self, entries: Sequence[PreparedArticle], sequence: int) -> None:
        """Write the next revision of each of these articles. Must run inside a change."""
        for entry in entries:
            self._begin(entry, sequence)
        sketches = {entry.article.id: entry.sketch for entry in entries if entry.sketch}
        self.duplicates.assign([entry.article for entry in entries], sketches)
        correction_articles.save_corrections(self.database, [entry.article for entry in entries])

    def _end(self, article_ids: Sequence[str], sequence: int) -> None:
        self.database.connection.executemany(
            "UPDATE revisions SET until = ? WHERE article_id = ? AND until IS NULL",
            [(sequence, article_id) for article_id in article_ids],
        )

    def _begin(self, entry: PreparedArticle, sequence: int) -> None:
        a = entry.article
        (newest,) = self.database.connection.execute(
            "SELECT coalesce(max(revision), 0) FROM revisions WHERE article_id = ?", (a.id,)
        ).fetchone()
        ((revision_id,),) = self.database.connection.execute(
            f"INSERT INTO revisions ({', '.join(_COLUMNS)}) "  # nosec B608 # question marks, values bound
            f"VALUES ({placeholders(range(len(_COLUMNS)))}) RETURNING id",
            (
                *metadata_to_row(replace(a.metadata, revision=newest + 1)),
                *(entry.fingerprint, to_timestamp(a.published) if a.published else None, sequence),
            ),
        )
        self.database.connection.execute("INSERT INTO texts VALUES (?, ?)", (revision_id, a.text))
        self.names.write(revision_id, names_of(a) if entry.names is None else entry.names)
        self.database.connection.executemany(
            "INSERT INTO bylines VALUES (?, ?)", [(revision_id, author) for author in a.authors]
        )
        numbers = self.database.next_numbers("passages", len(entry.spans))
        passages = zip(numbers, entry.spans, entry.digests, strict=True)
        self.database.connection.executemany(
            'INSERT INTO passages (number, revision_id, start, "end", digest) '
            "VALUES (?, ?, ?, ?, ?)",
            [(n, revision_id, span.start, span.end, digest) for n, span, digest in passages],
        )
        self.database.connection.executemany(
            "INSERT INTO vectors VALUES (?, ?)",
            [
                (number, vector.astype("<f4").tobytes())
                for number, vector in zip(numbers, entry.vectors, strict=True)
            ],
        )


class _NothingToWriteError(BackfileError):
    """Rolls back a change without articles."""
