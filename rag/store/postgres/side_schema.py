"""Side databases in the record's database: each is a schema, which all servers share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import psycopg

from rag.errors import ArchiveDamagedError, SettingsError
from rag.store.database import Connection
from rag.store.postgres.connection import PostgresConnection
from rag.store.postgres.dialect import translate_schema
from rag.store.postgres.errors import map_error
from rag.store.postgres.pool import ConnectionPool, pool_of
from rag.store.postgres.schema import server_problem
from rag.store.side_file import SideForm, empty_database

LONGEST_SCHEMA = 63  # bytes of a name in PostgreSQL
LOCK = 1112229705  # the first half of the key of a schema's lock


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
        schema = self.schema  # before the lease: its first use takes one itself
        with self._pool.lease("SELECT 1") as connection:
            row = connection.execute(
                "SELECT 1 FROM pg_catalog.pg_tables "
                "WHERE schemaname = ? AND tablename = 'schema_version'",
                (schema,),
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
        """Return the schema's version; None without one, and the transaction has failed then.

        Raises:
            ArchiveDamagedError: It is newer.
        """
        try:
            # By its schema's name: a search path passes over schemas that this user may not use.
            where = f"{_quoted(self.schema)}.schema_version"
            row = connection.raw.execute(f"SELECT version FROM {where}".encode()).fetchone()  # nosec B608 # a quoted name
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
            if problem := connection.run(lambda: server_problem(connection.raw)):
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
