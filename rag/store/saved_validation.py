"""Validation of a file of saved items whose origin is unknown, such as a backup's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rag.errors import RecordUnavailableError
from rag.store.database import Connection
from rag.store.database_validation import (
    InvalidStoreError,
    check_column_types,
    check_pages,
    check_schema,
)
from rag.store.dossiers import (
    LONGEST_NOTE,
    Dossier,
    DossierEntry,
    row_to_dossier,
    row_to_entry,
)
from rag.store.feeds import FEED_ROWS, LONGEST_ERROR, Feed, row_to_feed
from rag.store.saved_database import MIGRATIONS, SavedDatabase
from rag.store.saved_names import clean_name, is_id
from rag.store.saved_searches import LONGEST_QUERY, SavedSearch, is_mode, row_to_search
from rag.store.sqlite_database import Connection as SqliteConnection
from rag.store.sqlite_database import open_untrusted

_TIMES = ("created", "looked", "added", "due", "read", "deleted")

_Item = SavedSearch | Dossier | DossierEntry | Feed
_ROWS: tuple[tuple[str, Callable[[Any], _Item]], ...] = (
    (
        "SELECT id, owner, name, query, filters, mode, created, seen, seen_change, looked, deleted "
        "FROM searches",
        row_to_search,
    ),
    ("SELECT id, owner, name, created, deleted FROM dossiers", row_to_dossier),
    (
        'SELECT id, article_id, revision, start, "end", quote, metadata, note, added, deleted '
        "FROM entries",
        row_to_entry,
    ),
    (FEED_ROWS, row_to_feed),
)


def validate_saved(path: Path) -> None:
    """Check a file of saved items that no process has open: its schema, pages and values.

    Raises:
        InvalidStoreError: The file is not valid; the message gives the reason as a clause.
    """
    try:
        with open_untrusted(path) as connection:
            check_pages(connection)
            _check_schema(connection)
            _check_rows(connection)
    except InvalidStoreError:
        raise
    except Exception as error:  # SQLite and row conversion raise many types for invalid content
        line = " ".join(str(error).split())[:200]
        raise InvalidStoreError(f"its content cannot be read ({line})") from error


def find_saved_damage(database: SavedDatabase) -> str:
    """Return the reason why saved items can't be used; "" if they can.

    Other processes may use them meanwhile.

    Raises:
        RecordUnavailableError: They are in a record that can't be reached.
    """
    if not database.exists:
        return ""
    if damage := database.find_damage():
        return damage
    try:
        with database.read() as connection:
            if isinstance(connection, SqliteConnection):
                _check_schema(connection)
            _check_rows(connection)
    except RecordUnavailableError:
        raise
    except Exception as error:
        return " ".join(str(error).split())[:200]
    return ""


def _check_schema(connection: SqliteConnection) -> None:
    version = check_schema(connection, MIGRATIONS)
    check_column_types(connection, version, MIGRATIONS)


def _check_rows(connection: Connection) -> None:
    for query, convert in _ROWS:
        for row in connection.execute(query):
            _check_item(convert(row))


def _check_item(item: _Item) -> None:
    """Check what the package itself writes: lengths, forms and time zones."""
    times = [value for name in _TIMES if (value := getattr(item, name, None)) is not None]
    if any(time.utcoffset() is None for time in times):
        raise InvalidStoreError(f"a time of {item.id[:20]!r} has no time zone")
    if isinstance(item, DossierEntry):
        is_valid = 0 <= item.start < item.end and len(item.note) <= LONGEST_NOTE
    elif isinstance(item, Feed):
        is_valid = len(item.error) <= LONGEST_ERROR and item.failures >= 0
    else:
        is_valid = clean_name(item.name) == item.name
    if isinstance(item, SavedSearch):
        is_valid = is_valid and len(item.query) <= LONGEST_QUERY and is_mode(item.mode)
    if not is_valid or not is_id(item.id):
        raise InvalidStoreError(f"the item {item.id[:20]!r} is not one that Backfile writes")
