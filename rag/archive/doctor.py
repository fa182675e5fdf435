"""The doctor: whether an archive is sound, in every particular, and mending what is not."""

from __future__ import annotations

from rag.archive.archive import Archive
from rag.index.consistency import find_lost_writes, index_problems, repair_indexes
from rag.store.change_times import repair_change_times
from rag.store.integrity import (
    Problem,
    discard_orphans,
    drop_triggers_and_views,
    embedded_texts,
    remove_impossible_dates,
    store_problems,
    write_vectors,
)
from rag.store.staged_vectors import StagedVectors

__all__ = ["Problem", "find_problems", "repair_archive"]

BATCH = 256  # passages embedded and written at a time


def find_problems(archive: Archive) -> tuple[Problem, ...]:
    """Return all that does not hold of the archive's record and indexes; nothing if it is sound.

    Others may read and write meanwhile: each part is held against the record as of one change.
    """
    archive.refresh()
    problems = tuple(store_problems(archive.store.database))
    if any(problem.whole_file for problem in problems):
        return problems
    if loss := find_lost_writes(archive.path, archive.store.database):
        count = loss.last - loss.first + 1
        lost = Problem("record", loss.what, "give up", count, way_out=loss.remedy)
        return (*problems, lost)  # its indexes hold what it no longer does
    return (*problems, *index_problems(archive.store, archive.indexes))


def repair_archive(archive: Archive) -> tuple[Problem, ...]:
    """Mend what can be mended of an archive open for writing; return what is left.

    Only passages whose vectors the record has lost are embedded.  Changes that the record has
    lost are given up: the indexes are made again from what is left.
    """
    database = archive.store.database
    problems = tuple(store_problems(database))
    if any(problem.whole_file for problem in problems):
        return problems
    if any(problem.fix == "drop" for problem in problems):  # first: a trigger may undo the rest
        drop_triggers_and_views(database)
    if any(problem.fix == "discard" for problem in problems):
        discard_orphans(database)
        StagedVectors(database).discard(
            n for p in problems if p.fix == "discard" for n in p.numbers
        )
    if any(problem.fix == "times" for problem in problems):
        repair_change_times(database)
    undated = any(problem.fix == "undate" for problem in problems)
    if undated:
        remove_impossible_dates(database)
        problems = tuple(store_problems(database))  # with the vectors that were of the dates, too
    lost = sorted({n for p in problems if p.fix == "embed" for n in p.numbers})
    for i in range(0, len(lost), BATCH):
        texts = embedded_texts(database, lost[i : i + BATCH])
        if texts:
            write_vectors(database, texts, archive.embed(list(texts.values())))
    if undated:
        archive.indexes.rebuild(words=True, vectors=False)
    repair_indexes(archive.indexes, tuple(index_problems(archive.store, archive.indexes)))
    return find_problems(archive)
