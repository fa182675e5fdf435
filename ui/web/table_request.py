"""Request of an editor who looks through the table of articles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from rag.archive.browse import FacetName, TableOrder
from ui.web.browse_request import LONGEST_WORDS, BrowseRequest

NO_WORDS = BrowseRequest()
ROWS = 25  # articles on a page
MOST_PAGES = 1_000_000
FILTERS: tuple[FacetName, ...] = ("publisher", "section", "language", "month")


@dataclass(frozen=True, slots=True)
class TableRequest:
    """Words, filters, order and page of the table.

    Attributes:
        matching: The words and the chosen facet values, at most one of each facet.
        order: The order of the rows.
        page: Number of the page, from 0.
        is_withdrawn: Whether the withdrawn articles are listed, instead of the current ones.
        undoable: Ids of the articles that were withdrawn last, until another action.
    """

    matching: BrowseRequest = NO_WORDS
    order: TableOrder = "date"
    page: int = 0
    is_withdrawn: bool = False
    undoable: tuple[str, ...] = ()

    @property
    def offset(self) -> int:
        """Number of rows before the page."""
        return self.page * ROWS

    @property
    def chosen(self) -> dict[str, str]:
        """The chosen value of each facet that has one."""
        return dict(self.matching.chosen)

    def search(self, words: str) -> TableRequest:
        """Return the first page of the articles that have these words."""
        return self._first(replace(self.matching, words=words.strip()[:LONGEST_WORDS]))

    def choose(self, facet: FacetName, value: str) -> TableRequest:
        """Return the first page of the articles with this value of a facet; "" for any."""
        kept = [one for one in self.matching.chosen if one[0] != facet]
        return self._first(self.matching.choose([*kept, (facet, value)] if value else kept))

    def clear(self) -> TableRequest:
        """Return the first page of all articles."""
        return TableRequest(is_withdrawn=self.is_withdrawn, order=self.order)

    def sort(self, order: str) -> TableRequest:
        """Return the first page in another order; the same request if there is no such order."""
        found = {name: name for name in get_args(TableOrder)}.get(order)
        return replace(self, order=found, page=0, undoable=()) if found else self

    def show_page(self, page: int) -> TableRequest:
        """Return another page."""
        return replace(self, page=min(max(page, 0), MOST_PAGES), undoable=())

    def show_withdrawn(self, *, is_withdrawn: bool) -> TableRequest:
        """Return the first page of the withdrawn articles, or of the current ones."""
        return replace(self, is_withdrawn=is_withdrawn, page=0, undoable=())

    def _first(self, matching: BrowseRequest) -> TableRequest:
        return replace(self, matching=matching, page=0, undoable=())


FIRST_PAGE = TableRequest()
