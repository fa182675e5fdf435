"""Make a large archive of real articles and their twins, quickly: the record first, then indexes.

    python -m tests.benchmarks.bulk SOURCE PLACE [--passages N]

The articles are those of `tests.benchmarks.searching`: SOURCE's, and beside each of them as many
twins as it takes.  The record is written in a few large transactions without indexes of its own;
the sketches of the twins are drawn at random, and their names are those of their originals, since
reading both would take longer than everything else.  Both search indexes are filled once, by the
product's own code.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from rag.archive.archive import Archive
from rag.nlp.near_duplicates import band_keys, text_hash
from rag.schema import Article, Passage
from rag.store.articles import ArticleStore, content_hash, embedding_text, text_digest
from rag.store.database import placeholders
from rag.store.duplicate_clusters import METHOD
from rag.store.names import META, RULES, names_checksum, names_of
from rag.store.passages import Vectors
from rag.store.rows import METADATA_COLUMNS, metadata_to_row, to_timestamp
from rag.store.sqlite_database import FILE
from rag.store.staged_vectors import MODEL
from tests.benchmarks.searching import articles_of, turned, twin_of

CHANGE = 400  # articles
COMMIT = 4_000  # articles
COLUMNS = (*METADATA_COLUMNS, "fingerprint", "published_at", "since")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bulk")
    parser.add_argument("source", type=Path, help="an archive of real articles")
    parser.add_argument("place", type=Path, help="the folder to make")
    parser.add_argument("--passages", type=int, default=1_000_000)
    options = parser.parse_args()
    make(options.source, options.place, options.passages)
    return 0


def make(source: Path, place: Path, wanted: int) -> None:
    """Make an archive of so many passages at `place`.

    Args:
        source: An archive of real articles.
        place: The folder to make.
        wanted: The number of passages, at least.
    """
    begun = time.perf_counter()
    with Archive.open(source) as real:
        model = real.store.database.meta(MODEL)
        made = _write_record(real, place, model, wanted)
    print(f"record: {made:,} passages in {time.perf_counter() - begun:.0f} s", flush=True)
    with Archive.open(place, mode="write"):
        pass  # opening it for writing fills the indexes
    print(f"indexes: {time.perf_counter() - begun:.0f} s", flush=True)


def _write_record(real: Archive, place: Path, model: str, wanted: int) -> int:
    store = ArticleStore(place, create=True, writable=True)
    store.database.set_meta(MODEL, model)
    store.database.set_meta(META, RULES)
    store.database.set_meta("stories", METHOD)
    store.close()
    with closing(sqlite3.connect(place / FILE, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        later = _drop_indexes(connection)
        made = _Writer(connection).write_all(real, wanted)
        for statement in later:
            connection.execute(statement)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return made


def _drop_indexes(connection: sqlite3.Connection) -> list[str]:
    """Drop the indexes that can be made again at the end; return the statements that do so."""
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in rows:
        connection.execute(f"DROP INDEX {name}")
    return [sql for _, sql in rows]


class _Writer:
    """Writes revisions with everything that belongs to them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._chance = np.random.default_rng(3)
        self._names: dict[tuple[str, str], int] = {}
        self._bands: list[tuple[int, int]] = []
        self._count = 0

    def write_all(self, real: Archive, wanted: int) -> int:
        """Write twins of all articles until there are enough passages; return their number."""
        twins = max(1, -(-wanted // max(real.count().passages, 1)) - 1)
        sketches = dict(
            real.store.database.connection.execute("SELECT article_id, minhash FROM signatures")
        )
        made = 0
        self._connection.execute("BEGIN")
        for article, passages, vectors in articles_of(real):
            named = names_of(article)
            for number in range(twins + 1):
                one, parts, near = article, passages, vectors
                sketch = sketches.get(article.id, b"")
                if number:
                    one, parts = twin_of(article, passages, number)
                    near = turned(vectors, self._chance)
                    sketch = self._chance.integers(0, 2**32, len(sketch) // 4, "<u4").tobytes()
                self._write(one, parts, near.astype("<f4"), sketch, named)
                made += len(parts)
            if made >= wanted:
                break
        self._connection.executemany(
            "INSERT OR IGNORE INTO bands VALUES (?, ?)", sorted(self._bands)
        )
        self._connection.execute("COMMIT")
        return made

    def _write(
        self,
        article: Article,
        passages: Sequence[Passage],
        vectors: Vectors,
        sketch: bytes,
        named: Sequence[tuple[str, str]],
    ) -> None:
        connection = self._connection
        if self._count % CHANGE == 0:
            now = datetime.now(UTC).isoformat()
            change = (self._count // CHANGE + 1, now, "put", CHANGE)
            connection.execute("INSERT INTO changes VALUES (?, ?, ?, ?)", change)
        if self._count % COMMIT == COMMIT - 1:
            connection.execute("COMMIT")
            connection.execute("BEGIN")
        published = to_timestamp(article.published) if article.published else None
        key = connection.execute(
            f"INSERT INTO revisions ({', '.join(COLUMNS)}) VALUES ({placeholders(COLUMNS)})",
            (
                *metadata_to_row(replace(article.metadata, revision=1)),
                *(content_hash(article), published, self._count // CHANGE + 1),
            ),
        ).lastrowid
        self._count += 1
        assert key is not None
        connection.execute("INSERT INTO texts VALUES (?, ?)", (key, article.text))
        connection.executemany(
            "INSERT INTO bylines VALUES (?, ?)", [(key, author) for author in article.authors]
        )
        numbers = sorted(self._number(pair) for pair in named)
        connection.execute(
            "INSERT INTO mentions VALUES (?, ?, ?)",
            (key, np.array(numbers, "<u4").tobytes(), names_checksum(key, sorted(named))),
        )
        for passage, vector in zip(passages, vectors, strict=True):
            digest = text_digest(embedding_text(article.metadata, passage.text))
            place = connection.execute(
                'INSERT INTO passages (revision_id, start, "end", digest) VALUES (?, ?, ?, ?)',
                (key, passage.start, passage.end, digest),
            ).lastrowid
            connection.execute("INSERT INTO vectors VALUES (?, ?)", (place, vector.tobytes()))
        connection.execute(
            "INSERT INTO signatures VALUES (?, ?, ?, ?)",
            (key, article.id, text_hash(article.text), sketch),
        )
        self._bands += [(band, key) for band in band_keys(sketch)]

    def _number(self, pair: tuple[str, str]) -> int:
        if pair not in self._names:
            new = self._connection.execute("INSERT INTO names (kind, name) VALUES (?, ?)", pair)
            self._names[pair] = int(new.lastrowid or 0)
        return self._names[pair]


if __name__ == "__main__":
    sys.exit(main())
