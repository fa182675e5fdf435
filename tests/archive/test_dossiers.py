"""Dossiers: passages in order, which read on while articles change, and vanish when erased."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.archive.archive import Archive
from rag.archive.backup import restore_backup, write_backup
from rag.archive.doctor import find_problems, repair_archive
from rag.archive.dossiers import DossierPassage, Dossiers
from rag.errors import InvalidValueError, SavedItemError
from rag.schema import ALL_RIGHTS, Article, Citation, Passage, Span
from rag.store.dossiers import DossierEntry, DossierStore
from rag.store.saved_database import SavedDatabase
from rag.store.withdrawals import Erasure, Withdrawals
from tests.support.fakes import HARBOUR, ORCHARD, WordEmbeddings, small_archive

pytestmark = pytest.mark.slow

QUOTE = "Mayor Ada Quill said repairs would take six weeks."
START = HARBOUR.text.index(QUOTE)
END = START + len(QUOTE)
COPIED = "cf. the mayor: repairs would take six weeks. Ferries run, they say"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_archive(tmp_path / "archive").close()
    return tmp_path / "archive"


@pytest.fixture
def dossiers(folder: Path) -> Iterator[Dossiers]:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        yield archive.saved.dossiers


def write(folder: Path) -> Archive:
    return Archive.open(folder, mode="write", embeddings=WordEmbeddings())


def add(folder: Path, article: Article) -> None:
    with write(folder) as archive:
        archive.add([(article, [Span(0, len(article.text))])])


def only(dossiers: Dossiers, name: str = "Bridge", **access: tuple[str, ...]) -> DossierPassage:
    (passage,) = dossiers.passages(name, **access)
    return passage


@pytest.fixture
def bridge(dossiers: Dossiers) -> DossierPassage:
    dossiers.create("Bridge")
    return dossiers.add("Bridge", HARBOUR.id, START, END, note="Ask her office.")


def test_passage_has_its_words_and_metadata(dossiers: Dossiers, bridge: DossierPassage) -> None:
    passage = only(dossiers)
    assert passage == bridge
    assert (passage.quote, passage.note, passage.state) == (QUOTE, "Ask her office.", "current")
    assert passage.metadata == replace(HARBOUR.metadata, revision=1)
    assert passage.current == Span(START, END)


@pytest.mark.parametrize("span", [(-1, 5), (5, 5), (9, 3), (0, len(HARBOUR.text) + 1)])
def test_range_outside_of_the_text_is_rejected(dossiers: Dossiers, span: tuple[int, int]) -> None:
    dossiers.create("Bridge")
    with pytest.raises(InvalidValueError):
        dossiers.add("Bridge", HARBOUR.id, *span)
    assert dossiers.passages("Bridge") == ()


def test_whole_long_article_is_rejected(folder: Path, dossiers: Dossiers) -> None:
    long = HARBOUR.replace(id="long", text="The bridge is shut. " * 1_100)
    add(folder, long)
    dossiers.create("Bridge")
    with pytest.raises(InvalidValueError, match="at most 20,000"):
        dossiers.add("Bridge", "long", 0, 21_000)
    assert dossiers.add("Bridge", "long", 0, 20_000).state == "current"


def test_same_passage_is_there_once(dossiers: Dossiers, bridge: DossierPassage) -> None:
    assert dossiers.add("Bridge", HARBOUR.id, START, END, note="Again") == bridge
    passage = Passage(HARBOUR.id, 1, 0, len(HARBOUR.text), HARBOUR.text)
    cited = Citation(1, QUOTE, START, END, passage, HARBOUR.metadata)
    assert dossiers.add_citation("Bridge", cited).id == bridge.id


def test_passage_follows_its_words_into_a_later_revision(
    folder: Path, dossiers: Dossiers, bridge: DossierPassage
) -> None:
    add(folder, HARBOUR.replace(text=f"Updated. {HARBOUR.text}"))
    passage = only(dossiers)
    assert (passage.state, passage.current) == ("current", Span(START + 9, END + 9))
    add(folder, HARBOUR.replace(text="The bridge is open again."))
    passage = only(dossiers)
    assert (passage.state, passage.current, passage.quote) == ("changed", None, QUOTE)
    with write(folder) as archive:
        archive.delete(HARBOUR.id)
    passage = only(dossiers)
    assert (passage.state, passage.quote) == ("removed", QUOTE)
    assert passage.metadata is not None


def test_passage_of_an_earlier_revision_can_be_added(folder: Path, dossiers: Dossiers) -> None:
    add(folder, HARBOUR.replace(text="The bridge is open again."))
    dossiers.create("Bridge")
    passage = dossiers.add("Bridge", HARBOUR.id, START, END, revision=1)
    assert (passage.quote, passage.state) == (QUOTE, "changed")


def test_withdrawn_passage_is_hidden_until_it_is_reinstated(
    folder: Path, dossiers: Dossiers, bridge: DossierPassage
) -> None:
    with write(folder) as archive:
        archive.withdraw(HARBOUR.id)
    passage = only(dossiers)
    assert (passage.state, passage.quote, passage.metadata) == ("withdrawn", "", None)
    with pytest.raises(SavedItemError, match="No article"):
        dossiers.add("Bridge", HARBOUR.id, 0, 5)
    with write(folder) as archive:
        archive.reinstate(HARBOUR.id)
    assert only(dossiers).quote == QUOTE


def test_restricted_passage_is_shown_to_who_may_read_it(folder: Path, dossiers: Dossiers) -> None:
    add(folder, ORCHARD.replace(access="premium"))
    dossiers.create("Bridge")
    with pytest.raises(SavedItemError, match="No article"):
        dossiers.add("Bridge", ORCHARD.id, 0, 7)
    dossiers.add("Bridge", ORCHARD.id, 0, 7, access=("Premium",))
    passage = only(dossiers)
    assert (passage.state, passage.quote, passage.metadata) == ("restricted", "", None)
    assert only(dossiers, access=("premium",)).quote == "Growers"
    assert dossiers.passages("Bridge", access=ALL_RIGHTS)[0].state == "current"


def test_article_that_became_restricted_is_hidden(
    folder: Path, dossiers: Dossiers, bridge: DossierPassage
) -> None:
    add(folder, HARBOUR.replace(access="premium"))
    assert only(dossiers).state == "restricted"


@settings(deadline=None, max_examples=20)
@given(moves=st.lists(st.tuples(st.integers(0, 4), st.integers(-2, 9)), max_size=8))
def test_passages_stay_in_the_order_of_the_moves(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[int, int]]
) -> None:
    with small_archive(tmp_path_factory.mktemp("moves") / "archive") as archive:
        dossiers = archive.saved.dossiers
        dossiers.create("Order")
        order = [dossiers.add("Order", HARBOUR.id, n, n + 9).id for n in range(5)]
        for which, place in moves:
            moved = order.pop(which)
            order.insert(max(place, 1) - 1, moved)
            dossiers.move("Order", moved, place)
        assert [one.id for one in dossiers.passages("Order")] == order


def test_removed_passage_returns_to_its_place(dossiers: Dossiers) -> None:
    dossiers.create("Order")
    first, second, third = (dossiers.add("Order", HARBOUR.id, n, n + 9) for n in range(3))
    dossiers.remove("Order", second.id)
    assert [one.id for one in dossiers.passages("Order")] == [first.id, third.id]
    assert [one.id for one in dossiers.removed("Order")] == [second.id]
    with pytest.raises(SavedItemError):
        dossiers.note("Order", second.id, "gone")
    dossiers.restore_passage("Order", second.id)
    assert [one.id for one in dossiers.passages("Order")] == [first.id, second.id, third.id]


def test_entry_of_another_dossier_or_owner_is_not_changed(
    folder: Path, dossiers: Dossiers, bridge: DossierPassage
) -> None:
    dossiers.create("Other")
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        hers = archive.saved.of("ada").dossiers
        hers.create("Bridge")
        for theirs, name in ((dossiers, "Other"), (hers, "Bridge")):
            for act in (theirs.remove, theirs.restore_passage):
                with pytest.raises(SavedItemError):
                    act(name, bridge.id)
            with pytest.raises(SavedItemError):
                theirs.note(name, bridge.id, "mine")
            with pytest.raises(SavedItemError):
                theirs.move(name, bridge.id, 1)
    assert only(dossiers) == bridge


def test_deleted_dossier_returns_with_its_passages(
    dossiers: Dossiers, bridge: DossierPassage
) -> None:
    dossier = dossiers.delete("bridge")
    assert dossiers.list() == ()
    dossiers.create("Bridge")
    assert dossiers.restore(dossier.id).name == "Bridge (2)"
    assert dossiers.passages(dossier.id) == (bridge,)
    dossiers.rename(dossier.id, "The bridge")
    assert [one.name for one in dossiers.list()] == ["The bridge", "Bridge"]


# erasure


def files_with(folder: Path, words: str) -> list[str]:
    """Return the names of the archive's files that contain these words."""
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and words.encode() in path.read_bytes()
    ]


