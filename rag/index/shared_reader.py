"""SharedReader: searches the vector index on a Chroma server, shared by all servers of an archive.

It is derived from the record like the other indexes, and may be behind: searches score the newer
passages exactly. `shared_state` says what is on the server.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rag.errors import VectorServerError
from rag.index.chroma_client import ChromaClient, CollectionMissingError
from rag.index.chroma_server import THREADS, Quotas, ServerCollections, ServerResult
from rag.index.publication_years import PublicationYears
from rag.index.server_health import ServerHealth
from rag.index.shared_state import Build, SharedState, StateStore
from rag.store.articles import ArticleStore
from rag.store.passages import Numbers, Vectors

TOKEN = "token"  # nosec B105 # name of a metadata key


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


class SharedReader:
    """Vectors on a server; threads may share it, and it connects when it is first used.

    Attributes:
        health: Whether the server answers.
        problem: What is wrong with its collections although it answers; "" if nothing is.
    """

    def __init__(
        self,
        store: ArticleStore,
        client: ChromaClient,
        quotas: Quotas | None = None,
        states: StateStore | None = None,
    ) -> None:
        """Prepare the index of an archive.

        Args:
            store: The archive's store, from which vectors are read.
            client: The connection.
            quotas: The server's limits; by default those of a hosted Chroma.
            states: The state in the archive's record; by default in the store's database.
        """
        self._store, self._client, self._quotas = store, client, quotas or Quotas()
        self._states = states or StateStore(store.database)
        self._years = PublicationYears(store.passages)
        self._current: ServerCollections | None = None
        self._limit = (-1, 0)  # a change, and the highest passage number as of it
        self.health = ServerHealth(client.check_alive)
        self.problem = ""
        self.reload()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(THREADS, thread_name_prefix="vectors")

    @property
    def url(self) -> str:
        """The server's address."""
        return self._client.address.url

    # state

    def reload(self, *, newest: bool = False) -> SharedState:
        """Read the state again, as another process may have changed it.

        Args:
            newest: Read it from the record, rather than from the folder's copy of a shared one.
        """
        state = self._states.read_newest() if newest else self._states.read()
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
        """Return the state of the index; the server is asked unless it has been lately."""
        self.health.watch() if self.health.is_known else self.health.check()
        current = self._current
        return VectorServerStatus(
            self.url,
            not self.health.is_down,
            self.health.error or self.problem,
            len(current.parts()) if current else 0,
            self.lag,
        )

    @property
    def lag(self) -> int:
        """Changes of the archive that the index doesn't have yet."""
        return max(0, self._store.database.sequence() - self.reached)

    def close(self) -> None:
        """Close the connections."""
        self.health.close()
        if "_pool" in self.__dict__:
            self.__dict__.pop("_pool").shutdown(wait=False, cancel_futures=True)
        self._client.close()
        self._states.close()

    def _collections(self, build: Build) -> ServerCollections:
        def save(changed: Build) -> None:
            self._save(changed, changed.pending)

        return ServerCollections(self._client, self._quotas, self._years, build, save)

    def _save(self, build: Build, begun: str | None) -> None:
        """Save a build as the one that it is, under the lock.

        Args:
            build: The build, changed.
            begun: The token of the sync that changes it; None if that begins.

        Raises:
            VectorServerError: Another process has begun to write it since, as this one had lost
                its connection, and so the lock.
        """

        def edit(state: SharedState) -> SharedState:
            is_next = state.next is not None and state.next.control == build.control
            stored = state.next if is_next else state.current
            unknown = stored is None or stored.control != build.control
            if unknown or (begun is not None and stored is not None and stored.pending != begun):
                raise VectorServerError(f"another process writes to the vector server {self.url}")
            return replace(state, next=build) if is_next else replace(state, current=build)

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
            return ServerResult([], missed, self.health.error)
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

    def _owns(self, build: Build) -> bool:
        """Return True if the server's collections are as this archive left them."""
        if not build.token and not build.pending:
            return True  # never written
        return self._token_of(build) in (build.token, build.pending)

    def _token_of(self, build: Build) -> str | None:
        """Return the token that the server has; None if its collection is missing."""
        try:
            return self._client.collection(build.control).metadata.get(TOKEN, "")
        except CollectionMissingError:
            return None

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
        current = self._states.read_newest().current
        while current is not None and not self._owns(current):
            before, current = current, self._states.read_newest().current
            if current == before:
                return False  # and no sync has begun since the state was read
        return True

    @property
    def years(self) -> PublicationYears:
        """The publication years of the archive's passages."""
        return self._years

    @property
    def collections(self) -> ServerCollections | None:
        """The collections that are searched; None if there is no index yet."""
        return self._current
