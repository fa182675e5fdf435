"""Saved searches and dossiers of an archive's readers.

They are kept apart from the articles, so readers may write them while another process ingests:
`archive.saved` works in either mode.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rag.archive.dossiers import Dossiers
from rag.archive.new_articles import NewArticles, find_new_articles, known_sequence
from rag.archive.saved_items import SavedItems
from rag.schema import Access, Filters
from rag.store.arrivals import change_time
from rag.store.saved_database import SavedDatabase
from rag.store.saved_names import LOCAL
from rag.store.saved_searches import SavedSearch, SavedSearchStore, find_by_token

if TYPE_CHECKING:
    from rag.archive.reader import ArchiveReader

FEED_ENTRIES = 50  # newest articles in a feed


class Saved:
    """Saved searches and dossiers of one owner.

    Attributes:
        owner: The user whose they are; "local" without users.
        searches: The saved searches.
        dossiers: The dossiers.
    """

    def __init__(self, archive: ArchiveReader, owner: str = LOCAL) -> None:
        """Read and write the saved items of an owner; `archive.saved` does so for "local".

        Args:
            archive: The archive.
            owner: The owner's name.
        """
        self._archive = archive
        self.owner = owner
        database = SavedDatabase(archive.home)
        self.searches = SavedSearches(archive, database, owner)
        self.dossiers = Dossiers(archive, database, owner)

    def of(self, owner: str) -> Saved:
        """Return the saved items of another owner.

        Args:
            owner: The owner's name.
        """
        return Saved(self._archive, owner)


class SavedSearches(SavedItems[SavedSearch]):
    """Saved searches of one owner, and what came in since each was last looked at."""

    def __init__(self, archive: ArchiveReader, database: SavedDatabase, owner: str) -> None:
        """Read and write the searches of an owner; `archive.saved.searches` does so."""
        self._archive, self._database = archive, database
        self._store: SavedSearchStore = SavedSearchStore(database, owner)

    def add(
        self, name: str, query: str = "", *, filters: Filters = Filters(), mode: str = "answer"
    ) -> SavedSearch:
        """Save a search. Articles that are in the archive now count as seen.

        Args:
            name: A name that no other saved search has.
            query: Words or a question; may be empty if there are filters.
            filters: The filters; access rights are not stored, since they are the reader's.
            mode: The kind of answer that it was asked for, a word such as "timeline".

        Returns:
            The saved search.

        Raises:
            InvalidValueError: A value is empty, too long, or of the wrong form.
            SavedItemError: The name is taken.
            ArchiveUnwritableError: The disk is full, or the folder can't be written to.
        """
        return self._store.add(name, query, filters, mode, seen=self._change(self._now()))

    def new(self, name: str | SavedSearch, *, access: Access = (), most: int = 50) -> NewArticles:
        """Return what came in since a search was last looked at.

        Articles count by the change that brought them, so a back-dated article is new, and an
        article that was changed since is reported as changed.

        Args:
            name: The search, its name, or its id.
            access: The reader's rights, as in `Filters`.
            most: The most articles to return; all are counted.

        Returns:
            The counts, the newest articles, and the `sequence` for `mark_seen`.

        Raises:
            SavedItemError: There is no such search.
        """
        search = self._search(name)
        return self._find(search, self._seen(search), access, most)

    def latest(
        self, name: str | SavedSearch, *, access: Access = (), most: int = FEED_ENTRIES
    ) -> NewArticles:
        """Return the articles that came in last, seen or not, for a feed.

        Args:
            name: The search, its name, or its id.
            access: The reader's rights, as in `Filters`.
            most: The most articles to return.

        Raises:
            SavedItemError: There is no such search.
        """
        return self._find(self._search(name), 0, access, most)

    def mark_seen(self, name: str | SavedSearch, sequence: int | None = None) -> SavedSearch:
        """Mark a search as looked at.

        Args:
            name: The search, its name, or its id.
            sequence: The `sequence` of the `NewArticles` that were shown, so that articles that
                came in meanwhile stay new; by default the newest change.

        Returns:
            The search as it is now.

        Raises:
            SavedItemError: There is no such search.
        """
        search = self._search(name)
        now = self._now()
        seen = max(self._seen(search), now if sequence is None else min(sequence, now))
        self._store.mark_seen(search.id, (search.seen, search.seen_change), self._change(seen))
        return self._store.get(search.id)

    def feed_token(self, name: str, *, renew: bool = False) -> str:
        """Return the secret part of the address of a search's feed, made at the first call.

        Args:
            name: The search's name or id.
            renew: Replace it: the old address leads nowhere from then on.

        Raises:
            SavedItemError: There is no such search.
        """
        return self._store.token(name, renew=renew)

    def open_feed(self, search_id: str, token: str) -> SavedSearch | None:
        """Return the search, of any owner, that a feed's address names.

        Args:
            search_id: The search's id.
            token: The secret part; it is compared in constant time.

        Returns:
            The search; None unless both are right.
        """
        return find_by_token(self._database, search_id, token)

    def _search(self, name: str | SavedSearch) -> SavedSearch:
        return name if isinstance(name, SavedSearch) else self._store.get(name)

    def _find(self, search: SavedSearch, after: int, access: Access, most: int) -> NewArticles:
        filters = replace(search.filters, access=access)
        return find_new_articles(
            self._archive, search.query, filters=filters, after=after, most=most
        )

    def _now(self) -> int:
        return known_sequence(self._archive)

    def _change(self, sequence: int) -> tuple[int, str]:
        return sequence, change_time(self._archive.store.database, sequence)

    def _seen(self, search: SavedSearch) -> int:
        """Return the change up to which a search has been seen.

        If the archive was restored or made again since, that number stands for another change; then
        everything counts as seen that came in before the last look.
        """
        database = self._archive.store.database
        if not search.seen or change_time(database, search.seen) == search.seen_change:
            return search.seen
        return database.sequence_before(search.looked)
