"""Article store: articles, revisions, passages and vectors in SQLite, the source of truth.

Every change is one transaction with the next sequence number; the indexes sync by that number. A
revision is current while its `until` is NULL, and its passages are live exactly as long. Nothing
is overwritten: a change ends one revision and begins another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from rag.errors import ReadError
from rag.nlp.dates import format_date
from rag.schema import ALL_RIGHTS, EVERYTHING, Access, Article, ArticleMetadata, Filters, Span
from rag.store import correction_articles
from rag.store.database import CHUNK, Database, placeholders
from rag.store.duplicates import DuplicateClusters
from rag.store.filters import CURRENT, authors, where_clause
from rag.store.passages import PassageStore, Vectors
from rag.store.rows import (
    FIRST_SECOND,
    HEAD,
    LAST_SECOND,
    METADATA_COLUMNS,
    from_timestamp,
    metadata_to_row,
    row_to_article,
    row_to_metadata,
    to_timestamp,
)
from rag.store.staged_vectors import GENERATION


@dataclass(frozen=True, slots=True)
class PreparedArticle:
    """One article as it is to be written: its passages and a vector for each, in order."""

    article: Article
    fingerprint: str
    spans: tuple[Span, ...]
    digests: tuple[bytes, ...]
    vectors: Vectors


# SQL: when an article was published, in seconds since 1970, where that is a valid date.
_DATED = f"iif(r.published_at BETWEEN {FIRST_SECOND} AND {LAST_SECOND}, r.published_at, NULL)"
_COLUMNS = (*METADATA_COLUMNS, "fingerprint", "published_at", "since")
_LATER = ("slugline", "urgency", "correction", "access")

# Characters of a title that are embedded with each passage: the longest of 11,746 titles has
# 80. A whole paragraph in the place of the title must not leave the passage without room.
TITLE_UP_TO = 150


def embedding_text(head: ArticleMetadata, passage_text: str) -> str:
    """Return what is embedded for a passage: the article's title and day, then the passage."""
    day = format_date(head.published) if head.published else ""
    return "\n".join(part for part in (head.title[:TITLE_UP_TO], day, passage_text) if part)


def text_digest(embedded: str) -> bytes:
    """Return the hash of what was embedded: passages that share it share their vector."""
    return hashlib.blake2b(embedded.encode(), digest_size=16).digest()


def content_hash(article: Article) -> str:
    """Return the hash by which an unchanged article is known; its revision does not count.

    Raises ReadError where the article holds what is no text (a lone surrogate).
    """
    parts = [
        *(article.id, article.title, article.text, article.publisher, article.url),
        *(article.section, article.language, article.kind, *article.authors),
        *(str(article.published), str(article.updated)),
        # named, and only where there is any: what was put before they were known stays unchanged
        *(f"{name}={value}" for name in _LATER if (value := getattr(article, name))),
    ]
    try:
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise ReadError(f"{article.id!r}: not valid Unicode text: {error.reason}") from error


