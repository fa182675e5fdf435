"""Compare a shared vector index with the store: what its server has lost, or others put there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rag.errors import VectorServerError
from rag.index.chroma_client import CollectionMissingError
from rag.index.chroma_server import Part, ServerCollections
from rag.index.shared_index import SharedIndex
from rag.store.articles import ArticleStore
from rag.store.integrity import Problem, format_count
from rag.store.passages import Numbers

CHUNK = 5_000  # vectors compared at a time
SAME = 0.999  # vectors with a higher cosine are equal
START = "start the server, or correct BACKFILE_CHROMA"


@dataclass(frozen=True, slots=True)
class Held:
    """Records of a part: passage numbers, ids that are no numbers, and why it is unusable."""

    part: Part
    numbers: Numbers
    foreign: tuple[str, ...] = ()
    unusable: str = ""


def shared_problems(store: ArticleStore, shared: SharedIndex) -> Iterator[Problem]:
    """Yield the differences between the index on the server and the store.

    What the index doesn't have yet is no problem: searches read it from the store.
    """
    try:
        yield from _problems(store, shared)
    except VectorServerError as error:
        yield Problem("vector index", str(error), "restore", remedy=START)


def foreign_ids(shared: SharedIndex) -> tuple[str, ...]:
    """Return the ids of all records on the server that are no passages' numbers."""
    collections = shared.collections
    if collections is None:
        return ()
    parts = (_read(collections, part) for part in collections.parts())
    return tuple(one for held in parts for one in held.foreign)


def _problems(store: ArticleStore, shared: SharedIndex) -> Iterator[Problem]:
    shared.reload()
    collections = shared.collections
    if collections is None or shared.reached == 0:
        return  # searches score everything from the store until a writer has built it
    if shared.generation != store.generation():
        yield Problem("vector index", "it has the vectors of another model", "index")
        return
    if not shared.is_owned():
        what = "another archive, or a copy of this one, writes to its collections"
        yield Problem("vector index", what, "index")
        return
    collections.forget()
    read = [_read(collections, part) for part in collections.parts()]
    for held in read:
        if held.unusable:
            name = collections.build.collection(held.part.year, held.part.index)
            yield Problem("vector index", f"its collection {name} {held.unusable}", "index")
    if any(held.unusable for held in read):
        return
    yield from _compare_numbers(store, shared, read)
    yield from _compare_vectors(store, collections, read)


def _read(collections: ServerCollections, part: Part) -> Held:
    nothing = np.empty(0, np.int64)
    try:
        collection = collections.collection(part)
        ids = collections.ids_of(part)
    except CollectionMissingError:
        return Held(part, nothing)
    if collection.space not in ("", "cosine"):
        return Held(part, nothing, unusable=f"is by {collection.space} instead of cosine")
    expected = collections.dimension
    if collection.dimension and expected and collection.dimension != expected:
        what = f"has vectors of length {collection.dimension} instead of {expected}"
        return Held(part, nothing, unusable=what)
    numbers = [int(one) for one in ids if _is_number(one)]
    foreign = tuple(one for one in ids if not _is_number(one))
    return Held(part, np.array(sorted(numbers), np.int64), foreign)


def _is_number(one: str) -> bool:
    return one.isascii() and one.isdigit() and len(one) < 19 and str(int(one)) == one


def _compare_numbers(
    store: ArticleStore, shared: SharedIndex, read: list[Held]
) -> Iterator[Problem]:
    passages, reached = store.passages, shared.reached
    live = passages.numbers()
    expected = live[live <= passages.newest_at(reached)]
    recent = np.array(sorted(passages.removed_since(reached)), np.int64)
    later = passages.numbers_added_since(reached)  # those of an interrupted write
    held = np.concatenate([np.empty(0, np.int64), *(one.numbers for one in read)])
    placed = np.unique(np.concatenate([np.empty(0, np.int64), *(_placed(shared, r) for r in read)]))
    found, times = np.unique(held, return_counts=True)
    allowed = np.union1d(np.union1d(expected, recent), later)
    for numbers, what in (
        (np.setdiff1d(expected, placed), "missing from it"),
        (np.setdiff1d(found, allowed), "in it that the database does not have"),
        (found[times > 1], "in it more than once"),
    ):
        if len(numbers):
            what = f"{format_count(len(numbers), 'passage')} {what} (the first: {numbers[0]})"
            yield Problem("vector index", what, "index", len(numbers), tuple(numbers.tolist()))
    foreign = [one for held_by in read for one in held_by.foreign]
    if foreign:
        what = f"{format_count(len(foreign), 'record')} in it that no archive wrote"
        yield Problem("vector index", what, "foreign", len(foreign))


def _placed(shared: SharedIndex, held: Held) -> Numbers:
    """Return the numbers of a part that belong there."""
    part, numbers = held.part, held.numbers
    inside = (shared.years.of(numbers) == part.year) & (numbers >= part.first)
    mask = inside if part.end is None else inside & (numbers < part.end)
    return np.compress(mask, numbers)


def _compare_vectors(
    store: ArticleStore, collections: ServerCollections, read: list[Held]
) -> Iterator[Problem]:
    live = store.passages.numbers()
    differ = list[int]()
    for held in read:
        numbers = np.intersect1d(held.numbers, live)
        for i in range(0, len(numbers), CHUNK):
            differ += _differing(store, collections, numbers[i : i + CHUNK])
    if differ:
        count = format_count(len(differ), "vector")
        what = f"{count} different from the database (the first: {min(differ)})"
        yield Problem("vector index", what, "index", len(differ), tuple(sorted(differ)))


def _differing(store: ArticleStore, collections: ServerCollections, numbers: Numbers) -> list[int]:
    """Return the passages whose vectors on the server point elsewhere than the store's.

    Lengths don't count: a server may normalise vectors.
    """
    theirs, indexed = collections.vectors_of(numbers)
    ours, vectors = store.passages.vectors(numbers)
    common, at, here = np.intersect1d(theirs, ours, return_indices=True)
    lengths = np.maximum(np.linalg.norm(indexed[at], axis=1), np.finfo(np.float32).tiny)
    cosines = np.einsum("ij,ij->i", indexed[at], vectors[here]) / lengths
    differ: list[int] = common[~(cosines > SAME)].tolist()
    return differ
