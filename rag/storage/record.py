"""The record: articles, their revisions, passages and vectors in SQLite, the one truth.

Everything that changes is written in one transaction under the next sequence number; the
indexes follow by that number.  A revision is current while its `until` is NULL; its passages
are live exactly as long.  Nothing is overwritten: a change ends one revision and begins another.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.errors import ArchiveDamagedError, ArchiveNotFoundError, ReadError
from rag.schema import Article, ArticleHead, Filters, Passage, Span
from rag.storage.migrations import migrate
from rag.storage.rows import HEAD, Live, moment_of, read_article, read_live, seconds

FILE = "archive.sqlite"
Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

CHUNK = 500  # parameters a statement: SQLite's own bound was 999 for long


@dataclass(frozen=True, slots=True)
class Entry:
    """One article as it is to be written: its passages and a vector for each, in order."""

    article: Article
    fingerprint: str
    spans: tuple[Span, ...]
    digests: tuple[bytes, ...]
    vectors: Vectors


# Characters of a title that are embedded with each passage: the longest of 11,746 titles has
# 80. A whole paragraph in the place of the title must not leave the passage without room.
TITLE_UP_TO = 150


def embedding_text(head: ArticleHead, passage_text: str) -> str:
    """Return what is embedded for a passage: the article's title and day, then the passage."""
    day = f"{head.published:%d %B %Y}".lstrip("0") if head.published else ""
    return "\n".join(part for part in (head.title[:TITLE_UP_TO], day, passage_text) if part)


def fingerprint(article: Article) -> str:
    """Return the hash by which an unchanged article is known; its revision does not count.

    Raises ReadError where the article holds what is no text (a lone surrogate).
    """
    parts = [
        *(article.id, article.title, article.text, article.publisher, article.url),
        *(article.section, article.language, article.kind, *article.authors),
        *(str(article.published), str(article.updated)),
    ]
    try:
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise ReadError(f"{article.id!r}: not valid Unicode text: {error.reason}") from error


