"""Withdrawn articles, kept out when they are ingested again, and their erasure.

A withdrawal outlives its article: after erasure the id, the date and the reason remain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

import numpy as np

from rag.schema import ArticleMetadata, Span
from rag.store.articles import ArticleStore, PreparedArticle

LONG_ENOUGH = 10  # characters of a word that identifies an article inside a longer text


class Erasure(IntEnum):
    """Progress of the erasure of a withdrawn article; opening an archive finishes a begun one."""

    NONE = 0
    BEGUN = 1
    DONE = 2


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An article's withdrawal: time and reason; `erased` if its text was deleted permanently."""

    article_id: str
    at: datetime
    reason: str = ""
    erased: bool = False


def _withdrawal(article_id: str, at: str, reason: str, erased: int) -> Withdrawal:
    return Withdrawal(article_id, datetime.fromisoformat(at), reason, erased > 0)


class Withdrawals:
    """The withdrawn articles; only the holder of the write lock may change them."""

    def __init__(self, store: ArticleStore) -> None:
        """Read and write the withdrawals of a store."""
        self._store = store
        self._database = store.database

    def among(self, article_ids: Iterable[str]) -> dict[str, Withdrawal]:
        """Return the withdrawals of those of the articles that are withdrawn, by id."""
        rows = self._database.execute_for_each(
            "SELECT article_id, at, reason, erased FROM withdrawals WHERE article_id IN ({})",
            article_ids,
        )
        return {row[0]: _withdrawal(*row) for row in rows}

    def recent(self, count: int) -> list[Withdrawal]:
        """Return the last withdrawals, newest first.

        Args:
            count: Largest number of withdrawals.
        """
        rows = self._database.connection.execute(
            "SELECT article_id, at, reason, erased FROM withdrawals "
            "ORDER BY at DESC, article_id LIMIT ?",
            (count,),
        )
        return [_withdrawal(*row) for row in rows]

    def page(self, words: str, *, offset: int, limit: int) -> tuple[list[Withdrawal], int]:
        """Return some of the withdrawals, newest first, and the number of all that match.

        Args:
            words: A part of the id, the reason or a title, in any case; "" for all.
            offset: Number of withdrawals to skip.
            limit: Largest number of withdrawals.
        """
        condition = (
            "FROM withdrawals w WHERE :words = '' OR w.article_id LIKE :like ESCAPE '\\' "
            "OR w.reason LIKE :like ESCAPE '\\' OR EXISTS (SELECT 1 FROM revisions r WHERE "
            "r.article_id = w.article_id AND r.title LIKE :like ESCAPE '\\')"
        )
        escaped = words.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        values = {"words": words, "like": f"%{escaped}%", "limit": limit, "offset": offset}
        connection = self._database.connection
        (total,) = connection.execute(f"SELECT count(*) {condition}", values).fetchone()
        rows = connection.execute(
            f"SELECT w.article_id, w.at, w.reason, w.erased {condition} "
            "ORDER BY w.at DESC, w.article_id LIMIT :limit OFFSET :offset",
            values,
        )
        return [_withdrawal(*row) for row in rows], int(total)

    def withdraw(
        self, article_ids: Sequence[str], reason: str, erasure: Erasure = Erasure.NONE
    ) -> int:
        """Withdraw articles in one transaction.

        An article that is withdrawn already keeps its date, and takes a new reason if there is one.

        Args:
            article_ids: The articles to withdraw.
            reason: The reason, for the log.
            erasure: `Erasure.BEGUN` marks all of them for erasure.

        Returns:
            The number of articles that were not withdrawn before.
        """
        with self._database.change("withdraw", 0) as sequence:
            before = self.among(article_ids)
            fresh = [article_id for article_id in article_ids if article_id not in before]
            self._database.count_change(sequence, len(fresh))
            now = self._database.changed_at()
            self._store.end(fresh, sequence)
            self._database.connection.executemany(
                "INSERT INTO withdrawals VALUES (?, ?, ?, ?, ?)",
                [(article_id, sequence, now, reason, erasure) for article_id in fresh],
            )
            if erasure:
                self._database.connection.executemany(
                    "UPDATE withdrawals SET erased = ? WHERE article_id = ?",
                    [(erasure, article_id) for article_id in article_ids],
                )
            if reason:
                self._database.connection.executemany(
                    "UPDATE withdrawals SET reason = ? WHERE article_id = ?",
                    [(reason, article_id) for article_id in before],
                )
        return len(fresh)

    def reinstate(self, article_ids: Sequence[str]) -> int:
        """Lift withdrawals, and restore the articles as new revisions where possible.

        An article that was erased, or not current when it was withdrawn, returns with the next
        ingest.

        Returns:
            The number of articles restored.
        """
        with self._database.change("readmit", 0) as sequence:
            entries = [
                entry
                for article_id in self.among(article_ids)
                if (entry := self._ended_entry(article_id)) is not None
            ]
            self._database.count_change(sequence, len(entries))
            self._database.connection.executemany(
                "DELETE FROM withdrawals WHERE article_id = ?",
                [(article_id,) for article_id in article_ids],
            )
            self._store.begin(entries, sequence)
        return len(entries)

    def _ended_entry(self, article_id: str) -> PreparedArticle | None:
        row = self._database.connection.execute(
            "SELECT r.id, r.revision, r.fingerprint FROM revisions r JOIN withdrawals w "
            "ON w.article_id = r.article_id AND w.sequence = r.until WHERE r.article_id = ?",
            (article_id,),
        ).fetchone()
        if row is None:
            return None
        revision_id, revision, mark = row
        article = self._store.article(article_id, revision, withdrawn=True)
        if article is None:
            return None
        rows = self._database.connection.execute(
            'SELECT p.start, p."end", p.digest, v.vector FROM passages p '
            "JOIN vectors v ON v.number = p.number WHERE p.revision_id = ? ORDER BY p.start",
            (revision_id,),
        ).fetchall()
        vectors = np.frombuffer(b"".join(row[3] for row in rows), np.float32)
        return PreparedArticle(
            article,
            mark,
            tuple(Span(start, end) for start, end, _, _ in rows),
            tuple(digest for _, _, digest, _ in rows),
            vectors.reshape(len(rows), -1) if rows else np.empty((0, 0), np.float32),
        )

    def last_metadata(self, article_id: str) -> ArticleMetadata | None:
        """Return the metadata of an article as it was withdrawn; None if nothing of it is left."""
        withdrawn = (
            "r.until = (SELECT w.sequence FROM withdrawals w WHERE w.article_id = r.article_id)"
        )
        return self._store.metadata_of([article_id], withdrawn).get(article_id)

    # erasure

    def unfinished(self) -> list[str]:
        """Return the ids of the articles whose erasure was begun and not finished."""
        rows = self._database.connection.execute(
            "SELECT article_id FROM withdrawals WHERE erased = ?", (Erasure.BEGUN,)
        )
        return [str(article_id) for (article_id,) in rows]

    def names_of(self, article_ids: Sequence[str]) -> list[str]:
        """Return the ids of these articles and their URLs."""
        rows = self._database.execute_for_each(
            "SELECT DISTINCT url FROM revisions WHERE url != '' AND article_id IN ({})", article_ids
        )
        return list(dict.fromkeys([*article_ids, *(url for (url,) in rows)]))

    def titles_of(self, article_ids: Sequence[str]) -> list[str]:
        """Return all titles that these articles have had."""
        rows = self._database.execute_for_each(
            "SELECT DISTINCT title FROM revisions WHERE article_id IN ({})", article_ids
        )
        return [title for (title,) in rows]

    def last_titles(self, article_ids: Iterable[str]) -> dict[str, str]:
        """Return the title of the last revision of each article that has one, by id."""
        rows = self._database.execute_for_each(
            "SELECT article_id, title FROM revisions WHERE article_id IN ({}) ORDER BY revision",
            article_ids,
        )
        return {article_id: title for article_id, title in dict(rows).items() if title}

    def is_of_others(self, words: str) -> bool:
        """Return True if these words also occur in an article that is not being erased."""
        theirs = f"(SELECT article_id FROM withdrawals WHERE erased = {int(Erasure.BEGUN)})"  # nosec B608 # constants of this code, values bound
        row = self._database.connection.execute(
            f"SELECT 1 FROM revisions r JOIN texts t ON t.revision_id = r.id "  # nosec B608 # names of our schema, values bound
            f"WHERE r.article_id NOT IN {theirs} "
            "AND (instr(t.text, :words) > 0 OR instr(r.title, :words) > 0) LIMIT 1",
            {"words": words},
        ).fetchone()
        return row is not None

    def erase(self, article_ids: Sequence[str], words: Sequence[str] = ()) -> None:
        """Delete all rows of withdrawn articles except the withdrawals, in one transaction.

        Args:
            article_ids: The articles to erase.
            words: Ids, URLs and titles; rejects that contain them are deleted too.
        """
        connection = self._database.connection
        self._database.forget_deleted()
        with self._database.change("erase", len(article_ids)):
            for article_id in article_ids:
                for statement in _ERASE:
                    connection.execute(statement, {"id": article_id})
            self._store.names.discard_unused()
            for word in words:
                connection.execute(
                    "DELETE FROM rejects WHERE place = :word OR source = :word "
                    "OR (:long = 1 AND (instr(reason, :word) > 0 OR instr(place, :word) > 0))",
                    {"word": word, "long": int(len(word) >= LONG_ENOUGH)},
                )

    def finish(self, article_ids: Sequence[str]) -> bool:
        """Remove the traces of deleted rows from the database file.

        Returns:
            False if another process kept reading from the log, so that traces may remain.
        """
        if not self._database.compact():
            return False
        self._database.connection.executemany(
            "UPDATE withdrawals SET erased = ? WHERE article_id = ?",
            [(Erasure.DONE, article_id) for article_id in article_ids],
        )
        return True


