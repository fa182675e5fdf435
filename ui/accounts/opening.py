"""Open the accounts that the settings describe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rag.store import rate_windows
from ui.accounts import audit, sqlite_store
from ui.accounts.accounts import Accounts
from ui.accounts.sqlite_store import SqliteAccounts

if TYPE_CHECKING:
    from rag.settings import Settings

# Names of files that a folder without an archive may have already.
FILES = (sqlite_store.FILE, rate_windows.FILE, audit.FILE, "audit.")


def open_accounts(settings: Settings) -> Accounts:
    """Return the accounts of an archive; nothing is read yet."""
    return Accounts(SqliteAccounts(settings.archive))


def is_accounts_file(path: Path) -> bool:
    """Return whether a file of a folder belongs to the accounts, and not to the archive."""
    return path.name.startswith(FILES)
