"""Clusters of near-duplicates: signatures, bands and each cluster's canonical article.

An article is compared only with canonical or unique articles that share a band with it, so the
thousandth reprint costs no more than the second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from rag.nlp.near_duplicates import (
    FEWEST_WORDS,
    TextSignature,
    band_keys,
    canonical_order,
    is_same_story,
    minhash,
    text_hash,
    text_signature,
)
from rag.schema import EVERYTHING, Article, ArticleMetadata, Filters
from rag.store.database import CHUNK, Database, placeholders
from rag.store.filters import where_clause
from rag.store.rows import METADATA, row_to_article, row_to_metadata

METHOD = (
    "2"  # version of the method: when it changes, articles are compared again at the next write
)
_UP_TO = f"{METHOD} up to "
MAX_COMPARED = 10  # at most this many canonical articles, those with the most bands in common
CACHED_SIGNATURES = 256  # signatures of 20 kB each: reprints of a wire story arrive together


@dataclass(frozen=True, slots=True)
class Sketch:
    """Hashes of an article by which its near-duplicates are found.

    Attributes:
        text_hash: Hash of its words.
        minhash: MinHash of its text and lead; empty for a text that is too short to compare.
    """

    text_hash: bytes
    minhash: bytes


def sketch_of(article: Article) -> Sketch:
    """Return the sketch of an article."""
    signature = text_signature(article)
    long_enough = signature.words >= FEWEST_WORDS
    return Sketch(text_hash(article.text), minhash(signature) if long_enough else b"")


class DuplicateClusters:
    """Near-duplicate clusters of current articles; written in the store's transactions."""

    def __init__(self, database: Database) -> None:
        """Read and write the clusters of a database."""
        self._database = database
        self._signatures: LRUCache[tuple[bytes, str], TextSignature] = LRUCache(CACHED_SIGNATURES)

    def near_duplicates(
        self, article_ids: Iterable[str], *, filters: Filters = EVERYTHING
    ) -> dict[str, tuple[ArticleMetadata, ...]]:
        """Return the other articles of each article's cluster, the canonical one first.

        Args:
            article_ids: The articles to look up.
            filters: Filters for the articles to return.

        Returns:
            Metadata by article id, without the articles that have no near-duplicates.
        """
        where, values = where_clause(self._database, filters)
        found: dict[str, list[ArticleMetadata]] = {}
        ids = list(dict.fromkeys(article_ids))
        for i in range(0, len(ids), CHUNK):
            part = ids[i : i + CHUNK]
            rows = self._database.connection.execute(
                f"SELECT a.article_id, {METADATA} FROM copies a JOIN copies c ON c.story = a.story "  # nosec B608 # conditions of this code, values bound
                "JOIN revisions r ON r.article_id = c.article_id "
                f"WHERE a.article_id IN ({placeholders(part)}) AND c.article_id <> a.article_id "
                f"AND {where} ORDER BY c.article_id <> c.story, r.published_at, r.article_id",
                (*part, *values),
            )
            for row in rows:
                found.setdefault(row[0], []).append(row_to_metadata(row[1:]))
        return {article_id: tuple(copies) for article_id, copies in found.items()}

    def count(self, filters: Filters = EVERYTHING) -> tuple[int, int]:
        """Count the clusters of articles that pass the filters.

        Returns:
            The number of clusters with several articles, and of their articles beyond the first.
        """
        where, values = where_clause(self._database, filters)
        rows = self._database.connection.execute(
            "SELECT count(*) FROM copies c JOIN revisions r ON r.article_id = c.article_id "  # nosec B608 # conditions of this code, values bound
            f"WHERE {where} GROUP BY c.story HAVING count(*) > 1",
            values,
        ).fetchall()
        return len(rows), sum(tellings for (tellings,) in rows) - len(rows)

    # writing

    def catch_up(self) -> None:
        """Compare articles that were added before this method or version of it.

        Each page is committed, so an interrupted run resumes where it stopped.
        """
        done = self._database.meta("stories")
        if done == METHOD:
            return
        if not done.startswith(_UP_TO):
            with self._database.transaction():
                for table in ("signatures", "bands", "copies"):
                    self._database.connection.execute(f"DELETE FROM {table}")  # nosec B608 # names of our schema, values bound
        after = int(done.removeprefix(_UP_TO)) if done.startswith(_UP_TO) else 0
        while rows := self._database.connection.execute(
            f"SELECT r.id, {METADATA}, t.text FROM revisions r "  # nosec B608 # constants of this code, values bound
            "JOIN texts t ON t.revision_id = r.id "
            f"WHERE r.until IS NULL AND r.id > ? ORDER BY r.id LIMIT {CHUNK}",
            (after,),
        ).fetchall():
            after = rows[-1][0]
            with self._database.transaction():
                self.assign([row_to_article(row[1:]) for row in rows])
                self._database.set_meta("stories", f"{_UP_TO}{after}")
        self._database.set_meta("stories", METHOD)

    def assign(self, articles: Sequence[Article], sketches: Mapping[str, Sketch] = {}) -> None:
        """Assign new or changed articles, already in the store, to clusters.

        Args:
            articles: The articles.
            sketches: Their sketches, by article id; missing ones are made.
        """
        self._signatures.clear()  # may contain rolled-back texts, or miss another process's
        self.remove([article.id for article in articles])
        for article in articles:
            self._place(article, sketches.get(article.id) or sketch_of(article))

    def remove(self, article_ids: Sequence[str]) -> None:
        """Remove articles from their clusters, and replace canonical ones."""
        stories = self._database.execute_for_each(
            "SELECT DISTINCT story FROM copies WHERE article_id IN ({})", article_ids
        )
        for article_id in article_ids:
            self._demote(article_id)
        for table in ("signatures", "copies"):
            self._database.execute_for_each(
                f"DELETE FROM {table} WHERE article_id IN ({{}})",  # nosec B608 # names of our schema, values bound
                article_ids,
            )
        for (story,) in stories:
            self._repair(story)

    def _place(self, article: Article, sketch: Sketch) -> None:
        story = self._cluster_of(article, sketch) if sketch.minhash else ""
        self._database.connection.execute(
            "INSERT INTO signatures (article_id, text_hash, minhash) VALUES (?, ?, ?)",
            (article.id, sketch.text_hash, sketch.minhash),
        )
        if not story:
            self._promote(article.id)
            return
        self._database.connection.executemany(
            "INSERT INTO copies VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(story, story), (article.id, story)],
        )
        leader = self._articles([story])[0]
        if canonical_order(article) < canonical_order(leader):
            self._demote(story)
            self._set_canonical(story, article.id)

    def _cluster_of(self, article: Article, sketch: Sketch) -> str:
        """Return the canonical article of this article's cluster; "" if it has none."""
        same = self._database.connection.execute(
            "SELECT coalesce(c.story, s.article_id) FROM signatures s "
            "LEFT JOIN copies c ON c.article_id = s.article_id WHERE s.text_hash = ? LIMIT 1",
            (sketch.text_hash,),
        ).fetchone()
        if same:
            return str(same[0])
        keys = band_keys(sketch.minhash)
        likely = self._database.connection.execute(
            "SELECT s.article_id, s.text_hash FROM bands b JOIN signatures s "  # nosec B608 # question marks, values bound
            f"ON s.number = b.number WHERE b.key IN ({placeholders(keys)}) "
            f"GROUP BY s.number ORDER BY count(*) DESC, s.article_id LIMIT {MAX_COMPARED}",
            keys,
        ).fetchall()
        if not likely:
            return ""
        signature = text_signature(article)
        for article_id, other_hash in likely:
            if is_same_story(signature, self._signature(article_id, other_hash)):
                return str(article_id)
        return ""

    def _signature(self, article_id: str, hashed: bytes) -> TextSignature:
        key = (hashed, article_id)
        found = self._signatures.get(key)
        if found is None:
            found = self._signatures[key] = text_signature(self._articles([article_id])[0])
        return found

    def _repair(self, story: str) -> None:
        """Choose a canonical article if the cluster lost it, and drop a cluster of one."""
        left = self._database.connection.execute(
            "SELECT article_id FROM copies WHERE story = ?", (story,)
        ).fetchall()
        ids = [article_id for (article_id,) in left]
        if ids and story not in ids:
            self._set_canonical(story, min(self._articles(ids), key=canonical_order).id)
        if len(ids) == 1:
            self._database.connection.execute("DELETE FROM copies WHERE article_id = ?", ids)

    def _set_canonical(self, story: str, leader: str) -> None:
        self._database.connection.execute(
            "UPDATE copies SET story = ? WHERE story = ?", (leader, story)
        )
        self._promote(leader)

    def _promote(self, article_id: str) -> None:
        self._database.connection.executemany(
            "INSERT INTO bands VALUES (?, ?) ON CONFLICT DO NOTHING", self._bands(article_id)
        )

    def _demote(self, article_id: str) -> None:
        self._database.connection.executemany(
            "DELETE FROM bands WHERE key = ? AND number = ?", self._bands(article_id)
        )

    def _bands(self, article_id: str) -> list[tuple[int, int]]:
        row = self._database.connection.execute(
            "SELECT number, minhash FROM signatures WHERE article_id = ?", (article_id,)
        ).fetchone()
        return [(key, row[0]) for key in band_keys(row[1])] if row else []

    def _articles(self, article_ids: Sequence[str]) -> list[Article]:
        rows = self._database.execute_for_each(
            f"SELECT {METADATA}, t.text FROM revisions r JOIN texts t ON t.revision_id = r.id "  # nosec B608 # constants of this code, values bound
            "WHERE r.until IS NULL AND r.article_id IN ({})",
            article_ids,
        )
        return [row_to_article(row) for row in rows]
