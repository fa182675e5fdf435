"""Vectors of the next embedding model, staged in a table of their own while they are computed.

Each batch is a transaction, so an interrupted run can be resumed. Passages of ended revisions get a
vector too, because snapshots search them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from rag.store.database import Database
from rag.store.passages import Numbers, Vectors

MODEL, NEXT_MODEL, GENERATION = "embedding_model", "next_embedding_model", "vectors_generation"
TABLE = "next_vectors"


class StagedVectors:
    """The staged vectors of a database; empty unless a switch of models is in progress."""

    def __init__(self, database: Database) -> None:
        """Read and write the staged vectors of a database."""
        self._database = database

    @property
    def model(self) -> str:
        """The name of the next embedding model; "" if no switch is in progress."""
        return self._database.meta(NEXT_MODEL)

    def count(self) -> int:
        """Return the number of staged vectors."""
        row = self._database.connection.execute(f"SELECT count(*) FROM {TABLE}").fetchone()  # nosec B608 # names of our schema, values bound
        return int(row[0])

    def begin(self, model: str) -> int:
        """Start or resume a switch to this model; return the number of vectors already staged."""
        if self.model != model:
            with self._database.transaction():
                self._empty()
                self._database.set_meta(NEXT_MODEL, model)
        return self.count()

    def cancel(self) -> int:
        """Delete the staged vectors; return the number deleted."""
        count = self.count()
        with self._database.transaction():
            self._empty()
            self._database.set_meta(NEXT_MODEL, "")
        return count

    def missing(self) -> dict[bytes, list[int]]:
        """Return the numbers of the passages without a staged vector, by text digest."""
        rows = self._database.connection.execute(
            "SELECT p.digest, p.number FROM passages p JOIN texts t "  # nosec B608 # names of our schema, values bound
            f"ON t.revision_id = p.revision_id WHERE p.number NOT IN (SELECT number FROM {TABLE}) "
            "ORDER BY p.number"
        )
        found: dict[bytes, list[int]] = {}
        for digest, number in rows.fetchall():
            found.setdefault(digest, []).append(number)
        return found

    def write(self, vectors: Mapping[int, Vectors]) -> None:
        """Write vectors in one transaction, except for passages erased in the meantime."""
        with self._database.transaction():
            self._database.connection.executemany(
                f"INSERT INTO {TABLE} SELECT number, ? FROM passages WHERE number = ? "  # nosec B608 # names of our schema, values bound
                "ON CONFLICT (number) DO UPDATE SET vector = excluded.vector",
                [(v.astype("<f4").tobytes(), number) for number, v in vectors.items()],
            )

    def discard(self, numbers: Iterable[int]) -> None:
        """Delete the staged vectors of these passages; resuming computes them again."""
        with self._database.transaction():
            self._database.connection.executemany(
                f"DELETE FROM {TABLE} WHERE number = ?",  # nosec B608 # names of our schema, values bound
                [(number,) for number in numbers],
            )

    def of(self, numbers: Numbers) -> tuple[Numbers, Vectors]:
        """Return the staged vectors of these passages, shape (n, dimension), and their numbers."""
        found: list[tuple[int, bytes]] = self._database.execute_for_each(
            f"SELECT number, vector FROM {TABLE} WHERE number IN ({{}})",  # nosec B608 # names of our schema, values bound
            numbers.tolist(),
        )
        found_numbers = np.fromiter(
            (number for number, _ in found), dtype=np.int64, count=len(found)
        )
        flat = np.frombuffer(b"".join(vector for _, vector in found), dtype=np.float32)
        return found_numbers, flat.reshape(len(found), -1) if found else np.empty(
            (0, 0), np.float32
        )

    def activate(self) -> None:
        """Replace the live vectors with the staged ones. Must run inside a change."""
        model = self.model
        generation = int(self._database.meta(GENERATION) or 0) + 1
        self._database.replace_table("vectors", TABLE)
        for key, value in ((MODEL, model), (NEXT_MODEL, ""), (GENERATION, str(generation))):
            self._database.set_meta(key, value)

    def _empty(self) -> None:
        self._database.empty_table(TABLE)
