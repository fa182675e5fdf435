"""The collections of one vector index on a Chroma server: one for each publication year.

A search within some years asks only theirs, all at once. A year that has as many records as the
server allows goes on in a second collection; which one a passage is in follows from its number.
Every write may be repeated: records are replaced by passage number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from rag.errors import VectorServerError
from rag.index.chroma_client import (
    ChromaClient,
    Collection,
    CollectionMissingError,
    QueryRefusedError,
    query_vector,
)
from rag.index.overwriting import erase_vectors
from rag.index.publication_years import UNKNOWN, PublicationYears
from rag.index.shared_state import Build
from rag.store.passages import Numbers, Vectors

EF_SEARCH = 200  # as for files: rag.index.chroma_files
WIDE = 0.2  # numbers that are this share of a collection are chosen after the search
THREADS = 16  # requests at once, of all searches of a process

Scored = list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Quotas:
    """Limits of a server; the defaults are those of hosted ones.

    Attributes:
        results: Records in one answer.
        batch: Records in one write.
        records: Records in a collection.
    """

    results: int = 300
    batch: int = 300
    records: int = 5_000_000


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a year: its passages from number `first` to before `end`, in one collection."""

    year: int
    index: int
    first: int
    end: int | None


@dataclass(frozen=True, slots=True)
class ServerResult:
    """Result of a search: what was found, best first, and where nothing could be searched.

    Attributes:
        found: Passage numbers with their cosine.
        missed: Numbers of the passages that could not be searched.
        error: Why; "" if there are none, or the index isn't built yet.
        server_failed: Whether the server couldn't be used, rather than one of its collections.
    """

    found: Scored
    missed: Numbers
    error: str = ""
    server_failed: bool = False


