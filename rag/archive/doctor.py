"""Check an archive's integrity, and repair it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from rag.archive.archive import INDEX_WAIT, Archive
from rag.archive.side_home import UnsetHome
from rag.errors import ArchiveLockedError, RecordUnavailableError
from rag.index.consistency import find_lost_writes, index_problems, repair_indexes
from rag.store.change_times import repair_change_times
from rag.store.integrity import Problem, store_problems
from rag.store.repairs import (
    discard_orphans,
    drop_triggers_and_views,
    embedded_texts,
    remove_impossible_dates,
    write_vectors,
)
from rag.store.saved_database import DAMAGED, SavedDatabase
from rag.store.saved_database import FILE as SAVED
from rag.store.saved_erasure import erase_from_saved, quoted_articles
from rag.store.saved_validation import find_saved_damage
from rag.store.side_file import FolderHome
from rag.store.staged_vectors import StagedVectors
from rag.store.withdrawals import Withdrawal, Withdrawals

__all__ = ["Problem", "find_problems", "repair_archive"]

BATCH = 256  # passages embedded and written at a time


def find_problems(archive: Archive) -> tuple[Problem, ...]:
    """Check the database and the indexes of an archive.

    Others may read and write in the meantime: each part is compared as of one change.

    Returns:
        The problems found; empty if the archive is intact.
    """
    archive.refresh()
    problems = (*_store_problems(archive), *_saved_problems(archive))
    if any(problem.whole_file for problem in problems):
        return problems
    if archive.follower is not None:
        return (*problems, *index_problems(archive.indexes.store, archive.indexes))
    if loss := find_lost_writes(archive.path, archive.store.database):
        count = loss.last - loss.first + 1
        lost = Problem("store", loss.description, "give up", count, remedy=loss.remedy)
        return (*problems, lost)  # comparing the indexes would only repeat the loss
    return (*problems, *index_problems(archive.store, archive.indexes))


def unchecked(archive: Archive) -> tuple[str, ...]:
    """Return what `find_problems` can't check, as parts of sentences; empty without a record."""
    if archive.follower is None:
        return ()
    from rag.archive.record_check import unchecked_parts

    return tuple(unchecked_parts(archive.follower))


def _store_problems(archive: Archive) -> Iterator[Problem]:
    if archive.follower is None:
        return store_problems(archive.store.database)
    from rag.archive.record_check import record_problems  # psycopg: 0.1 s

    return record_problems(archive.follower)


def repair_archive(archive: Archive) -> tuple[Problem, ...]:
    """Repair what can be repaired.

    Only passages whose vectors are lost are embedded. Lost changes are accepted as lost: the
    indexes are rebuilt from the remaining database.

    Args:
        archive: An archive open for writing.

    Returns:
        The problems that are left.
    """
    with archive.indexes.hold_write_lock(INDEX_WAIT) as may:
        if not may:
            raise ArchiveLockedError(
                f"another process is writing to {archive.path}: try again when it has finished"
            )
        return _repair(archive)


def _repair(archive: Archive) -> tuple[Problem, ...]:
    database = archive.store.database
    found = problems = tuple(_store_problems(archive))
    with suppress(RecordUnavailableError):  # checked by itself: see `record_problems`
        if not find_saved_damage(SavedDatabase(archive.home)):
            _erase_left_words(archive)
    if any(problem.whole_file for problem in problems):
        return problems
    if any(problem.fix == "drop" for problem in problems):  # a trigger may undo the rest
        drop_triggers_and_views(database)
    if any(problem.fix == "discard" for problem in problems):
        discard_orphans(database)
        StagedVectors(database).discard(
            n for p in problems if p.fix == "discard" for n in p.numbers
        )
    if misnamed := [n for p in problems if p.fix == "names" for n in p.numbers]:
        archive.store.names.repair(misnamed)
    if any(problem.fix == "times" for problem in problems):
        repair_change_times(database)
    undated = any(problem.fix == "undate" for problem in problems)
    if undated:
        remove_impossible_dates(database)
        problems = tuple(store_problems(database))  # now with the vectors of those dates
    lost = sorted({n for p in problems if p.fix == "embed" for n in p.numbers})
    for i in range(0, len(lost), BATCH):
        texts = embedded_texts(database, lost[i : i + BATCH])
        if texts:
            write_vectors(database, texts, archive.embed(list(texts.values())))
    if archive.follower is not None:
        from rag.archive.record_check import repair_record

        repair_record(archive.follower, found)
        archive.refresh()
    if undated:
        archive.indexes.rebuild(bm25=True, vectors=False)
    indexes = archive.indexes
    repair_indexes(indexes, tuple(index_problems(indexes.store, indexes)))
    return find_problems(archive)


def _saved_problems(archive: Archive) -> Iterator[Problem]:
    if isinstance(archive.home, UnsetHome):
        return
    if not isinstance(archive.home, FolderHome) and SavedDatabase(archive.path).exists:
        what = f"{SAVED} in the folder isn't used, since the record has saved items"
        yield Problem("saved items", what, "restore", remedy="delete this file")
    saved = SavedDatabase(archive.home)
    try:
        if damage := find_saved_damage(saved):
            what = f"{saved.name} cannot be used ({damage})"
            yield Problem("saved items", what, "restore", remedy=DAMAGED)
        elif left := _words_left(archive, saved):
            what = f"{len(left):,} erased articles have words in {saved.name}"
            yield Problem("saved items", what, "erase", len(left))
    except RecordUnavailableError:  # which `record_problems` reports
        return


def _words_left(archive: Archive, saved: SavedDatabase) -> list[str]:
    """Return the erased articles whose words are in a dossier, as after copying an old file."""
    quoted = quoted_articles(saved)
    withdrawals = Withdrawals(archive.store).among(quoted)
    return [article_id for article_id in quoted if _is_erased(withdrawals.get(article_id))]


def _is_erased(withdrawal: Withdrawal | None) -> bool:
    return withdrawal is not None and withdrawal.erased


def _erase_left_words(archive: Archive) -> None:
    saved = SavedDatabase(archive.home)
    if left := _words_left(archive, saved):
        erase_from_saved(saved, left, lambda _: False)
