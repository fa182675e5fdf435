"""Passages and their vectors, by the numbers that the indexes refer to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rag.schema import EVERYTHING, ArticleMetadata, Filters, Passage
from rag.store.cache import metadata_cache, text_cache
from rag.store.current_revisions import CurrentRevisions
from rag.store.database import Database
from rag.store.filters import CURRENT, where_clause
from rag.store.rows import (
    FIRST_SECOND,
    LAST_SECOND,
    METADATA,
    IndexedPassage,
    row_to_passage,
)

CACHED_FILTERS = 8  # filters with cached passage numbers, 8 bytes per passage

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


class PassageStore:
    """The passages and vectors of current revisions."""

    def __init__(self, database: Database) -> None:
        """Read the passages of a database."""
        self._database = database
        self._metadata = metadata_cache(database)
        self._texts = text_cache(database)
        self.current = CurrentRevisions(database)
        self._passing = lru_cache(maxsize=CACHED_FILTERS)(
            lambda filters, _sequence: self._find_passing(filters)
        )

    def numbers(self, filters: Filters = EVERYTHING, standing: str = CURRENT) -> Numbers:
        """Return the numbers of the passages whose articles pass the filters, ascending.

        Args:
            filters: Filters for the articles.
            standing: SQL condition for the revisions to consider.
        """
        where, values = where_clause(self._database, filters, standing)
        rows = self._database.connection.execute(
            "SELECT p.number FROM revisions r JOIN passages p ON p.revision_id = r.id "  # nosec B608 # conditions of this code, values bound
            f"WHERE {where}",
            values,
        ).fetchall()
        return np.sort(np.fromiter((n for (n,) in rows), dtype=np.int64, count=len(rows)))

    def passing(self, filters: Filters) -> Numbers:
        """Return `numbers(filters)`, cached until the next change.

        A reader's access rights stay the same from search to search, and match most passages.
        """
        return self._passing(filters, self._database.sequence())

    def _find_passing(self, filters: Filters) -> Numbers:
        found = self.current.passages(filters)
        return self.numbers(filters) if found is None else found

    def newest_at(self, sequence: int | None = None) -> int:
        """Return the highest passage number as of a change, or now; 0 if there are none."""
        (newest,) = self._database.connection.execute(
            "SELECT coalesce(max(number), 0) FROM passages WHERE revision_id = "
            "(SELECT r.id FROM revisions r WHERE r.since <= ? AND EXISTS "
            "(SELECT 1 FROM passages WHERE revision_id = r.id) "
            "ORDER BY r.since DESC, r.id DESC LIMIT 1)"
            if sequence is not None
            else "SELECT coalesce(max(number), 0) FROM passages",
            () if sequence is None else (sequence,),
        ).fetchone()
        return int(newest)

    def live(self, numbers: Iterable[int], standing: str = CURRENT) -> dict[int, IndexedPassage]:
        """Return the passages of matching revisions, by number.

        Args:
            numbers: Passage numbers; those without a matching revision are skipped.
            standing: SQL condition for the revisions to consider.
        """
        rows = self._read_rows(numbers, standing)
        metadata_of = self._metadata.get_many(row[:3] for row in rows)
        texts = self._texts.get_many(row[:2] for row in rows)
        return {
            number: IndexedPassage(
                number,
                Passage(metadata.article_id, revision, start, end, text[start:end]),
                metadata,
            )
            for key, fingerprint, revision, number, start, end in rows
            if (metadata := metadata_of.get((key, fingerprint, revision)))
            and (text := texts.get((key, fingerprint))) is not None
        }

    def found(
        self, numbers: Iterable[int], standing: str = CURRENT
    ) -> dict[int, tuple[int, ArticleMetadata]]:
        """Return the start and article metadata of passages, by number, without reading texts.

        A search ranks 260 passages and shows eight. Passages that only repeat the article's title
        are left out: older archives have them for pages without a story, and such short texts rank
        high.

        Args:
            numbers: Passage numbers; those without a matching revision are skipped.
            standing: SQL condition for the revisions to consider.
        """
        rows = self._read_rows(numbers, standing)
        metadata_of = self._metadata.get_many(row[:3] for row in rows)
        titled = {
            row[:2]: metadata_of[row[:3]].title
            for row in rows
            if row[:3] in metadata_of and row[4] == 0 and row[5] == len(metadata_of[row[:3]].title)
        }
        texts = self._texts.get_many(titled) if titled else {}
        only_title = {key for key, title in titled.items() if _repeats(texts.get(key, ""), title)}
        return {
            row[3]: (row[4], metadata_of[row[:3]])
            for row in rows
            if row[:3] in metadata_of and not (row[4] == 0 and row[:2] in only_title)
        }

    def _read_rows(
        self, numbers: Iterable[int], standing: str
    ) -> list[tuple[int, str, int, int, int, int]]:
        """Return rows of revision row id, hash, revision, passage number, start and end."""
        return self._database.execute_for_each(
            'SELECT r.id, r.fingerprint, r.revision, p.number, p.start, p."end" FROM passages p '  # nosec B608 # conditions of this code, values bound
            f"JOIN revisions r ON r.id = p.revision_id WHERE {standing} AND p.number IN ({{}})",
            (int(number) for number in numbers),
        )

    def vectors(self, numbers: Numbers) -> tuple[Numbers, Vectors]:
        """Return the vectors (n, dimension) of these passages and the numbers they belong to."""
        found: list[tuple[int, bytes]] = self._database.execute_for_each(
            "SELECT number, vector FROM vectors WHERE number IN ({})", numbers.tolist()
        )
        found_numbers = np.fromiter(
            (number for number, _ in found), dtype=np.int64, count=len(found)
        )
        flat = np.frombuffer(b"".join(vector for _, vector in found), dtype=np.float32)
        return found_numbers, flat.reshape(len(found), -1) if found else np.empty(
            (0, 0), np.float32
        )

    def vectors_between(
        self, after: int, last: int, dimension: int, size: int
    ) -> Iterator[tuple[Numbers, Vectors]]:
        """Yield passages with their vectors, ascending, those of another length left out.

        Args:
            after: The passage number before the first one.
            last: The last passage number.
            dimension: The length of the vectors.
            size: Passages per batch.
        """
        width = dimension * np.dtype(np.float32).itemsize
        while rows := self._database.connection.execute(
            "SELECT number, vector FROM vectors WHERE number > ? AND number <= ? "
            "ORDER BY number LIMIT ?",
            (after, last, size),
        ).fetchall():
            after = int(rows[-1][0])
            rows = [row for row in rows if len(row[1]) == width]
            numbers = np.fromiter((n for n, _ in rows), dtype=np.int64, count=len(rows))
            flat = np.frombuffer(b"".join(vector for _, vector in rows), dtype=np.float32)
            yield numbers, flat.reshape(len(rows), dimension)

    def dimension(self) -> int:
        """Return the length of the vectors; 0 if there are none."""
        row = self._database.connection.execute("SELECT vector FROM vectors LIMIT 1").fetchone()
        return len(row[0]) // np.dtype(np.float32).itemsize if row else 0

    def near(self, numbers: Iterable[int], vector: Vectors) -> dict[int, float]:
        """Return the similarity of each of these passages to `vector`, by number."""
        found, vectors = self.vectors(np.array(list(numbers), np.int64))
        scores = vectors @ vector if len(found) else np.empty(0)
        return dict(zip(found.tolist(), scores.tolist(), strict=True))

    def added_since(self, sequence: int, size: int) -> Iterator[list[IndexedPassage]]:
        """Yield the current passages added after a change, in batches.

        Args:
            sequence: Number of the change.
            size: Passages per batch.
        """
        after = 0
        while True:
            rows = self._database.connection.execute(
                f'SELECT p.number, p.start, p."end", {METADATA}, t.text FROM revisions r '  # nosec B608 # names of our schema, values bound
                "JOIN passages p ON p.revision_id = r.id JOIN texts t ON t.revision_id = r.id "
                "WHERE r.until IS NULL AND r.since > ? AND p.number > ? "
                f"ORDER BY p.number LIMIT {size}",
                (sequence, after),
            ).fetchall()
            if not rows:
                return
            yield [row_to_passage(row) for row in rows]
            after = rows[-1][0]

    def numbers_added_since(self, sequence: int) -> Numbers:
        """Return the numbers of the current passages added after a change."""
        rows = self._database.connection.execute(
            "SELECT p.number FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "WHERE r.until IS NULL AND r.since > ?",
            (sequence,),
        ).fetchall()
        return np.array([n for (n,) in rows], dtype=np.int64)

    def numbers_added_between(self, sequence: int, until: int) -> Numbers:
        """Return the numbers of the current passages added after a change, up to another."""
        rows = self._database.connection.execute(
            "SELECT p.number FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "WHERE r.until IS NULL AND r.since > ? AND r.since <= ? ORDER BY p.number",
            (sequence, until),
        ).fetchall()
        return np.array([n for (n,) in rows], dtype=np.int64)

    def steps_since(self, sequence: int, size: int) -> list[int]:
        """Return changes after one, so that about `size` current passages lie between two.

        Args:
            sequence: Number of the change.
            size: Passages between two steps; a change with more is a step of its own.
        """
        rows = self._database.connection.execute(
            "SELECT r.since, count(*) FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "WHERE r.until IS NULL AND r.since > ? GROUP BY r.since ORDER BY r.since",
            (sequence,),
        )
        steps, passages = list[int](), 0
        for since, count in rows:
            passages += count
            if passages >= size:
                steps.append(int(since))
                passages = 0
        return steps

    def publication_times(self, after: int) -> tuple[Numbers, npt.NDArray[np.datetime64]]:
        """Return the passages with a number above `after`, and when their articles were published.

        Returns:
            Numbers, ascending, and times in UTC to the second; not-a-time without a valid date.
        """
        rows = self._database.connection.execute(
            "SELECT p.number, r.published_at FROM passages p "
            "JOIN revisions r ON r.id = p.revision_id WHERE p.number > ? ORDER BY p.number",
            (after,),
        ).fetchall()
        numbers = np.fromiter((n for n, _ in rows), dtype=np.int64, count=len(rows))
        times = np.array(
            [
                at if at is not None and FIRST_SECOND <= at <= LAST_SECOND else None
                for _, at in rows
            ],
            dtype="datetime64[s]",
        )
        return numbers, times

    def numbers_at(self, sequence: int) -> Numbers:
        """Return the numbers of the passages that were current after a change, ascending."""
        rows = self._database.connection.execute(
            "SELECT p.number FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "WHERE r.since <= ? AND (r.until IS NULL OR r.until > ?) ORDER BY p.number",
            (sequence, sequence),
        ).fetchall()
        return np.fromiter((n for (n,) in rows), dtype=np.int64, count=len(rows))

    def first_numbers_at(self, sequence: int) -> Numbers:
        """Return the number of each article's first passage, as of a change, ascending."""
        rows = self._database.connection.execute(
            "SELECT min(p.number) FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "WHERE r.since <= ? AND (r.until IS NULL OR r.until > ?) "
            "GROUP BY r.id ORDER BY 1",
            (sequence, sequence),
        ).fetchall()
        return np.fromiter((n for (n,) in rows), dtype=np.int64, count=len(rows))

    def of_same_articles(self, numbers: Numbers) -> Numbers:
        """Return the numbers of all passages of the revisions that have these passages."""
        rows: list[tuple[int]] = self._database.execute_for_each(
            "SELECT number FROM passages WHERE revision_id IN "
            "(SELECT revision_id FROM passages WHERE number IN ({}))",
            numbers.tolist(),
        )
        return np.unique(np.array([n for (n,) in rows], dtype=np.int64))

    def numbers_of(self, article_ids: Iterable[str]) -> list[int]:
        """Return the numbers of the passages of all revisions of these articles."""
        rows: list[tuple[int]] = self._database.execute_for_each(
            "SELECT p.number FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "WHERE r.article_id IN ({})",
            article_ids,
        )
        return [int(n) for (n,) in rows]

    def removed_since(self, sequence: int) -> list[int]:
        """Return the numbers of the passages that ended after a change."""
        rows = self._database.connection.execute(
            "SELECT p.number FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "WHERE r.until > ?",
            (sequence,),
        )
        return [int(n) for (n,) in rows]


def _repeats(text: str, title: str) -> bool:
    """Return True if a text is only its title, and not a one-sentence news item."""
    return text == title and (not text.endswith((".", "。", "।")) or text.endswith("..."))
