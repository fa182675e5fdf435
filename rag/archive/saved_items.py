"""Saved searches and dossiers alike: items that are listed, renamed, deleted and brought back."""

from __future__ import annotations

from typing import Generic

from rag.store.saved_items import Item, SavedItemStore


class SavedItems(Generic[Item]):
    """Items that one owner keeps under names."""

    _store: SavedItemStore[Item]

    def list(self) -> tuple[Item, ...]:
        """Return the items, oldest first."""
        return self._store.all()

    def deleted(self) -> tuple[Item, ...]:
        """Return the deleted items that `restore` can bring back, last deleted first."""
        return self._store.all(deleted=True)

    def get(self, name: str) -> Item:
        """Return the item of this name or id.

        Args:
            name: A name, in any case, or an id.

        Raises:
            SavedItemError: It doesn't exist.
        """
        return self._store.get(name)

    def rename(self, name: str, new_name: str) -> Item:
        """Give an item another name; its id, and the address of a search's feed, stay.

        Args:
            name: The item's name or id.
            new_name: A name that no other item of the kind has.

        Raises:
            InvalidValueError: The new name is blank or too long.
            SavedItemError: There is no such item, or the new name is taken.
        """
        return self._store.rename(name, new_name)

    def delete(self, name: str) -> Item:
        """Delete an item, a dossier with its passages; for 30 days `restore` brings it back.

        Args:
            name: The item's name or id.

        Raises:
            SavedItemError: There is no such item.
        """
        return self._store.delete(name)

    def restore(self, item_id: str) -> Item:
        """Undo a deletion; if the name has been taken since, a number follows it.

        Args:
            item_id: The item's id.

        Raises:
            SavedItemError: There is no such deleted item.
        """
        return self._store.restore(item_id)
