"""Database: a connection for each thread, as long as the thread lives."""

from __future__ import annotations

import threading
from pathlib import Path

from rag.store.sqlite_database import SqliteDatabase


def test_connections_of_ended_threads_are_closed(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path, create=True, writable=True)
    for _ in range(20):
        thread = threading.Thread(target=lambda: database.connection.execute("SELECT 1"))
        thread.start()
        thread.join()
    assert len(database._connections) <= 2
    database.close()