_OF_IT = "(SELECT id FROM revisions WHERE article_id = :id)"
_ERASE = (
    "DELETE FROM next_vectors WHERE number IN "  # nosec B608 # constants of this code, values bound
    f"(SELECT number FROM passages WHERE revision_id IN {_OF_IT})",
    "DELETE FROM vectors WHERE number IN "  # nosec B608 # constants of this code, values bound
    f"(SELECT number FROM passages WHERE revision_id IN {_OF_IT})",
    f"DELETE FROM passages WHERE revision_id IN {_OF_IT}",  # nosec B608 # constants of this code, values bound
    f"DELETE FROM texts WHERE revision_id IN {_OF_IT}",  # nosec B608 # constants of this code, values bound
    f"DELETE FROM mentions WHERE revision_id IN {_OF_IT}",  # nosec B608 # constants of this code, values bound
    f"DELETE FROM bylines WHERE revision_id IN {_OF_IT}",  # nosec B608 # constants of this code, values bound
    "DELETE FROM visits WHERE article_id = :id "
    "OR url IN (SELECT url FROM revisions WHERE article_id = :id AND url != '')",
    "DELETE FROM revisions WHERE article_id = :id",
    "DELETE FROM bands WHERE number IN (SELECT number FROM signatures WHERE article_id = :id)",
    "DELETE FROM signatures WHERE article_id = :id",
    "DELETE FROM copies WHERE article_id = :id",
    "DELETE FROM notices WHERE article_id = :id OR notice_id = :id",
    "DELETE FROM held WHERE article_id = :id",
    "DELETE FROM origins WHERE article_id = :id",
)
