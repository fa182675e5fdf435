"""Compare a folder's copy with the record, row by row, at one position.

Each side counts its rows and adds up a hash of each: the sum doesn't depend on their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from rag.store.postgres.copying import OWN_KEYS, REACHED, columns_of
from rag.store.postgres.database import PostgresDatabase
from rag.store.postgres.errors import map_error
from rag.store.postgres.schema import KEYS, position
from rag.store.sqlite_database import SqliteDatabase

BATCH = 2_000  # rows in memory
HEX_DIGITS = 15  # of each row's hash: 60 bits, so that it is a bigint
_NULL = "-"

Digest = tuple[int, int]  # rows, sum of their hashes


@dataclass(frozen=True, slots=True)
class Difference:
    """A table that differs: its rows in the record and in the copy."""

    table: str
    record: int
    copy: int


def compare_copy(
    record: PostgresDatabase, local: SqliteDatabase, on_begun: Callable[[], None]
) -> list[Difference] | None:
    """Return the tables of a copy that differ from the record's.

    Args:
        record: The record.
        local: The copy.
        on_begun: Called once both states are fixed, so that writers may go on.

    Returns:
        The differences; None if the copy isn't at the record's position, so that they can't be
        compared.

    Raises:
        RecordUnavailableError: The record can't be reached.
    """
    try:
        with record.snapshot(), local.snapshot():
            raw = record.connection.raw
            if local.meta(REACHED) != str(position(raw)):
                return None
            on_begun()
            return [found for table in KEYS if (found := _compare(raw, local, table))]
    except psycopg.Error as error:
        raise map_error(error, record.name, record.folder) from error


def _compare(raw: psycopg.Connection, local: SqliteDatabase, table: str) -> Difference | None:
    names = columns_of(local.connection, table)
    theirs, ours = digest_of_record(raw, table, names), digest_of_copy(local, table, names)
    return None if theirs == ours else Difference(table, theirs[0], ours[0])


def digest_of_record(raw: psycopg.Connection, table: str, names: list[str]) -> Digest:
    """Return the number of a table's rows in the record, and the sum of their hashes."""
    types: dict[str, str] = dict(
        raw.execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND table_name = %s",
            (table,),
        ).fetchall()
    )
    parts = [
        f"coalesce({name}::text, '{_NULL}')"
        if types[name.strip('"')] == "bigint"
        else f"coalesce(md5({name}), '{_NULL}')"
        for name in names
    ]
    row = raw.execute(
        f"SELECT count(*), coalesce(sum(('x' || left(md5(concat_ws(',', {', '.join(parts)})), "  # nosec B608 # names of our schema
        f"{HEX_DIGITS}))::bit({4 * HEX_DIGITS})::bigint), 0) FROM {table}"
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def digest_of_copy(local: SqliteDatabase, table: str, names: list[str]) -> Digest:
    """Return the number of a table's rows in a file, and the sum of their hashes."""
    count = total = 0
    rows = local.connection.execute(f"SELECT {', '.join(names)} FROM {table}")  # nosec B608 # names of our schema
    while chunk := rows.fetchmany(BATCH):
        for row in chunk:
            if table == "meta" and row[0] in OWN_KEYS:
                continue
            count += 1
            digest = _md5(",".join(map(_part, row)).encode())
            total += int(digest[:HEX_DIGITS], 16)
    return count, total


def _part(value: object) -> str:
    if value is None:
        return _NULL
    if isinstance(value, bytes):
        return _md5(value)
    return str(value) if isinstance(value, int) else _md5(str(value).encode())


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
