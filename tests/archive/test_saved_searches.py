"""Saved searches: what came in since is exact, and any process may save."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.archive.archive import Archive
from rag.archive.backup import restore_backup, write_backup
from rag.archive.new_articles import NewArticles
from rag.archive.saved import SavedSearches
from rag.errors import InvalidValueError, SavedItemError
from rag.schema import ALL_RIGHTS, Article, Filters, Span
from rag.store.saved_database import UNDO_DAYS, SavedDatabase
from rag.store.saved_searches import SavedSearchStore
from tests.support.fakes import HARBOUR, ORCHARD, WordEmbeddings, small_archive

pytestmark = pytest.mark.slow


def story(number: int, text: str, **given: object) -> Article:
    fields = {"published": datetime(2024, 11, 1, tzinfo=UTC), "title": f"Report {number}"} | given
    return Article(id=f"paper.example/{number}", text=text, **fields)  # type: ignore[arg-type]


FERRY = story(1, "The harbour ferry ran aground near the old bridge on Friday.")
REEF = story(2, "Divers counted the fish of the reef.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_archive(tmp_path / "archive").close()
    return tmp_path / "archive"


@pytest.fixture
def searches(folder: Path) -> Iterator[SavedSearches]:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        yield archive.saved.searches


def add(folder: Path, *articles: Article) -> None:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add((one, [Span(0, len(one.text))]) for one in articles)


def ids(found: NewArticles) -> list[str]:
    return [one.metadata.article_id for one in found.articles]


# names, filters, undo


def test_saved_search_is_read_by_another_process_as_it_was_saved(
    folder: Path, searches: SavedSearches
) -> None:
    filters = Filters(
        after=date(2024, 1, 1), publishers=("The Harbour Courier",), access=("premium",)
    )
    saved = searches.add(
        "  Harbour\nnews ", "ferries “run aground”", filters=filters, mode="quotes"
    )
    with Archive.open(folder, embeddings=WordEmbeddings()) as other:
        (found,) = other.saved.searches.list()
    assert found == saved
    assert (found.name, found.owner, found.mode) == ("Harbour news", "local", "quotes")
    assert found.filters == Filters(after=date(2024, 1, 1), publishers=("The Harbour Courier",))
    assert (folder / "saved.sqlite3").stat().st_mode & 0o077 == 0


def test_name_is_unique_regardless_of_case(searches: SavedSearches) -> None:
    searches.add("Ferries", "ferry")
    other = searches.add("Fish", "fish")
    with pytest.raises(SavedItemError, match="already one named 'FERRIES'"):
        searches.add("FERRIES", "boats")
    with pytest.raises(SavedItemError, match="already"):
        searches.rename("Fish", "ferries")
    assert searches.rename("fish", "FISH").id == other.id  # its own name, in other letters
    assert searches.get(other.id).name == "FISH"
    with pytest.raises(SavedItemError, match="No saved search 'Boats'"):
        searches.get("Boats")


def test_search_of_another_owner_is_not_found(folder: Path) -> None:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        mine, hers = archive.saved.searches, archive.saved.of("ada").searches
        saved = mine.add("Ferries", "ferry")
        assert hers.add("Ferries", "boats").id != saved.id
        assert [one.query for one in hers.list()] == ["boats"]
        for act in (hers.get, hers.delete, hers.restore, hers.feed_token):
            with pytest.raises(SavedItemError):
                act(saved.id)


@pytest.mark.parametrize(
    ("name", "query", "mode"),
    [
        ("", "ferry", "answer"),
        ("n" * 201, "ferry", "answer"),
        ("\u202e\x00", "ferry", "answer"),
        ("Long", "w " * 600, "answer"),
        ("None", "  ", "answer"),
        ("Mode", "ferry", "<b>"),
    ],
)
def test_invalid_search_is_rejected(
    searches: SavedSearches, name: str, query: str, mode: str
) -> None:
    with pytest.raises(InvalidValueError):
        searches.add(name, query, mode=mode)
    assert searches.list() == ()


@settings(deadline=None, max_examples=30)
@given(name=st.text(max_size=250), query=st.text(max_size=1100))
def test_any_name_is_stored_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, name: str, query: str
) -> None:
    database = SavedDatabase(tmp_path_factory.mktemp("saved"))
    store = SavedSearchStore(database)
    try:
        saved = store.add(name, query, Filters(), "answer", seen=(0, ""))
    except InvalidValueError:
        return
    assert store.get(saved.name) == saved
    assert store.get(name).id == saved.id


def test_deletion_is_undone_until_it_is_purged(folder: Path, searches: SavedSearches) -> None:
    gone = searches.add("Ferries", "ferry")
    searches.delete("ferries")
    assert searches.list() == ()
    assert [one.id for one in searches.deleted()] == [gone.id]
    searches.add("Ferries", "boats")
    assert searches.restore(gone.id).name == "Ferries (2)"
    searches.delete(gone.id)
    long_ago = datetime.now(UTC) - timedelta(days=UNDO_DAYS + 1)
    with closing(sqlite3.connect(folder / "saved.sqlite3")) as file, file:
        file.execute(
            "UPDATE searches SET deleted = ? WHERE id = ?", (long_ago.isoformat(), gone.id)
        )
    searches.add("Another", "fish")
    assert searches.deleted() == ()
    with pytest.raises(SavedItemError, match="time to undo is over"):
        searches.restore(gone.id)


# what came in


def test_new_articles_are_those_that_came_in_later(folder: Path, searches: SavedSearches) -> None:
    saved = searches.add("Harbour", "harbour bridge")
    assert (searches.new("Harbour").count, searches.new("Harbour").articles) == (0, ())
    add(folder, FERRY, REEF)
    found = searches.new("Harbour")
    assert (found.count, found.changed, ids(found)) == (1, 0, [FERRY.id])
    searches.mark_seen(saved, found.sequence)
    assert searches.new("Harbour").count == 0


def test_back_dated_article_is_new(folder: Path, searches: SavedSearches) -> None:
    searches.add("Harbour", "harbour bridge")
    add(folder, FERRY.replace(published=datetime(1999, 5, 1, tzinfo=UTC)))
    assert ids(searches.new("Harbour")) == [FERRY.id]


def test_revision_counts_as_changed_once(folder: Path, searches: SavedSearches) -> None:
    searches.add("Harbour", "harbour bridge")
    add(folder, HARBOUR.replace(text=HARBOUR.text.replace("six weeks", "nine weeks")))
    found = searches.new("Harbour")
    assert (found.count, found.changed, ids(found)) == (0, 1, [HARBOUR.id])
    assert found.articles[0].is_changed
    searches.mark_seen("Harbour", found.sequence)
    assert searches.new("Harbour").changed == 0


def test_article_that_was_new_and_then_changed_is_new(
    folder: Path, searches: SavedSearches
) -> None:
    searches.add("Harbour", "harbour bridge")
    add(folder, FERRY)
    add(folder, FERRY.replace(text=FERRY.text + " Nobody was hurt."))
    found = searches.new("Harbour")
    assert (found.count, found.changed, len(found.articles)) == (1, 0, 1)


def test_article_that_left_and_returned_unchanged_is_not_new(
    folder: Path, searches: SavedSearches
) -> None:
    searches.add("Harbour", "harbour bridge")
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.withdraw(HARBOUR.id)
        archive.reinstate(HARBOUR.id)
    assert searches.new("Harbour").articles == ()
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.withdraw(HARBOUR.id)
    searches.mark_seen("Harbour")
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.reinstate(HARBOUR.id)  # now it is: it was not there at the last look
    assert searches.new("Harbour").count == 1


def test_withdrawn_article_is_not_new(folder: Path, searches: SavedSearches) -> None:
    searches.add("Harbour", "harbour bridge")
    add(folder, FERRY)
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.withdraw(FERRY.id)
    assert searches.new("Harbour").count == 0


def test_article_that_came_in_after_the_list_was_shown_stays_new(
    folder: Path, searches: SavedSearches
) -> None:
    searches.add("Harbour", "harbour bridge")
    add(folder, FERRY)
    shown = searches.new("Harbour")
    add(folder, story(3, "A crane fell from the harbour bridge."))
    searches.mark_seen("Harbour", shown.sequence)
    assert ids(searches.new("Harbour")) == ["paper.example/3"]
    searches.mark_seen("Harbour", 1)  # of an older list in another window: nothing becomes new
    assert ids(searches.new("Harbour")) == ["paper.example/3"]


def test_count_is_of_all_matches_and_the_list_of_the_newest(
    folder: Path, searches: SavedSearches
) -> None:
    searches.add("Harbour", "harbour crane")
    add(folder, *(story(n, f"Crane {n} of the harbour was painted.") for n in range(10, 17)))
    add(folder, story(30, "The last crane left the harbour."))
    found = searches.new("Harbour", most=3)
    assert found.count == 8
    assert ids(found)[0] == "paper.example/30"
    assert len(found.articles) == 3


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("ferries", True),  # any form of a word
        ("harbour reef", False),  # all of a few words
        ("Which old bridge did the harbour ferry run aground near?", True),
        ("Which old tower did the harbour tram run into near the castle?", False),
        ('"old bridge"', True),
        ('"bridge old"', False),
        ('harbour "ran aground"', True),
        ("harbour -ferry", False),
        ("harbour -tram", True),
        ("ferry from 3 May 2020", False),
        ("report 1", True),  # the headline
        ("What happened on 1 November 2024?", True),  # anything of that day
        ("Hello", False),  # a word, and no greeting
        ("what about it", False),
        ("", False),
    ],
)
def test_words_of_a_query_decide(
    folder: Path, searches: SavedSearches, query: str, matches: bool
) -> None:
    filters = Filters() if query else Filters(sections=("Sport",))
    searches.add("Search", query, filters=filters)
    add(folder, FERRY)
    assert (searches.new("Search").count == 1) is matches


def test_search_with_filters_alone_finds_every_article_that_passes(
    folder: Path, searches: SavedSearches
) -> None:
    searches.add("Sport", filters=Filters(sections=("sport",)))
    add(folder, FERRY.replace(section="Sport"), REEF)
    assert ids(searches.new("Sport")) == [FERRY.id]


def test_words_are_found_in_articles_of_another_language(
    folder: Path, searches: SavedSearches
) -> None:
    searches.add("Brücke", "die Sperrung der Brücken")
    text = "Wegen der Sperrung einer Brücke fährt die Fähre nicht."
    add(folder, story(5, text, language="de"), story(6, "Die Fähre fährt.", language="de"))
    assert ids(searches.new("Brücke")) == ["paper.example/5"]


def test_search_is_saved_while_another_process_ingests(
    folder: Path, searches: SavedSearches
) -> None:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as writer:
        saved = searches.add("Harbour", "harbour bridge")
        writer.add([(FERRY, [Span(0, len(FERRY.text))])])
        found = searches.new(saved)
        assert ids(found) == [FERRY.id]
        searches.mark_seen(saved, found.sequence)
        assert writer.saved.searches.new("Harbour").count == 0


def test_words_may_lie_in_different_passages(folder: Path, searches: SavedSearches) -> None:
    searches.add("Search", "walrus lighthouse")
    one, other = "A walrus came ashore. ", "The lighthouse was lit."
    article = story(7, one + other)
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        spans = [Span(0, len(one)), Span(len(one), len(article.text))]
        archive.add([(article, spans), (REEF, [Span(0, len(REEF.text))])])
    assert ids(searches.new("Search")) == [article.id]


def test_restricted_article_is_new_only_for_who_may_read_it(
    folder: Path, searches: SavedSearches
) -> None:
    searches.add("Harbour", "harbour bridge", filters=Filters(access=ALL_RIGHTS))
    add(folder, FERRY.replace(access="premium"))
    assert searches.new("Harbour").count == 0
    assert searches.latest("Harbour").articles[-1].metadata.article_id == HARBOUR.id
    assert searches.new("Harbour", access=("premium",)).count == 1
    assert searches.new("Harbour", access=ALL_RIGHTS).count == 1


def test_restored_archive_does_not_hide_what_came_in_since(tmp_path: Path, folder: Path) -> None:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        write_backup(archive.store, tmp_path / "early.backup")
    for n in range(5):
        add(folder, story(50 + n, f"Fish {n}."))
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        archive.saved.searches.add("Harbour", "harbour bridge")
        seen = archive.saved.searches.get("Harbour").seen
    (folder / "archive.sqlite").unlink()
    restore_backup(tmp_path / "early.backup", folder)  # the saved items stay
    for n in range(8):
        add(folder, story(70 + n, f"Bird {n}.") if n else FERRY)
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        found = archive.saved.searches.new("Harbour")
        assert seen <= archive.version  # the number has been used again since
        assert ids(found) == [FERRY.id]


# feeds


def test_feed_opens_with_its_own_token_only(searches: SavedSearches) -> None:
    saved, other = searches.add("Ferries", "ferry"), searches.add("Fish", "fish")
    assert searches.open_feed(saved.id, "") is None  # no feed was asked for yet
    token = searches.feed_token("Ferries")
    assert len(token) >= 40
    assert searches.feed_token(saved.id) == token
    assert searches.open_feed(saved.id, token) == searches.get("Ferries")
    for search_id, wrong in (
        (saved.id, token[:-1]),
        (saved.id, "é\ud800"),
        (other.id, token),
        (other.id, searches.feed_token("Fish")[::-1]),
        ("' OR 1=1 --", token),
        ("", ""),
    ):
        assert searches.open_feed(search_id, wrong) is None
    renewed = searches.feed_token("Ferries", renew=True)
    assert renewed != token
    assert searches.open_feed(saved.id, token) is None
    assert searches.open_feed(saved.id, renewed) is not None
    searches.delete("Ferries")
    assert searches.open_feed(saved.id, renewed) is None


def test_latest_articles_come_in_the_order_of_arrival(
    folder: Path, searches: SavedSearches
) -> None:
    searches.add("Harbour", "harbour")
    add(folder, FERRY.replace(published=HARBOUR.published - timedelta(days=900)))  # type: ignore[operator]
    assert ids(searches.latest("Harbour"))[0] == FERRY.id
    assert ORCHARD.id not in ids(searches.latest("Harbour"))
    assert len(ids(searches.latest("Harbour", most=1))) == 1
