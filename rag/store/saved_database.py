"""Side database of what readers and editors keep: saved searches, dossiers and feeds."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rag.store.connection import connect_existing
from rag.store.database import Connection
from rag.store.file_permissions import OWNER
from rag.store.side_database import Place, SideDatabase, to_text
from rag.store.side_file import SideFile, prepare, transaction

FILE = "saved.sqlite3"
UNDO_DAYS = 30  # for so long a deletion can be undone; the first change after that purges it
DAMAGED = "move this file away, or replace it by that of a backup"

# Each entry upgrades the schema by one version; released entries never change.
MIGRATIONS = (
    """
    CREATE TABLE searches (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL,
        query TEXT NOT NULL, filters TEXT NOT NULL, mode TEXT NOT NULL, created TEXT NOT NULL,
        seen INTEGER NOT NULL, seen_change TEXT NOT NULL, looked TEXT NOT NULL,
        token TEXT NOT NULL, deleted TEXT
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX searches_name ON searches (owner, key) WHERE deleted IS NULL;
    CREATE TABLE dossiers (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL,
        created TEXT NOT NULL, deleted TEXT
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX dossiers_name ON dossiers (owner, key) WHERE deleted IS NULL;
    CREATE TABLE entries (
        id TEXT PRIMARY KEY, dossier_id TEXT NOT NULL, place INTEGER NOT NULL,
        article_id TEXT NOT NULL, revision INTEGER NOT NULL,
        start INTEGER NOT NULL, "end" INTEGER NOT NULL, quote TEXT NOT NULL,
        metadata TEXT NOT NULL, note TEXT NOT NULL, added TEXT NOT NULL, deleted TEXT
    ) WITHOUT ROWID;
    CREATE INDEX entries_dossier ON entries (dossier_id, place);
    CREATE INDEX entries_article ON entries (article_id);
    """,
    """
    CREATE TABLE feeds (
        id TEXT PRIMARY KEY, url TEXT NOT NULL, every INTEGER NOT NULL, paused INTEGER NOT NULL,
        created TEXT NOT NULL, creator TEXT NOT NULL, due TEXT, read TEXT, counts TEXT NOT NULL,
        error TEXT NOT NULL, failures INTEGER NOT NULL, deleted TEXT
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX feeds_url ON feeds (url) WHERE deleted IS NULL;
    CREATE INDEX feeds_due ON feeds (due);
    """,
)
NEWEST = len(MIGRATIONS)
_TABLES = ("searches", "dossiers", "entries", "feeds")


class SavedDatabase(SideDatabase):
    """The saved items of one archive; created by the first change."""

    def __init__(self, place: Place) -> None:
        """Name the database; nothing is opened.

        Args:
            place: Where the archive's side databases are; its folder for files there.
        """
        super().__init__(place, FILE, MIGRATIONS, DAMAGED)

    def copy_to(self, path: Path) -> None:
        """Write one consistent state to a file, without the tokens of feeds.

        A token is a secret that lets its holder read a feed, and backups are passed on.

        Args:
            path: The file to create.

        Raises:
            OSError: The file can't be written.
        """
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, OWNER))
        is_file = isinstance(self.form, SideFile)
        with closing(connect_existing(path)) as copy:
            if isinstance(self.form, SideFile):
                with self.form.connect() as source:
                    try:
                        source.backup(copy)
                    except Exception as error:  # sqlite3's errors: the disk is full
                        raise OSError(str(error)) from error
            prepare(copy, MIGRATIONS)
            with transaction(copy):
                if not is_file:
                    self.insert_into(copy)
                copy.execute("UPDATE searches SET token = ''")
            copy.execute("VACUUM")

    def _purge(self, connection: Connection) -> None:
        """Delete the rows whose deletion can't be undone any more."""
        before = to_text(datetime.now(UTC) - timedelta(days=UNDO_DAYS))
        for table in _TABLES:
            connection.execute(f"DELETE FROM {table} WHERE deleted < ?", (before,))  # nosec B608 # names of our schema, values bound
        connection.execute("DELETE FROM entries WHERE dossier_id NOT IN (SELECT id FROM dossiers)")
