"""Opens the vector index that the settings name: on a server, or none, which means in files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.index.chroma_client import ChromaClient
from rag.index.chroma_server import Quotas
from rag.index.index_lock import FolderIndexLock
from rag.index.record_state import LazyRecord, RecordIndexLock, RecordStateStore
from rag.index.server_address import ServerAddress
from rag.index.shared_index import SharedIndex
from rag.settings import Settings
from rag.store.articles import ArticleStore

if TYPE_CHECKING:
    from rag.store.postgres.database import PostgresDatabase


def open_shared_index(settings: Settings, store: ArticleStore) -> SharedIndex | None:
    """Return the shared index of an archive; None unless the settings name a server.

    It connects when it is first used.

    Args:
        settings: The settings.
        store: The archive's store; of a shared record, the one over the folder's copy.

    Raises:
        SettingsError: The server's address isn't one.
    """
    if not settings.chroma:
        return None
    address = ServerAddress(
        settings.chroma,
        settings.chroma_token,
        settings.chroma_tenant,
        settings.chroma_database,
        settings.chroma_seconds,
    )
    quotas = Quotas(settings.chroma_results, settings.chroma_batch, settings.chroma_records)
    client, folder = ChromaClient(address), store.database.folder
    if not settings.record:
        return SharedIndex(store, client, FolderIndexLock(folder), quotas)

    def connect() -> PostgresDatabase:
        from rag.store.postgres.database import PostgresDatabase  # psycopg: 0.1 s

        return PostgresDatabase(settings.record, folder)

    record = LazyRecord(connect)
    states = RecordStateStore(store.database, record)
    return SharedIndex(store, client, RecordIndexLock(record), quotas, states)