def erase(folder: Path) -> bool:
    with write(folder) as archive:
        return archive.erase(HARBOUR.id, reason="court order")


@pytest.mark.parametrize("state", ["in use", "removed", "deleted"])
def test_erasure_removes_the_words_from_dossiers(folder: Path, state: str) -> None:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        dossiers = archive.saved.dossiers
        dossiers.create("Bridge")
        passage = dossiers.add("Bridge", HARBOUR.id, START, END, note="Quill is wrong here.")
        dossiers.add("Bridge", ORCHARD.id, 0, 20, note=COPIED)
        kept = dossiers.add("Bridge", ORCHARD.id, 0, 30, note="Ferries, weeks, repairs: other.")
        if state == "removed":
            dossiers.remove("Bridge", passage.id)
        if state == "deleted":
            dossier = dossiers.delete("Bridge")
    assert files_with(folder, QUOTE)
    assert erase(folder)
    for words in (QUOTE, "six weeks", HARBOUR.title, "Quill is wrong"):
        assert files_with(folder, words) == []
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        dossiers = archive.saved.dossiers
        if state == "removed":
            dossiers.restore_passage("Bridge", passage.id)
        if state == "deleted":
            dossiers.restore(dossier.id)
        erased, other, untouched = dossiers.passages("Bridge")
        assert (erased.state, erased.quote, erased.note, erased.metadata) == (
            "erased",
            "",
            "",
            None,
        )
        assert (other.state, other.note) == ("current", "")
        assert untouched == kept


