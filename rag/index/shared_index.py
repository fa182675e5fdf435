"""SharedIndex: writes the vector index on a Chroma server, under the index's lock.

`shared_state` changes only after the server has what it says, so that a killed writer leaves work
to do again and nothing wrong.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from rag.errors import ArchiveLockedError, RecordUnavailableError, VectorServerError
from rag.index.chroma_client import ChromaClient, CollectionMissingError
from rag.index.chroma_server import EF_SEARCH, Quotas, ServerCollections, is_refused
from rag.index.index_lock import IndexLock
from rag.index.shared_reader import TOKEN, SharedReader
from rag.index.shared_state import Build, SharedState, StateStore, new_build, new_token
from rag.store.articles import ArticleStore
from rag.store.passages import Numbers, Vectors

STEP = 5_000  # passages between two saved states: what a kill does again takes 4 s
SYNC_BATCH = 2_000  # vectors read at a time
LOCK_WAIT = 60.0  # seconds for another process; it fills an index at 1,300 passages a second

VectorsOf = Callable[[Numbers], tuple[Numbers, Vectors]]


class SharedIndex(SharedReader):
    """Vectors on a server, which this process may write."""

    def __init__(
        self,
        store: ArticleStore,
        client: ChromaClient,
        lock: IndexLock,
        quotas: Quotas | None = None,
        states: StateStore | None = None,
    ) -> None:
        """Prepare the index of an archive.

        Args:
            store: The archive's store, from which vectors are read.
            client: The connection.
            lock: The index's lock, which every write takes.
            quotas: The server's limits; by default those of a hosted Chroma.
            states: The state in the archive's record; by default in the store's database.
        """
        super().__init__(store, client, quotas, states)
        self._lock, self._closed = lock, False

    def close(self) -> None:
        """Stop writing, and close the connections."""
        self._closed = True
        super().close()

    @contextlib.contextmanager
    def _hold_lock(self) -> Iterator[None]:
        with self._lock.hold(LOCK_WAIT) as may:
            if not may:
                raise VectorServerError(
                    f"another process is writing to the vector server {self.url}: "
                    "try again when it has finished"
                )
            yield

    def catch_up(self, sequence: int, wait: float = 0.0) -> bool:
        """Bring the index up to a change of the store.

        Args:
            sequence: Number of the change.
            wait: Seconds to wait for another process that writes the index.

        Returns:
            False if the server can't be used now or another process writes the index. Searches
            score what is missing from the store.
        """
        if self.has_reached(sequence):
            return True
        if self.health.is_down and not self.health.check():
            return False
        with self._lock.hold(wait) as may:
            if not may:
                return False
            try:
                if not self.has_reached(sequence, newest=True):
                    self._catch_up(self.reload(), sequence)
            except (RecordUnavailableError, ArchiveLockedError):
                return False
            except VectorServerError as error:
                if is_refused(error):
                    self.problem = str(error)
                else:
                    self.health.failed(error)
                return False
            self.health.succeeded()
            self.problem = ""
            return True

    def has_reached(self, sequence: int, *, newest: bool = False) -> bool:
        """Return True if the index has a change of the store, and all that was erased is deleted.

        Args:
            sequence: Number of the change.
            newest: See `reload`.
        """
        state = self.reload(newest=newest)
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
        if self.reload(newest=True).next is not None and build != current:
            self._activate_next()

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
        build = collections.build
        if build.pending:  # a killed sync may have left it on the server
            build = replace(build, token=self._token_of(build) or build.token)
        build = collections.build = replace(build, pending=pending)
        self._save(build, None)
        control = self._client.create(build.control, ef_search=EF_SEARCH)
        self._client.set_metadata(control, {TOKEN: pending})
        collections.remove(passages.removed_since(build.reached))
        purge = self._states.read_newest().purge
        collections.erase(purge)
        steps = [step for step in passages.steps_since(build.reached, STEP) if step < sequence]
        for step in (*steps, sequence):
            numbers = passages.numbers_added_between(collections.build.reached, step)
            for i in range(0, len(numbers), SYNC_BATCH):
                if self._closed:
                    raise VectorServerError("closed while it was written")
                collections.add(*(vectors_of or passages.vectors)(numbers[i : i + SYNC_BATCH]))
            collections.build = replace(collections.build, reached=step, token=pending)
            self._save(collections.build, pending)
        collections.build = replace(collections.build, reached=sequence, token=pending, pending="")
        self._save(collections.build, pending)
        if purge:
            gone = set(purge)
            self._states.change(
                lambda now: replace(now, purge=tuple(n for n in now.purge if n not in gone))
            )
        self.reload()

    def rebuild(self) -> None:
        """Build the index again beside the current one, and change over.

        Raises:
            VectorServerError: The server can't be used, or another process writes the index.
        """
        with self._hold_lock():
            self._build_next(self._store.generation(), self._store.database.sequence())
            self._activate_next()

    def build_next(
        self, generation: int, sequence: int, vectors_of: VectorsOf | None = None
    ) -> None:
        """Build an index beside the current one.

        Args:
            generation: Generation of its vectors.
            sequence: The change that it will have reached.
            vectors_of: Returns its vectors; by default the store's.

        Raises:
            VectorServerError: The server can't be used, or another process writes the index.
        """
        with self._hold_lock():
            self._build_next(generation, sequence, vectors_of)

    def _build_next(
        self, generation: int, sequence: int, vectors_of: VectorsOf | None = None
    ) -> None:
        current = self.reload(newest=True).current
        archive = current.archive if current and self._may_share_names(current) else ""
        build = new_build(generation, archive)
        self._states.change(lambda now: replace(now, next=build))
        self._write(self._collections(build), sequence, vectors_of)

    def activate_next(self) -> None:
        """Make the next index the current one, and delete the old one's collections."""
        with self._lock.hold(LOCK_WAIT) as may:
            if may:  # if not, another process is filling it, and changes over
                self._activate_next()

    def _activate_next(self) -> None:
        old, generation = self.reload(newest=True).current, self._store.generation()
        self._states.change(
            lambda now: (
                replace(now, current=now.next, next=None)
                if now.next and now.next.generation == generation
                else now
            )
        )
        new = self.reload().current
        if old is None or new is None or old.control == new.control or old.archive != new.archive:
            return
        with contextlib.suppress(VectorServerError):  # the next writer deletes leftovers
            self._collections(old).drop()

    def remove_leftovers(self) -> None:
        """Delete collections of replaced and unfinished builds, if nobody else writes the index."""
        if self.reload().current is None or self.health.is_down:
            return
        with self._lock.hold() as may:
            if may:
                self._remove_leftovers(self.reload(newest=True))

    def _remove_leftovers(self, state: SharedState) -> None:
        current, left = state.current, state.next
        if current is None:
            return
        if left is not None and current.generation == self._store.generation():
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
        """Write these passages again, each current one once.

        Args:
            numbers: Passage numbers; those that have ended are deleted.
            foreign: Ids of records that are no passages; they are deleted.

        Raises:
            VectorServerError: The server can't be used, or another process writes the index.
        """
        with self._hold_lock():
            self.reload(newest=True)
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
        return bool(self._states.read_newest().purge)
