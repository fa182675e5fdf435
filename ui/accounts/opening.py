"""Open the accounts that the settings describe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rag.store import rate_windows
from ui.accounts import audit, sql_store
from ui.accounts.accounts import Accounts
from ui.accounts.sql_store import SqlAccounts

if TYPE_CHECKING:
    from rag.settings import Settings

# Names of files that a folder without an archive may have already.
FILES = (sql_store.FILE, rate_windows.FILE, audit.FILE, "audit.")
KEEP_SECONDS = 1.0  # a record is asked once in so long whether there are users


def open_accounts(settings: Settings) -> Accounts:
    """Return the accounts of an archive; nothing is read yet."""
    from rag.archive.side_home import home_of

    return Accounts(SqlAccounts(home_of(settings)), KEEP_SECONDS if settings.record else 0.0)


def is_accounts_file(path: Path) -> bool:
    """Return whether a file of a folder belongs to the accounts, and not to the archive."""
    return path.name.startswith(FILES)