@pytest.mark.parametrize("words", [HARBOUR.title, HARBOUR.title.upper(), f"? {COPIED}"])
def test_erasure_removes_copied_words_from_names_and_searches(folder: Path, words: str) -> None:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        searches, dossiers = archive.saved.searches, archive.saved.dossiers
        searches.add("One", words)
        searches.add(words, "harbour")
        searches.delete(words)
        kept = searches.add("Bridges", "harbour bridge closed")
        dossier = dossiers.create(words)
        dossiers.add(words, ORCHARD.id, 0, 7, note="kept")
    assert erase(folder)
    assert files_with(folder, words) == []
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert archive.saved.searches.list() == (kept,)
        assert archive.saved.searches.deleted() == ()
        assert only(archive.saved.dossiers, dossier.id).note == "kept"


def test_erasure_waits_for_a_passage_that_is_being_added(folder: Path) -> None:
    database = SavedDatabase(folder)
    store = DossierStore(database)
    store.create("Bridge")
    metadata, now = replace(HARBOUR.metadata, revision=1), datetime.now(UTC)
    entry = DossierEntry("", HARBOUR.id, 1, START, END, QUOTE, metadata, "", now)
    with ThreadPoolExecutor(1) as thread:
        with database.write() as connection:
            erasing = thread.submit(erase, folder)
            store.insert(connection, "Bridge", entry)
            while not _is_withdrawn(folder):
                time.sleep(0.01)
            assert not erasing.done()
        assert erasing.result()
    assert files_with(folder, QUOTE) == []
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert only(archive.saved.dossiers).state == "erased"


