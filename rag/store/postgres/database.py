"""The record on PostgreSQL: connections per thread, transactions, and the writers' lock."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from rag.errors import (
    ArchiveLockedError,
    ArchiveNotFoundError,
    RecordUnavailableError,
    SettingsError,
)
from rag.store.database import LONGEST_KEY, Connection, Database
from rag.store.migrations import NEWEST
from rag.store.postgres.connection import PostgresConnection
from rag.store.postgres.errors import describe, map_error
from rag.store.postgres.schema import (
    KEYS,
    LOCK_KEY,
    REEMBED_KEY,
    VECTORS_KEY,
    create_or_upgrade,
    foreign_triggers,
    install_triggers,
    position,
    refuse_newer,
    renew_record,
    tables_without_triggers,
    version_of,
)

LOCK_WAIT = 600  # seconds for other writers; a switch of models holds the lock for minutes
POLL = 0.2  # seconds between two tries to get a lock
COMPACT_WAIT = 10  # seconds for the readers of a table that is rewritten
# Seconds: what the server and this process allow a lost connection; it keeps the lock until then.
_LIMITS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "application_name": "backfile",
}
_SESSION = (
    f"SET lock_timeout = '{LOCK_WAIT}s'; SET tcp_keepalives_idle = 30; "
    "SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; "
    "SET idle_in_transaction_session_timeout = '30min'; SET client_encoding = 'UTF8'; "
    "SET standard_conforming_strings = on; SET default_transaction_isolation = 'read committed'"
)
REWRITTEN = (*KEYS, "next_vectors", "tombstones")


def server_of(address: str) -> str:
    """Return the host and database of a connection string, without user and password.

    Raises:
        SettingsError: The address can't be read; it isn't shown, because it may have a password.
    """
    try:
        parts = conninfo_to_dict(address)
    except psycopg.Error as error:
        raise SettingsError(
            "BACKFILE_RECORD cannot be read as postgresql://USER:PASSWORD@HOST:PORT/DATABASE: "
            "write special characters in the password as %40 for @, %2F for /"
        ) from error
    host = str(parts.get("host") or "localhost")
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"{host}{port}/{parts.get('dbname') or parts.get('user') or ''}"


class PostgresDatabase(Database):
    """The record of an archive in a PostgreSQL database that several machines share."""

    longest_key = LONGEST_KEY

    def __init__(self, address: str, folder: Path, *, create: bool = False) -> None:
        """Connect, and upgrade the schema if it is older.

        Args:
            address: postgresql://USER:PASSWORD@HOST:PORT/DATABASE.
            folder: The archive's folder on this machine.
            create: Create the schema in an empty database.

        Raises:
            ArchiveNotFoundError: The database has no record, and `create` is false.
            ArchiveDamagedError: A newer version of Backfile upgraded the record.
            RecordUnavailableError: The server can't be reached.
            SettingsError: The address can't be read.
        """
        super().__init__(folder)
        self._name = server_of(address)
        self._address = address
        self._local = threading.local()
        self._connections: list[tuple[threading.Thread, PostgresConnection]] = []
        self._lock = threading.Lock()
        try:
            self._open_schema(create=create)
        except psycopg.Error as error:
            self.close()
            raise map_error(error, self.name, folder) from error
        except BaseException:
            self.close()
            raise

    def _open_schema(self, *, create: bool) -> None:
        raw = self.connection.raw
        version = version_of(raw)
        if version is None and not create:
            raise ArchiveNotFoundError(
                f"no record at {self.name}: run `backfile ingest FOLDER` first"
            )
        if version is not None:
            refuse_newer(version, self.name)
        if version != NEWEST:
            create_or_upgrade(raw, self.name)

    @property
    def name(self) -> str:
        """The server and the database, without user and password."""
        return self._name

    @property
    def connection(self) -> PostgresConnection:
        """This thread's connection, opened on first use, and again once it was lost.

        Raises:
            RecordUnavailableError: The server can't be reached, or the connection was lost in a
                transaction.
        """
        known: PostgresConnection | None = getattr(self._local, "connection", None)
        if known is not None and (known.is_usable or self._depth):
            return known
        try:
            raw = psycopg.connect(self._address, autocommit=True, **_LIMITS)  # type: ignore[arg-type]
            raw.execute(_SESSION)
        except psycopg.Error as error:
            raise map_error(error, self.name, self.folder) from error
        connection = PostgresConnection(raw, self)
        with self._lock:
            self._close_ended()
            self._connections.append((threading.current_thread(), connection))
        self._local.connection = connection
        return connection

    @property
    def _depth(self) -> int:
        """The number of transactions and locks that this thread is in."""
        return getattr(self._local, "depth", 0)

    def reconnect(self, lost: PostgresConnection, statement: str) -> PostgresConnection | None:
        """Return a new connection if a statement may run again, as after a restart."""
        may_repeat = not (self._depth or lost.is_usable) and statement.startswith("SELECT")
        return self.connection if may_repeat else None

    def _close_ended(self) -> None:
        for thread, connection in self._connections:
            if not thread.is_alive():
                connection.raw.close()
        self._connections = [
            one for one in self._connections if one[0].is_alive() and one[1].is_usable
        ]

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for _, connection in self._connections:
                with suppress(psycopg.Error):
                    connection.raw.close()
            self._connections.clear()
        self._local = threading.local()

    def check_unchanged(self) -> None:
        """Do nothing: a database that is gone fails the next statement."""

    @contextmanager
    def _block(self, begin: str) -> Iterator[PostgresConnection]:
        """Run a block in a transaction on one connection; roll it back unless it commits."""
        connection = self._begin(begin)
        self._local.depth = self._depth + 1
        try:
            yield connection
        except BaseException:
            if connection.is_usable and connection.in_transaction:
                with suppress(RecordUnavailableError):
                    connection.execute("ROLLBACK")
            raise
        finally:
            self._local.depth -= 1

    def _begin(self, statement: str) -> PostgresConnection:
        """Begin a transaction; once more if the connection was lost while it was idle."""
        connection = self.connection
        try:
            connection.execute(statement)
        except RecordUnavailableError:
            if self._depth or connection.is_usable:
                raise
            connection = self.connection
            connection.execute(statement)
        return connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block in a transaction, while no other process writes."""
        with self._block("BEGIN") as connection:
            connection.execute(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
            yield
            connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Run the block on one state of the database, unaffected by writes in the meantime."""
        with self._block("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as connection:
            yield
            connection.execute("ROLLBACK")

    @contextmanager
    def hold_writers(self) -> Iterator[None]:
        """Keep every other process from writing during the block, over several transactions.

        Raises:
            ArchiveLockedError: Another process was writing for too long.
        """
        connection = self._begin(f"SELECT pg_advisory_lock({LOCK_KEY})")
        with self._unlocking(connection, LOCK_KEY):
            yield

    @contextmanager
    def hold_reembedding(self) -> Iterator[None]:
        """Keep every other process from switching the model during the block.

        Raises:
            ArchiveLockedError: Another process is switching it.
        """
        connection = self._begin("SELECT 1")
        if not connection.execute(f"SELECT pg_try_advisory_lock({REEMBED_KEY})").fetchone()[0]:
            raise ArchiveLockedError(
                f"the record at {self.name} is being re-embedded by another process: "
                "try again when it has finished"
            )
        with self._unlocking(connection, REEMBED_KEY):
            yield

    @contextmanager
    def _unlocking(self, connection: PostgresConnection, key: str) -> Iterator[None]:
        """Release an advisory lock after the block."""
        self._local.depth = self._depth + 1
        try:
            yield
        finally:
            self._local.depth -= 1
            if connection.is_usable:
                connection.execute(f"SELECT pg_advisory_unlock({key})")

    @contextmanager
    def hold_vector_server(self, wait: float) -> Iterator[bool]:
        """Keep every other process from writing to the archive's vector server during the block.

        Args:
            wait: Seconds to wait for one that does.

        Yields:
            False if it still writes after that.
        """
        connection, until = self._begin("SELECT 1"), time.monotonic() + wait
        take = f"SELECT pg_try_advisory_lock({VECTORS_KEY})"
        while not connection.execute(take).fetchone()[0]:
            if time.monotonic() >= until:
                yield False
                return
            time.sleep(min(POLL, wait))
        self._local.depth = self._depth + 1
        try:
            yield True
        finally:
            self._local.depth -= 1
            if connection.is_usable:
                connection.execute(f"SELECT pg_advisory_unlock({VECTORS_KEY})")

    def head(self) -> int:
        """Return the position of the newest change of a row."""
        try:
            return position(self.connection.raw)
        except psycopg.Error as error:
            raise map_error(error, self.name, self.folder) from error

    def next_numbers(self, table: str, count: int) -> Sequence[int]:
        """Return the numbers for new rows of a table that never reuses one, ascending."""
        if not count:
            return ()
        rows = self.connection.execute(
            f"SELECT nextval(pg_get_serial_sequence('{table}', 'number')) "  # nosec B608 # names of our schema
            "FROM generate_series(1, ?)",
            (count,),
        )
        return sorted(number for (number,) in rows)

    def empty_table(self, table: str) -> None:
        """Delete all rows of a table."""
        self.connection.execute(f"TRUNCATE {table}")

    def replace_table(self, table: str, new: str) -> None:
        """Put the rows of `new` in the place of a table's, with new positions, and empty `new`.

        Followers hold a lock on the table while they read, so none sees it empty.
        """
        self.connection.execute(f"TRUNCATE {table}")
        self.connection.execute(f"INSERT INTO {table} SELECT number, vector FROM {new}")  # nosec B608 # names of our schema
        self.connection.execute(f"TRUNCATE {new}")

    def forget_deleted(self) -> None:
        """Do nothing: PostgreSQL keeps deleted rows until `compact`."""

    def compact(self) -> bool:
        """Rewrite the tables without deleted rows.

        The server's write-ahead log, its archive and its replicas keep their own copies.

        Returns:
            False if a reader kept a table from being rewritten.
        """
        raw = self.connection.raw
        try:
            raw.execute(f"SET lock_timeout = '{COMPACT_WAIT}s'")
            for table in REWRITTEN:
                raw.execute(f"VACUUM (FULL, ANALYZE) {table}")
        except psycopg.errors.LockNotAvailable:
            return False
        except psycopg.Error as error:
            raise map_error(error, self.name, self.folder) from error
        finally:
            with suppress(psycopg.Error):
                raw.execute(f"SET lock_timeout = '{LOCK_WAIT}s'")
        return True

    def find_damage(self) -> list[str]:
        """Return no problems: PostgreSQL checks its pages itself, where checksums are on."""
        try:
            self.connection.execute("SELECT 1")
        except RecordUnavailableError as error:
            return [describe(error)]
        return []

    @property
    def has_checksums(self) -> bool:
        """True if the server checks its pages as it reads them."""
        row = self.connection.execute("SELECT current_setting('data_checksums')").fetchone()
        return bool(row[0] == "on")

    def blind_tables(self) -> list[str]:
        """Return the tables whose changes followers miss, as their triggers are gone."""
        return tables_without_triggers(self.connection.raw)

    def repair_triggers(self) -> None:
        """Create the triggers again, and have every follower copy all of the record again."""
        with self.transaction():
            for table in self.blind_tables():
                install_triggers(self.connection.raw, table)
        self.renew()

    def renew(self) -> None:
        """Have every follower copy all of the record again."""
        with self.transaction():
            renew_record(self.connection.raw)

    def foreign_objects(self) -> list[tuple[str, str]]:
        """Return the triggers on the record's tables that Backfile didn't create."""
        found = foreign_triggers(self.connection.raw)
        return [("trigger", f"{name} on {table}") for table, name in found]

    def drop_foreign_objects(self, kinds: Sequence[str]) -> None:
        """Drop the triggers on the record's tables that Backfile didn't create."""
        if "trigger" in kinds:
            raw = self.connection.raw
            for table, name in foreign_triggers(raw):
                quoted = name.replace('"', '""')
                raw.execute(f'DROP TRIGGER "{quoted}" ON {table}'.encode())


__all__ = ["Connection", "PostgresDatabase", "server_of"]
