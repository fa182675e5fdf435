"""A process's connections to the record's database for side databases.

They wait for a lost server for seconds only, since readers wait for them; while it can't be
reached, most attempts fail at once.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

import psycopg

from rag.errors import ArchiveLockedError, BackfileError, RecordUnavailableError, SettingsError
from rag.store.postgres.connection import PostgresConnection
from rag.store.postgres.database import server_of
from rag.store.postgres.errors import map_error
from rag.store.side_file import WAIT

MOST = 16  # connections of a process at a time
KEPT = 4  # connections that stay open
MOST_POOLS = 4  # addresses; a process has one, but tests have many
DOWN_SECONDS = 2.0  # after a failure, until the next attempt to connect
LONGEST_STATEMENT = 30  # seconds
REPLACEMENT = "\ufffd"  # for U+0000: a name with it must not be somebody's name without it
# What a server that doesn't answer costs a request: seconds to connect, milliseconds to send.
_LIMITS = {
    "connect_timeout": 3,
    "tcp_user_timeout": 5_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "application_name": "backfile",
}
_SESSION = (
    f"SET lock_timeout = '{WAIT:.0f}s'; SET statement_timeout = '{LONGEST_STATEMENT}s'; "
    "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; "
    "SET idle_in_transaction_session_timeout = '1min'; SET client_encoding = 'UTF8'; "
    "SET standard_conforming_strings = on; SET default_transaction_isolation = 'read committed'"
)


class ConnectionPool:
    """Connections of this process to the record's database; thread-safe."""

    def __init__(self, address: str) -> None:
        """Prepare to connect; nothing is opened.

        Args:
            address: postgresql://USER:PASSWORD@HOST:PORT/DATABASE.

        Raises:
            SettingsError: The address can't be read.
        """
        self.folder = Path()
        self._address = address
        self._free = threading.BoundedSemaphore(MOST)
        self._lock = threading.Lock()
        self._idle: list[PostgresConnection] = []
        self._inherited: list[PostgresConnection] = []
        self._process = os.getpid()
        self._down: tuple[float, BackfileError] | None = None  # until when, and why
        self.name = server_of(address)

    def __del__(self) -> None:
        """Close the connections, which would warn."""
        self.close_idle()

    def reconnect(self, _lost: PostgresConnection, _statement: str) -> None:
        """Return None: `lease` has tried already."""

    @cached_property
    def schema(self) -> str:
        """The schema of the record itself, which the names of the others begin with."""
        with self.lease("SELECT 1") as connection:
            row = connection.execute("SELECT current_schema()").fetchone()
        if row is None or row[0] is None:
            raise SettingsError(f"the database {self.name} has no schema: set its search_path")
        return str(row[0])

    @contextmanager
    def lease(self, begin: str) -> Iterator[PostgresConnection]:
        """Yield a connection on which statements have been run; nobody else has it meanwhile.

        A connection that was lost while it was idle is replaced.

        Args:
            begin: The statements.

        Raises:
            RecordUnavailableError: The server can't be reached.
            ArchiveLockedError: All connections were in use for too long.
        """
        if not self._free.acquire(timeout=WAIT):
            raise ArchiveLockedError(f"all connections to {self.name} are in use: try again")
        try:
            connection = self._begin(begin)
            try:
                yield connection
            finally:
                self._put_back(connection)
        finally:
            self._free.release()

    def _begin(self, statements: str) -> PostgresConnection:
        with self._lock:
            if self._process != os.getpid():  # a fork: its parent uses these
                self._inherited, self._idle = self._idle, []
                self._process = os.getpid()
            known = self._idle.pop() if self._idle else None
        if known is not None:
            try:
                known.run(lambda: known.raw.execute(statements.encode()))
                return known
            except RecordUnavailableError:
                known.raw.close()
                self.close_idle()  # the others are lost as well
            except BaseException:
                self._put_back(known)
                raise
        connection = self.connect()
        try:
            connection.run(lambda: connection.raw.execute(statements.encode()))
        except BaseException:
            self._put_back(connection)
            raise
        return connection

    def connect(self) -> PostgresConnection:
        """Return a new connection, which the caller closes.

        Raises:
            RecordUnavailableError: The server can't be reached.
        """
        down = self._down
        if down is not None and time.monotonic() < down[0]:
            raise RecordUnavailableError(str(down[1]))
        try:
            raw = psycopg.connect(
                self._address,
                autocommit=True,
                prepare_threshold=None,  # a statement means another table in another schema
                **_LIMITS,  # type: ignore[arg-type]
            )
            raw.execute(_SESSION)
        except psycopg.Error as error:
            found = map_error(error, self.name, self.folder)
            if isinstance(found, RecordUnavailableError):
                self._down = (time.monotonic() + DOWN_SECONDS, found)
            raise found from error
        self._down = None
        return PostgresConnection(raw, self, REPLACEMENT)

    def _put_back(self, connection: PostgresConnection) -> None:
        if connection.is_usable and connection.in_transaction:
            with suppress(psycopg.Error):
                connection.raw.execute("ROLLBACK")
        with self._lock:
            if (
                connection.is_usable
                and not connection.in_transaction
                and len(self._idle) < KEPT
                and self._process == os.getpid()
            ):
                self._idle.append(connection)
                return
        with suppress(psycopg.Error):
            connection.raw.close()

    def close_idle(self) -> None:
        """Close the connections that nobody uses."""
        if self._process != os.getpid():
            return
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            with suppress(psycopg.Error):
                connection.raw.close()


_pools: dict[str, ConnectionPool] = {}
_pools_lock = threading.Lock()


def pool_of(address: str) -> ConnectionPool:
    """Return this process's pool of an address.

    Raises:
        SettingsError: The address can't be read.
    """
    with _pools_lock:
        pool = _pools.pop(address, None) or ConnectionPool(address)
        _pools[address] = pool  # the last one used
        old = _pools.pop(next(iter(_pools))) if len(_pools) > MOST_POOLS else None
    if old is not None:
        old.close_idle()
    return pool


@atexit.register
def _close_pools() -> None:
    for pool in _pools.values():
        pool.close_idle()
