"""The secret that signs cursors, which all servers of an archive share and a restart keeps."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

from rag.store.connection import StoreConnection
from rag.store.side_database import SideDatabase

LOG = logging.getLogger("backfile.api")
FILE = "cursors.sqlite3"  # in the archive's folder; in no backup and no export
DAMAGED = "move this file away: cursors of lists end"
BYTES = 32
MIGRATIONS = (
    "CREATE TABLE secret (id INTEGER PRIMARY KEY CHECK (id = 1), "
    f"value BLOB NOT NULL CHECK (typeof(value) = 'blob' AND length(value) = {BYTES}))",
)


def open_secret(folder: Path) -> bytes:
    """Return the secret of an archive, which the first server makes.

    If the file can't be written or read, it is a new one: cursors end with this server then.

    Args:
        folder: The archive's folder.
    """
    database = SideDatabase(folder / FILE, MIGRATIONS, DAMAGED)
    try:
        return _known(database) or _make(database)
    except Exception as error:  # a damaged file may raise anything; the server works without it
        LOG.warning("cursors end with this server", extra={"figures": {"error": str(error)}})
        return secrets.token_bytes(BYTES)


def _known(database: SideDatabase) -> bytes:
    if not database.exists:
        return b""
    with database.read() as connection:
        return _select(connection)


def _make(database: SideDatabase) -> bytes:
    with database.write() as connection:  # of two servers, the second gets the first one's
        if not (found := _select(connection)):
            found = secrets.token_bytes(BYTES)
            connection.execute("INSERT INTO secret VALUES (1, ?)", (found,))
        return found


def _select(connection: StoreConnection) -> bytes:
    row = connection.execute("SELECT value FROM secret").fetchone()
    return bytes(row[0]) if row else b""
