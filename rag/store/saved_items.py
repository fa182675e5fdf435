"""Items that a reader keeps under a name: listed, renamed, deleted and brought back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from rag.errors import SavedItemError
from rag.store.database import Connection
from rag.store.saved_database import SavedDatabase
from rag.store.saved_names import (
    LOCAL,
    check_free,
    clean_name,
    find_row,
    free_name,
    name_key,
    now_text,
)


class Named(Protocol):
    """An item with an id and a name."""

    @property
    def id(self) -> str:
        """Its id, which a change of the name leaves as it is."""

    @property
    def name(self) -> str:
        """Its name."""


Item = TypeVar("Item", bound=Named)


class SavedItemStore(ABC, Generic[Item]):
    """Items of one kind and one owner, in the archive's file of saved items.

    Attributes:
        owner: The user who keeps them.
    """

    table: ClassVar[str]
    columns: ClassVar[str]
    noun: ClassVar[str]  # of the kind, in messages
    label: ClassVar[str]  # of a single item that is asked for, in messages
    listed_by: ClassVar[str]  # the command that lists them

    def __init__(self, database: SavedDatabase, owner: str = LOCAL) -> None:
        """Read and write the items of an owner."""
        self._database = database
        self.owner = owner

    @staticmethod
    @abstractmethod
    def to_item(row: Any) -> Item:
        """Return the item of a row with `columns`."""

    def all(self, *, deleted: bool = False) -> tuple[Item, ...]:
        """Return the items, oldest first; or the deleted ones, last deleted first."""
        which = "NOT NULL ORDER BY deleted DESC" if deleted else "NULL ORDER BY created"
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT {self.columns} FROM {self.table} "  # nosec B608 # conditions of this code, values bound
                f"WHERE owner = ? AND deleted IS {which}, id",
                (self.owner,),
            ).fetchall()
        return tuple(map(self.to_item, rows))

    def get(self, name: str) -> Item:
        """Return the item of this name or id.

        Raises:
            SavedItemError: It doesn't exist.
        """
        with self._database.read() as connection:
            return self._find(connection, name)

    def rename(self, name: str, new_name: str) -> Item:
        """Give an item another name.

        Raises:
            InvalidValueError: The name is blank or too long.
            SavedItemError: There is no such item, or the name is taken.
        """
        new_name = clean_name(new_name)
        with self._database.write() as connection:
            item = self._find(connection, name)
            if name_key(new_name) != name_key(item.name):
                check_free(connection, self.table, self.owner, new_name)
            connection.execute(
                f"UPDATE {self.table} SET name = ?, key = ? WHERE id = ?",  # nosec B608 # names of our schema, values bound
                (new_name, name_key(new_name), item.id),
            )
            return self._find(connection, item.id)

    def delete(self, name: str) -> Item:
        """Delete an item with what it holds; `restore` undoes it for UNDO_DAYS.

        Raises:
            SavedItemError: There is no such item.
        """
        with self._database.write() as connection:
            item = self._find(connection, name)
            connection.execute(
                f"UPDATE {self.table} SET deleted = ? WHERE id = ?",  # nosec B608 # names of our schema, values bound
                (now_text(), item.id),
            )
        return item

    def restore(self, item_id: str) -> Item:
        """Undo a deletion; if the name has been taken since, a number follows it.

        Raises:
            SavedItemError: There is no such deleted item.
        """
        with self._database.write() as connection:
            row = connection.execute(
                f"SELECT name FROM {self.table} WHERE id = ? AND owner = ? AND deleted IS NOT NULL",  # nosec B608 # names of our schema, values bound
                (item_id, self.owner),
            ).fetchone()
            if row is None:
                raise SavedItemError(
                    f"No deleted {self.noun} {item_id!r}: its time to undo is over.",
                    code="undo_over",
                )
            name = free_name(connection, self.table, self.owner, row[0])
            connection.execute(
                f"UPDATE {self.table} SET deleted = NULL, name = ?, key = ? WHERE id = ?",  # nosec B608 # names of our schema, values bound
                (name, name_key(name), item_id),
            )
            return self._find(connection, item_id)

    def _find(self, connection: Connection, name: str) -> Item:
        row = find_row(connection, self.table, self.columns, self.owner, name)
        if row is None:
            raise SavedItemError(f"No {self.label} {name!r}: `{self.listed_by}` lists them.")
        return self.to_item(row)
