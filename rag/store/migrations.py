"""Schema of the database, and the migrations from every released version."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ArchiveDamagedError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each entry upgrades the schema by one version; released entries never change.
MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE changes (
        sequence INTEGER PRIMARY KEY, at TEXT NOT NULL,
        action TEXT NOT NULL, articles INTEGER NOT NULL
    );
    CREATE TABLE revisions (
        id INTEGER PRIMARY KEY,
        article_id TEXT NOT NULL, revision INTEGER NOT NULL, fingerprint TEXT NOT NULL,
        title TEXT NOT NULL, publisher TEXT NOT NULL, url TEXT NOT NULL, authors TEXT NOT NULL,
        published TEXT, published_at INTEGER, updated TEXT,
        section TEXT NOT NULL, language TEXT NOT NULL, kind TEXT NOT NULL,
        since INTEGER NOT NULL, until INTEGER,
        UNIQUE (article_id, revision)
    );
    CREATE UNIQUE INDEX revisions_current ON revisions (article_id) WHERE until IS NULL;
    CREATE INDEX revisions_published ON revisions (published_at) WHERE until IS NULL;
    CREATE INDEX revisions_publisher ON revisions (publisher, published_at) WHERE until IS NULL;
    CREATE INDEX revisions_since ON revisions (since);
    CREATE INDEX revisions_until ON revisions (until);
    CREATE TABLE texts (revision_id INTEGER PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE bylines (revision_id INTEGER NOT NULL, author TEXT NOT NULL);
    CREATE INDEX bylines_author ON bylines (author, revision_id);
    CREATE INDEX bylines_revision ON bylines (revision_id);
    CREATE TABLE passages (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        revision_id INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
        digest BLOB NOT NULL
    );
    CREATE INDEX passages_revision ON passages (revision_id);
    CREATE TABLE vectors (number INTEGER PRIMARY KEY, vector BLOB NOT NULL);
    """,
    # IPTC fields and access rights; fetches, rejects and runs; near-duplicates; withdrawals;
    # corrections of one article by another.
    """
    ALTER TABLE revisions ADD COLUMN slugline TEXT NOT NULL DEFAULT '';
    ALTER TABLE revisions ADD COLUMN urgency INTEGER;
    ALTER TABLE revisions ADD COLUMN correction TEXT NOT NULL DEFAULT '';
    ALTER TABLE revisions ADD COLUMN access TEXT NOT NULL DEFAULT '';
    CREATE TABLE visits (
        url TEXT PRIMARY KEY, etag TEXT NOT NULL, last_modified TEXT NOT NULL,
        status INTEGER NOT NULL, at TEXT NOT NULL, article_id TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE rejects (
        place TEXT PRIMARY KEY, source TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY, began TEXT NOT NULL, ended TEXT, figures TEXT NOT NULL
    );
    CREATE TABLE signatures (
        number INTEGER PRIMARY KEY, article_id TEXT NOT NULL UNIQUE,
        text_hash BLOB NOT NULL, minhash BLOB NOT NULL
    );
    CREATE INDEX signatures_hash ON signatures (text_hash);
    CREATE TABLE bands (
        key INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (key, number)
    ) WITHOUT ROWID;
    CREATE TABLE copies (article_id TEXT PRIMARY KEY, story TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX copies_story ON copies (story);
    CREATE TABLE withdrawals (
        article_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, at TEXT NOT NULL,
        reason TEXT NOT NULL, erased INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE notices (
        article_id TEXT NOT NULL, notice_id TEXT NOT NULL, text TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (article_id, notice_id)
    ) WITHOUT ROWID;
    """,
    # With current revisions in it, SQLite preferred this index to all others: 700 ms instead of 4
    # for a hundred passages (docs/benchmarks.md).
    """
    DROP INDEX revisions_until;
    CREATE INDEX revisions_until ON revisions (until) WHERE until IS NOT NULL;
    """,
    # Vectors of another model while they are computed; the table later replaces `vectors`.
    """
    CREATE TABLE next_vectors (number INTEGER PRIMARY KEY, vector BLOB NOT NULL);
    """,
    # Changes held for the operator's decision, and the host each article was fetched from.
    """
    CREATE TABLE held (
        id TEXT PRIMARY KEY, place TEXT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL,
        at TEXT NOT NULL, action TEXT NOT NULL, article_id TEXT NOT NULL, origin TEXT NOT NULL,
        content TEXT NOT NULL
    );
    CREATE INDEX held_article ON held (article_id);
    CREATE TABLE origins (article_id TEXT PRIMARY KEY, host TEXT NOT NULL) WITHOUT ROWID;
    """,
    # Names of people, places and organisations, and which of them each revision has. `names` of a
    # revision is an array of their numbers: rows of pairs would take three times the space.
    """
    CREATE TABLE names (
        number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL,
        UNIQUE (kind, name)
    );
    CREATE TABLE mentions (
        revision_id INTEGER PRIMARY KEY, names BLOB NOT NULL, checksum INTEGER NOT NULL
    );
    """,
)