class ServerCollections:
    """One build on a server: reads and writes its records."""

    def __init__(
        self,
        client: ChromaClient,
        quotas: Quotas,
        years: PublicationYears,
        build: Build,
        save: Callable[[Build], None],
    ) -> None:
        """Use a build.

        Args:
            client: The connection.
            quotas: The server's limits.
            years: The publication years of the archive's passages.
            build: The build.
            save: Saves the build when a collection is added to it, before that is written.
        """
        self._client, self._quotas, self._years, self._save = client, quotas, years, save
        self.build = build
        self._collections: dict[str, Collection] = {}  # by name, as far as they have been needed
        self._counts: dict[Part, int] = {}  # of the parts that are being filled

    @property
    def dimension(self) -> int:
        """Length of the archive's vectors; 0 if it has none."""
        return self._years.dimension()

    def parts(self, year: int | None = None) -> list[Part]:
        """Return the parts of a year, or of all years."""
        found = list[Part]()
        for of_year, starts in sorted(self.build.parts.items(), key=lambda item: int(item[0])):
            if year is None or int(of_year) == year:
                ends = (*starts[1:], None)
                pairs = enumerate(zip(starts, ends, strict=True))
                found += [Part(int(of_year), i, first, end) for i, (first, end) in pairs]
        return found

    def collection(self, part: Part) -> Collection:
        """Return the collection of a part, as the server described it when it was first needed.

        Raises:
            CollectionMissingError: The server has lost it.
        """
        name = self.build.collection(part.year, part.index)
        if name not in self._collections:
            self._collections[name] = self._client.collection(name)
        return self._collections[name]

    def forget(self) -> None:
        """Have the server describe all collections again."""
        self._collections.clear()
        self._counts.clear()

    def missing(self) -> list[Part]:
        """Return the parts whose collections the server has lost."""
        names = self._client.names(self.build.control)
        return [p for p in self.parts() if self.build.collection(p.year, p.index) not in names]

    # searching

    def search(
        self,
        pool: ThreadPoolExecutor,
        vector: Vectors,
        k: int,
        among: Numbers | None,
        seconds: float,
    ) -> ServerResult:
        """Return the `k` nearest passages of all collections, asked at once.

        Args:
            pool: Threads for the requests.
            vector: The query's unit vector.
            k: The number of passages.
            among: Numbers of the passages to search; each must be on the server. None for all.
            seconds: The longest time to wait.

        Returns:
            The passages, and the numbers of those that could not be searched.
        """
        sent, wanted = query_vector(vector), self._split(among)
        tasks: dict[Future[Scored], tuple[Part, Numbers | None]] = {
            pool.submit(self._search_part, part, sent, k, some): (part, some)
            for part, some in wanted
        }
        done, late = wait(tasks, timeout=seconds)
        found, missed, error = list[tuple[int, float]](), list[Numbers](), ""
        failed = bool(late)
        for task in late:
            task.cancel()
        for task, (part, some) in tasks.items():
            failure = task.exception() if task in done and not task.cancelled() else None
            if task in done and failure is None:
                found += task.result()
                continue
            if failure is not None and not isinstance(failure, VectorServerError):
                raise failure
            error = str(failure) if failure else f"no answer within {seconds:g} seconds"
            failed = failed or not is_refused(failure or VectorServerError())
            missed.append(self._numbers_of(part) if some is None else some)
        best = sorted(dict(found).items(), key=lambda pair: -pair[1])[:k]
        left = np.concatenate(missed) if missed else np.empty(0, np.int64)
        return ServerResult(best, left, error, failed)

    def _numbers_of(self, part: Part) -> Numbers:
        return self._years.numbers_in(part.year, part.first, part.end)

    def _split(self, among: Numbers | None) -> list[tuple[Part, Numbers | None]]:
        """Return the parts to search, with the numbers of each; None for all of them."""
        if among is None:
            return [(part, None) for part in self.parts()]
        years = self._years.of(among)
        split = list[tuple[Part, Numbers | None]]()
        for year in np.unique(years).tolist():
            of_year = among[years == year]
            for part in self.parts(year):
                some = of_year[_is_in(part, of_year)]
                if len(some):
                    split.append((part, some))
        return split

    def _search_part(self, part: Part, vector: bytes, k: int, among: Numbers | None) -> Scored:
        """Search one collection; look it up again if it has been replaced since."""
        try:
            return self._ask_part(part, vector, k, among)
        except CollectionMissingError:
            self._collections.pop(self.build.collection(part.year, part.index), None)
            return self._ask_part(part, vector, k, among)

    def _ask_part(self, part: Part, vector: bytes, k: int, among: Numbers | None) -> Scored:
        collection, most = self.collection(part), self._quotas.results
        if among is None:
            return self._client.nearest(collection, vector, min(k, most), None)
        size = self._years.size(part.year, part.first, part.end)
        share = len(among) / max(size, 1)
        if share >= WIDE:
            asked = min(int(2 * k / share) + 10, most)
            wide = self._client.nearest(collection, vector, asked, None)
            passes = np.isin(np.array([number for number, _ in wide], np.int64), among)
            found = [pair for pair, passed in zip(wide, passes, strict=True) if passed]
            if len(found) >= min(k, len(among)):
                return found[:k]
        return self._client.nearest(collection, vector, min(k, most, len(among)), among)

    # writing

    def add(self, numbers: Numbers, vectors: Vectors) -> None:
        """Write passages to the collections of their years; needs the write lock."""
        order = np.argsort(numbers)
        numbers, vectors = numbers[order], vectors[order]
        years = self._years.of(numbers)
        for year in np.unique(years[years != UNKNOWN]).tolist():
            mask = years == year
            self._add_to_year(year, numbers[mask], vectors[mask])

    def _add_to_year(self, year: int, numbers: Numbers, vectors: Vectors) -> None:
        if not self.parts(year):
            self._begin_part(year, 0)
        while len(numbers):
            part = next(p for p in reversed(self.parts(year)) if numbers[0] >= p.first)
            some = int(np.count_nonzero(_is_in(part, numbers)))
            room = self._room(part) if part.end is None else some
            if not room:
                self._begin_part(year, int(numbers[0]))
                continue
            batch = min(self._quotas.batch, some, room)
            self._client.upsert(self._to_write(part), numbers[:batch], vectors[:batch])
            self._counts[part] = self._counts.get(part, 0) + batch
            numbers, vectors = numbers[batch:], vectors[batch:]

    def _room(self, part: Part) -> int:
        """Return how many records the last part of a year may still take."""
        most = self._quotas.records
        if self._counts.get(part, most) >= most:  # unknown, or writes that replaced were counted
            self._counts[part] = self._client.count(self._to_write(part))
        return max(0, most - self._counts[part])

    def _begin_part(self, year: int, first: int) -> None:
        starts = (*self.build.parts.get(str(year), ()), first)
        self.build = replace(self.build, parts={**self.build.parts, str(year): starts})
        self._save(self.build)  # before the server has it: searches would miss it

    def _to_write(self, part: Part) -> Collection:
        name = self.build.collection(part.year, part.index)
        if name not in self._collections:
            self._collections[name] = self._client.create(name, ef_search=EF_SEARCH)
        return self._collections[name]

    def remove(self, numbers: Iterable[int]) -> None:
        """Delete passages from the collections of their years; missing ones are ignored."""
        left = np.array(sorted(set(numbers)), np.int64)
        years = self._years.of(left)
        for part in self.parts():
            of_part = left[(years == part.year) & _is_in(part, left)]
            self._delete(part, [str(number) for number in of_part.tolist()])

    def purge(self, ids: Iterable[str]) -> None:
        """Delete records from every collection, whichever they belong to."""
        left = list(dict.fromkeys(ids))
        for part in self.parts():
            self._delete(part, left)

    def erase(self, numbers: Iterable[int]) -> None:
        """Delete passages, and have the server overwrite their vectors in its files."""
        left = np.array(sorted(set(numbers)), np.int64)
        for part in self.parts() if len(left) else ():
            with suppress(CollectionMissingError):
                for some in _chunks(left, min(self._quotas.batch, self._quotas.results)):
                    erase_vectors(self._client, self.collection(part), some, self._quotas.batch)
                self._counts.pop(part, None)

    def _delete(self, part: Part, ids: list[str]) -> None:
        for i in range(0, len(ids), self._quotas.batch):
            try:
                self._client.delete(self.collection(part), ids[i : i + self._quotas.batch])
            except CollectionMissingError:
                return
        self._counts.pop(part, None)

    def drop(self) -> None:
        """Delete all collections of the build."""
        for name in sorted(self.build.names()):
            self._client.delete_collection(name)
        self.forget()

    # comparing

    def count(self) -> int:
        """Return the number of records in all collections."""
        return sum(self._client.count(self.collection(part)) for part in self.parts())

    def ids_of(self, part: Part) -> list[str]:
        """Return the ids of all records of a part, read in pages; needs that nobody writes."""
        collection, size = self.collection(part), self._quotas.results
        ids = list[str]()
        for offset in range(0, self._client.count(collection) + size, size):
            ids += self._client.ids(collection, size, offset)
        return list(dict.fromkeys(ids))

    def vectors_of(self, numbers: Numbers) -> tuple[Numbers, Vectors]:
        """Return the vectors of those of these passages on the server, and their numbers."""
        found = [
            self._client.vectors(self.collection(part), some)
            for part, of_part in self._split(numbers)
            for some in _chunks(of_part, self._quotas.results)
        ]
        held = [(n, rows) for n, rows in found if len(n)]
        if not held or len({rows.shape[1] for _, rows in held}) > 1:
            return np.empty(0, np.int64), np.empty((0, 0), np.float32)
        return np.concatenate([n for n, _ in held]), np.concatenate([rows for _, rows in held])


def is_refused(error: Exception) -> bool:
    """Return True for an error that concerns one request or collection, not the server."""
    return isinstance(error, CollectionMissingError | QueryRefusedError)


def seconds_left(until: float) -> float:
    """Return the seconds until a moment of the monotonic clock, at least 0."""
    return max(0.0, until - time.monotonic())


def _is_in(part: Part, numbers: Numbers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    inside = numbers >= part.first
    return inside if part.end is None else inside & (numbers < part.end)


def _chunks(numbers: Numbers | None, size: int) -> Iterator[Numbers]:
    assert numbers is not None
    for i in range(0, len(numbers), size):
        yield numbers[i : i + size]
