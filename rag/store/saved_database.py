"""SQLite file of what readers and editors keep: saved searches, dossiers and feeds.

It is a file of its own, beside the archive's: it is written to while another process ingests.
"""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rag.store.connection import StoreConnection, connect_existing
from rag.store.file_permissions import OWNER
from rag.store.side_database import SideDatabase, to_text, transaction

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
    """The file of saved items of one archive; created by the first change."""

    def __init__(self, folder: Path) -> None:
        """Name the file; nothing is opened.

        Args:
            folder: The archive's folder.
        """
        super().__init__(folder / FILE, MIGRATIONS, DAMAGED)

    def copy_to(self, path: Path) -> None:
        """Write one consistent state to another file, without the tokens of feeds.

        A token is a secret that lets its holder read a feed, and backups are passed on.

        Args:
            path: The file to create.

        Raises:
            OSError: The file can't be written.
        """
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, OWNER))
        with self._connect() as source, closing(connect_existing(path)) as copy:
            try:
                source.backup(copy)
            except Exception as error:  # sqlite3's errors: the disk is full
                raise OSError(str(error)) from error
            self._prepare(copy)
            with transaction(copy):
                copy.execute("UPDATE searches SET token = ''")
            copy.execute("VACUUM")

    def _purge(self, connection: StoreConnection) -> None:
        """Delete the rows whose deletion can't be undone any more."""
        before = to_text(datetime.now(UTC) - timedelta(days=UNDO_DAYS))
        for table in _TABLES:
            connection.execute(f"DELETE FROM {table} WHERE deleted < ?", (before,))  # nosec B608 # names of our schema, values bound
        connection.execute("DELETE FROM entries WHERE dossier_id NOT IN (SELECT id FROM dossiers)")
