"""SharedIndex: the vector index on a Chroma server, shared by all servers of an archive.

It is derived from the record like the other indexes, and may be behind: searches score the newer
passages exactly. `shared_state` says what is on the server; it changes only after the server has
what it says, so that a killed writer leaves work to do again and nothing wrong.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from rag.errors import VectorServerError
from rag.index.chroma_client import ChromaClient, CollectionMissingError
from rag.index.chroma_server import (
    EF_SEARCH,
    THREADS,
    Quotas,
    ServerCollections,
    ServerResult,
    is_refused,
)
from rag.index.publication_years import PublicationYears
from rag.index.server_health import ServerHealth
from rag.index.shared_state import Build, SharedState, StateStore, new_build, new_token
from rag.store.articles import ArticleStore
from rag.store.passages import Numbers, Vectors

TOKEN = "token"  # nosec B105 # name of a metadata key
STEP = 20_000  # passages between two saved states: what a kill does again takes 15 s
SYNC_BATCH = 2_000  # vectors read at a time

VectorsOf = Callable[[Numbers], tuple[Numbers, Vectors]]


class IndexLock(Protocol):
    """Says which process may write the shared index."""

    def hold(self) -> AbstractContextManager[bool]:
        """Hold the lock during the block if it is free; yields whether it is held."""
        ...


class HeldByWriter:
    """Lock of an archive with one writer: who writes the archive writes the shared index."""

    @contextlib.contextmanager
    def hold(self) -> Iterator[bool]:
        """Yield True: the caller has the write lock."""
        yield True


@dataclass(frozen=True, slots=True)
class VectorServerStatus:
    """State of a shared index.

    Attributes:
        url: The server's address.
        reachable: Whether it answers.
        error: Why it can't be used, or what is wrong with its collections; "" if nothing is.
        collections: The number of collections, one or more for each publication year.
        lag: Changes of the archive that it doesn't have yet.
    """

    url: str
    reachable: bool
    error: str
    collections: int
    lag: int


class SharedIndex:
    """Vectors on a server; threads may share it, and it connects when it is first used."""

    def __init__(
        self,
        store: ArticleStore,
        client: ChromaClient,
        quotas: Quotas | None = None,
        lock: IndexLock | None = None,
        states: StateStore | None = None,
    ) -> None:
        """Prepare the index of an archive.

        Args:
            store: The archive's store, from which vectors are read.
            client: The connection.
            quotas: The server's limits; by default those of a hosted Chroma.
            lock: Decides which process may write the index; by default the archive's writer may.
            states: The state in the archive's record; by default in the store's database.
        """
        self._store, self._client, self._quotas = store, client, quotas or Quotas()
        self._lock = lock or HeldByWriter()
        self._states = states or StateStore(store.database)
        self._years = PublicationYears(store.passages)
        self._current: ServerCollections | None = None
        self._limit = (-1, 0)  # a change, and the highest passage number as of it
        self.health = ServerHealth()
        self.problem = ""  # a refused request: the server answers, but its collections are wrong
        self.reload()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(THREADS, thread_name_prefix="vectors")

    @property
    def url(self) -> str:
        """The server's address."""
        return self._client.address.url

    # state

    def reload(self) -> SharedState:
        """Read the state again, as another process may have changed it."""
        state = self._states.read()
        current = self._current
        if state.current is None:
            self._current = None
        elif current is None or current.build.control != state.current.control:
            self._current = self._collections(state.current)
        else:
            current.build = state.current
        return state

    def is_current(self) -> bool:
        """Return True; the state is read again first."""
        self.reload()
        return True

    @property
    def reached(self) -> int:
        """The last change that is in the index; 0 if there is no index yet."""
        current = self._current
        return current.build.reached if current else 0

    @property
    def generation(self) -> int:
        """Generation of its vectors; the store's if there is no index yet."""
        current = self._current
        return current.build.generation if current else self._store.generation()

    def status(self) -> VectorServerStatus:
        """Ask the server whether it answers, and return the state of the index."""
        try:
            self._client.check_alive()
        except VectorServerError as error:
            self.health.failed(error)
        else:
            self.health.succeeded()
        current = self._current
        return VectorServerStatus(
            self.url,
            not self.health.is_down,
            self.health.error or self.problem,
            len(current.parts()) if current else 0,
            max(0, self._store.database.sequence() - self.reached),
        )

    def close(self) -> None:
        """Close the connections."""
        if "_pool" in self.__dict__:
            self.__dict__.pop("_pool").shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _collections(self, build: Build) -> ServerCollections:
        return ServerCollections(self._client, self._quotas, self._years, build, self._save)

    def _save(self, build: Build) -> None:
        """Save a build as the one that it is."""

        def edit(state: SharedState) -> SharedState:
            if state.next is not None and state.next.control == build.control:
                return replace(state, next=build)
            return replace(state, current=build)

        self._states.change(edit)

    # searching

    def search(self, vector: Vectors, k: int, among: Numbers | None = None) -> ServerResult:
        """Return the `k` nearest passages, and the numbers of those that could not be searched.

        Args:
            vector: The query's unit vector.
            k: The number of passages; the server's quota limits those of one collection.
            among: Passage numbers to search in; None for all. Later ones than the index has are
                left out.
        """
        current, limit = self._current, self._newest_number()
        among = None if among is None else among[among <= limit]
        if among is not None and not len(among):
            return ServerResult([], among)
        usable = current is not None and current.build.generation == self._store.generation()
        if current is None or not usable or not self.health.may_ask():
            missed = self._years.up_to(limit) if among is None else among
            return ServerResult([], missed, self.health.error or "the index is not built yet")
        result = current.search(self._pool, vector, k, among, self._client.address.seconds)
        if result.server_failed:
            self.health.failed(VectorServerError(result.error))
        else:
            self.health.succeeded()
            self.problem = result.error
        return replace(result, missed=result.missed[result.missed <= limit])

    def nearest(
        self, vector: Vectors, k: int, among: Numbers | None = None
    ) -> list[tuple[int, float]]:
        """Return the `k` passages nearest to a vector that the server finds, best first."""
        return self.search(vector, k, among).found

    def _newest_number(self) -> int:
        """Return the highest passage number that the index can have."""
        reached = self.reached
        if self._limit[0] != reached:
            self._limit = (reached, self._store.passages.newest_at(reached))
        return self._limit[1]

    # writing

    def catch_up(self, sequence: int) -> bool:
        """Bring the index up to a change of the store; needs the write lock.

        Returns:
            False if the server can't be used now or another process writes the index. Searches
            score what is missing from the store.
        """
        with self._lock.hold() as may:
            if not may:
                return False
            state = self.reload()
            if self._is_up_to_date(state, sequence):
                return True
            if not self.health.may_ask():
                return False
            try:
                self._catch_up(state, sequence)
            except VectorServerError as error:
                if is_refused(error):
                    self.problem = str(error)
                else:
                    self.health.failed(error)
                return False
            self.health.succeeded()
            self.problem = ""
            return True

    def _is_up_to_date(self, state: SharedState, sequence: int) -> bool:
        current = state.current
        return (
            current is not None
            and current.generation == self._store.generation()
            and current.reached >= sequence
            and not state.purge
        )

    def _catch_up(self, state: SharedState, sequence: int) -> None:
        generation, current = self._store.generation(), state.current
        fit = (b for b in (current, state.next) if b is not None and b.generation == generation)
        build = next((one for one in fit if self._owns(one)), None)
        if build is None:
            build = self._begin(state, generation)
        self._write(self._collections(build), sequence)
        if self.reload().next is not None and build != current:
            self.activate_next()

    def _owns(self, build: Build) -> bool:
        """Return True if the server's collections are as this archive left them."""
        if not build.token and not build.pending:
            return True  # never written
        try:
            token = self._client.collection(build.control).metadata.get(TOKEN, "")
        except CollectionMissingError:
            return False
        return token in (build.token, build.pending)

    def _begin(self, state: SharedState, generation: int) -> Build:
        """Begin an empty build; it is searched at once if there is no other."""
        current = state.current
        archive = current.archive if current and self._may_share_names(current) else ""
        build = new_build(generation, archive)
        if current is None or (current.generation == generation and not archive):
            self._states.change(lambda now: replace(now, current=build, next=None))
        else:
            self._states.change(lambda now: replace(now, next=build))
        return build

    def _may_share_names(self, build: Build) -> bool:
        """Return False if another archive writes the collections of these names."""
        try:
            self._client.collection(build.control)
        except CollectionMissingError:
            return True  # a new or emptied server
        return self._owns(build)

    def _write(
        self, collections: ServerCollections, sequence: int, vectors_of: VectorsOf | None = None
    ) -> None:
        """Write what a build lacks, in steps that are saved one by one."""
        passages, pending = self._store.passages, new_token()
        build = collections.build = replace(collections.build, pending=pending)
        self._save(build)
        control = self._client.create(build.control, ef_search=EF_SEARCH)
        self._client.set_metadata(control, {TOKEN: pending})
        collections.remove(passages.removed_since(build.reached))
        purge = self._states.read().purge
        collections.purge(str(number) for number in purge)
        steps = [step for step in passages.steps_since(build.reached, STEP) if step < sequence]
        for step in (*steps, sequence):
            numbers = passages.numbers_added_between(collections.build.reached, step)
            for i in range(0, len(numbers), SYNC_BATCH):
                collections.add(*(vectors_of or passages.vectors)(numbers[i : i + SYNC_BATCH]))
            collections.build = replace(collections.build, reached=step, token=pending)
            self._save(collections.build)
        collections.build = replace(collections.build, reached=sequence, token=pending, pending="")
        self._save(collections.build)
        if purge:
            gone = set(purge)
            self._states.change(
                lambda now: replace(now, purge=tuple(n for n in now.purge if n not in gone))
            )
        self.reload()

    def rebuild(self) -> None:
        """Build the index again beside the current one, and change over; needs the write lock.

        Raises:
            VectorServerError: The server can't be used.
        """
        self.build_next(self._store.generation(), self._store.database.sequence())
        self.activate_next()

    def build_next(
        self, generation: int, sequence: int, vectors_of: VectorsOf | None = None
    ) -> None:
        """Build an index beside the current one; needs the write lock.

        Args:
            generation: Generation of its vectors.
            sequence: The change that it will have reached.
            vectors_of: Returns its vectors; by default the store's.

        Raises:
            VectorServerError: The server can't be used.
        """
        current = self.reload().current
        archive = current.archive if current and self._may_share_names(current) else ""
        build = new_build(generation, archive)
        self._states.change(lambda now: replace(now, next=build))
        self._write(self._collections(build), sequence, vectors_of)

    def activate_next(self) -> None:
        """Make the next index the current one, and delete the old one's collections."""
        old = self.reload().current
        self._states.change(
            lambda now: replace(now, current=now.next, next=None) if now.next else now
        )
        new = self.reload().current
        if old is not None and new is not None and new.archive == old.archive:
            with contextlib.suppress(VectorServerError):  # the next writer deletes leftovers
                self._collections(old).drop()

    def remove_leftovers(self) -> None:
        """Delete collections of replaced and unfinished builds; needs the write lock."""
        state, generation = self.reload(), self._store.generation()
        current, left = state.current, state.next
        if current is None or self.health.is_down:
            return
        if left is not None and current.generation == generation:
            self._states.change(lambda now: replace(now, next=None))
            left = None
        kept = current.names() | (left.names() if left else set())
        try:
            if not self._owns(current):
                return  # a copy of the archive has written since: they are its collections
            for name in sorted(self._client.names(f"{current.prefix}-") - kept):
                self._client.delete_collection(name)
        except VectorServerError as error:
            if not is_refused(error):
                self.health.failed(error)

    def reindex(self, numbers: Numbers, foreign: tuple[str, ...] = ()) -> None:
        """Write these passages again, each current one once; needs the write lock.

        Args:
            numbers: Passage numbers; those that have ended are deleted.
            foreign: Ids of records that are no passages; they are deleted.

        Raises:
            VectorServerError: The server can't be used.
        """
        self.reload()
        current, passages = self._current, self._store.passages
        if current is None:
            return
        current.forget()
        current.purge([*foreign, *map(str, numbers.tolist())])
        live = np.intersect1d(numbers, passages.numbers())
        for i in range(0, len(live), SYNC_BATCH):
            current.add(*passages.vectors(live[i : i + SYNC_BATCH]))

    def purge(self, numbers: Iterable[int]) -> None:
        """Have erased passages deleted by the next sync, although the store forgets them."""
        self._states.purge(numbers)

    def has_purge(self) -> bool:
        """Return True while the server may still have erased passages."""
        return bool(self._states.read().purge)

    # comparing

    def size(self) -> int:
        """Return about how many passages the index has, without asking the server."""
        return len(self._years.up_to(self._newest_number()))

    def count(self) -> int:
        """Return the number of records on the server."""
        return self._current.count() if self._current else 0

    def all_numbers(self) -> Numbers:
        """Return the numbers of all passages on the server, ascending, repeated ones repeated."""
        current = self._current
        if current is None:
            return np.empty(0, np.int64)
        ids = (one for part in current.parts() for one in current.ids_of(part) if one.isdigit())
        return np.sort(np.fromiter(map(int, ids), np.int64))

    def vectors_of(self, numbers: Numbers) -> tuple[Numbers, Vectors]:
        """Return the vectors of those of these passages on the server, and their numbers."""
        if self._current is None:
            return np.empty(0, np.int64), np.empty((0, 0), np.float32)
        return self._current.vectors_of(numbers)

    def is_owned(self) -> bool:
        """Return False if the server's collections are not as this archive left them."""
        current = self._states.read().current
        return current is None or self._owns(current)

    @property
    def years(self) -> PublicationYears:
        """The publication years of the archive's passages."""
        return self._years

    @property
    def collections(self) -> ServerCollections | None:
        """The collections that are searched; None if there is no index yet."""
        return self._current
