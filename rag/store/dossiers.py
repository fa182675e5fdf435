"""Dossiers: passages that a reader has collected, in order, with notes.

A passage keeps its words and its article's metadata, so that it reads on when the article changes
or leaves the archive. Erasing the article deletes them: see `saved_erasure`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rag.errors import SavedItemError
from rag.schema import ArticleMetadata
from rag.store.database import Connection
from rag.store.saved_items import SavedItemStore
from rag.store.saved_names import (
    check_free,
    clean_name,
    clean_text,
    name_key,
    new_id,
    now_text,
)

LONGEST_NOTE = 20_000  # characters
MOST_ENTRIES = 2_000  # of a dossier
_DOSSIER = "id, owner, name, created, deleted"
_ENTRY = 'id, article_id, revision, start, "end", quote, metadata, note, added, deleted'
_LIVE = "dossier_id = ? AND deleted IS NULL"


@dataclass(frozen=True, slots=True)
class Dossier:
    """A named collection of passages.

    Attributes:
        id: Its id, which a change of the name leaves as it is.
        owner: The user who keeps it; "local" without users.
        name: Its name.
        created: The time at which it was made.
        deleted: The time of its deletion; None if it isn't deleted.
    """

    id: str
    owner: str
    name: str
    created: datetime
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class DossierEntry:
    """A passage in a dossier, as it is stored.

    Attributes:
        id: Its id.
        article_id: The article's id.
        revision: The article's revision when it was added.
        start: Its start in the text of that revision, in characters.
        end: Its end, exclusive.
        quote: Its words; "" once the article has been erased.
        metadata: The metadata of that revision; None once the article has been erased.
        note: The reader's note.
        added: The time at which it was added.
        deleted: The time of its removal; None if it isn't removed.
    """

    id: str
    article_id: str
    revision: int
    start: int
    end: int
    quote: str
    metadata: ArticleMetadata | None
    note: str
    added: datetime
    deleted: datetime | None = None


class DossierStore(SavedItemStore[Dossier]):
    """Dossiers of one owner, in the archive's file of saved items."""

    table, columns = "dossiers", _DOSSIER
    noun = label = "dossier"
    listed_by = "backfile dossier"

    @staticmethod
    def to_item(row: Any) -> Dossier:
        """Return the dossier of a row."""
        return row_to_dossier(row)

    def create(self, name: str) -> Dossier:
        """Make an empty dossier.

        Raises:
            InvalidValueError: The name is blank or too long.
            SavedItemError: The name is taken.
        """
        name, dossier_id = clean_name(name), new_id()
        with self._database.write() as connection:
            check_free(connection, "dossiers", self.owner, name)
            connection.execute(
                "INSERT INTO dossiers VALUES (?, ?, ?, ?, ?, NULL)",
                (dossier_id, self.owner, name, name_key(name), now_text()),
            )
            return self._find(connection, dossier_id)

    # entries

    def entries(self, name: str, *, deleted: bool = False) -> tuple[DossierEntry, ...]:
        """Return a dossier's entries in order; or the removed ones, last removed first.

        Raises:
            SavedItemError: There is no such dossier.
        """
        which = "NOT NULL ORDER BY deleted DESC" if deleted else "NULL ORDER BY place"
        with self._database.read() as connection:
            dossier = self._find(connection, name)
            rows = connection.execute(
                f"SELECT {_ENTRY} FROM entries WHERE dossier_id = ? AND deleted IS {which}, id",  # nosec B608 # conditions of this code, values bound
                (dossier.id,),
            ).fetchall()
        return tuple(map(row_to_entry, rows))

    def insert(
        self, connection: Connection, name: str, entry: DossierEntry
    ) -> tuple[DossierEntry, bool]:
        """Add a passage at the end of a dossier, unless it is there already.

        Args:
            connection: A connection of `SavedDatabase.write`.
            name: The dossier's name or id.
            entry: The passage; its id and times are assigned here.

        Returns:
            The entry, and whether it was added.

        Raises:
            InvalidValueError: The note is too long.
            SavedItemError: There is no such dossier, or it is full.
        """
        dossier = self._find(connection, name)
        same = connection.execute(
            f"SELECT {_ENTRY} FROM entries WHERE {_LIVE} AND article_id = ? AND revision = ? "  # nosec B608 # constants of this code, values bound
            'AND start = ? AND "end" = ?',
            (dossier.id, entry.article_id, entry.revision, entry.start, entry.end),
        ).fetchone()
        if same is not None:
            return row_to_entry(same), False
        last, count = connection.execute(
            f"SELECT coalesce(max(place), 0), count(*) FROM entries WHERE {_LIVE}",  # nosec B608 # constants of this code, values bound
            (dossier.id,),
        ).fetchone()
        if count >= MOST_ENTRIES:
            raise SavedItemError(
                f"The dossier has {count:,} passages, the most possible. Begin another one.",
                code="dossier_full",
                most=count,
            )
        note, entry_id = clean_text(entry.note, "note", LONGEST_NOTE), new_id()
        stored = json.dumps(entry.metadata.to_dict()) if entry.metadata else ""
        connection.execute(
            "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (
                *(entry_id, dossier.id, last + 1, entry.article_id, entry.revision),
                *(entry.start, entry.end, entry.quote, stored, note, now_text()),
            ),
        )
        return self._entry(connection, dossier, entry_id), True

    def note(self, name: str, entry_id: str, note: str) -> DossierEntry:
        """Replace the note of an entry.

        Raises:
            InvalidValueError: The note is too long.
            SavedItemError: There is no such dossier or entry.
        """
        note = clean_text(note, "note", LONGEST_NOTE)
        with self._database.write() as connection:
            dossier = self._find(connection, name)
            self._entry(connection, dossier, entry_id)
            connection.execute("UPDATE entries SET note = ? WHERE id = ?", (note, entry_id))
            return self._entry(connection, dossier, entry_id)

    def move(self, name: str, entry_id: str, place: int) -> tuple[DossierEntry, ...]:
        """Move an entry to another place.

        Args:
            name: The dossier's name or id.
            entry_id: The entry's id.
            place: Its new place, from 1; a number beyond the end means the end.

        Returns:
            The entries in their new order.

        Raises:
            SavedItemError: There is no such dossier or entry.
        """
        with self._database.write() as connection:
            dossier = self._find(connection, name)
            self._entry(connection, dossier, entry_id)
            rows = connection.execute(
                f"SELECT id FROM entries WHERE {_LIVE} AND id != ? ORDER BY place, id",  # nosec B608 # constants of this code, values bound
                (dossier.id, entry_id),
            ).fetchall()
            order = [str(row[0]) for row in rows]
            order.insert(max(place, 1) - 1, entry_id)
            connection.executemany(
                "UPDATE entries SET place = ? WHERE id = ?", list(enumerate(order, start=1))
            )
        return self.entries(dossier.id)

    def remove(self, name: str, entry_id: str) -> DossierEntry:
        """Remove an entry; `restore_entry` undoes it for UNDO_DAYS.

        Raises:
            SavedItemError: There is no such dossier or entry.
        """
        with self._database.write() as connection:
            entry = self._entry(connection, self._find(connection, name), entry_id)
            connection.execute(
                "UPDATE entries SET deleted = ? WHERE id = ?", (now_text(), entry_id)
            )
        return entry

    def restore_entry(self, name: str, entry_id: str) -> DossierEntry:
        """Undo a removal; the entry returns to its place.

        Raises:
            SavedItemError: There is no such dossier or removed entry.
        """
        with self._database.write() as connection:
            dossier = self._find(connection, name)
            connection.execute(
                "UPDATE entries SET deleted = NULL WHERE id = ? AND dossier_id = ?",
                (entry_id, dossier.id),
            )
            return self._entry(connection, dossier, entry_id)

    def _entry(self, connection: Connection, dossier: Dossier, entry_id: str) -> DossierEntry:
        row = connection.execute(
            f"SELECT {_ENTRY} FROM entries WHERE {_LIVE} AND id = ?",  # nosec B608 # constants of this code, values bound
            (dossier.id, entry_id),
        ).fetchone()
        if row is None:
            raise SavedItemError(f"No entry {entry_id!r} in the dossier {dossier.name!r}.")
        return row_to_entry(row)


def row_to_dossier(row: Any) -> Dossier:
    """Return the dossier of a row with the columns of the table, without the key.

    Raises:
        ValueError: A value is not one that this module writes.
    """
    dossier_id, owner, name, created, deleted = row
    gone = datetime.fromisoformat(deleted) if deleted else None
    return Dossier(dossier_id, owner, name, datetime.fromisoformat(created), gone)


def row_to_entry(row: Any) -> DossierEntry:
    """Return the entry of a row with the columns of the table, without dossier and place.

    Raises:
        ValueError: A value is not one that this module writes.
    """
    entry_id, article_id, revision, start, end, quote, metadata, note, added, deleted = row
    return DossierEntry(
        *(entry_id, article_id, revision, start, end, quote),
        ArticleMetadata.from_dict(json.loads(metadata)) if metadata else None,
        note,
        datetime.fromisoformat(added),
        datetime.fromisoformat(deleted) if deleted else None,
    )
