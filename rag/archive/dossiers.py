"""Dossiers over an archive: passages are checked when they are added and when they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from rag.archive.saved_items import SavedItems
from rag.errors import InvalidValueError, SavedItemError
from rag.schema import Access, Article, ArticleMetadata, Citation, Filters, Span
from rag.serialize import Serializable
from rag.store.dossiers import Dossier, DossierEntry, DossierStore
from rag.store.filters import readable
from rag.store.saved_database import SavedDatabase
from rag.store.withdrawals import Withdrawals

if TYPE_CHECKING:
    from rag.archive.reader import ArchiveReader

LONGEST_QUOTE = 20_000  # characters, so that a dossier isn't a copy of the archive

PassageState = Literal["current", "changed", "removed", "withdrawn", "erased", "restricted"]


@dataclass(frozen=True, slots=True)
class DossierPassage(Serializable):
    """A passage in a dossier as a reader may see it now.

    Attributes:
        id: The entry's id.
        article_id: The article's id.
        revision: The article's revision when it was added.
        start: Its start in the text of that revision, in characters.
        end: Its end, exclusive.
        quote: Its words; "" if it is withdrawn, erased or restricted.
        note: The reader's note; "" once the article has been erased.
        added: The time at which it was added.
        state: "current" if the article still has these words, "changed" if a newer revision
            doesn't, "removed" if the archive no longer has the article, "withdrawn" or "erased",
            or "restricted" if it needs another right.
        metadata: The article's metadata at that revision; None if it is withdrawn, erased or
            restricted.
        current: The place of the words in the current revision; None if it doesn't have them.
    """

    id: str
    article_id: str
    revision: int
    start: int
    end: int
    quote: str
    note: str
    added: datetime
    state: PassageState
    metadata: ArticleMetadata | None = None
    current: Span | None = None


class Dossiers(SavedItems[Dossier]):
    """Dossiers of one owner: passages with notes, in order."""

    def __init__(self, archive: ArchiveReader, database: SavedDatabase, owner: str) -> None:
        """Read and write the dossiers of an owner; `archive.saved.dossiers` does so."""
        self._archive, self._database = archive, database
        self._store: DossierStore = DossierStore(database, owner)

    def create(self, name: str) -> Dossier:
        """Make an empty dossier.

        Args:
            name: A name that no other dossier has.

        Raises:
            InvalidValueError: The name is blank or too long.
            SavedItemError: The name is taken.
            ArchiveUnwritableError: The disk is full, or the folder can't be written to.
        """
        return self._store.create(name)

    # passages

    def passages(self, name: str, *, access: Access = ()) -> tuple[DossierPassage, ...]:
        """Return the passages of a dossier, in order, each with its state.

        Args:
            name: The dossier's name or id.
            access: The reader's rights, as in `Filters`.

        Raises:
            SavedItemError: There is no such dossier.
        """
        return self._see(self._store.entries(name), access)

    def removed(self, name: str, *, access: Access = ()) -> tuple[DossierPassage, ...]:
        """Return the removed passages that `restore_passage` can bring back, last removed first.

        Args:
            name: The dossier's name or id.
            access: The reader's rights, as in `Filters`.

        Raises:
            SavedItemError: There is no such dossier.
        """
        return self._see(self._store.entries(name, deleted=True), access)

    def add(
        self,
        name: str,
        article_id: str,
        start: int,
        end: int,
        *,
        revision: int | None = None,
        note: str = "",
        access: Access = (),
    ) -> DossierPassage:
        """Add a passage at the end of a dossier; one that is there already stays as it is.

        Args:
            name: The dossier's name or id.
            article_id: The article's id.
            start: The start of the passage in the article's text, in characters.
            end: Its end, exclusive.
            revision: The revision of the article; by default the current one.
            note: A note.
            access: The reader's rights, as in `Filters`.

        Returns:
            The passage.

        Raises:
            InvalidValueError: The range is empty, too long or not in the text, or the note is too
                long.
            SavedItemError: There is no such dossier or article, or the dossier is full.
            ArchiveUnwritableError: The disk is full, or the folder can't be written to.
        """
        # The article is read in the transaction: an erasure that begins meanwhile waits for its
        # end, and then erases the passage.
        with self._database.write() as connection:
            article = self._archive.article(article_id, revision, access=access)
            if article is None:
                raise SavedItemError(
                    f"No article {article_id!r}: it can't be added to a dossier.",
                    code="not_in_archive",
                )
            entry, _ = self._store.insert(connection, name, _entry(article, start, end, note))
        return self._see([entry], access)[0]

    def add_citation(
        self, name: str, citation: Citation, *, note: str = "", access: Access = ()
    ) -> DossierPassage:
        """Add the quotation of a citation at the end of a dossier.

        Args:
            name: The dossier's name or id.
            citation: A citation of an answer.
            note: A note.
            access: The reader's rights, as in `Filters`.

        Raises:
            InvalidValueError: The note is too long.
            SavedItemError: There is no such dossier or article, or the dossier is full.
        """
        passage = citation.passage
        return self.add(
            name,
            passage.article_id,
            citation.start,
            citation.end,
            revision=passage.revision,
            note=note,
            access=access,
        )

    def note(self, name: str, passage_id: str, note: str) -> None:
        """Replace the note of a passage.

        Args:
            name: The dossier's name or id.
            passage_id: The passage's id.
            note: The new note; "" for none.

        Raises:
            InvalidValueError: The note is too long.
            SavedItemError: There is no such dossier or passage.
        """
        self._store.note(name, passage_id, note)

    def move(self, name: str, passage_id: str, place: int) -> None:
        """Move a passage to another place.

        Args:
            name: The dossier's name or id.
            passage_id: The passage's id.
            place: Its new place, from 1; a number beyond the end means the end.

        Raises:
            SavedItemError: There is no such dossier or passage.
        """
        self._store.move(name, passage_id, place)

    def remove(self, name: str, passage_id: str) -> None:
        """Remove a passage; for 30 days `restore_passage` brings it back.

        Args:
            name: The dossier's name or id.
            passage_id: The passage's id.

        Raises:
            SavedItemError: There is no such dossier or passage.
        """
        self._store.remove(name, passage_id)

    def restore_passage(self, name: str, passage_id: str) -> None:
        """Undo a removal; the passage returns to its place.

        Args:
            name: The dossier's name or id.
            passage_id: The passage's id.

        Raises:
            SavedItemError: There is no such dossier or removed passage.
        """
        self._store.restore_entry(name, passage_id)

    def _see(self, entries: Sequence[DossierEntry], access: Access) -> tuple[DossierPassage, ...]:
        store = self._archive.store
        ids = tuple(dict.fromkeys(entry.article_id for entry in entries))
        withdrawals = Withdrawals(store).among(ids)
        may_read, reader = readable(store.database, ids, access), Filters(access=access)
        seen = []
        for entry in entries:
            passage = _passage(entry)
            withdrawal = withdrawals.get(entry.article_id)
            if entry.metadata is None or (withdrawal and withdrawal.erased):
                seen.append(replace(_hidden(passage, "erased"), note=""))
            elif withdrawal is not None:
                seen.append(_hidden(passage, "withdrawn"))
            elif entry.article_id not in may_read or not reader.may_read(entry.metadata):
                seen.append(_hidden(passage, "restricted"))
            else:
                article = self._archive.article(entry.article_id, access=access)
                seen.append(_compared(passage, article))
        return tuple(seen)


def _entry(article: Article, start: int, end: int, note: str) -> DossierEntry:
    if not 0 <= start < end <= len(article.text):
        raise InvalidValueError(
            f"The passage {start}-{end} is not in the text of {article.id!r}, "
            f"which has {len(article.text):,} characters."
        )
    if end - start > LONGEST_QUOTE:
        raise InvalidValueError(
            f"The passage has {end - start:,} characters: use at most {LONGEST_QUOTE:,}."
        )
    quote = article.text[start:end]
    now = datetime.now(UTC)
    return DossierEntry(
        *("", article.id, article.revision, start, end, quote, article.metadata, note, now)
    )


def _passage(entry: DossierEntry) -> DossierPassage:
    return DossierPassage(
        entry.id,
        entry.article_id,
        entry.revision,
        entry.start,
        entry.end,
        entry.quote,
        entry.note,
        entry.added,
        "current",
        entry.metadata,
    )


def _hidden(passage: DossierPassage, state: PassageState) -> DossierPassage:
    return replace(passage, state=state, quote="", metadata=None)


def _compared(passage: DossierPassage, article: Article | None) -> DossierPassage:
    """Return a passage with its state and place in the current revision of its article."""
    if article is None:
        return replace(passage, state="removed")
    start = passage.start
    if article.text[start : passage.end] != passage.quote:
        start = article.text.find(passage.quote)
    if start < 0:
        return replace(passage, state="changed")
    return replace(passage, current=Span(start, start + len(passage.quote)))
