"""Schema of a shared record: the archive's tables, and what followers read changes by.

Each row has a position, from one sequence, that grows with each of its changes; deleted rows leave
a tombstone with one. Both are written by triggers, and every statement that writes takes one lock
first, so positions grow in the order of commits: a follower that has read up to a position has
missed nothing before it.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from rag.errors import ArchiveDamagedError, SettingsError
from rag.store.database import RECORD_ID
from rag.store.migrations import MIGRATIONS, NEWEST
from rag.store.postgres.dialect import translate_schema

if TYPE_CHECKING:
    import psycopg

# Replicated tables and their keys. Names without a primary key are deleted with their revision.
KEYS: dict[str, tuple[str, ...]] = {
    "meta": ("key",),
    "changes": ("sequence",),
    "revisions": ("id",),
    "texts": ("revision_id",),
    "bylines": ("revision_id",),
    "passages": ("number",),
    "vectors": ("number",),
    "visits": ("url",),
    "rejects": ("place",),
    "runs": ("id",),
    "signatures": ("number",),
    "bands": ("key", "number"),
    "copies": ("article_id",),
    "withdrawals": ("article_id",),
    "notices": ("article_id", "notice_id"),
    "held": ("id",),
    "origins": ("article_id",),
    "names": ("number",),
    "mentions": ("revision_id",),
}
POSITION = "_position"  # the column; always the last of the first version's
# One lock for each schema of a database: two archives in one database don't wait for each other.
LOCK_KEY = "1112229702, hashtext(current_schema())"
REEMBED_KEY = "1112229703, hashtext(current_schema())"
VECTORS_KEY = "1112229704, hashtext(current_schema())"
_LOCK = f"PERFORM pg_advisory_xact_lock({LOCK_KEY});"

_COMMON = f"""
CREATE TABLE record_state (one integer PRIMARY KEY CHECK (one = 1), version integer NOT NULL);
INSERT INTO record_state VALUES (1, 0);
CREATE SEQUENCE record_position;
CREATE TABLE tombstones (
    table_name text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL,
    {POSITION} bigint NOT NULL, PRIMARY KEY (table_name, key)
);
CREATE INDEX ON tombstones ({POSITION});
CREATE FUNCTION record_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {_LOCK} RETURN NULL; END $$;
CREATE FUNCTION record_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.{POSITION} := nextval('record_position'); RETURN NEW; END $$;
"""  # nosec B608 # constants of this code


def server_problem(connection: psycopg.Connection) -> str:
    """Return the reason why a database can't have a record; "" if it can."""
    row = connection.execute("SHOW server_encoding").fetchone()
    if row is None or row[0] != "UTF8":
        return "its encoding isn't UTF8: create the database with ENCODING 'UTF8'"
    return ""


def version_of(connection: psycopg.Connection) -> int | None:
    """Return the version of the record's schema; None if the database has none."""
    row = connection.execute("SELECT to_regclass('record_state')").fetchone()
    if row is None or row[0] is None:
        return None
    found = connection.execute("SELECT version FROM record_state").fetchone()
    return int(found[0]) if found else None


def position(connection: psycopg.Connection) -> int:
    """Return the position of the record's newest change of a row."""
    parts = (f"SELECT max({POSITION}) AS p FROM {table}" for table in (*KEYS, "tombstones"))  # nosec B608 # names of our schema
    row = connection.execute(f"SELECT max(p) FROM ({' UNION ALL '.join(parts)}) heads").fetchone()  # nosec B608 # names of our schema
    return int(row[0] or 0) if row else 0


def refuse_newer(version: int, server: str) -> None:
    """Refuse a record that a newer version of Backfile upgraded.

    Raises:
        ArchiveDamagedError: The record is newer.
    """
    if version > NEWEST:
        raise ArchiveDamagedError(
            f"the record at {server} was upgraded by a newer Backfile (schema {version}): "
            "upgrade with `pip install --upgrade backfile`"
        )


