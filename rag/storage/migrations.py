"""The record's schema, and the way to it from every version that ever landed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ArchiveDamagedError

if TYPE_CHECKING:
    import sqlite3

# Each entry lifts the schema by one version; entries that have landed never change.
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
)


def migrate(connection: sqlite3.Connection, folder: Path, *, writable: bool) -> None:
    """Bring the schema up to date; each version's step is one transaction.

    Raises ArchiveDamagedError where a newer version wrote it, or it may not be written to.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise ArchiveDamagedError(
            f"the archive at {folder} was written by a newer Backfile (schema {version}): "
            "upgrade with `pip install --upgrade backfile`"
        )
    if version == len(MIGRATIONS):
        return
    if not writable:
        raise ArchiveDamagedError(
            f"the archive at {folder} is empty or of an older version (schema {version}): "
            "any `backfile ingest` brings it up to date"
        )
    for number in range(version, len(MIGRATIONS)):
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;"
        )
