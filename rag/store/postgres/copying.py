"""Copying a record's changes into a local SQLite file of the same schema.

A follower remembers the position that it has reached. It reads every row beyond it from one state
of the record, and applies them in one local transaction, so that a killed follower starts again
where it was. No table needs code of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from rag.errors import ArchiveDamagedError
from rag.store.database import COPY_AS_OF, COPY_ERASING, COPY_MARK, RECORD_ID
from rag.store.migrations import NEWEST
from rag.store.postgres.database import PostgresDatabase
from rag.store.postgres.errors import map_error
from rag.store.postgres.schema import (
    KEYS,
    POSITION,
    position,
    refuse_newer,
    version_of,
)
from rag.store.sqlite_database import Connection, SqliteDatabase
from rag.store.staged_vectors import GENERATION

# Keys of the local `meta` that aren't the record's.
REACHED, AS_OF, ERASING = COPY_MARK, COPY_AS_OF, COPY_ERASING
OWN_KEYS = (REACHED, AS_OF, ERASING)
BATCH = 500  # rows in memory: texts of 10 MB are rare
UNKEYED = ("bylines",)  # rows without a primary key: replaced by those of the same key

OnErasure = Callable[[Sequence[int]], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """The result of copying changes.

    Attributes:
        rows: Rows that were written or deleted.
        is_full: True if everything was copied, as for a new follower or another record.
        erased: True if texts were deleted, so that files have to be rewritten without them.
    """

    rows: int = 0
    is_full: bool = False
    erased: bool = False


def is_follower(local: SqliteDatabase) -> bool:
    """Return True if a file is the copy of a record, which no process may change otherwise."""
    return bool(local.meta(REACHED))


def copy_changes(record: PostgresDatabase, local: SqliteDatabase, on_erasure: OnErasure) -> Copied:
    """Bring a local copy up to date.

    Args:
        record: The record.
        local: The local file, writable; the caller holds its write lock.
        on_erasure: Called with the row ids of the revisions whose texts are about to be deleted.

    Returns:
        What was done.

    Raises:
        ArchiveDamagedError: The record is of another version of Backfile.
        RecordUnavailableError: The record can't be reached; the copy is as it was.
    """
    try:
        with _one_state(record) as raw:
            head = position(raw)
            reached = int(local.meta(REACHED) or -1)
            full = not _follows(raw, local, reached, head)
            if reached == head and not full:
                return Copied()
            return _apply(raw, local, -1 if full else reached, head, on_erasure)
    except psycopg.Error as error:
        raise map_error(error, record.name, record.folder) from error


@contextmanager
def _one_state(record: PostgresDatabase) -> Iterator[psycopg.Connection]:
    """Yield a connection that sees one state of the record.

    The lock comes before the state is fixed: a switch of models truncates the table of vectors,
    which older states would see as well.
    """
    with record.snapshot():
        raw = record.connection.raw
        raw.execute("LOCK TABLE vectors IN ACCESS SHARE MODE")
        version = version_of(raw) or 0
        refuse_newer(version, record.name)
        if version < NEWEST:
            raise ArchiveDamagedError(
                f"the record at {record.name} is of an older version (schema {version}): "
                "restart this process, which upgrades it"
            )
        yield raw


def _follows(raw: psycopg.Connection, local: SqliteDatabase, reached: int, head: int) -> bool:
    """Return False if the copy is of another record, or of a later state of a restored one."""
    row = raw.execute("SELECT value FROM meta WHERE key = %s", (RECORD_ID,)).fetchone()
    if row is None or local.meta(RECORD_ID) != row[0] or not 0 <= reached <= head:
        return False
    newest = raw.execute(
        "SELECT at FROM changes WHERE sequence = %s", (local.sequence(),)
    ).fetchone()
    return (str(newest[0]) if newest else "") == local.changed_at()


def _apply(
    raw: psycopg.Connection, local: SqliteDatabase, reached: int, head: int, on_erasure: OnErasure
) -> Copied:
    buried = raw.execute(
        f"SELECT table_name, key FROM tombstones WHERE {POSITION} > %s",  # nosec B608 # names of our schema
        (reached,),
    ).fetchall()
    erased = [json.loads(key)[0] for table, key in buried if table == "texts"]
    full = reached < 0
    if erased and not full:
        on_erasure(erased)
    local.forget_deleted()
    written = 0
    with local.transaction():
        if full:
            _clear(local)
        elif _switches_model(raw, local):
            local.connection.execute("DELETE FROM vectors")
        for table in () if full else KEYS:
            _delete(local, table, [json.loads(key) for name, key in buried if name == table])
        for table in KEYS:
            written += _copy_table(raw, local, table, reached)
        local.set_meta(REACHED, str(head))
        local.set_meta(AS_OF, datetime.now(UTC).isoformat())
        if erased or full:
            local.set_meta(ERASING, "1")
    return Copied(written + len(buried), is_full=full, erased=bool(erased) or full)


def _switches_model(raw: psycopg.Connection, local: SqliteDatabase) -> bool:
    row = raw.execute("SELECT value FROM meta WHERE key = %s", (GENERATION,)).fetchone()
    return (row[0] if row else "") != local.meta(GENERATION)


def _clear(local: SqliteDatabase) -> None:
    for table in KEYS:
        local.connection.execute(f"DELETE FROM {table}")  # nosec B608 # names of our schema


def _delete(local: SqliteDatabase, table: str, keys: Sequence[Sequence[object]]) -> None:
    where = " AND ".join(f'"{name}" = ?' for name in KEYS[table])
    local.connection.executemany(f"DELETE FROM {table} WHERE {where}", keys)  # nosec B608 # names of our schema


def columns_of(connection: Connection, table: str) -> list[str]:
    """Return the quoted names of a table's columns."""
    return [f'"{row[1]}"' for row in connection.execute(f'PRAGMA table_info("{table}")')]


def _copy_table(raw: psycopg.Connection, local: SqliteDatabase, table: str, reached: int) -> int:
    """Write the rows beyond a position; a row that is in their way is an older state of one."""
    names = columns_of(local.connection, table)
    insert = (
        f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) "  # nosec B608 # names of our schema
        f"VALUES ({', '.join('?' * len(names))})"
    )
    count = 0
    if table in UNKEYED and reached >= 0:
        _delete_changed(raw, local, table, reached)
    with raw.cursor(name=f"copy_{table}", binary=True) as cursor:
        cursor.execute(
            f"SELECT {', '.join(names)} FROM {table} WHERE {POSITION} > %s",  # nosec B608 # names of our schema
            (reached,),
        )
        while rows := cursor.fetchmany(BATCH):
            local.connection.executemany(insert, rows)
            count += len(rows)
    return count


def _delete_changed(
    raw: psycopg.Connection, local: SqliteDatabase, table: str, reached: int
) -> None:
    keys = raw.execute(
        f"SELECT DISTINCT {', '.join(KEYS[table])} FROM {table} WHERE {POSITION} > %s",  # nosec B608 # names of our schema
        (reached,),
    )
    _delete(local, table, keys.fetchall())
