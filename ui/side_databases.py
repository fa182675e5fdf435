"""The side databases of an archive that move with it, to a shared record and back."""

from __future__ import annotations

from rag.store.ingest_jobs import IngestJobs
from rag.store.saved_database import SavedDatabase
from ui.accounts.sql_store import UserDatabase
from ui.api.cursor_secret import CursorSecrets

# Users come first: a record has them before it has articles.
SIDES = (UserDatabase, SavedDatabase, IngestJobs, CursorSecrets)
