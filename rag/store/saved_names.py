"""Ids and names of what readers keep; a name is unique among an owner's, regardless of case."""

from __future__ import annotations

import re
import secrets
import unicodedata
from datetime import UTC, datetime
from typing import Any

from rag.errors import InvalidValueError, SavedItemError
from rag.sanitize import single_line
from rag.store.database import Connection
from rag.store.side_database import to_text
from rag.validation import validate_text

LOCAL = "local"  # the owner of everything while there are no users
LONGEST_NAME = 200  # characters
MOST = 1_000  # searches or dossiers of an owner, so that nobody fills the disk

_ID = re.compile(r"[0-9a-f]{16}")


def new_id() -> str:
    """Return an id that no other item has."""
    return secrets.token_hex(8)


def is_id(text: str) -> bool:
    """Return True if a text has the form of an id."""
    return bool(_ID.fullmatch(text))


def now_text() -> str:
    """Return the present time as it is stored."""
    return to_text(datetime.now(UTC))


def clean_name(name: str) -> str:
    """Return a name on one line.

    Raises:
        InvalidValueError: It is blank, too long, or not a string.
    """
    shown = single_line(validate_text(name, "name"))
    if not shown or len(shown) > LONGEST_NAME:
        raise InvalidValueError(
            f"The name has {len(shown):,} characters. Give it 1 to {LONGEST_NAME} characters.",
            code="name_length",
            given=len(shown),
            most=LONGEST_NAME,
        )
    return shown


def clean_text(text: str, name: str, most: int) -> str:
    """Return a reader's text without characters that can't be stored.

    Args:
        text: The text.
        name: Its name in the error message.
        most: The most characters.

    Raises:
        InvalidValueError: It is too long, or not a string.
    """
    given = validate_text(text, name).encode("utf-8", "ignore").decode()  # no lone surrogates
    kept = given.replace("\0", "").strip()
    if len(kept) > most:
        raise InvalidValueError(
            f"The {name} has {len(kept):,} characters: use at most {most:,}.",
            code="text_too_long",
            given=len(kept),
            most=most,
        )
    return kept


def name_key(name: str) -> str:
    """Return the form of a name by which names are compared."""
    return unicodedata.normalize("NFKC", name).casefold()


def find_row(connection: Connection, table: str, columns: str, owner: str, name: str) -> Any:
    """Return the row of an owner's item by id or name, the id first; None if there isn't one."""
    name = single_line(name)
    return connection.execute(
        f"SELECT {columns} FROM {table} WHERE owner = ? AND deleted IS NULL "  # nosec B608 # names of our schema, values bound
        "AND (id = ? OR key = ?) ORDER BY id = ? DESC LIMIT 1",
        (owner, name, name_key(name), name),
    ).fetchone()


def check_free(connection: Connection, table: str, owner: str, name: str) -> None:
    """Check that an owner may have another item, of this name.

    Raises:
        SavedItemError: Another item has the name, or there are too many.
    """
    if is_taken(connection, table, owner, name):
        raise SavedItemError(
            f"There is already one named {name!r}. Choose another name.",
            code="name_taken",
            name=name,
        )
    (count,) = connection.execute(
        f"SELECT count(*) FROM {table} WHERE owner = ? AND deleted IS NULL",  # nosec B608 # names of our schema, values bound
        (owner,),
    ).fetchone()
    if count >= MOST:
        raise SavedItemError(
            f"There are {count:,} of them, the most possible. Delete some first.",
            code="too_many_saved",
            most=count,
        )


def is_taken(connection: Connection, table: str, owner: str, name: str) -> bool:
    """Return True if an item that isn't deleted has this name."""
    row = connection.execute(
        f"SELECT 1 FROM {table} WHERE owner = ? AND key = ? AND deleted IS NULL",  # nosec B608 # names of our schema, values bound
        (owner, name_key(name)),
    ).fetchone()
    return row is not None


def free_name(connection: Connection, table: str, owner: str, name: str) -> str:
    """Return the name, with a number after it if it is taken."""
    number, free = 1, name
    while is_taken(connection, table, owner, free):
        number += 1
        end = f" ({number})"
        free = name[: LONGEST_NAME - len(end)] + end
    return free
