"""Load an archive's file into an empty record, with all of its numbers.

Everything is copied and compared in one transaction: a record has all of it or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg

from rag.errors import InvalidValueError, SettingsError
from rag.store.database import LONGEST_KEY, RECORD_ID
from rag.store.postgres.comparison import digest_of_copy, digest_of_record
from rag.store.postgres.copying import AS_OF, REACHED, columns_of
from rag.store.postgres.database import PostgresDatabase
from rag.store.postgres.errors import map_error
from rag.store.postgres.schema import KEYS, position
from rag.store.sqlite_database import SqliteDatabase
from rag.store.staged_vectors import TABLE

BATCH = 500  # rows in memory
COPIED = (*KEYS, TABLE)


def load_record(
    record: PostgresDatabase, local: SqliteDatabase, before_commit: Callable[[], None]
) -> None:
    """Copy an archive into an empty record, and make its file a copy of the record.

    A record that has the same rows already, as after a kill, is taken for the copy.

    Args:
        record: The record.
        local: The archive's file, writable; the caller holds its write lock.
        before_commit: Called once the record has all rows, before others see them.

    Raises:
        SettingsError: The record has other articles.
        InvalidValueError: A value can't be stored there; nothing has been copied.
        RecordUnavailableError: The record can't be reached.
    """
    _check_ids(local)
    try:
        with record.transaction(), local.snapshot():
            raw = record.connection.raw
            if not record.sequence():
                for table in COPIED:
                    _load(raw, local, table)
                _continue_numbers(raw, local)
            if different := [table for table in KEYS if _differs(raw, local, table)]:
                raise SettingsError(
                    f"the record at {record.name} isn't empty, or differs from the archive "
                    f"({', '.join(different)}): create an empty database for it"
                )
            reached, record_id = position(raw), record.meta(RECORD_ID)
            before_commit()
    except psycopg.Error as error:
        raise map_error(error, record.name, record.folder) from error
    with local.transaction():
        local.set_meta(RECORD_ID, record_id)
        local.set_meta(REACHED, str(reached))
        local.set_meta(AS_OF, datetime.now(UTC).isoformat())


def _check_ids(local: SqliteDatabase) -> None:
    row = local.connection.execute(
        "SELECT article_id FROM revisions WHERE length(CAST(article_id AS BLOB)) > ? LIMIT 1",
        (LONGEST_KEY,),
    ).fetchone()
    if row:
        raise InvalidValueError(
            f"the id {row[0][:50]!r}... has more than {LONGEST_KEY:,} bytes, the most that a "
            "shared record allows: erase that article, and ingest it with a shorter id"
        )


def _load(raw: psycopg.Connection, local: SqliteDatabase, table: str) -> None:
    names = columns_of(local.connection, table)
    columns = ", ".join(names)
    rows = local.connection.execute(f"SELECT {columns} FROM {table}")  # nosec B608 # names of our schema
    if table == "meta":
        raw.execute("DELETE FROM meta WHERE key <> %s", (RECORD_ID,))
    with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        while chunk := rows.fetchmany(BATCH):
            for row in chunk:
                if any(isinstance(value, str) and "\0" in value for value in row):
                    raise InvalidValueError(
                        f"the row {json.dumps(row[0])} of {table} has U+0000, which PostgreSQL "
                        "can't store: erase that article, and ingest it again afterwards"
                    )
                copy.write_row(row)


def _continue_numbers(raw: psycopg.Connection, local: SqliteDatabase) -> None:
    """Let new rows take the numbers after the last ones, those of erased rows included."""
    given = dict(local.connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    columns = raw.execute(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND is_identity = 'YES' AND table_name = ANY(%s)",
        (list(COPIED),),
    ).fetchall()
    for table, column in columns:
        raw.execute(
            f"SELECT setval(pg_get_serial_sequence(%s, %s), "  # nosec B608 # names of our schema
            f"greatest(1, %s, (SELECT max({column}) FROM {table})), "
            f"%s > 0 OR EXISTS (SELECT 1 FROM {table}))",
            (table, column, given.get(table, 0), given.get(table, 0)),
        )


def _differs(raw: psycopg.Connection, local: SqliteDatabase, table: str) -> bool:
    if table == "meta":  # the record has an id of its own
        return False
    names = columns_of(local.connection, table)
    return digest_of_record(raw, table, names) != digest_of_copy(local, table, names)