class Record:
    """The archive's SQLite file; safe to use from several threads, each with its connection."""

    def __init__(self, folder: Path, *, create: bool = False, writable: bool = False) -> None:
        """Open the record in `folder`.

        Raises ArchiveNotFoundError where there is none and it may not be created, and
        ArchiveDamagedError where the file is no record or of a newer version.
        """
        self.path = folder / FILE
        self._writable = writable
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        if not self.path.exists():
            if not create:
                raise ArchiveNotFoundError(
                    f"no archive at {folder}: run `backfile ingest FOLDER --archive {folder}` first"
                )
            folder.mkdir(parents=True, exist_ok=True)
        with self._reading():
            migrate(self._db, folder, writable=writable)

    @property
    def _db(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self.path, timeout=30, isolation_level=None, check_same_thread=False
            )
            with self._lock:
                self._connections.append(connection)
            self._local.connection = connection
            with self._reading():
                if self._writable:
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.execute("PRAGMA synchronous = FULL")
                else:
                    connection.execute("PRAGMA query_only = ON")
                connection.execute("PRAGMA mmap_size = 1073741824")
        return connection

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise
            raise ArchiveDamagedError(
                f"the record {self.path} cannot be read ({error}): "
                "put it back from a backup, or ingest into a new archive"
            ) from error

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
        self._local = threading.local()

    # what it holds

    def meta(self, key: str) -> str:
        """Return what is kept under `key`, empty if nothing is."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def set_meta(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def sequence(self) -> int:
        """Return the number of the newest change, 0 where there was none."""
        return int(self._db.execute("SELECT ifnull(max(sequence), 0) FROM changes").fetchone()[0])

    def last_change(self, action: str) -> datetime | None:
        """Return when something was last put or removed."""
        row = self._db.execute(
            "SELECT at FROM changes WHERE action = ? ORDER BY sequence DESC LIMIT 1", (action,)
        ).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def fingerprints(self, article_ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return the fingerprints of all revisions of those of the articles that are here, by id.

        An earlier revision counts: fed the old file again, an article does not go back to it.
        """
        rows = self._for_each(
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
        """Return digest -> vector of the passages of every revision of an article."""
        rows = self._db.execute(
            "SELECT p.digest, v.vector FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "JOIN vectors v ON v.number = p.number WHERE r.article_id = ?",
            (article_id,),
        )
        return dict(rows.fetchall())

    def article(self, article_id: str, revision: int | None = None) -> Article | None:
        """Return the current revision of an article, or the one asked for; None if not here."""
        which = "r.until IS NULL" if revision is None else "r.revision = ?"
        row = self._db.execute(
            f"SELECT {HEAD}, t.text FROM revisions r JOIN texts t ON t.revision_id = r.id "
            f"WHERE r.article_id = ? AND {which}",
            (article_id,) if revision is None else (article_id, revision),
        ).fetchone()
        return read_article(row) if row else None

    def articles(self, filters: Filters = Filters()) -> Iterator[Article]:
        """Yield the current articles that pass the filters, by their number in the record."""
        where, values = self._where(filters)
        after = 0
        while True:  # in pages: no cursor stays open while the caller works
            rows = self._db.execute(
                f"SELECT r.id, {HEAD}, t.text FROM revisions r "
                f"JOIN texts t ON t.revision_id = r.id WHERE {where} AND r.id > ? "
                f"ORDER BY r.id LIMIT {CHUNK}",
                (*values, after),
            ).fetchall()
            if not rows:
                return
            yield from (read_article(row[1:]) for row in rows)
            after = rows[-1][0]

    def spans(self, article_id: str, revision: int) -> list[Span]:
        """Return the passages of one revision as spans, in order."""
        rows = self._db.execute(
            'SELECT p.start, p."end" FROM revisions r JOIN passages p ON p.revision_id = r.id '
            "WHERE r.article_id = ? AND r.revision = ? ORDER BY p.start",
            (article_id, revision),
        )
        return [Span(start, end) for start, end in rows]

    def count(self, filters: Filters = Filters()) -> tuple[int, int]:
        """Return how many current articles pass the filters, and how many passages they have."""
        where, values = self._where(filters)
        row = self._db.execute(
            "SELECT count(*), ifnull(sum("
            "(SELECT count(*) FROM passages WHERE revision_id = r.id)), 0) "
            f"FROM revisions r WHERE {where}",
            values,
        ).fetchone()
        return int(row[0]), int(row[1])

    def publishers(self) -> list[tuple[str, int, datetime | None, datetime | None]]:
        """Return each publisher's name, number of articles, first and last publication date."""
        rows = self._db.execute(
            "SELECT publisher, count(*), min(published_at), max(published_at) FROM revisions "
            "WHERE until IS NULL GROUP BY publisher ORDER BY count(*) DESC, publisher"
        )
        return [(name, n, moment_of(first), moment_of(last)) for name, n, first, last in rows]

    def authors(self) -> list[str]:
        """Return the names of all authors of current articles, sorted."""
        rows = self._db.execute(
            "SELECT DISTINCT b.author FROM bylines b JOIN revisions r ON r.id = b.revision_id "
            "WHERE r.until IS NULL ORDER BY b.author"
        )
        return [str(author) for (author,) in rows]

    # passages, by their numbers

    def numbers(self, filters: Filters = Filters()) -> Numbers:
        """Return the numbers of the live passages whose articles pass the filters, ascending."""
        where, values = self._where(filters)
        rows = self._db.execute(
            "SELECT p.number FROM revisions r JOIN passages p ON p.revision_id = r.id "
            f"WHERE {where}",
            values,
        ).fetchall()
        return np.sort(np.fromiter((n for (n,) in rows), dtype=np.int64, count=len(rows)))

    def live(self, numbers: Iterable[int]) -> dict[int, Live]:
        """Return those of the passages that are live, by number."""
        rows = self._for_each(
            f'SELECT p.number, p.start, p."end", {HEAD}, t.text FROM passages p '
            "JOIN revisions r ON r.id = p.revision_id JOIN texts t ON t.revision_id = r.id "
            "WHERE r.until IS NULL AND p.number IN ({})",
            (int(number) for number in numbers),
        )
        return {row[0]: read_live(row) for row in rows}

    def vectors(self, numbers: Numbers) -> tuple[Numbers, Vectors]:
        """Return the vectors (n, dimension) of these passages and the numbers they belong to."""
        found: list[tuple[int, bytes]] = self._for_each(
            "SELECT number, vector FROM vectors WHERE number IN ({})", numbers.tolist()
        )
        kept = np.fromiter((number for number, _ in found), dtype=np.int64, count=len(found))
        flat = np.frombuffer(b"".join(vector for _, vector in found), dtype=np.float32)
        return kept, flat.reshape(len(found), -1) if found else np.empty((0, 0), np.float32)

    def numbers_of(self, passages: Sequence[Passage]) -> dict[Passage, int]:
        """Return the numbers of those of the passages that are live."""
        rows = self._for_each(
            "SELECT r.article_id, r.revision, p.start, p.number FROM revisions r "
            "JOIN passages p ON p.revision_id = r.id "
            "WHERE r.until IS NULL AND r.article_id IN ({})",
            dict.fromkeys(passage.article_id for passage in passages),
        )
        numbers = {(article_id, revision, start): n for article_id, revision, start, n in rows}
        keys = {p: (p.article_id, p.revision, p.start) for p in passages}
        return {p: numbers[key] for p, key in keys.items() if key in numbers}

    def added_since(self, sequence: int, size: int) -> Iterator[list[Live]]:
        """Yield, `size` at a time, the live passages that came after a sequence number."""
        after = 0
        while True:
            rows = self._db.execute(
                f'SELECT p.number, p.start, p."end", {HEAD}, t.text FROM revisions r '
                "JOIN passages p ON p.revision_id = r.id JOIN texts t ON t.revision_id = r.id "
                "WHERE r.until IS NULL AND r.since > ? AND p.number > ? "
                f"ORDER BY p.number LIMIT {size}",
                (sequence, after),
            ).fetchall()
            if not rows:
                return
            yield [read_live(row) for row in rows]
            after = rows[-1][0]

    def numbers_added_since(self, sequence: int) -> Numbers:
        """Return the numbers of the live passages that came after a sequence number."""
        rows = self._db.execute(
            "SELECT p.number FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "WHERE r.until IS NULL AND r.since > ?",
            (sequence,),
        ).fetchall()
        return np.array([n for (n,) in rows], dtype=np.int64)

    def removed_since(self, sequence: int) -> list[int]:
        """Return the numbers of the passages that ceased to be live after a sequence number."""
        rows = self._db.execute(
            "SELECT p.number FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "WHERE r.until > ?",
            (sequence,),
        )
        return [int(n) for (n,) in rows]

    # writing

    @contextmanager
    def change(self, action: str, articles: int) -> Iterator[int]:
        """Open a transaction under the next sequence number; all of it is written, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            sequence = self.sequence() + 1
            now = datetime.now(UTC).isoformat()
            self._db.execute(
                "INSERT INTO changes VALUES (?, ?, ?, ?)", (sequence, now, action, articles)
            )
            yield sequence
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def put(self, entries: Sequence[Entry]) -> int:
        """Write new revisions in one transaction, ending those they replace; return its number."""
        with self.change("put", len(entries)) as sequence:
            for entry in entries:
                self._end(entry.article.id, sequence)
                self._begin(entry, sequence)
        return sequence

    def remove(self, article_ids: Sequence[str]) -> int:
        """End the current revisions of these articles; return how many there were."""
        here = list(self.fingerprints(article_ids))
        if here:
            with self.change("remove", len(here)) as sequence:
                for article_id in here:
                    self._end(article_id, sequence)
        return len(here)

    def _end(self, article_id: str, sequence: int) -> None:
        self._db.execute(
            "UPDATE revisions SET until = ? WHERE article_id = ? AND until IS NULL",
            (sequence, article_id),
        )

    def _begin(self, entry: Entry, sequence: int) -> None:
        a = entry.article
        (newest,) = self._db.execute(
            "SELECT ifnull(max(revision), 0) FROM revisions WHERE article_id = ?", (a.id,)
        ).fetchone()
        revision_id = self._db.execute(
            "INSERT INTO revisions (article_id, revision, fingerprint, title, publisher, url, "
            "authors, published, published_at, updated, section, language, kind, since) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(a.id, newest + 1, entry.fingerprint, a.title, a.publisher, a.url),
                json.dumps(a.authors, ensure_ascii=False),
                a.published.isoformat() if a.published else None,
                seconds(a.published) if a.published else None,
                a.updated.isoformat() if a.updated else None,
                *(a.section, a.language, a.kind, sequence),
            ),
        ).lastrowid
        self._db.execute("INSERT INTO texts VALUES (?, ?)", (revision_id, a.text))
        self._db.executemany(
            "INSERT INTO bylines VALUES (?, ?)", [(revision_id, author) for author in a.authors]
        )
        for span, digest, vector in zip(entry.spans, entry.digests, entry.vectors, strict=True):
            number = self._db.execute(
                'INSERT INTO passages (revision_id, start, "end", digest) VALUES (?, ?, ?, ?)',
                (revision_id, span.start, span.end, digest),
            ).lastrowid
            self._db.execute(
                "INSERT INTO vectors VALUES (?, ?)", (number, vector.astype("<f4").tobytes())
            )

    # helpers of the queries above

    def _where(self, filters: Filters) -> tuple[str, list[object]]:
        clauses, values = ["r.until IS NULL"], list[object]()
        for moment, clause in (
            (filters.after, "r.published_at >= ?"),
            (filters.before, "r.published_at < ?"),
        ):
            if moment is not None:
                clauses.append(clause)
                values.append(seconds(moment))
        for column, wanted in (
            ("publisher", filters.publishers),
            ("section", filters.sections),
            ("language", filters.languages),
            ("kind", filters.kinds),
        ):
            if wanted:
                rows = self._db.execute(
                    f"SELECT DISTINCT {column} FROM revisions WHERE until IS NULL"
                )
                names = _matching((name for (name,) in rows), wanted)
                clauses.append(f"r.{column} IN ({_marks(names)})")
                values.extend(names)
        if filters.article_ids:
            clauses.append(f"r.article_id IN ({_marks(filters.article_ids)})")
            values.extend(filters.article_ids)
        if filters.authors:
            names = _matching(self.authors(), filters.authors)
            clauses.append(
                f"r.id IN (SELECT revision_id FROM bylines WHERE author IN ({_marks(names)}))"
            )
            values.extend(names)
        return " AND ".join(clauses), values

    def _for_each(self, statement: str, keys: Iterable[object]) -> list[tuple]:  # type: ignore[type-arg]
        rows, left = [], list(keys)
        for i in range(0, len(left), CHUNK):
            part = left[i : i + CHUNK]
            rows += self._db.execute(statement.format(_marks(part)), part).fetchall()
        return rows


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _matching(names: Iterable[str], wanted: Sequence[str]) -> list[str]:
    folded = {name.casefold() for name in wanted}
    return [name for name in names if name.casefold() in folded]
