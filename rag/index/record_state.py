"""State of a shared vector index in a record on PostgreSQL, and the lock of that index.

The folder's copy of the record has the state, too, so that a search asks no server for it. It is a
second old at most, or as old as the copy is: passages beyond what it says are scored exactly.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import RecordUnavailableError
from rag.index.shared_state import KEY, SharedState, StateStore, parse_state
from rag.store.database import Database

if TYPE_CHECKING:
    from rag.store.postgres.database import PostgresDatabase

OWN_SECONDS = 5.0  # until a change of this process is in the copy, usually one


class LazyRecord:
    """The record, connected when it is first needed; threads may share it."""

    def __init__(self, connect: Callable[[], PostgresDatabase]) -> None:
        """Prepare to connect.

        Args:
            connect: Opens the record.
        """
        self._connect, self._lock = connect, threading.Lock()
        self._record: PostgresDatabase | None = None

    def open(self) -> PostgresDatabase:
        """Return the record.

        Raises:
            RecordUnavailableError: It can't be reached.
        """
        with self._lock:
            if self._record is None:
                self._record = self._connect()
            return self._record

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            record, self._record = self._record, None
        if record is not None:
            record.close()


@dataclass(frozen=True, slots=True)
class _Own:
    """A state that this process wrote, and what the copy had then."""

    state: SharedState
    copied: str
    until: float


class RecordStateStore(StateStore):
    """Reads the state from the folder's copy, and changes it in the record."""

    def __init__(self, copy: Database, record: LazyRecord) -> None:
        """Use a copy and its record.

        Args:
            copy: The copy in the archive's folder.
            record: The record.
        """
        super().__init__(copy)
        self._copy, self._record = copy, record
        self._own: _Own | None = None

    def read(self) -> SharedState:
        """Return the state of the copy, or what this process has changed since."""
        copied, own = self._copy.meta(KEY), self._own
        if own is not None and own.copied == copied and time.monotonic() < own.until:
            return own.state
        return parse_state(copied)

    def read_newest(self) -> SharedState:
        """Return the state of the record.

        Raises:
            RecordUnavailableError: It can't be reached.
        """
        return self._keep(parse_state(self._record.open().meta(KEY)))

    def change(self, edit: Callable[[SharedState], SharedState]) -> SharedState:
        """Replace the state of the record in one transaction.

        Args:
            edit: Returns the new state for the current one.

        Returns:
            The new state.

        Raises:
            RecordUnavailableError: The record can't be reached.
        """
        return self._keep(self._change(self._record.open(), edit))

    def _keep(self, state: SharedState) -> SharedState:
        self._own = _Own(state, self._copy.meta(KEY), time.monotonic() + OWN_SECONDS)
        return state

    def close(self) -> None:
        """Close the connections to the record."""
        self._record.close()


class RecordIndexLock:
    """Lock of an archive whose record is shared: one for all machines."""

    def __init__(self, record: LazyRecord) -> None:
        """Use a record."""
        self._record = record

    @contextlib.contextmanager
    def hold(self, wait: float = 0.0) -> Iterator[bool]:
        """Hold the lock during the block; see `IndexLock`."""
        try:
            record = self._record.open()
        except RecordUnavailableError:
            yield False
            return
        with record.hold_vector_server(wait) as may:
            yield may
