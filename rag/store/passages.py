"""The passages of the record, by their numbers: what the two indexes follow and point back to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rag.schema import EVERYTHING, ArticleMetadata, Filters, Passage
from rag.store.cache import metadata_cache, text_cache
from rag.store.database import Database
from rag.store.filters import CURRENT, where_clause
from rag.store.rows import HEAD, IndexedPassage, row_to_passage

KEPT = 8  # filters whose passages are kept: eight bytes each

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


class PassageStore:
    """The live passages and their vectors; those of ended revisions are not live."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._heads = metadata_cache(database)
        self._texts = text_cache(database)
        self._passing = lru_cache(maxsize=KEPT)(lambda filters, _sequence: self.numbers(filters))

    def numbers(self, filters: Filters = EVERYTHING, standing: str = CURRENT) -> Numbers:
        """Return the numbers of the live passages whose articles pass the filters, ascending."""
        where, values = where_clause(self._database, filters, standing)
        rows = self._database.connection.execute(
            "SELECT p.number FROM revisions r JOIN passages p ON p.revision_id = r.id "
            f"WHERE {where}",
            values,
        ).fetchall()
        return np.sort(np.fromiter((n for (n,) in rows), dtype=np.int64, count=len(rows)))

    def passing(self, filters: Filters) -> Numbers:
        """Return what `numbers` does, kept until something changes.

        A reader's rights are the same at every search, and let most passages through.
        """
        return self._passing(filters, self._database.sequence())

    def newest_at(self, sequence: int | None = None) -> int:
        """Return the highest number by the time of that change, or of all: 0 where none was."""
        (newest,) = self._database.connection.execute(
            "SELECT ifnull(max(number), 0) FROM passages WHERE revision_id = "
            "(SELECT r.id FROM revisions r WHERE r.since <= ? AND EXISTS "
            "(SELECT 1 FROM passages WHERE revision_id = r.id) "
            "ORDER BY r.since DESC, r.id DESC LIMIT 1)"
            if sequence is not None
            else "SELECT ifnull(max(number), 0) FROM passages",
            () if sequence is None else (sequence,),
        ).fetchone()
        return int(newest)

    def live(self, numbers: Iterable[int], standing: str = CURRENT) -> dict[int, IndexedPassage]:
        """Return those of the passages that are live, by number."""
        rows = self._standing(numbers, standing)
        heads = self._heads.get_many(row[:3] for row in rows)
        texts = self._texts.get_many(row[:2] for row in rows)
        return {
            number: IndexedPassage(
                number, Passage(head.article_id, which, start, end, text[start:end]), head
            )
            for key, mark, which, number, start, end in rows
            if (head := heads.get((key, mark, which)))
            and (text := texts.get((key, mark))) is not None
        }

    def found(
        self, numbers: Iterable[int], standing: str = CURRENT
    ) -> dict[int, tuple[int, ArticleMetadata]]:
        """Return where each of the passages that are live begins, and its article's head.

        No text is read for it: of the 260 passages that a search ranks it shows eight. What only
        says its article's title again is left out: archives of before hold such passages for pages
        that had no story, and their short texts stand high in any ranking.
        """
        rows = self._standing(numbers, standing)
        heads = self._heads.get_many(row[:3] for row in rows)
        titled = {
            row[:2]: heads[row[:3]].title
            for row in rows
            if row[:3] in heads and row[4] == 0 and row[5] == len(heads[row[:3]].title)
        }
        texts = self._texts.get_many(titled) if titled else {}
        only_title = {key for key, title in titled.items() if _repeats(texts.get(key, ""), title)}
        return {
            row[3]: (row[4], heads[row[:3]])
            for row in rows
            if row[:3] in heads and not (row[4] == 0 and row[:2] in only_title)
        }

    def _standing(
        self, numbers: Iterable[int], standing: str
    ) -> list[tuple[int, str, int, int, int, int]]:
        """Return rows of a revision's number, fingerprint, revision, the passage's, start, end."""
        return self._database.execute_for_each(
            'SELECT r.id, r.fingerprint, r.revision, p.number, p.start, p."end" FROM passages p '
            f"JOIN revisions r ON r.id = p.revision_id WHERE {standing} AND p.number IN ({{}})",
            (int(number) for number in numbers),
        )

    def vectors(self, numbers: Numbers) -> tuple[Numbers, Vectors]:
        """Return the vectors (n, dimension) of these passages and the numbers they belong to."""
        found: list[tuple[int, bytes]] = self._database.execute_for_each(
            "SELECT number, vector FROM vectors WHERE number IN ({})", numbers.tolist()
        )
        kept = np.fromiter((number for number, _ in found), dtype=np.int64, count=len(found))
        flat = np.frombuffer(b"".join(vector for _, vector in found), dtype=np.float32)
        return kept, flat.reshape(len(found), -1) if found else np.empty((0, 0), np.float32)

    def near(self, numbers: Iterable[int], vector: Vectors) -> dict[int, float]:
        """Return how near the vectors of those of the passages are that have one."""
        found, vectors = self.vectors(np.array(list(numbers), np.int64))
        scores = vectors @ vector if len(found) else np.empty(0)
        return dict(zip(found.tolist(), scores.tolist(), strict=True))

    def added_since(self, sequence: int, size: int) -> Iterator[list[IndexedPassage]]:
        """Yield, `size` at a time, the live passages that came after a sequence number."""
        after = 0
        while True:
            rows = self._database.connection.execute(
                f'SELECT p.number, p.start, p."end", {HEAD}, t.text FROM revisions r '
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
        """Return the numbers of the live passages that came after a sequence number."""
        rows = self._database.connection.execute(
            "SELECT p.number FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "WHERE r.until IS NULL AND r.since > ?",
            (sequence,),
        ).fetchall()
        return np.array([n for (n,) in rows], dtype=np.int64)

    def numbers_at(self, sequence: int) -> Numbers:
        """Return the numbers of the passages that were live after that change, ascending."""
        rows = self._database.connection.execute(
            "SELECT p.number FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "WHERE r.since <= ? AND (r.until IS NULL OR r.until > ?) ORDER BY p.number",
            (sequence, sequence),
        ).fetchall()
        return np.fromiter((n for (n,) in rows), dtype=np.int64, count=len(rows))

    def removed_since(self, sequence: int) -> list[int]:
        """Return the numbers of the passages that ceased to be live after a sequence number."""
        rows = self._database.connection.execute(
            "SELECT p.number FROM revisions r JOIN passages p ON p.revision_id = r.id "
            "WHERE r.until > ?",
            (sequence,),
        )
        return [int(n) for (n,) in rows]


def _repeats(text: str, title: str) -> bool:
    """Return whether a whole text is its title, and no sentence of news in a line."""
    return text == title and (not text.endswith((".", "。", "।")) or text.endswith("..."))
