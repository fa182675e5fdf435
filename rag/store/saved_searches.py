"""Saved searches: words and filters under a name, and how far their owner has seen the results."""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from rag.errors import InvalidValueError
from rag.schema import Filters
from rag.store.database import Connection
from rag.store.saved_database import SavedDatabase
from rag.store.saved_items import SavedItemStore
from rag.store.saved_names import (
    check_free,
    clean_name,
    clean_text,
    is_id,
    name_key,
    new_id,
    now_text,
)

LONGEST_QUERY = 1_000  # characters, as of a question
TOKEN_BYTES = 32  # of randomness in the address of a feed
LONGEST_FILTERS = 100_000  # characters of JSON
_MODE = re.compile(r"[a-z][a-z_-]{0,31}")
_COLUMNS = "id, owner, name, query, filters, mode, created, seen, seen_change, looked, deleted"


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search kept under a name.

    Attributes:
        id: Its id, which a change of the name leaves as it is.
        owner: The user who keeps it; "local" without users.
        name: Its name.
        query: The words or the question; may be empty if there are filters.
        filters: The filters, without access rights: those are the reader's.
        mode: The kind of answer that it was asked for, such as "answer" or "timeline".
        created: The time at which it was saved.
        seen: The archive's sequence number up to which its owner has seen the results.
        seen_change: The time of that change, by which another history of the archive is noticed.
        looked: The time at which they were last looked at.
        deleted: The time of its deletion; None if it isn't deleted.
    """

    id: str
    owner: str
    name: str
    query: str
    filters: Filters
    mode: str
    created: datetime
    seen: int
    seen_change: str
    looked: datetime
    deleted: datetime | None = None


class SavedSearchStore(SavedItemStore[SavedSearch]):
    """Saved searches of one owner, in the archive's file of saved items."""

    table, columns = "searches", _COLUMNS
    noun, label = "search", "saved search"
    listed_by = "backfile saved"

    @staticmethod
    def to_item(row: Any) -> SavedSearch:
        """Return the search of a row."""
        return row_to_search(row)

    def add(
        self,
        name: str,
        query: str,
        filters: Filters,
        mode: str,
        *,
        seen: tuple[int, str],
    ) -> SavedSearch:
        """Save a search.

        Args:
            name: Its name.
            query: The words or the question.
            filters: The filters; their access rights aren't stored.
            mode: The kind of answer.
            seen: The sequence number and the time of the last change that has been seen.

        Raises:
            InvalidValueError: A value is too long or of the wrong form.
            SavedItemError: The name is taken.
        """
        name, query = clean_name(name), clean_text(query, "query", LONGEST_QUERY)
        if not is_mode(mode):
            raise InvalidValueError(f"mode is {mode!r}, not a word in lower case.")
        if not query and not filters:
            raise InvalidValueError("A saved search needs words or a filter. Give either.")
        stored = filters_to_json(filters)
        now, search_id = now_text(), new_id()
        with self._database.write() as connection:
            check_free(connection, "searches", self.owner, name)
            connection.execute(
                "INSERT INTO searches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (
                    *(search_id, self.owner, name, name_key(name), query, stored, mode, now),
                    *(*seen, now, ""),
                ),
            )
            return self._find(connection, search_id)

    def mark_seen(self, search_id: str, before: tuple[int, str], seen: tuple[int, str]) -> None:
        """Store how far the results have been seen, unless another process has stored it meanwhile.

        Args:
            search_id: The search's id.
            before: `seen` and `seen_change` as the caller read them.
            seen: The sequence number and the time of the last change that has been seen.
        """
        with self._database.write() as connection:
            connection.execute(
                "UPDATE searches SET seen = ?, seen_change = ?, looked = ? "
                "WHERE id = ? AND owner = ? AND seen = ? AND seen_change = ?",
                (*seen, now_text(), search_id, self.owner, *before),
            )

    def token(self, name: str, *, renew: bool = False) -> str:
        """Return the token of a search's feed, made at the first call.

        Args:
            name: The search's name or id.
            renew: Make another one; the feed's old address then leads nowhere.

        Raises:
            SavedItemError: There is no such search.
        """
        with self._database.read() as connection:
            search = self._find(connection, name)
            token = _token_of(connection, search.id)
        if token and not renew:
            return token
        with self._database.write() as connection:
            search = self._find(connection, name)
            if renew or not _token_of(connection, search.id):  # another process may have been first
                connection.execute(
                    "UPDATE searches SET token = ? WHERE id = ?",
                    (secrets.token_urlsafe(TOKEN_BYTES), search.id),
                )
            return _token_of(connection, search.id)


def find_by_token(database: SavedDatabase, search_id: str, token: str) -> SavedSearch | None:
    """Return the search, of any owner, whose feed has this id and token.

    Tokens are compared in constant time, and an unknown id takes the same path.

    Args:
        database: The file of saved items.
        search_id: The id in the feed's address.
        token: The token in the feed's address.

    Returns:
        The search; None if it doesn't exist, is deleted, has no feed, or the token is another one.
    """
    with database.read() as connection:
        row = None
        if is_id(search_id):
            row = connection.execute(
                f"SELECT token, {_COLUMNS} FROM searches WHERE id = ? AND deleted IS NULL",  # nosec B608 # names of our schema, values bound
                (search_id,),
            ).fetchone()
        expected = str(row[0]) if row else ""
        same = hmac.compare_digest(
            (expected or secrets.token_urlsafe(TOKEN_BYTES)).encode(),
            token.encode("utf-8", "replace"),
        )
        return row_to_search(row[1:]) if row and expected and same else None


def is_mode(mode: str) -> bool:
    """Return True if a text has the form of a mode: a word in lower case."""
    return bool(_MODE.fullmatch(mode))


def _token_of(connection: Connection, search_id: str) -> str:
    row = connection.execute("SELECT token FROM searches WHERE id = ?", (search_id,)).fetchone()
    return str(row[0]) if row else ""


def row_to_search(row: Any) -> SavedSearch:
    """Return the search of a row with the columns of the table, without key and token.

    Raises:
        ValueError: A value is not one that this module writes.
    """
    search_id, owner, name, query, filters, mode, created, seen, change, looked, deleted = row
    return SavedSearch(
        *(search_id, owner, name, query, filters_from_json(filters), mode),
        *(datetime.fromisoformat(created), seen, change, datetime.fromisoformat(looked)),
        datetime.fromisoformat(deleted) if deleted else None,
    )


def filters_to_json(filters: Filters) -> str:
    """Return filters as JSON, without access rights.

    Raises:
        InvalidValueError: They are too long.
    """
    given = {field.name: getattr(filters, field.name) for field in fields(Filters)}
    del given["access"]
    stored = json.dumps(
        {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in given.items()
            if value not in (None, ())
        }
    )
    if len(stored) > LONGEST_FILTERS:
        raise InvalidValueError(
            "The filters have too many names. Use fewer.", code="filters_too_long"
        )
    return stored


def filters_from_json(stored: str) -> Filters:
    """Return the filters that `filters_to_json` wrote; conditions of later versions are an error.

    Raises:
        ValueError: They can't be read.
    """
    given = json.loads(stored)
    known = {field.name for field in fields(Filters)} - {"access"}
    if not isinstance(given, Mapping) or not given.keys() <= known:
        raise ValueError(f"unknown filters: {stored[:60]}")
    values: dict[str, Any] = {
        name: datetime.fromisoformat(value) if name in ("after", "before") else tuple(value)
        for name, value in given.items()
    }
    return Filters(**values)
