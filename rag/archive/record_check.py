"""Check a shared record, and a folder's copy against it; repair what the record can't."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.archive.following import RecordFollower
from rag.errors import ArchiveDamagedError, ArchiveLockedError, RecordUnavailableError
from rag.store.integrity import Problem, format_count, store_problems

COPY_AGAIN = "delete the folder, but not its logs: the next command copies all of the record"


def record_problems(follower: RecordFollower) -> Iterator[Problem]:
    """Yield the problems of the record and of the folder's copy.

    The copy's rows are compared with the record's. If the record can't be reached, the copy is
    checked by itself.

    Args:
        follower: The folder's follower.
    """
    if damage := follower.copy.database.find_damage():
        what = f"the file is damaged ({damage[0]})"
        yield Problem("copy", what, "restore", remedy=COPY_AGAIN, whole_file=True)
        return
    try:
        yield from store_problems(follower.record)
        yield from _blind_tables(follower)
        yield from _differences(follower)
    except (RecordUnavailableError, ArchiveDamagedError) as error:
        what, _, remedy = str(error).rpartition(": ")
        yield Problem(
            "record", f"{what}, so the copy was checked by itself", "restore", 1, (), remedy
        )
        yield from store_problems(follower.copy.database)
    except ArchiveLockedError as error:
        what, _, remedy = str(error).rpartition(": ")
        yield Problem("copy", f"not compared with the record, as {what}", "restore", 1, (), remedy)


def _blind_tables(follower: RecordFollower) -> Iterator[Problem]:
    if blind := follower.record.blind_tables():
        what = f"{format_count(len(blind), 'table')} without triggers ({', '.join(blind)}): "
        yield Problem("record", f"{what}folders miss their changes", "triggers", len(blind))


def _differences(follower: RecordFollower) -> Iterator[Problem]:
    for one in follower.compare():
        count = format_count(one.copy, "row")
        what = f"the table {one.table} differs from the record's: {count} for {one.record}"
        yield Problem("copy", what, "copy", max(1, abs(one.copy - one.record)))


def repair_record(follower: RecordFollower, problems: Sequence[Problem]) -> None:
    """Repair triggers, and have folders copy all of the record again where that is needed.

    Args:
        follower: The folder's follower; the caller holds the folder's write lock.
        problems: What was found. Vectors among it have been embedded again: a vector that changes
            without its passage reaches no index.
    """
    fixes = {problem.fix for problem in problems}
    if "triggers" in fixes:
        follower.record.repair_triggers()
    elif "embed" in fixes:
        follower.record.renew()
    if "copy" in fixes:
        follower.copy_anew()


def unchecked_parts(follower: RecordFollower) -> Iterator[str]:
    """Yield what a check of an archive's file includes, but that of a record can't."""
    try:
        if follower.record.has_checksums:
            yield "the pages of the record's files: PostgreSQL checks them when it reads them"
        else:
            yield (
                "the pages of the record's files: run `pg_amcheck` on the server, and enable "
                "`pg_checksums`"
            )
    except (RecordUnavailableError, ArchiveDamagedError):
        yield "the record"
