"""Side databases in the record's database: each is a schema, which all servers share.

A process keeps a few connections. They wait for a lost server for seconds only, since readers wait
for them; while it can't be reached, most attempts fail at once.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

import psycopg

from rag.errors import (
    ArchiveDamagedError,
    ArchiveLockedError,
    BackfileError,
    RecordUnavailableError,
    SettingsError,
)
from rag.store.database import Connection
from rag.store.postgres.connection import PostgresConnection
from rag.store.postgres.database import server_of
from rag.store.postgres.dialect import translate_schema
from rag.store.postgres.errors import map_error
from rag.store.postgres.schema import server_problem
from rag.store.side_file import WAIT, SideForm, empty_database

MOST = 16  # connections of a process at a time
KEPT = 4  # connections that stay open
MOST_POOLS = 4  # addresses; a process has one, but tests have many
DOWN_SECONDS = 2.0  # after a failure, until the next attempt to connect
LONGEST_STATEMENT = 30  # seconds
LONGEST_SCHEMA = 63  # bytes of a name in PostgreSQL
REPLACEMENT = "\ufffd"  # for U+0000: a name with it must not be somebody's name without it
LOCK = 1112229705  # the first half of the key of a schema's lock
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
        self.name = server_of(address)
        self.folder = Path()
        self._address = address
        self._free = threading.BoundedSemaphore(MOST)
        self._lock = threading.Lock()
        self._idle: list[PostgresConnection] = []
        self._inherited: list[PostgresConnection] = []
        self._process = os.getpid()
        self._down: tuple[float, BackfileError] | None = None  # until when, and why

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


class RecordHome:
    """Schemas of the database of a shared record."""

    def __init__(self, folder: Path, address: str) -> None:
        """Prepare to connect; nothing is opened.

        Args:
            folder: The archive's folder on this machine.
            address: postgresql://USER:PASSWORD@HOST:PORT/DATABASE.

        Raises:
            SettingsError: The address can't be read.
        """
        self.folder = folder
        self.pool = pool_of(address)

    def open(self, file: str, migrations: Sequence[str], _damaged: str) -> SideForm:
        """Return a database in a schema."""
        return SideSchema(self.pool, Path(file).stem, migrations)


class SideSchema:
    """A side database in a schema of its own; created by the first change."""

    def __init__(
        self, pool: ConnectionPool, kind: str, migrations: Sequence[str], *, unlogged: bool = False
    ) -> None:
        """Name the schema; nothing is opened.

        Args:
            pool: Connections to the record's database.
            kind: What it has, such as "saved".
            migrations: See `SideHome.open`.
            unlogged: True if a crash of the server may empty it, so that nothing waits for a disk.
        """
        self._pool = pool
        self._kind = kind
        self._migrations = migrations
        self._unlogged = unlogged

    @property
    def name(self) -> str:
        """The server and what it has, for messages."""
        return f"{self._kind} at {self._pool.name}"

    @cached_property
    def schema(self) -> str:
        """The schema's name."""
        name = f"{self._pool.schema}_backfile_{self._kind}"
        if len(name.encode()) > LONGEST_SCHEMA:
            raise SettingsError(
                f"the schema {self._pool.schema!r} has too long a name for a record"
            )
        return name

    @property
    def exists(self) -> bool:
        """True if anything has been written.

        Raises:
            RecordUnavailableError: The record can't be reached.
        """
        with self._pool.lease("SELECT 1") as connection:
            row = connection.execute(
                "SELECT 1 FROM pg_catalog.pg_tables "
                "WHERE schemaname = ? AND tablename = 'schema_version'",
                (self.schema,),
            ).fetchone()
        return row is not None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection on which several statements see one state.

        Raises:
            ArchiveDamagedError: A newer version of Backfile upgraded the schema.
            RecordUnavailableError: The record can't be reached.
        """
        begin = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {self._path}"
        with self._pool.lease(begin) as connection:
            version = self._version(connection)
            if version is not None and version == len(self._migrations):
                yield connection
                return
        if version is None:
            with empty_database(self._migrations) as empty:
                empty.execute("PRAGMA query_only = ON")
                yield empty
            return
        self._create_or_upgrade()
        with self._pool.lease(begin) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a transaction: all of its changes are committed, or none.

        Raises:
            ArchiveDamagedError: A newer version of Backfile upgraded the schema.
            ArchiveLockedError: Another process wrote to it for too long.
            ArchiveUnwritableError: The server's disk is full, or the user lacks a right.
            RecordUnavailableError: The record can't be reached.
        """
        with self.transaction(f"pg_advisory_xact_lock({self._lock})") as connection:
            yield connection

    @contextmanager
    def transaction(self, lock: str) -> Iterator[PostgresConnection]:
        """Yield a connection in a transaction that has taken a lock; see `write`.

        Args:
            lock: The call that takes it.
        """
        begin = f"BEGIN; {self._path}; SELECT {lock}"
        for attempt in range(2):
            with self._pool.lease(begin) as connection:
                version = self._version(connection)
                if attempt or version == len(self._migrations):
                    yield connection
                    connection.execute("COMMIT")
                    return
            self._create_or_upgrade()

    def compact(self) -> None:
        """Rewrite the tables without deleted rows.

        The server's write-ahead log, its archive and its replicas keep their own copies.

        Raises:
            ArchiveLockedError: A reader kept a table from being rewritten.
        """
        if not self.exists:
            return
        connection = self._pool.connect()
        try:
            connection.execute("SET statement_timeout = 0")
            tables = connection.execute(
                "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = ?", (self.schema,)
            ).fetchall()
            for (table,) in tables:
                connection.execute(f"VACUUM (FULL) {_quoted(self.schema)}.{_quoted(table)}")
        finally:
            connection.raw.close()

    def find_damage(self) -> str:
        """Return "": PostgreSQL checks its pages itself, where checksums are on."""
        return ""

    @property
    def _path(self) -> str:
        return f"SET LOCAL search_path = {_quoted(self.schema)}"

    @property
    def _lock(self) -> str:
        return f"{LOCK}, pg_catalog.hashtext({_literal(self.schema)})"

    def _version(self, connection: PostgresConnection) -> int | None:
        """Return the schema's version; None if there is none, and the transaction has failed.

        Raises:
            ArchiveDamagedError: It is newer.
        """
        try:
            row = connection.raw.execute("SELECT version FROM schema_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
        except psycopg.Error as error:
            raise map_error(error, self._pool.name, self._pool.folder) from error
        version = int(row[0]) if row else 0
        if version > len(self._migrations):
            raise ArchiveDamagedError(
                f"{self.name} was written by a newer Backfile (schema {version}): "
                "upgrade with `pip install --upgrade backfile`"
            )
        return version

    def _create_or_upgrade(self) -> None:
        begin = f"BEGIN; SELECT pg_catalog.pg_advisory_xact_lock({self._lock})"
        with self._pool.lease(begin) as connection:
            if problem := server_problem(connection.raw):
                raise SettingsError(f"the database {self._pool.name} cannot have users: {problem}")
            connection.run(lambda: self._migrate(connection.raw))

    def _migrate(self, raw: psycopg.Connection) -> None:
        """Run the missing migrations; another process may have been faster."""
        raw.execute(
            f"CREATE SCHEMA IF NOT EXISTS {_quoted(self.schema)}; {self._path}; "
            "CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)".encode()
        )
        row = raw.execute("SELECT version FROM schema_version").fetchone()
        if row is None:
            raw.execute("INSERT INTO schema_version VALUES (0)")
        for step in self._migrations[row[0] if row else 0 :]:
            script = translate_schema(step)
            if self._unlogged:
                script = script.replace("CREATE TABLE", "CREATE UNLOGGED TABLE")
            raw.execute(script.encode())
        raw.execute("UPDATE schema_version SET version = %s", (len(self._migrations),))
        raw.execute("COMMIT")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