def _is_withdrawn(folder: Path) -> bool:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        return bool(archive.withdrawals([HARBOUR.id]))


def test_interrupted_erasure_is_finished_by_the_next_writer(
    folder: Path, dossiers: Dossiers, bridge: DossierPassage
) -> None:
    with write(folder) as archive:  # killed after it was begun
        Withdrawals(archive.store).withdraw([HARBOUR.id], "court order", Erasure.BEGUN)
    assert files_with(folder, QUOTE)
    write(folder).close()
    assert files_with(folder, QUOTE) == []


def test_words_of_other_articles_survive_an_erasure(folder: Path) -> None:
    shared = "All rights are reserved by the harbour press and the orchard press."
    for article in (HARBOUR, ORCHARD):
        add(folder, article.replace(text=f"{article.text} {shared}"))
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        dossiers = archive.saved.dossiers
        dossiers.create("Press")
        dossiers.add("Press", ORCHARD.id, 0, 7, note=shared)
    assert erase(folder)
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert only(archive.saved.dossiers, "Press").note == shared


# backup and doctor


def test_backup_has_saved_items_and_no_tokens(
    tmp_path: Path, folder: Path, dossiers: Dossiers, bridge: DossierPassage
) -> None:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        searches = archive.saved.searches
        saved = searches.add("Ferries", "ferry")
        token = searches.feed_token("Ferries")
        write_backup(archive.store, tmp_path / "one.backup")
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "one.backup"}
    restore_backup(tmp_path / "one.backup", tmp_path / "again")
    with Archive.open(tmp_path / "again", embeddings=WordEmbeddings()) as archive:
        assert archive.saved.dossiers.passages("Bridge") == (bridge,)
        assert archive.saved.searches.list() == (saved,)
        assert archive.saved.searches.open_feed(saved.id, token) is None
        assert archive.saved.searches.feed_token("Ferries") != token
        assert find_problems(archive) == ()
    assert files_with(tmp_path / "again", token) == []
    assert (tmp_path / "again" / "saved.sqlite3").stat().st_mode & 0o077 == 0


def test_restoring_keeps_saved_items_that_are_there(
    tmp_path: Path, folder: Path, dossiers: Dossiers, bridge: DossierPassage
) -> None:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        write_backup(archive.store, tmp_path / "one.backup")
    dossiers.create("Later")
    (folder / "archive.sqlite").unlink()
    restore_backup(tmp_path / "one.backup", folder)
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert [one.name for one in archive.saved.dossiers.list()] == ["Bridge", "Later"]
    (folder / "archive.sqlite").unlink()
    (folder / "saved.sqlite3").write_bytes(b"SQLite format 3\0" + bytes(5000))
    restore_backup(tmp_path / "one.backup", folder)
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert [one.name for one in archive.saved.dossiers.list()] == ["Bridge"]


def test_doctor_erases_words_that_an_old_file_brought_back(
    folder: Path, dossiers: Dossiers, bridge: DossierPassage
) -> None:
    old = (folder / "saved.sqlite3").read_bytes()
    assert erase(folder)
    (folder / "saved.sqlite3").write_bytes(old)
    assert only(dossiers).state == "erased"  # hidden meanwhile
    with write(folder) as archive:
        (problem,) = find_problems(archive)
        assert str(problem).startswith("saved items: 1 erased articles have words")
        assert repair_archive(archive) == ()
    assert files_with(folder, QUOTE) == []


def test_doctor_reports_a_damaged_file_and_the_rest_goes_on(
    folder: Path, dossiers: Dossiers, bridge: DossierPassage
) -> None:
    content = bytearray((folder / "saved.sqlite3").read_bytes())
    content[4096:] = b"\x07" * (len(content) - 4096)
    (folder / "saved.sqlite3").write_bytes(content)
    with write(folder) as archive:
        (problem,) = find_problems(archive)
        assert problem.place == "saved items"
        assert "move this file away" in str(problem)
        assert repair_archive(archive) == (problem,)
        assert archive.search("ferries", 1, mode="bm25")
