"""Counts of saved searches, and searches of filters alone."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rag.archive.archive import Archive
from rag.rights import Rights
from rag.schema import ALL_RIGHTS, Filters
from tests.support.fakes import HARBOUR, ORCHARD, WordEmbeddings, small_archive
from tests.web.page_events import event, page_of, sender, shown
from ui.i18n import texts_in
from ui.web import saved_counts
from ui.web.browse_request import browse_from_filters
from ui.web.events.saved import SavedHandlers, show_saved
from ui.web.saved_counts import SavedCounts
from ui.web.state import Session

OCTOBER = Filters(after=datetime(2024, 10, 1, tzinfo=UTC), before=datetime(2024, 11, 1, tzinfo=UTC))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with small_archive(tmp_path / "archive") as opened:
        yield opened


class CountingSearches:
    """The searches of an archive, which count how often new articles are looked for."""

    def __init__(self, archive: Archive) -> None:
        self._searches, self.looked = archive.saved.searches, 0

    def __getattr__(self, name: str) -> Any:
        self.looked += name == "new"
        return getattr(self._searches, name)


def add(archive: Archive, *articles: Any) -> None:
    with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()) as writer:
        for article in articles:
            writer.add(article)


class Watched:
    """An archive whose saved searches count."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.saved = SimpleNamespace(searches=CountingSearches(archive))

    @property
    def version(self) -> int:
        return self._archive.version


def test_count_is_made_once_until_something_changes(archive: Archive) -> None:
    searches = archive.saved.searches
    bridge = searches.add("Bridge", "harbour bridge")
    searches.add("Apples", "apples")
    watched: Any = Watched(archive)
    counts = SavedCounts(watched)
    for _ in range(3):
        assert [one.new for one in counts.list(watched.saved, ALL_RIGHTS)] == [0, 0]
    assert watched.saved.searches.looked == 2
    add(archive, HARBOUR.replace(id="new", title="Harbour bridge opens"))
    for _ in range(3):
        assert [one.new for one in counts.list(watched.saved, ALL_RIGHTS)] == [1, 0]
    assert watched.saved.searches.looked == 4
    searches.mark_seen(bridge)
    for _ in range(3):
        assert [one.new for one in counts.list(watched.saved, ALL_RIGHTS)] == [0, 0]
    assert watched.saved.searches.looked == 5
    searches.rename("Bridge", "The bridge")
    assert [one.search.name for one in counts.list(watched.saved, ALL_RIGHTS)] == [
        "The bridge",
        "Apples",
    ]


def test_readers_with_other_rights_get_counts_of_their_own(archive: Archive) -> None:
    archive.saved.searches.add("Bridge", "harbour bridge")
    add(archive, HARBOUR.replace(id="new", title="Harbour bridge opens", access="press"))
    counts = SavedCounts(archive)
    for rights, new in ((ALL_RIGHTS, 1), (Rights(), 0), (Rights(publishers=()), 0)) * 2:
        assert [one.new for one in counts.list(archive.saved, rights)] == [new]


def test_cache_of_counts_is_bounded(archive: Archive) -> None:
    counts = SavedCounts(archive)
    for number in range(3):
        archive.saved.searches.add(f"Bridge {number}", "harbour bridge")
    for number in range(saved_counts.MOST_KEPT):
        counts._counts[("x", number, "", 0, ALL_RIGHTS)] = 1
    assert len(counts.list(archive.saved, ALL_RIGHTS)) == 3
    assert len(counts._counts) == saved_counts.MOST_KEPT


@pytest.mark.parametrize(
    "filters",
    [
        Filters(publishers=(HARBOUR.publisher, ORCHARD.publisher)),
        Filters(authors=("Noor Haan",), languages=("en",), kinds=("news",)),
        OCTOBER,
        Filters(
            after=datetime(2024, 10, 21, tzinfo=UTC), before=datetime(2024, 10, 22, tzinfo=UTC)
        ),
    ],
)
def test_search_of_filters_alone_is_shown_under_browse(archive: Archive, filters: Filters) -> None:
    page = page_of(archive)
    search = archive.saved.searches.add("All of it", filters=filters)
    asked = browse_from_filters(filters)
    assert asked is not None
    found = archive.browse(filters=asked.filters).total
    assert found == archive.browse(filters=filters).total
    for place in ("bf-searches", "bf-saved-rail"):
        markup = html.unescape(shown(show_saved(page, texts_in("en"), ""))[place])
        assert f'data-id="{search.id}" data-link="{asked.link}"' in markup
    add(archive, HARBOUR.replace(id="new", title="Harbour bridge opens"))
    session = Session(is_loaded=True)
    SavedHandlers(page).search(session, event(id=search.id), sender())
    assert archive.saved.searches.new(search.id, access=ALL_RIGHTS).count == 0


@pytest.mark.parametrize(
    "filters",
    [
        Filters(after=datetime(2024, 10, 3, tzinfo=UTC)),
        Filters(after=datetime(2024, 10, 3, tzinfo=UTC), before=datetime(2024, 10, 9, tzinfo=UTC)),
        Filters(publishers=(HARBOUR.publisher,), excluded_publishers=(ORCHARD.publisher,)),
        Filters(publishers=tuple(f"Paper {n}" for n in range(30))),
    ],
)
def test_filters_that_browse_lacks_are_chips_of_a_new_conversation(
    archive: Archive, filters: Filters
) -> None:
    assert browse_from_filters(filters) is None
    page = page_of(archive)
    search = archive.saved.searches.add("Some of it", filters=filters)
    assert "data-link" not in shown(show_saved(page, texts_in("en"), ""))["bf-searches"]
    updates = SavedHandlers(page).search(Session(is_loaded=True), event(id=search.id), sender())
    chips = html.unescape(updates[page.on.filters.chips])
    assert "bf-on" in chips
    assert updates[page.on.filters.publishers] == list(filters.publishers)
    assert updates[page.on.filters.excluded] == list(filters.excluded_publishers)
    assert updates[page.on.filters.after] == (
        filters.after.date().isoformat() if filters.after else ""
    )
    assert not updates[page.on.session].turns