NEWEST = len(MIGRATIONS)


def version_of(connection: sqlite3.Connection, folder: Path) -> int:
    """Return the schema version of a database; 0 if it is empty.

    Raises:
        ArchiveDamagedError: A newer version of Backfile wrote it.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > NEWEST:
        raise ArchiveDamagedError(
            f"the archive at {folder} was written by a newer Backfile (schema {version}): "
            "upgrade with `pip install --upgrade backfile`"
        )
    return version


def migrate(
    connection: sqlite3.Connection, version: int, migrations: Sequence[str] = MIGRATIONS
) -> None:
    """Upgrade the schema from `version` in one transaction; a failure leaves it unchanged.

    Args:
        connection: A connection of the process that holds the write lock.
        version: The present version.
        migrations: All migrations.
    """
    steps = " ".join(migrations[version:])
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {len(migrations)}; COMMIT;"
        )
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


SchemaObject = tuple[str, str, str]  # type, name and normalised SQL

# Created by SQLite itself; optional.
_OWN = (
    ("table", "sqlite_stat1", "create table sqlite_stat1(tbl,idx,stat)"),
    ("table", "sqlite_stat4", "create table sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"),
)


@cache
def expected_schema(
    version: int, migrations: tuple[str, ...] = MIGRATIONS
) -> frozenset[SchemaObject]:
    """Return the tables and indexes that the migrations up to `version` create."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("".join(migrations[:version]))
        return frozenset(_objects(connection))


def foreign_objects(
    connection: sqlite3.Connection, version: int, migrations: tuple[str, ...] = MIGRATIONS
) -> list[SchemaObject]:
    """Return the schema objects that no migration up to `version` creates.

    A known name with other SQL counts as foreign too.
    """
    allowed = expected_schema(version, migrations) | set(_OWN)
    return sorted(one for one in _objects(connection) if one not in allowed)


def drop_foreign_objects(
    connection: sqlite3.Connection, kinds: Sequence[str] = ("trigger", "view", "index", "table")
) -> None:
    """Drop schema objects that no migration creates, but none of a known name.

    Args:
        connection: The database.
        kinds: Types of objects to drop, in order.
    """
    ours = {name for _, name, _ in expected_schema(NEWEST)}
    for wanted in kinds:
        for kind, name, _ in foreign_objects(connection, NEWEST):
            if kind == wanted and name not in ours:
                quoted = name.replace('"', '""')
                connection.execute(f'DROP {kind} IF EXISTS "{quoted}"')


def missing_objects(
    connection: sqlite3.Connection, version: int, migrations: tuple[str, ...] = MIGRATIONS
) -> list[SchemaObject]:
    """Return the tables and indexes that a database of `version` lacks."""
    return sorted(expected_schema(version, migrations).difference(_objects(connection)))


def _objects(connection: sqlite3.Connection) -> list[SchemaObject]:
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    return [(str(kind), str(name), _normalize_sql(str(sql or ""))) for kind, name, sql in rows]


def _normalize_sql(sql: str) -> str:
    """Normalise SQL: SQLite's versions, and renamed tables, differ in quotes and spaces."""
    spaced = re.sub(r'["`\[\]]', "", " ".join(sql.split())).lower()
    return re.sub(r" ?([(),]) ?", r"\1", spaced)
