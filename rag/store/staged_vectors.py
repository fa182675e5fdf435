"""The vectors of another model, made beside those that answer until they take their place.

They are in a table of their own, a batch in each transaction: cut short, they are gone on with.
Every passage gets one, of ended revisions too, since an answer may be asked for as of a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from rag.store.database import Database
from rag.store.passages import Numbers, Vectors

MODEL, NEXT_MODEL, GENERATION = "embedding_model", "next_embedding_model", "vectors_generation"
TABLE = "next_vectors"


class StagedVectors:
    """The half-made vectors of a record; empty where nobody is making any."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def model(self) -> str:
        """The name of the model that they are made with; "" where none are."""
        return self._database.meta(NEXT_MODEL)

    def count(self) -> int:
        """Return how many there are."""
        row = self._database.connection.execute(f"SELECT count(*) FROM {TABLE}").fetchone()
        return int(row[0])

    def begin(self, model: str) -> int:
        """Make them with this model from now on; return how many of it are here already."""
        if self.model != model:
            with self._database.transaction():
                self._empty()
                self._database.set_meta(NEXT_MODEL, model)
        return self.count()

    def cancel(self) -> int:
        """Delete them; return how many there were."""
        count = self.count()
        with self._database.transaction():
            self._empty()
            self._database.set_meta(NEXT_MODEL, "")
        return count

    def missing(self) -> dict[bytes, list[int]]:
        """Return the numbers of the passages that lack one, by the hash of what is embedded."""
        rows = self._database.connection.execute(
            "SELECT p.digest, p.number FROM passages p JOIN texts t "
            f"ON t.revision_id = p.revision_id WHERE p.number NOT IN (SELECT number FROM {TABLE}) "
            "ORDER BY p.number"
        )
        found: dict[bytes, list[int]] = {}
        for digest, number in rows.fetchall():
            found.setdefault(digest, []).append(number)
        return found

    def write(self, vectors: Mapping[int, Vectors]) -> None:
        """Write some in one transaction; of passages that were erased meanwhile, none is."""
        with self._database.transaction():
            self._database.connection.executemany(
                f"INSERT OR REPLACE INTO {TABLE} SELECT number, ? FROM passages WHERE number = ?",
                [(v.astype("<f4").tobytes(), number) for number, v in vectors.items()],
            )

    def discard(self, numbers: Iterable[int]) -> None:
        """Delete these; they are made again when it is gone on with."""
        with self._database.transaction():
            self._database.connection.executemany(
                f"DELETE FROM {TABLE} WHERE number = ?", [(number,) for number in numbers]
            )

    def of(self, numbers: Numbers) -> tuple[Numbers, Vectors]:
        """Return those of these passages (n, dimension), and the numbers they belong to."""
        found: list[tuple[int, bytes]] = self._database.execute_for_each(
            f"SELECT number, vector FROM {TABLE} WHERE number IN ({{}})", numbers.tolist()
        )
        kept = np.fromiter((number for number, _ in found), dtype=np.int64, count=len(found))
        flat = np.frombuffer(b"".join(vector for _, vector in found), dtype=np.float32)
        return kept, flat.reshape(len(found), -1) if found else np.empty((0, 0), np.float32)

    def activate(self) -> None:
        """Be the record's vectors from now on, within a change; the others are gone."""
        execute, model = self._database.connection.execute, self.model
        generation = int(self._database.meta(GENERATION) or 0) + 1
        execute("DROP TABLE vectors")
        execute(f"ALTER TABLE {TABLE} RENAME TO vectors")
        self._create()
        for key, value in ((MODEL, model), (NEXT_MODEL, ""), (GENERATION, str(generation))):
            self._database.set_meta(key, value)

    def _empty(self) -> None:
        # not row by row: 170 MB of them are gone in a moment
        self._database.connection.execute(f"DROP TABLE {TABLE}")
        self._create()

    def _create(self) -> None:
        self._database.connection.execute(
            f"CREATE TABLE {TABLE} (number INTEGER PRIMARY KEY, vector BLOB NOT NULL)"
        )
