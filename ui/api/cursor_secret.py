"""The secret that signs cursors, which all servers of an archive share and a restart keeps."""

from __future__ import annotations

import logging
import secrets

from rag.store.database import Connection
from rag.store.side_database import Place, SideDatabase

LOG = logging.getLogger("backfile.api")
FILE = "cursors.sqlite3"  # in the archive's folder; in no backup and no export
DAMAGED = "move this file away: cursors of lists end"
BYTES = 32
MIGRATIONS = (
    "CREATE TABLE secret (id INTEGER PRIMARY KEY CHECK (id = 1), "
    f"value BLOB NOT NULL CHECK (typeof(value) = 'blob' AND length(value) = {BYTES}))",
)


class CursorSecrets(SideDatabase):
    """The secret of one archive; created by the first server."""

    def __init__(self, place: Place) -> None:
        """Name the database; nothing is opened.

        Args:
            place: Where the archive's side databases are; its folder for files there.
        """
        super().__init__(place, FILE, MIGRATIONS, DAMAGED)


def open_secret(place: Place) -> bytes:
    """Return the secret of an archive, which the first server makes.

    If it can't be written or read, it is a new one: cursors end with this server then.

    Args:
        place: Where the archive's side databases are; its folder for files there.
    """
    database = CursorSecrets(place)
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


def _select(connection: Connection) -> bytes:
    row = connection.execute("SELECT value FROM secret").fetchone()
    return bytes(row[0]) if row else b""