def create_or_upgrade(connection: psycopg.Connection, server: str) -> None:
    """Create the schema, or upgrade it, in one transaction under the writers' lock.

    Args:
        connection: A connection outside a transaction.
        server: The record's server and database, for errors.

    Raises:
        ArchiveDamagedError: The record is newer than this version of Backfile.
        SettingsError: The database can't have a record.
    """
    if problem := server_problem(connection):
        raise SettingsError(f"the database {server} cannot have a record: {problem}")
    with connection.transaction():
        connection.execute(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
        version = version_of(connection)  # another process may have been faster
        if version is None:
            _refuse_foreign_tables(connection, server)
            connection.execute(_COMMON)
            version = 0
        refuse_newer(version, server)
        if version == NEWEST:
            return
        for step in MIGRATIONS[version:]:
            connection.execute(translate_schema(step))
        for table in KEYS:
            install_triggers(connection, table)
        connection.execute("UPDATE record_state SET version = %s", (NEWEST,))
        if not version:  # new
            renew_record(connection)


def _refuse_foreign_tables(connection: psycopg.Connection, server: str) -> None:
    names = ", ".join(f"'{name}'" for name in KEYS)
    row = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') "
        f"AND relnamespace = current_schema()::regnamespace AND relname IN ({names}) LIMIT 1"  # nosec B608 # names of our schema
    ).fetchone()
    if row is not None:
        raise SettingsError(
            f"the database {server} has a table {row[0]!r} that isn't a record's: "
            "create a database for the record alone"
        )


def install_triggers(connection: psycopg.Connection, table: str) -> None:
    """Add the position's column, its index and the triggers to a table that lacks them."""
    names = ", ".join(f"OLD.{name}" for name in KEYS[table])
    connection.execute(
        f"""
        ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {POSITION} bigint NOT NULL DEFAULT 0;
        CREATE INDEX IF NOT EXISTS {table}_position ON {table} ({POSITION});
        CREATE OR REPLACE FUNCTION record_bury_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO tombstones
            VALUES ('{table}', jsonb_build_array({names})::text, nextval('record_position'))
            ON CONFLICT (table_name, key) DO UPDATE SET {POSITION} = excluded.{POSITION};
            RETURN NULL;
        END $$;
        CREATE OR REPLACE TRIGGER record_lock BEFORE INSERT OR UPDATE OR DELETE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION record_lock();
        CREATE OR REPLACE TRIGGER record_stamp BEFORE INSERT OR UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION record_stamp();
        CREATE OR REPLACE TRIGGER record_bury AFTER DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION record_bury_{table}();
        ALTER TABLE {table} ENABLE TRIGGER USER;
        """  # nosec B608 # names of our schema
    )


def renew_record(connection: psycopg.Connection) -> None:
    """Give the record another id: every follower then copies all of it, and rebuilds its indexes.

    For changes that followers can't see, as those without triggers, or of a vector alone.
    """
    connection.execute(
        "INSERT INTO meta VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (RECORD_ID, secrets.token_hex(16)),
    )


TRIGGERS = ("record_lock", "record_stamp", "record_bury")
_TRIGGERS_OF = (
    "SELECT c.relname, t.tgname, t.tgenabled FROM pg_trigger t "
    "JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal "
    "AND c.relnamespace = current_schema()::regnamespace "
    "AND c.relname = ANY(%s) ORDER BY 1, 2"
)


def foreign_triggers(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """Return the tables and names of triggers that Backfile didn't create."""
    rows = connection.execute(_TRIGGERS_OF, ([*KEYS, "next_vectors", "tombstones"],)).fetchall()
    return [(table, name) for table, name, _ in rows if name not in TRIGGERS]


def tables_without_triggers(connection: psycopg.Connection) -> list[str]:
    """Return the tables whose changes followers would miss."""
    rows = connection.execute(_TRIGGERS_OF, (list(KEYS),)).fetchall()
    enabled = {(table, name) for table, name, state in rows if state in ("O", b"O", "A", b"A")}
    return [table for table in KEYS if any((table, one) not in enabled for one in TRIGGERS)]