class ArticleStore:
    """The articles and their revisions; `passages` are theirs, `stories` which are copies."""

    def __init__(self, folder: Path, *, create: bool = False, writable: bool = False) -> None:
        """Open the record in `folder`.

        Raises ArchiveNotFoundError where there is none and it may not be created, and
        ArchiveDamagedError where the file is no record or of a newer version.
        """
        self.database = Database(folder, create=create, writable=writable)
        self.passages = PassageStore(self.database)
        self.stories = DuplicateClusters(self.database)

    def close(self) -> None:
        """Close every thread's connection."""
        self.database.close()

    # what it holds

    def generation(self) -> int:
        """Return how often the vectors have been changed for those of another model."""
        return int(self.database.meta(GENERATION) or 0)

    def last_change(self, action: str) -> datetime | None:
        """Return when something was last put or removed."""
        row = self.database.connection.execute(
            "SELECT at FROM changes WHERE action = ? ORDER BY sequence DESC LIMIT 1", (action,)
        ).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def fingerprints(self, article_ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return the fingerprints of all revisions of those of the articles that are here, by id.

        An earlier revision counts: fed the old file again, an article does not go back to it.
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
        """Return digest -> vector of the passages of every revision of an article."""
        rows = self.database.connection.execute(
            "SELECT p.digest, v.vector FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "JOIN vectors v ON v.number = p.number WHERE r.article_id = ?",
            (article_id,),
        )
        return dict(rows.fetchall())

    def article(
        self, article_id: str, revision: int | None = None, *, withdrawn: bool = False
    ) -> Article | None:
        """Return the current revision of an article, or the one asked for; None if not here.

        What was withdrawn is not, unless it is asked for.
        """
        which = "r.until IS NULL" if revision is None else "r.revision = ?"
        if not withdrawn:
            which += " AND r.article_id NOT IN (SELECT article_id FROM withdrawals)"
        row = self.database.connection.execute(
            f"SELECT {HEAD}, t.text FROM revisions r JOIN texts t ON t.revision_id = r.id "
            f"WHERE r.article_id = ? AND {which}",
            (article_id,) if revision is None else (article_id, revision),
        ).fetchone()
        return row_to_article(row) if row else None

    def article_at(self, article_id: str, standing: str) -> Article | None:
        """Return the revision of an article that stands or stood; None where there was none."""
        row = self.database.connection.execute(
            f"SELECT {HEAD}, t.text FROM revisions r JOIN texts t ON t.revision_id = r.id "
            f"WHERE r.article_id = ? AND {standing}",
            (article_id,),
        ).fetchone()
        return row_to_article(row) if row else None

    def heads(
        self, article_ids: Iterable[str], standing: str = CURRENT
    ) -> dict[str, ArticleMetadata]:
        """Return the heads of those of the articles that stand or stood, by id."""
        rows = self.database.execute_for_each(
            f"SELECT {HEAD} FROM revisions r WHERE {standing} AND r.article_id IN ({{}})",
            article_ids,
        )
        return {row[0]: row_to_metadata(row) for row in rows}

    def articles(self, filters: Filters = EVERYTHING) -> Iterator[Article]:
        """Yield the current articles that pass the filters, by their number in the record."""
        where, values = where_clause(self.database, filters)
        after = 0
        while True:  # in pages: no cursor stays open while the caller works
            rows = self.database.connection.execute(
                f"SELECT r.id, {HEAD}, t.text FROM revisions r "
                f"JOIN texts t ON t.revision_id = r.id WHERE {where} AND r.id > ? "
                f"ORDER BY r.id LIMIT {CHUNK}",
                (*values, after),
            ).fetchall()
            if not rows:
                return
            yield from (row_to_article(row[1:]) for row in rows)
            after = rows[-1][0]

    def spans(self, article_id: str, revision: int) -> list[Span]:
        """Return the passages of one revision as spans, in order."""
        rows = self.database.connection.execute(
            'SELECT p.start, p."end" FROM revisions r JOIN passages p ON p.revision_id = r.id '
            "WHERE r.article_id = ? AND r.revision = ? ORDER BY p.start",
            (article_id, revision),
        )
        return [Span(start, end) for start, end in rows]

    def count(self, filters: Filters = EVERYTHING) -> tuple[int, int]:
        """Return how many current articles pass the filters, and how many passages they have."""
        where, values = where_clause(self.database, filters)
        row = self.database.connection.execute(
            "SELECT count(*), ifnull(sum("
            "(SELECT count(*) FROM passages WHERE revision_id = r.id)), 0) "
            f"FROM revisions r WHERE {where}",
            values,
        ).fetchone()
        return int(row[0]), int(row[1])

    def publishers(
        self, standing: str = CURRENT, access: Access = ALL_RIGHTS
    ) -> list[tuple[str, int, datetime | None, datetime | None]]:
        """Return each publisher's name, number of articles, first and last publication date."""
        where, values = where_clause(self.database, Filters(access=access), standing)
        rows = self.database.connection.execute(
            f"SELECT publisher, count(*), min({_DATED}), max({_DATED}) FROM revisions r "
            f"WHERE {where} GROUP BY publisher ORDER BY count(*) DESC, publisher",
            values,
        )
        return [
            (name, n, from_timestamp(first), from_timestamp(last)) for name, n, first, last in rows
        ]

    def authors(self, standing: str = CURRENT, access: Access = ALL_RIGHTS) -> list[str]:
        """Return the names of all authors of the articles that stand, sorted."""
        return authors(self.database, standing, access)

    # writing

    def put(self, entries: Sequence[PreparedArticle]) -> int:
        """Write new revisions in one transaction, ending those they replace; return its number."""
        self.stories.catch_up()
        with self.database.change("put", len(entries)) as sequence:
            self._end([entry.article.id for entry in entries], sequence)
            self.begin(entries, sequence)
        return sequence

    def remove(self, article_ids: Sequence[str]) -> int:
        """End the current revisions of these articles; return how many there were."""
        here = list(self.fingerprints(article_ids))
        if here:
            with self.database.change("remove", len(here)) as sequence:
                self.end(here, sequence)
        return len(here)

    def end(self, article_ids: Sequence[str], sequence: int) -> None:
        """Let these articles stand no longer, within a change."""
        self._end(article_ids, sequence)
        self.stories.remove(article_ids)

    def begin(self, entries: Sequence[PreparedArticle], sequence: int) -> None:
        """Write these articles' next revisions, within a change."""
        for entry in entries:
            self._begin(entry, sequence)
        self.stories.assign([entry.article for entry in entries])
        correction_articles.save_corrections(self.database, [entry.article for entry in entries])

    def _end(self, article_ids: Sequence[str], sequence: int) -> None:
        self.database.connection.executemany(
            "UPDATE revisions SET until = ? WHERE article_id = ? AND until IS NULL",
            [(sequence, article_id) for article_id in article_ids],
        )

    def _begin(self, entry: PreparedArticle, sequence: int) -> None:
        a = entry.article
        (newest,) = self.database.connection.execute(
            "SELECT ifnull(max(revision), 0) FROM revisions WHERE article_id = ?", (a.id,)
        ).fetchone()
        revision_id = self.database.connection.execute(
            f"INSERT INTO revisions ({', '.join(_COLUMNS)}) "
            f"VALUES ({placeholders(range(len(_COLUMNS)))})",
            (
                *metadata_to_row(replace(a.metadata, revision=newest + 1)),
                *(entry.fingerprint, to_timestamp(a.published) if a.published else None, sequence),
            ),
        ).lastrowid
        self.database.connection.execute("INSERT INTO texts VALUES (?, ?)", (revision_id, a.text))
        self.database.connection.executemany(
            "INSERT INTO bylines VALUES (?, ?)", [(revision_id, author) for author in a.authors]
        )
        for span, digest, vector in zip(entry.spans, entry.digests, entry.vectors, strict=True):
            number = self.database.connection.execute(
                'INSERT INTO passages (revision_id, start, "end", digest) VALUES (?, ?, ?, ?)',
                (revision_id, span.start, span.end, digest),
            ).lastrowid
            self.database.connection.execute(
                "INSERT INTO vectors VALUES (?, ?)", (number, vector.astype("<f4").tobytes())
            )


def prepare_articles(
    record: ArticleStore,
    articles: Sequence[tuple[Article, str, tuple[Span, ...]]],
    embed: Callable[[Sequence[str]], Vectors],
) -> list[PreparedArticle]:
    """Return the entries of articles, each with its fingerprint and passages.

    A passage that any revision of the article had, under the same title and day, keeps its
    vector; the others are embedded in one call, which is not made where there are none.
    """
    texts = [
        [embedding_text(article.metadata, article.text[s.start : s.end]) for s in spans]
        for article, _, spans in articles
    ]
    digests = [tuple(map(text_digest, of_one)) for of_one in texts]
    known: dict[bytes, bytes] = {}
    for article, _, _ in articles:
        known.update(record.known_vectors(article.id))
    vectors = {digest: np.frombuffer(vector, np.float32) for digest, vector in known.items()}
    pairs = zip((d for ds in digests for d in ds), (t for ts in texts for t in ts), strict=True)
    missing = {digest: text for digest, text in pairs if digest not in vectors}
    if missing:
        vectors.update(zip(missing, embed(list(missing.values())), strict=True))
    empty = np.empty((0, 0), np.float32)
    return [
        PreparedArticle(
            article, mark, spans, ds, np.stack([vectors[d] for d in ds]) if ds else empty
        )
        for (article, mark, spans), ds in zip(articles, digests, strict=True)
    ]
