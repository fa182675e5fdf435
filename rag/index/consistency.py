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

from rag.index.chroma_index import synced_sequence
from rag.index.index_pair import IndexPair
from rag.nlp.dates import format_date
from rag.store.articles import ArticleStore
from rag.store.database import Database
from rag.store.integrity import Place, Problem, counted
from rag.store.passages import Numbers

CHUNK = 5_000  # vectors compared at a time
SAME = 0.999  # the cosine above which two vectors are one; float32 loses 1e-6


def index_problems(record: ArticleStore, indexes: IndexPair) -> Iterator[Problem]:
    """Yield where an index does not agree with the record, as of the change that it has reached."""
    yield from _read("word index", _of_words(record, indexes))
    yield from _read("vector index", _of_vectors(record, indexes))


def _read(place: Place, problems: Iterator[Problem]) -> Iterator[Problem]:
    try:
        yield from problems
    except Exception as error:  # whatever the index's library makes of damaged files
        line = str(error).partition("\n")[0]
        yield Problem(place, f"it cannot be read ({line})", "index")


def repair_indexes(indexes: IndexPair, problems: Sequence[Problem]) -> None:
    """Make the indexes agree with the record, embedding nothing; only for who may write."""
    for place in dict.fromkeys(problem.place for problem in problems):
        of_it = [problem for problem in problems if problem.place == place]
        numbers = np.unique(np.array([n for p in of_it for n in p.numbers], np.int64))
        if not all(problem.numbers for problem in of_it):
            indexes.rebuild(words=place == "word index", vectors=place == "vector index")
        elif place == "word index":
            indexes.reindex_text(numbers)
        else:
            indexes.reindex_vectors(numbers)
    indexes.catch_up()


def _of_words(record: ArticleStore, indexes: IndexPair) -> Iterator[Problem]:
    lexical = indexes.text
    for name in lexical.damaged():
        yield Problem("word index", f"its file {name} is damaged", "index")
    lexical.refresh()
    yield from _agrees("word index", record, lexical.held(), lexical.reached)


def _of_vectors(record: ArticleStore, indexes: IndexPair) -> Iterator[Problem]:
    with indexes.guarded():  # nobody writes to its files meanwhile
        vectors = indexes.vectors
        vectors.reopen()
        held, reached = vectors.all_numbers(), vectors.reached
    if vectors.generation != record.generation():
        yield Problem("vector index", "it holds the vectors of another model", "index")
        return
    yield from _agrees("vector index", record, held, reached)
    differ = list[int]()
    both = np.intersect1d(held, record.passages.numbers_at(reached))
    for i in range(0, len(both), CHUNK):
        differ += _differing(record, indexes, both[i : i + CHUNK])
    if differ:
        what = f"{counted(len(differ), 'vector')} not the record's (the first: {differ[0]})"
        yield Problem("vector index", what, "index", len(differ), tuple(differ))


def _differing(record: ArticleStore, indexes: IndexPair, numbers: Numbers) -> list[int]:
    theirs, kept = indexes.vectors.vectors_of(numbers)
    ours, vectors = record.passages.vectors(numbers)
    common, at, here = np.intersect1d(theirs, ours, return_indices=True)
    if vectors.shape[1:] != kept.shape[1:]:
        return list(map(int, numbers))
    cosines = np.einsum("ij,ij->i", kept[at], vectors[here])
    differ: list[int] = np.setdiff1d(numbers, common[cosines > SAME]).tolist()
    return differ


def _agrees(place: Place, record: ArticleStore, held: Numbers, reached: int) -> Iterator[Problem]:
    if reached > record.database.sequence():
        yield Problem(place, "it is ahead of the record", "index")
        return
    expected = record.passages.numbers_at(reached)
    found, times = np.unique(held, return_counts=True)
    for numbers, what in (
        (np.setdiff1d(expected, found), "missing from it"),
        (np.setdiff1d(found, expected), "in it that the record does not have"),
        (found[times > 1], "in it more than once"),
    ):
        if len(numbers):
            what = f"{counted(len(numbers), 'passage')} {what} (the first: {numbers[0]})"
            yield Problem(place, what, "index", len(numbers), tuple(numbers.tolist()))


@dataclass(frozen=True, slots=True)
class LostWrites:
    """The changes that are lost, from `first` to `last`; the one before was made at `since`."""

    first: int
    last: int
    since: datetime | None

    @property
    def what(self) -> str:
        one = self.first == self.last
        which = f"change {self.first} is" if one else f"changes {self.first} to {self.last} are"
        return f"{which} lost, which its indexes have followed"

    @property
    def remedy(self) -> str:
        since = f"since {format_date(self.since)}" if self.since else "from the beginning"
        return (
            "put archive.sqlite-wal back, or a backup; to go on without, run "
            f"`backfile doctor --repair` and ingest again what came in {since}"
        )


def find_lost_writes(folder: Path, database: Database) -> LostWrites | None:
    """Return which changes the record has lost; None where it has all that was acknowledged."""
    reached = synced_sequence(folder)  # first: a writer may go on meanwhile
    sequence = database.sequence()
    if reached <= sequence:
        return None
    row = database.connection.execute(
        "SELECT at FROM changes ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    return LostWrites(sequence + 1, reached, datetime.fromisoformat(row[0]) if row else None)
