"""Compare the indexes with the store, and detect and repair lost writes.

Every change reaches the store first and the indexes later. An index that is ahead of the store
means that part of the store was lost: archive.sqlite-wal was deleted or damaged after the writer
was killed, or an older file was put back by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from rag.index.chroma_files import synced_sequence
from rag.index.search import Indexes
from rag.index.shared_consistency import foreign_ids, shared_problems
from rag.index.tantivy_index import Unit
from rag.nlp.dates import format_date
from rag.store.articles import ArticleStore
from rag.store.database import Database
from rag.store.integrity import Place, Problem, format_count
from rag.store.passages import Numbers

CHUNK = 5_000  # vectors compared at a time
PLACES: dict[Unit, Place] = {"passages": "text index (BM25)", "articles": "article index"}
SAME = 0.999  # vectors with a higher cosine are equal; float32 loses 1e-6


def index_problems(store: ArticleStore, indexes: Indexes) -> Iterator[Problem]:
    """Yield the differences between the indexes and the store, as of each index's last change."""
    for unit, place in PLACES.items():
        yield from _guard(place, _text_problems(store, indexes, unit))
    yield from _guard("vector index", _vector_problems(store, indexes))
    yield from _guard("compact vectors", _compact_problems(store, indexes))


def _guard(place: Place, problems: Iterator[Problem]) -> Iterator[Problem]:
    try:
        yield from problems
    except Exception as error:  # the libraries raise many types for damaged files
        line = str(error).partition("\n")[0]
        yield Problem(place, f"it cannot be read ({line})", "index")


def repair_indexes(indexes: Indexes, problems: Sequence[Problem]) -> None:
    """Make the indexes agree with the store, without embedding; needs the write lock.

    A vector server that can't be used is left as it is.
    """
    if indexes.shared is not None and any(problem.fix == "foreign" for problem in problems):
        indexes.shared.reindex(np.empty(0, np.int64), foreign_ids(indexes.shared))
    problems = [problem for problem in problems if problem.fix == "index"]
    for place in dict.fromkeys(problem.place for problem in problems):
        of_it = [problem for problem in problems if problem.place == place]
        numbers = np.unique(np.array([n for p in of_it for n in p.numbers], np.int64))
        if place == "compact vectors":
            indexes.rebuild_compact()
        elif not all(problem.numbers for problem in of_it):
            indexes.rebuild(bm25=place != "vector index", vectors=place == "vector index")
        elif place != "vector index":
            indexes.reindex_text(numbers)
        else:
            indexes.reindex_vectors(numbers)
    indexes.catch_up()


def _text_problems(store: ArticleStore, indexes: Indexes, unit: Unit) -> Iterator[Problem]:
    place, index = PLACES[unit], indexes.text_index(unit)  # opening it may fail
    for name in index.damaged_files():
        yield Problem(place, f"its file {name} is damaged", "index")
    index.refresh()
    yield from _compare_numbers(place, store, index.all_numbers(), index.reached)


def _vector_problems(store: ArticleStore, indexes: Indexes) -> Iterator[Problem]:
    if indexes.shared is not None:
        yield from shared_problems(store, indexes.shared)
        return
    with indexes.guarded():  # no other process writes to its files
        vectors = indexes.files
        vectors.reopen()
        held, reached = vectors.all_numbers(), vectors.reached
    if vectors.generation != store.generation():
        yield Problem("vector index", "it has the vectors of another model", "index")
        return
    yield from _compare_numbers("vector index", store, held, reached)
    differ = list[int]()
    both = np.intersect1d(held, store.passages.numbers_at(reached))
    for i in range(0, len(both), CHUNK):
        differ += _find_differing(store, indexes, both[i : i + CHUNK])
    if differ:
        vectors_differ = format_count(len(differ), "vector")
        what = f"{vectors_differ} different from the database (the first: {differ[0]})"
        yield Problem("vector index", what, "index", len(differ), tuple(differ))


def _compact_problems(store: ArticleStore, indexes: Indexes) -> Iterator[Problem]:
    differ = indexes.compact.differing(store)
    if differ is None:
        yield Problem("compact vectors", f"{indexes.compact.path.name} is damaged", "index")
    elif differ:
        vectors_differ = format_count(len(differ), "vector")
        what = f"{vectors_differ} different from the database (the first: {differ[0]})"
        yield Problem("compact vectors", what, "index", len(differ), tuple(differ))


def _find_differing(store: ArticleStore, indexes: Indexes, numbers: Numbers) -> list[int]:
    theirs, indexed = indexes.files.vectors_of(numbers)
    ours, vectors = store.passages.vectors(numbers)
    common, at, here = np.intersect1d(theirs, ours, return_indices=True)
    if vectors.shape[1:] != indexed.shape[1:]:
        return list(map(int, numbers))
    cosines = np.einsum("ij,ij->i", indexed[at], vectors[here])
    differ: list[int] = np.setdiff1d(numbers, common[cosines > SAME]).tolist()
    return differ


def _compare_numbers(
    place: Place, store: ArticleStore, held: Numbers, reached: int
) -> Iterator[Problem]:
    if reached > store.database.sequence():
        yield Problem(place, "it is ahead of the database", "index")
        return
    of_articles = place == PLACES["articles"]
    passages = store.passages
    expected = (passages.first_numbers_at if of_articles else passages.numbers_at)(reached)
    found, times = np.unique(held, return_counts=True)
    for numbers, what in (
        (np.setdiff1d(expected, found), "missing from it"),
        (np.setdiff1d(found, expected), "in it that the database does not have"),
        (found[times > 1], "in it more than once"),
    ):
        if len(numbers):
            one = "article" if of_articles else "passage"
            what = f"{format_count(len(numbers), one)} {what} (the first: {numbers[0]})"
            yield Problem(place, what, "index", len(numbers), tuple(numbers.tolist()))


@dataclass(frozen=True, slots=True)
class LostWrites:
    """Changes missing from the store, from `first` to `last`; the one before is dated `since`."""

    first: int
    last: int
    since: datetime | None

    @property
    def description(self) -> str:
        """The loss, as a clause."""
        one = self.first == self.last
        which = f"change {self.first} is" if one else f"changes {self.first} to {self.last} are"
        it = "it" if one else "them"
        return f"{which} missing from the database, though the indexes contain {it}"

    @property
    def remedy(self) -> str:
        """The ways to fix it, as an order."""
        since = f"since {format_date(self.since)}" if self.since else "from the beginning"
        return (
            "restore archive.sqlite-wal or a backup; to continue without them, run "
            f"`backfile doctor --repair` and ingest again everything added {since}"
        )


def find_lost_writes(folder: Path, database: Database) -> LostWrites | None:
    """Return the changes that the store has lost; None if it has every acknowledged one."""
    reached = synced_sequence(folder)  # read first: a writer may commit in the meantime
    sequence = database.sequence()
    if reached <= sequence:
        return None
    row = database.connection.execute(
        "SELECT at FROM changes ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    return LostWrites(sequence + 1, reached, datetime.fromisoformat(row[0]) if row else None)
